"""Lists of words and numbers that never change, written into statements letter for letter."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, ColumnElement, literal_column


def among(column: Column[Any], values: Iterable[str | int]) -> ColumnElement[bool]:
    """
    Whether a column has one of some values of ours.

    A partial index may only answer where its condition stands letter for letter (SQLite manual, "Partial
    Indexes"); without one, some queries would walk through all changes that were ever made. And a list that is
    given as parameters is written into its statement anew each time that is sent, and not at all for many rows.
    """
    listed = ", ".join(f"'{value}'" if isinstance(value, str) else str(int(value)) for value in values)
    # Of no type: as a Boolean it would be written "... = 1" for SQLite, which fits no index.
    return literal_column(f"{column.table.name}.{column.name} IN ({listed})")
