"""
Tables as institutions write them: bytes to rows of text, whatever the delimiter and the encoding.

A row that cannot be read refuses its table; reading on without it would look like a deletion.
"""

import csv
import difflib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from classbell.errors import SourceUnreachable, SourceUnusable
from classbell.ports import Files
from classbell.zones import utc_text

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

_DELIMITERS = (",", ";", "\t", "|")
_SHOWN = 3
_HEAD = 65_536

EFFECT = "events already delivered stay as they are"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its header; ``rows`` gives each further row that is not blank with its number, once."""

    source: str
    file: str
    header: Sequence[str]
    rows: Iterator[tuple[int, list[str]]]

    def column(self, name: str, *, setting: str = "") -> int:
        """
        The index of a column.

        Args:
            setting: the key of the configuration that names it, if one does.

        Raises:
            SourceUnusable: E-SRC-COLUMN: there is no such column, or more than one.
        """
        for normal in (str.strip, _loose):
            found = [index for index, title in enumerate(self.header) if normal(title) == normal(name)]
            if len(found) == 1:
                return found[0]
            if found:
                raise self.unusable(
                    "E-SRC-COLUMN",
                    f'{self.file} has {len(found)} columns named "{name}".',
                    why="it is not clear which of them is meant",
                    do="give each column a name of its own",
                )
        near = difflib.get_close_matches(name, self.header, n=1)
        hint = f'Did you mean "{near[0]}"? ' if near else ""
        raise self.unusable(
            "E-SRC-COLUMN",
            f'{self.file} has no column "{name}".',
            why="it has the columns "
            + (", ".join(f'"{title}"' for title in self.header if title) or "(none)"),
            do=f"{hint}Correct {setting or 'the header'} or the file.",
        )

    def unusable(self, code: str, what: str, *, why: str, do: str) -> SourceUnusable:
        """An error about this table."""
        return unusable(self.source, code, what, why=why, do=do)


class BadRows:
    """Collects the rows of a table that cannot be read, so that one error names several of them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._count = 0
        self._shown: list[str] = []

    def add(self, line: int, why: str) -> None:
        """Note a row."""
        self._count += 1
        if len(self._shown) < _SHOWN:
            self._shown.append(f"line {line}: {why}")

    def check(self) -> None:
        """
        Refuse the table if any row was bad.

        Raises:
            SourceUnusable: E-SRC-ROW.
        """
        if self._count:
            rest = f"; and {self._count - len(self._shown)} more" if self._count > len(self._shown) else ""
            raise self._table.unusable(
                "E-SRC-ROW",
                f"{self._table.file} has {self._count} row{'s' * (self._count > 1)} that cannot be read.",
                why="; ".join(self._shown) + rest,
                do="correct these rows at the source, or remove them there",
            )


def unusable(source: str, code: str, what: str, *, why: str, do: str) -> SourceUnusable:
    """An error about one source, in the words that all of them share."""
    return SourceUnusable(code, f'Source "{source}": {what}', why=why, do=do, effect=EFFECT)


def oldest_allowed(max_age: timedelta | None, now: float) -> float | None:
    """Before which instant nothing may have been made; None for any."""
    return None if max_age is None else now - max_age.total_seconds()


def read_file(source: str, path: Path, files: Files, most: int, *, oldest: float | None = None) -> bytes:
    """
    The content of a file of the institution.

    Args:
        oldest: it must not have been written before this instant.

    Raises:
        SourceUnusable: it is absent, may not be read, is too large, too old, or is empty.
        SourceUnreachable: it cannot be read for now.
    """
    try:
        content = files.read(path)
        written = files.modified(path)
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise unusable(
            source,
            "E-SRC-FILE",
            f"{path} cannot be read.",
            why=error.strerror or "unknown",
            do="check the path in the configuration, and that this program may read the file",
        ) from error
    except OSError as error:
        raise SourceUnreachable(
            "E-SRC-FILE",
            f'Source "{source}": {path} cannot be read.',
            why=error.strerror or "unknown",
            do="check the disk or share it is on; it is tried again by itself",
            effect=EFFECT,
        ) from error
    if oldest is not None and written < oldest:
        raise unusable(
            source,
            "E-SRC-STALE",
            f"{path} was written {utc_text(written)}.",
            why="that is longer ago than max_age of this source allows",
            do="look why nothing exports it any more; if nothing has changed since, raise max_age",
        )
    if len(content) > most:
        raise unusable(
            source,
            "E-SRC-BIG",
            f"{path} has {len(content):,} bytes.",
            why=f"limits.bytes of this source allows {most:,}",
            do="if the file is right, raise limits.bytes",
        )
    if not content.strip(b"\0 \t\r\n"):
        raise empty(source, str(path))
    return content


