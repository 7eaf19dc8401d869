"""A calendar of our own that its owner renames or deletes, and persons for whom nothing is written."""

from typing import Any

import pytest
from tests.deliver.stage import BOUND, DECADE, SEND_WITHIN, Stage, lecture, member

from classbell.model import Suspended
from classbell.ports import Response

pytestmark = pytest.mark.anyio

OURS = "Timetable"


@pytest.fixture(autouse=True)
async def one_lecture(stage: Stage) -> None:
    """Ada has a lecture in a calendar of our own."""
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic")]
    stage.calendar = OURS
    await stage.run()
    # Where the ids of deleted events still answer, it takes a look to notice, in which young events may be missing.
    stage.clock.pass_time(BOUND)


def ours(stage: Stage, name: str = OURS) -> str:
    """The id of the calendar of that name."""
    (found,) = (id_ for id_, called in stage.mailbox("ada").calendars().items() if called == name)
    return found


def add_sets(stage: Stage) -> None:
    stage.timetable["ada"].append(lecture("Sets", day=12))


async def stop(stage: Stage, kind: Suspended) -> None:
    async with stage.ledger() as book:
        await book.suspensions.suspend(stage.address("ada"), kind, "she asked for it", stage.clock.now())


async def test_a_renamed_calendar_is_followed(stage: Stage) -> None:
    calendar = ours(stage)
    stage.mailbox("ada").rename_calendar(calendar, "Uni")
    add_sets(stage)
    await stage.run()
    await stage.assert_true()
    assert len(stage.mailbox("ada").calendar_view(*DECADE, calendar=calendar)) == 2
    assert OURS not in stage.mailbox("ada").calendars().values()


async def test_a_deleted_calendar_is_made_again(stage: Stage) -> None:
    stage.mailbox("ada").delete_calendar(ours(stage))
    stage.timetable["ada"] = [lecture("Logic", place="A1"), lecture("Sets", day=12)]
    await stage.run()
    await stage.assert_true()
    assert len(stage.mailbox("ada").calendar_view(*DECADE, calendar=ours(stage))) == 2


async def test_where_a_deleted_calendar_stops_us_nothing_is_written_and_the_reason_is_shown(
    stage: Stage,
) -> None:
    stage.policies = {"on_calendar_delete": "stop"}
    stage.mailbox("ada").delete_calendar(ours(stage))
    add_sets(stage)
    stage.mailbox("bob")
    stage.timetable["bob"] = [lecture("Logic")]
    await stage.run()
    assert stage.shown("bob") == stage.wanted("bob")
    async with stage.ledger() as book:
        assert [(one.mailbox.address, one.kind) for one in await book.suspensions.all()] == [
            (stage.address("ada"), Suspended.CALENDAR)
        ]
        (waiting,) = await book.changes.waiting()
        assert (waiting.code, waiting.changes) == ("E-CAL-STOPPED", 1)
        assert OURS in waiting.detail
    before = stage.here
    await stage.settle()
    assert stage.asked(since=before) == []
    assert OURS not in stage.mailbox("ada").calendars().values()


async def test_when_it_is_lifted_the_calendar_is_made_again(stage: Stage) -> None:
    stage.policies = {"on_calendar_delete": "stop"}
    stage.mailbox("ada").delete_calendar(ours(stage))
    add_sets(stage)
    await stage.run()
    stage.policies = {}
    async with stage.ledger() as book:
        (one,) = await book.suspensions.all()
        await book.suspensions.lift(one.mailbox.id, Suspended.PAUSED)
        assert await book.suspensions.all() != []
        await book.suspensions.lift(one.mailbox.id, Suspended.CALENDAR)
    stage.timetable["ada"][0] = lecture("Logic", place="A1")
    await stage.run()
    await stage.assert_true()


