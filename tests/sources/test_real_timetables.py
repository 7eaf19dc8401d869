"""The real timetables beside the repository, each against the counts that came with it."""

import hashlib
import html
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import icalendar
import pytest
from tests.sources.reading import parsed, read

from classbell.model import Window
from classbell.settings import Feed, IcsSource
from classbell.zones import instant, utc_text

pytestmark = pytest.mark.shared

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MANIFEST = DATA / "manifest.json"
FILES: list[dict[str, Any]] = (
    [file for file in json.loads(MANIFEST.read_text(encoding="utf-8"))["files"] if file["kind"] == "real"]
    if MANIFEST.is_file()
    else []
)
ICS = [file for file in FILES if file["file"].startswith("ics/real/")]

# One entry of this feed, EAP511S, ends before it starts (its writer mixed up midday and midnight: 11:30 to
# 00:30). The manifest's counts come from a library that then takes the end for the start; we keep the start.
ENDS_BEFORE_IT_STARTS = "nust_namibia_cs3_2025"
SWAPPED_BY = timedelta(hours=-11)


def name(file: dict[str, Any]) -> str:
    return Path(file["file"]).stem


def window(file: dict[str, Any]) -> Window:
    begin, end = (int(datetime.fromisoformat(text).timestamp()) for text in file["window_utc"])
    return Window(begin=begin, end=end)


def digest(starts: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(starts)).encode()).hexdigest()


def test_all_twenty_five_timetables_are_there() -> None:
    assert len(ICS) == 25


@pytest.mark.parametrize("file", ICS, ids=name)
def test_a_real_timetable_is_read_with_every_meeting_at_its_instant(file: dict[str, Any]) -> None:
    source = IcsSource(name="real", feeds=(Feed(person="a@example.edu", url=str(DATA / file["file"])),))
    snapshot = read(source, window=window(file), timezone=file["assumed_tz"])
    starts = []
    for meeting in snapshot.meetings:
        swapped = name(file) == ENDS_BEFORE_IT_STARTS and meeting.fields["title"] == "EAP511S"
        swapped = swapped and meeting.start == meeting.end
        starts.append(utc_text(meeting.starts_at + (SWAPPED_BY.total_seconds() if swapped else 0)))
    assert len(starts) == file["occurrences"]
    assert digest(starts) == file["starts_sha256"]
    assert sum(meeting.cancelled for meeting in snapshot.meetings) == file["cancelled_occurrences"]
    assert (snapshot.remarks, snapshot.coverage.unread) == ((), frozenset())
    assert len(snapshot.attendance) == len(snapshot.meetings)


@pytest.mark.prove
@pytest.mark.parametrize("file", ICS, ids=name)
def test_titles_and_places_of_a_real_timetable_are_those_of_its_entries(file: dict[str, Any]) -> None:
    """Against the library alone, on text repaired as plainly as can be."""
    body = (DATA / file["file"]).read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    body = body.replace(b";VALUE=DATE:2023", b":2023")
    body = body if b"END:VCALENDAR" in body else body + b"\nEND:VCALENDAR\n"
    lines = b"\n".join(line for line in body.split(b"\n") if line)
    expected: Counter[tuple[str, str]] = Counter()
    for entry in icalendar.Calendar.from_ical(lines).walk("VEVENT"):
        texts = [html.unescape(str(entry.get(field, ""))) for field in ("SUMMARY", "LOCATION")]
        expected[" ".join(texts[0].split()), " ".join(texts[1].split())] += 1
    meetings = parsed(body, fallback=file["assumed_tz"], window=window(file), items=9999).meetings
    told = Counter(
        (meeting.fields.get("title", ""), meeting.fields.get("location", "")) for meeting in meetings
    )
    if "rrule" in file["features"]:
        assert told.keys() == expected.keys()
    else:
        assert told == expected


@pytest.mark.prove
@pytest.mark.parametrize("file", ICS, ids=name)
def test_a_second_read_of_a_real_timetable_has_the_same_digest(file: dict[str, Any]) -> None:
    source = IcsSource(name="real", feeds=(Feed(person="a@example.edu", url=str(DATA / file["file"])),))
    first, second = (read(source, window=window(file), timezone=file["assumed_tz"]) for _ in range(2))
    assert first.digest == second.digest


@pytest.mark.prove
def test_all_real_timetables_together_are_one_source_and_share_no_meeting() -> None:
    feeds = tuple(Feed(person=f"{name(file)}@example.edu", url=str(DATA / file["file"])) for file in ICS)
    begin, end = instant(datetime(2018, 1, 1), "UTC"), int(datetime(2027, 6, 1, tzinfo=UTC).timestamp())  # noqa: DTZ001
    snapshot = read(IcsSource(name="real", feeds=feeds), window=Window(begin=begin, end=end))
    assert len(snapshot.people) == 25
    assert snapshot.coverage.unread == frozenset()
    attended = Counter(snapshot.attendance[:, 1].tolist())
    # The same lectures stand in several of the feeds of one university, and count once.
    shared = {snapshot.meetings[meeting].key for meeting, count in attended.items() if count > 1}
    assert shared
    assert all(key.endswith("@tum.de") for key in shared)