def empty(source: str, file: str) -> SourceUnusable:
    """The error for a table that holds nothing."""
    return unusable(
        source,
        "E-SRC-EMPTY",
        f"{file} is empty.",
        why='unknown; an empty table is never taken to mean "delete everything"',
        do="look at what writes the file",
    )


def read_csv(source: str, path: Path, content: bytes) -> Table:
    """
    A CSV file as a table; delimiter (comma, semicolon, tab, bar) and encoding are found out.

    Raises:
        SourceUnusable: it has no header; later, from ``rows``: it cannot be taken apart, or is cut off.
    """
    header, reader = open_csv(source, path, content)
    return Table(
        source=source, file=str(path), header=header, rows=_whole(source, str(path), len(header), reader)
    )


def sheet_table(source: str, file: str, rows: Sequence[list[str]]) -> Table:
    """
    The rows of a workbook's sheet as a table; its header is the first row that is not blank.

    Raises:
        SourceUnusable: all rows are blank.
    """
    top = next((index for index, row in enumerate(rows) if any(row)), None)
    if top is None:
        raise empty(source, file)
    header = [title.strip() for title in rows[top]]
    # Workbooks leave out the blank cells at the end of a row, and people write notes beside the table.
    padding = [""] * len(header)
    following = (
        (index + 1, (row + padding)[: len(header)])
        for index, row in enumerate(rows)
        if index > top and any(row[: len(header)])
    )
    return Table(source=source, file=file, header=header, rows=following)


def open_csv(source: str, path: Path, content: bytes) -> tuple[list[str], "CsvReader"]:
    """
    The header of a CSV file, and the reader of its rows as they are: for tables of millions of rows.

    Raises:
        SourceUnusable: it has no header.
    """
    encoding = _encoding(content)
    head = content[:_HEAD].decode(encoding, errors="replace").lstrip("\ufeff")
    told = head[:4].lower() == "sep=" and len(head) > 4  # noqa: PLR2004 -- Excel's way to say it
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, errors="replace", newline="")
    reader = csv.reader(text, delimiter=head[4] if told else _delimiter(head), strict=True)
    with taking_apart(source, str(path), reader):
        if told:
            next(reader)
        for row in reader:
            if any(row):
                return [title.strip() for title in row], reader
    raise empty(source, str(path))


@contextmanager
def taking_apart(source: str, file: str, reader: "CsvReader") -> Iterator[None]:
    """
    Around the reading of rows.

    Raises:
        SourceUnusable: E-SRC-ROW: a row cannot be taken apart.
    """
    try:
        yield
    except csv.Error as error:
        raise unusable(
            source,
            "E-SRC-ROW",
            f"{file} cannot be taken apart.",
            why=f"line {reader.line_num}: {error}",
            do="check the quotation marks in this row, and that the file is whole",
        ) from error


def short_row(source: str, file: str, line: int, cells: int, width: int) -> SourceUnusable:
    """The error for a row that does not fit its header."""
    return unusable(
        source,
        "E-SRC-ROW",
        f"{file} has a row with {cells} cells under {width} columns.",
        why=f"line {line}: the row is cut off, or a cell holds a delimiter without quotation marks",
        do="check that the file was written to its end, and its quotation marks",
    )


def _whole(source: str, file: str, width: int, reader: "CsvReader") -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each as wide as the header; blank cells beyond it are let pass."""
    with taking_apart(source, file, reader):
        for row in reader:
            if any(row):
                if len(row) < width or any(row[width:]):
                    raise short_row(source, file, reader.line_num, len(row), width)
                yield reader.line_num, row


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if content.isascii():
        return "utf-8"
    try:
        content.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter(head: str) -> str:
    """The delimiter that parts the header most often, outside of quotation marks."""
    line = next((line for line in head.splitlines() if line.strip()), "")
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _loose(title: str) -> str:
    return "".join(title.casefold().split())
