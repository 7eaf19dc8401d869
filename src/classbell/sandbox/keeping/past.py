"""The history of earlier runs, read from where it was kept: JSON lines, a record a line."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import msgspec

from classbell.sandbox.history import Kind, Record, Told


class _Line(msgspec.Struct):
    number: int
    at: float
    kind: Kind
    tenant: str
    app: str
    mailbox: str
    method: str
    path: str
    status: int
    detail: dict[str, Any]


_read = msgspec.json.Decoder(_Line).decode


class KeptHistory(Sequence[Record]):
    """
    Records in a file, read as they are asked for.

    Args:
        path: the file.
        places: for some records, how many stand before each and the offset in bytes; the first is (0, 0).
        count: the records in all.
        size: the bytes that they take.
    """

    def __init__(self, path: Path, places: Sequence[tuple[int, int]], count: int, size: int) -> None:
        self._path = path
        self._before = [before for before, _ in places]
        self._offsets = [*(offset for _, offset in places), size]
        self._count = count
        # One stretch of the file; those who read go through it in order, forwards or backwards.
        self._latest: tuple[int, list[bytes]] = (-1, [])

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._count))]
        if index < 0:
            index += self._count
        if not 0 <= index < self._count:
            raise IndexError(index)
        stretch = bisect_right(self._before, index) - 1
        return _record(self._lines(stretch)[index - self._before[stretch]])

    def __iter__(self) -> Iterator[Record]:
        return (self[place] for place in range(self._count))

    def _lines(self, stretch: int) -> list[bytes]:
        known, lines = self._latest
        if known != stretch:
            begin, end = self._offsets[stretch], self._offsets[stretch + 1]
            with self._path.open("rb") as file:
                file.seek(begin)
                lines = file.read(end - begin).splitlines()
            self._latest = (stretch, lines)
        return lines


def _record(line: bytes) -> Record:
    told = _read(line)
    values = {name: getattr(told, name) for name in _Line.__struct_fields__ if name != "detail"}
    return Record(**values, more=Told(told.detail))
