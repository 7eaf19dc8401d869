"""Why an event is as it is, from the source to the mailbox: what ``classbell explain`` prints, word for word."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.scenarios.campus import Class, as_tables, classes, open_campus
from tests.scenarios.world import World, table

from classbell.cli.assembly import workplace
from classbell.cli.event_story import WIDTH, lines_of, stories_of
from classbell.life import LocalFiles, SystemIds
from classbell.ports import Ports
from classbell.sources.child import ChildParser
from classbell.transport import AiohttpTransport

MONDAY = datetime(2026, 9, 21, 6, 0, tzinfo=UTC)
LOGIC = Class("logic-01", MONDAY.replace(hour=12) + timedelta(days=1))
SETS = Class("sets-01", MONDAY.replace(hour=14) + timedelta(days=1))
OTHERS = tuple(Class(f"other-{day}", MONDAY + timedelta(days=day)) for day in range(3, 13))
ADA = "ada@example.edu"


@pytest.fixture
def campus(world: World) -> World:
    """Two classes, which were delivered on a Monday at six."""
    world.set_time(MONDAY)
    (world.folder / "timetable").mkdir()
    as_tables(world.folder / "timetable", [LOGIC, SETS, *OTHERS], [ADA])
    world.add_institution(table(world.folder / "timetable"), ["ada"], timezone="UTC")
    world.synced()
    return world


def change(world: World, *planned: Class, hours: int) -> None:
    world.set_time(MONDAY + timedelta(hours=hours))
    as_tables(world.folder / "timetable", [*planned, *OTHERS], [ADA])


def stories(world: World, **meant: Any) -> list[dict[str, Any]]:
    async def ask() -> list[dict[str, Any]]:
        async with AiohttpTransport(world.clock, environ={}) as transport:
            ports = Ports(
                transport=transport,
                clock=world.clock,
                ids=SystemIds(),
                files=LocalFiles(),
                parser=ChildParser(),
            )
            async with workplace(world.configuration, writing=False, ports=ports) as place:
                office = await place.office(place.configuration.institution("example"))
                return await stories_of(office, ADA, **meant)

    return asyncio.run(ask())


def told(world: World, key: str) -> list[str]:
    """What is printed of one event, with a word in place of each id; the clock goes on while a busy machine works."""
    (story,) = stories(world, event=key)
    lines = list(lines_of(story))
    assert all(len(line) <= WIDTH for line in lines)
    for pattern, word in (
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "REQUEST"),
        (r"\.\.\.[\w=+/-]{16}", "...EVENT"),
        (r":[0-5]\dZ", ":00Z"),
    ):
        lines = [re.sub(pattern, word, line) for line in lines]
    return lines


def test_an_event_that_is_as_it_should_be(campus: World) -> None:
    assert told(campus, "logic-01") == [
        "logic-01   Tue 22 Sep 2026 12:00 to 13:00",
        "  source   timetable: Tue 22 Sep 2026 12:00 to 13:00. Last accepted",
        "           2026-09-21T06:00:00Z.",
        "  person   ada@example.edu attends it, by audience everybody, in profile",
        "           standard.",
        "  plan     Nothing is to be done.",
        "  history  2026-09-21T06:00:00Z  run 1 planned to create: new in the timetable",
        "             done 2026-09-21T06:00:00Z",
        "             Microsoft's request id REQUEST",
        "  mailbox  It stands there, made once, last written 2026-09-21T06:00:00Z, id",
        "           ...EVENT.",
    ]


def test_an_event_that_has_moved_and_whose_move_is_still_to_come(campus: World) -> None:
    change(campus, Class("logic-01", LOGIC.start + timedelta(hours=2)), SETS, hours=1)
    assert told(campus, "timetable:logic-01") == [
        "logic-01   Tue 22 Sep 2026 12:00 to 13:00",
        "  source   timetable: Tue 22 Sep 2026 14:00 to 15:00. Last accepted",
        "           2026-09-21T06:00:00Z.",
        "  person   ada@example.edu attends it, by audience everybody, in profile",
        "           standard.",
        "  plan     The next run would update it: start Tue 22 Sep 12:00 -> 14:00.",
        "  history  2026-09-21T06:00:00Z  run 1 planned to create: new in the timetable",
        "             done 2026-09-21T06:00:00Z",
        "             Microsoft's request id REQUEST",
        "  mailbox  It stands there, made once, last written 2026-09-21T06:00:00Z, id",
        "           ...EVENT.",
    ]


def test_an_event_that_is_gone(campus: World) -> None:
    change(campus, SETS, hours=2)
    campus.synced()
    assert told(campus, "logic-01") == [
        "logic-01   Tue 22 Sep 2026 12:00 to 13:00",
        "  source   timetable: does not name it. Last accepted 2026-09-21T08:00:00Z.",
        "  person   ada@example.edu",
        "  plan     Nothing is to be done.",
        "  history  2026-09-21T06:00:00Z  run 1 planned to create: new in the timetable",
        "             done 2026-09-21T06:00:00Z",
        "             Microsoft's request id REQUEST",
        "           2026-09-21T08:00:00Z  run 2 planned to delete: no longer in the",
        "           timetable",
        "             done 2026-09-21T08:00:00Z",
        "             Microsoft's request id REQUEST",
        "  mailbox  No event of ours stands there for it.",
    ]


def test_events_are_found_by_key_by_microsofts_id_and_by_time(campus: World) -> None:
    (event, *_) = campus.institutions["example"].mailbox("ada").events()
    (by_id,) = stories(campus, event=event["id"])
    assert by_id["title"] == event["subject"]
    assert [one["title"] for one in stories(campus, at=datetime(2026, 9, 22, 12, 30))] == ["logic-01"]  # noqa: DTZ001 - wall times
    assert [one["title"] for one in stories(campus, at=datetime(2026, 9, 22))] == ["logic-01", "sets-01"]  # noqa: DTZ001 - wall times


def test_the_command_prints_it_and_refuses_what_it_does_not_know(world: World) -> None:
    campus = open_campus(world)
    ended = campus.run("explain", "ada@example.edu", "--event", "algebra-03")
    assert ended.code == 0, ended.err
    assert "The next run would update it: start" in ended.out
    (told,) = campus.run(
        "explain", "ada@example.edu", "--at", f"{classes()[0].start:%Y-%m-%d}", "--json"
    ).json
    assert [event["meeting"] for event in told["events"]] == ["timetable:algebra-01"]
    unknown = campus.run("explain", "ada@example.edu", "--event", "no-such")
    assert (unknown.code, unknown.err.split()[0]) == (2, "E-EVENT-UNKNOWN")
    assert campus.run("explain", "ada@example.edu", "--at", "noon").err.startswith("E-USAGE")
