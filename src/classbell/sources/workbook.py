"""One sheet of an XLSX workbook from bytes to rows of text; runs in the parsing child."""

import io
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

from classbell.sources.parsed import Failure, ParsedSheet

AnyCell = Cell | MergedCell | ReadOnlyCell | EmptyCell

_ANY_DAY = date(2000, 1, 1)


def parse(payload: bytes, options: Mapping[str, Any]) -> bytes:
    """
    Parse a workbook to the msgpack of a ``ParsedSheet``.

    Options: ``sheet``, a name or None for the first; ``items``, the most rows it may have.
    """
    return msgspec.msgpack.encode(read_sheet(payload, options))


def read_sheet(payload: bytes, options: Mapping[str, Any]) -> ParsedSheet:
    """The same as a value."""
    try:
        book = openpyxl.load_workbook(io.BytesIO(payload), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, SyntaxError):
        return ParsedSheet([], [], Failure("E-SRC-GARBAGE", "it is no workbook that can be opened"))
    names = list(book.sheetnames)
    wanted = options["sheet"] or (names[0] if names else "")
    if wanted not in names:
        return ParsedSheet([], names, Failure("E-SRC-COLUMN", f'it has no sheet "{wanted}"'))
    sheet = book[wanted]
    # The size a sheet claims is often wrong; what counts is what it holds.
    sheet.reset_dimensions()
    rows: list[list[str]] = []
    for cells in sheet.iter_rows():
        # The header is a row as well, and blank rows count: they are in the file.
        if len(rows) > options["items"]:
            return ParsedSheet([], names, Failure("E-SRC-BIG", f"it has more than {options['items']:,} rows"))
        rows.append([_text(cell) for cell in cells])
    return ParsedSheet(rows, names)


def _text(cell: AnyCell) -> str:
    value = cell.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date | time | timedelta):
        return _moment_text(value, str(cell.number_format))
    return "" if value is None else str(value).strip()


def _moment_text(value: date | time | timedelta, number_format: str) -> str:
    if isinstance(value, datetime):
        # A date is a date-time at midnight in Excel; only the format tells them apart.
        dated = value.time() == time() and "h" not in number_format.lower()
        return value.date().isoformat() if dated else _rounded(value).isoformat()
    if isinstance(value, time):
        return _rounded(datetime.combine(_ANY_DAY, value)).time().isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return value.isoformat()


def _rounded(moment: datetime) -> datetime:
    # Excel keeps times as parts of a day, so 09:00 may come as 08:59:59.999.
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)
