"""Reads the sample university's tables as any program would, without its own code."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

Row = dict[str, str]
Pairs = set[tuple[str, str]]


def read(directory: Path) -> tuple[dict[str, Row], Pairs]:
    """The meetings by key, and who attends as (meeting, person)."""
    with (directory / "meetings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    meetings = {row["key"]: row for row in rows}
    assert len(meetings) == len(rows), "keys are unique"
    with (directory / "attendance.csv").open(encoding="utf-8", newline="") as file:
        lines = [(row["meeting"], row["person"]) for row in csv.DictReader(file)]
    pairs = set(lines)
    assert len(pairs) == len(lines), "nobody attends twice"
    assert {meeting for meeting, _ in pairs} <= set(meetings)
    return meetings, pairs


def held(meetings: dict[str, Row]) -> dict[str, Row]:
    return {key: row for key, row in meetings.items() if row["cancelled"] != "yes"}


def clashes(meetings: dict[str, Row], pairs: Pairs) -> list[str]:
    """Everybody and every room that would have to be in two places at once."""
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in held(meetings).values():
        spans[row["room"]].append(_span(row))
    for key, person in pairs:
        if meetings[key]["cancelled"] != "yes":
            spans[person].append(_span(meetings[key]))
    return [who for who, times in spans.items() if _overlap(times)]


def _span(row: Row) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])


def _overlap(times: Iterable[tuple[datetime, datetime]]) -> bool:
    return any(before[1] > after[0] for before, after in pairwise(sorted(times)))