async def test_to_a_paused_person_nothing_is_written_and_resuming_catches_up(stage: Stage) -> None:
    add_sets(stage)
    stage.timetable["ada"][0] = lecture("Logic", place="A1")
    stage.sandbox.faults.add(member("POST", "ada"), "504-after")
    await stage.run(patience=0.0)
    await stop(stage, Suspended.PAUSED)
    stage.timetable["ada"][0] = lecture("Logic", place="A2")
    before = stage.here
    await stage.settle()
    assert stage.asked(since=before) == []
    async with stage.ledger() as book:
        assert {(w.code, w.detail) for w in await book.changes.waiting()} == {
            ("E-PAUSED", "she asked for it")
        }
        await book.suspensions.lift((await book.suspensions.all())[0].mailbox.id)
    await stage.settle()
    await stage.assert_true()


@pytest.mark.parametrize("kind", [Suspended.PAUSED, Suspended.UNLINKED, Suspended.CALENDAR])
async def test_no_calendar_is_made_for_who_wants_nothing_since_their_changes_were_read(
    stage: Stage, kind: Suspended
) -> None:
    """Another process closes the gate while this one looks whether the calendar is there."""
    stage.mailbox("bob")
    stage.timetable["bob"] = [lecture("Logic")]

    class Meanwhile:
        async def request(self, method: str, url: str, **how: Any) -> Response:
            if b"/calendars?" in how.get("body", b""):
                async with stage.ledger() as book:
                    now = stage.clock.now()
                    await book.suspensions.suspend(stage.address("bob"), kind, "no more", now)
            return await stage.transport.request(method, url, **how)

    before = stage.here
    await stage.run(transport=Meanwhile())
    assert stage.asked("GET", since=before), "the calendars were looked at"
    assert stage.asked("POST", since=before) == []
    assert OURS not in stage.mailbox("bob").calendars().values()


async def test_the_request_for_a_calendar_does_not_leave_late(stage: Stage) -> None:
    """Whoever was stopped between deciding on it and sending it may have been overtaken by anything."""
    stage.mailbox("bob")
    stage.timetable["bob"] = [lecture("Logic")]
    limits: list[float] = []

    class Noting:
        async def request(self, method: str, url: str, **how: Any) -> Response:
            if b'"POST","url":"/users' in how.get("body", b"") and b'/calendars"' in how["body"]:
                limits.append(how["send_until"] - stage.clock.now())
            return await stage.transport.request(method, url, **how)

    await stage.run(transport=Noting())
    assert len(limits) == 1
    assert 0 < limits[0] <= SEND_WITHIN
    await stage.assert_true()


async def test_a_pause_ends_by_itself_when_it_was_to(stage: Stage) -> None:
    async with stage.ledger() as book:
        now = stage.clock.now()
        await book.suspensions.suspend(stage.address("ada"), Suspended.PAUSED, "exams", now, now + 60)
        await book.suspensions.pause_all("moving house", now, now + 90)
        await book.suspensions.expire(now + 59)
        assert len(await book.suspensions.all()) == 1
        await book.suspensions.expire(now + 60)
        assert await book.suspensions.all() == []
        assert await book.suspensions.pause() is not None
        await book.suspensions.expire(now + 90)
        assert await book.suspensions.pause() is None


async def test_of_a_person_who_wants_nothing_more_an_unknown_create_is_looked_for_but_not_sent_again(
    stage: Stage,
) -> None:
    add_sets(stage)
    stage.sandbox.faults.add(member("POST", "ada"), "504-before")
    await stage.run(patience=0.0)
    await stop(stage, Suspended.UNLINKED)
    before = stage.here
    await stage.settle()
    assert stage.asked("POST", "PATCH", "DELETE", since=before) == []
    assert stage.asked("GET", since=before) != []
    assert list(await stage.why_open()) == [("ada", "Sets")]
    async with stage.ledger() as book:
        await book.suspensions.expire(stage.clock.now())
    assert await stage.open_changes() == {}
