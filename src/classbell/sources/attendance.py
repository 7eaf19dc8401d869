"""
Who attends: a CSV of meeting keys and addresses, read in one pass that is kept small per row.

A university has tens of millions of these rows, so here rows are taken from the reader as they are and
become packed numbers at once.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classbell.model import Remark
from classbell.sources.snapshot import Pairs, person_of
from classbell.sources.tables import BadRows, Table, open_csv, short_row, taking_apart, unusable

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

_MEETING_TITLES = ("meeting", "meeting key", "key")
_PERSON_TITLES = ("person",)
_SHOWN = 5
_LOW = (1 << 32) - 1


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """``people`` are unique; ``pairs`` as in ``snapshot.build``, by the indexes given for meetings."""

    people: Sequence[str]
    pairs: Pairs
    remarks: Sequence[Remark]


def read_attendance(source: str, path: Path, content: bytes, meetings: Mapping[str, int]) -> Attendance:
    """
    The attendance of meetings, whose keys map to their indexes.

    A few rows for meetings that do not exist are a remark; many mean that the two tables do not belong
    together.

    Raises:
        SourceUnusable: a column is absent, a row cannot be read, nobody attends anything, or too many rows
            name meetings that do not exist.
    """
    header, reader = open_csv(source, path, content)
    table = Table(source=source, file=str(path), header=header, rows=iter(()))
    rows = _Rows(table, meetings, _column(table, _MEETING_TITLES), _column(table, _PERSON_TITLES))
    with taking_apart(source, str(path), reader):
        rows.take(reader)
    rows.bad.check()
    remarks = rows.verdict_on_unknown()
    packed = np.frombuffer(rows.packed, dtype=np.int64)
    if not len(packed):
        raise unusable(
            source,
            "E-SRC-EMPTY",
            f"{path} names nobody.",
            why='unknown; an empty table is never taken to mean "delete everything"',
            do="look at what writes the file",
        )
    return Attendance(
        people=list(rows.people),
        pairs=np.stack((packed >> 32, packed & _LOW), axis=1),
        remarks=remarks,
    )


class _Rows:
    """Turns rows into packed pairs: the person's number in the upper half, the meeting's in the lower."""

    def __init__(self, table: Table, meetings: Mapping[str, int], meeting: int, person: int) -> None:
        self.packed = array("q")
        self.people: dict[str, int] = {}
        self.bad = BadRows(table)
        self._table = table
        self._meetings = meetings
        self._meeting = meeting
        self._person = person
        self._total = 0
        self._unknown = 0
        self._examples: dict[str, None] = {}

    def take(self, reader: "CsvReader") -> None:
        meeting_column, person_column, width = self._meeting, self._person, len(self._table.header)
        known_meeting, append = dict(self._meetings).get, self.packed.append
        # Addresses repeat a thousandfold, spelt alike: each spelling is made normal once.
        spelt: dict[str, int] = {}
        known_person = spelt.get
        last_key: str | None = None
        meeting = 0
        for row in reader:
            if len(row) != width:
                if not any(row):
                    continue
                raise short_row(self._table.source, self._table.file, reader.line_num, len(row), width)
            key, address = row[meeting_column], row[person_column]
            person = known_person(address)
            if person is None:
                person = self._new_person(address, key, reader.line_num)
                if person is None:
                    continue
                spelt[address] = person
            # Rows come in runs of one meeting; looking up is what costs most here.
            if key != last_key:
                found = known_meeting(key)
                if found is None:
                    found = self._odd_meeting(key, reader.line_num)
                if found is None:
                    last_key = None
                    continue
                meeting, last_key = found, key
            append(person << 32 | meeting)

    def _new_person(self, address: str, key: str, line: int) -> int | None:
        person = person_of(address)
        if not person:
            # A row without person and meeting is a blank one.
            if key.strip():
                self.bad.add(line, "it names no person")
            return None
        return self.people.setdefault(person, len(self.people))

    def _odd_meeting(self, text: str, line: int) -> int | None:
        key = text.strip()
        if not key:
            self.bad.add(line, "it names no meeting")
            return None
        if key not in self._meetings:
            self._unknown += 1
            if len(self._examples) < _SHOWN:
                self._examples[key] = None
            return None
        return self._meetings[key]

    def verdict_on_unknown(self) -> list[Remark]:
        """What rows for meetings that do not exist mean: nothing, a remark, or a refusal."""
        if not self._unknown:
            return []
        total = len(self.packed) + self._unknown
        examples = ", ".join(f'"{key}"' for key in self._examples)
        told = f"{self._unknown:,} of {total:,} rows of {self._table.file} name meetings that do not exist"
        # One in a hundred, or up to three in a small table: more is no slip but another term's file.
        if self._unknown > max(total // 100, min(3, total // 10)):
            raise self._table.unusable(
                "E-SRC-ATTENDANCE",
                f"{told}.",
                why=f"the two tables do not belong together, or a key was renamed: {examples}",
                do="export both tables at the same time, with the same keys",
            )
        text = f'Source "{self._table.source}": {told} ({examples}). These rows have no effect.'
        return [Remark(code="E-SRC-ATTENDANCE", text=text)]


def _column(table: Table, titles: Sequence[str]) -> int:
    loose = [title.casefold().replace("_", " ") for title in table.header]
    found = [title for title in titles if title in loose]
    return loose.index(found[0]) if found else table.column(titles[0])
