"""
Two tables as a source: the meetings, and who attends them.

The meetings come as CSV or XLSX with a mapping from fields to columns; attendance is a CSV of meeting keys
and addresses. A table with a row that cannot be read is refused as a whole.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from classbell.errors import SourceUnusable
from classbell.model import Meeting, Snapshot, Window
from classbell.ports import ParserDied, Ports
from classbell.settings import TableSource
from classbell.sources import NOT_FIELDS, snapshot
from classbell.sources.attendance import read_attendance
from classbell.sources.parsed import ParsedSheet
from classbell.sources.sentinels import check_sentinels
from classbell.sources.tables import (
    BadRows,
    Table,
    empty,
    oldest_allowed,
    read_csv,
    read_file,
    sheet_table,
    unusable,
)
from classbell.sources.tabletimes import CellRefused, times_of, truth

_WORKBOOKS = frozenset({".xlsx", ".xlsm"})
_ZIP = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class MeetingsTable:
    """
    A source of two tables.

    Args:
        timezone: the institution's zone, for the times where the source names none.
    """

    def __init__(self, settings: TableSource, ports: Ports, *, timezone: str) -> None:
        self.name = settings.name
        self._settings = settings
        self._ports = ports
        self._zone = settings.timezone or timezone

    async def read(self, window: Window) -> Snapshot:
        """
        Read both tables.

        Raises:
            SourceUnusable: a table is absent, empty, not what it should be, or has a row that cannot be read.
            SourceUnreachable: a file cannot be read for now.
        """
        meetings = self._meetings(await self._table())
        content = self._file(self._settings.attendance)
        numbers = {meeting.key: number for number, meeting in enumerate(meetings)}
        attendance = read_attendance(self.name, self._settings.attendance, content, numbers)
        built = snapshot.build(
            source=self.name,
            meetings=meetings,
            people=attendance.people,
            pairs=attendance.pairs,
            window=window,
            remarks=attendance.remarks,
        )
        return check_sentinels(built, self._settings.sentinels)

    def _file(self, path: Path) -> bytes:
        oldest = oldest_allowed(self._settings.max_age, self._ports.clock.now())
        return read_file(self.name, path, self._ports.files, int(self._settings.limits.bytes), oldest=oldest)

    async def _table(self) -> Table:
        path = self._settings.meetings
        content = self._file(path)
        if content.startswith(_OLD_WORKBOOK):
            raise self._unusable_workbook("E-SRC-GARBAGE", "it is a workbook of the old kind (.xls)")
        if path.suffix.lower() in _WORKBOOKS or content.startswith(_ZIP):
            return await self._workbook(content)
        return read_csv(self.name, path, content)

    async def _workbook(self, content: bytes) -> Table:
        limits = self._settings.limits
        options = {
            "sheet": self._settings.sheet,
            "items": limits.items,
            "seconds": limits.parse.total_seconds(),
        }
        try:
            (result,) = await self._ports.parser.parse("xlsx", [content], options)
        except ParserDied as died:
            raise self._unusable_workbook("E-SRC-PARSER", f"it stopped the parser: {died.reason}") from died
        sheet = msgspec.msgpack.decode(result, type=ParsedSheet)
        if sheet.failure is not None:
            names = (
                f"; its sheets are {', '.join(sheet.names)}" if sheet.failure.code == "E-SRC-COLUMN" else ""
            )
            raise self._unusable_workbook(sheet.failure.code, sheet.failure.why + names)
        return sheet_table(self.name, str(self._settings.meetings), sheet.rows)

    def _unusable_workbook(self, code: str, why: str) -> SourceUnusable:
        return unusable(
            self.name,
            code,
            f"{self._settings.meetings} cannot be read.",
            why=why,
            do="open it in Excel and save it as XLSX, or as CSV; check sheet in the configuration",
        )

    def _meetings(self, table: Table) -> list[Meeting]:
        reader = _RowReader(table, self._settings.map, self._zone)
        bad = BadRows(table)
        found: dict[str, tuple[int, Meeting]] = {}
        for line, row in table.rows:
            try:
                meeting = reader.meeting(row)
            except CellRefused as refused:
                bad.add(line, str(refused))
                continue
            before = found.setdefault(meeting.key, (line, meeting))
            if before[1] != meeting:
                bad.add(line, f'the key "{meeting.key}" is also in line {before[0]}, for another meeting')
            if len(found) > self._settings.limits.items:
                raise table.unusable(
                    "E-SRC-BIG",
                    f"{table.file} has more than {self._settings.limits.items:,} meetings.",
                    why="limits.items of this source allows no more",
                    do="if the file is right, raise limits.items",
                )
        bad.check()
        if not found:
            raise empty(self.name, table.file)
        return [meeting for _, meeting in found.values()]


class _RowReader:
    """Turns the cells of a row into a meeting, by the mapping from fields to columns."""

    def __init__(self, table: Table, mapping: Mapping[str, str], zone: str) -> None:
        columns = {
            field: table.column(title, setting=f"map.{field}") for field, title in sorted(mapping.items())
        }
        self._key, self._start, self._end = columns["key"], columns["start"], columns["end"]
        self._date = columns.get("date")
        self._cancelled = columns.get("cancelled")
        self._fields = [(field, column) for field, column in columns.items() if field not in NOT_FIELDS]
        self._zone = zone

    def meeting(self, row: list[str]) -> Meeting:
        key = row[self._key].strip()
        if not key:
            raise CellRefused("it has no key")
        day = None if self._date is None else row[self._date].strip()
        times = times_of(day, row[self._start].strip(), row[self._end].strip())
        fields = {field: _CONTROL.sub("", row[column]).strip() for field, column in self._fields}
        return Meeting(
            key=key,
            start=times.start,
            end=times.end,
            zone="UTC" if times.in_utc else self._zone,
            all_day=times.all_day,
            cancelled=self._cancelled is not None and truth(row[self._cancelled]),
            fields={field: text for field, text in fields.items() if text},
        )
