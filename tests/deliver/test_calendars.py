"""First contact, calendars of our own, and lists over many pages."""

import asyncio
import json
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from tests.deliver.stage import BOUND, DECADE, Stage, lecture, mark_of, member

from classbell.deliver.settle import SEND_WITHIN, SOON
from classbell.ports import Response
from classbell.sandbox import Record, RequestInfo

pytestmark = pytest.mark.anyio

OURS = "Timetable"


@pytest.fixture(autouse=True)
def one_lecture(stage: Stage) -> None:
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic")]


def own(stage: Stage, name: str = "ada") -> list[str]:
    """The titles in the calendar of our own."""
    mailbox = stage.mailbox(name)
    (calendar,) = (id_ for id_, called in mailbox.calendars().items() if called.casefold() == OURS.casefold())
    return sorted(event["subject"] for event in mailbox.calendar_view(*DECADE, calendar=calendar))


def called(stage: Stage) -> list[str]:
    return list(stage.mailbox("ada").calendars().values())


def looks(records: list[Record]) -> list[Record]:
    return [record for record in records if record.method == "GET" and "/events" in record.path]


async def test_first_contact_asks_once_for_our_marks_and_for_nothing_else(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    ada.put_event(lecture_of_her_own())
    other = ada.create_calendar("Private")
    ada.put_event(lecture_of_her_own(), calendar=other)
    await stage.run()
    asked = stage.asked("GET")
    assert len(asked) == 3
    assert len(looks(asked)) == 2
    assert all("startswith" in record.path and "ClassbellMark" in record.path for record in looks(asked))
    assert [record.detail["events"] for record in looks(asked)] == [[], []]
    stage.timetable["ada"] = [lecture("Logic", place="A1"), lecture("Sets", day=12)]
    await stage.run()
    assert stage.asked("GET") == asked
    await stage.assert_true()


async def test_a_run_without_changes_makes_no_request_at_all(stage: Stage) -> None:
    await stage.run()
    before = stage.here
    tally = await stage.run()
    assert stage.exchanges(since=before) == 0
    assert tally.batches == 0


async def test_marks_that_the_ledger_does_not_know_hold_the_mailbox(stage: Stage) -> None:
    """The ledger was lost: without it the same events would be made a second time."""
    await stage.run()
    seen = stage.mailbox("ada").events()
    stage.lose_ledger()
    stage.clock.pass_time(BOUND)
    stage.timetable["ada"].append(lecture("Sets", day=12))
    stage.mailbox("bob")
    stage.timetable["bob"] = [lecture("Logic")]
    await stage.run()
    assert stage.mailbox("ada").events() == seen
    assert stage.shown("bob") == stage.wanted("bob")
    assert set((await stage.why_open()).values()) == {("waiting", "E-LEDGER-LOST")}
    stage.clock.pass_time(86_400)
    await stage.run()
    assert stage.mailbox("ada").events() == seen
    assert set((await stage.why_open()).values()) == {("waiting", "E-LEDGER-LOST")}


async def test_a_copy_from_a_colleagues_calendar_keeps_no_newcomer_out(stage: Stage) -> None:
    """What names another mailbox, and was made at another time than it says, no ledger of ours has made there."""
    await stage.run()
    stage.clock.pass_time(2 * BOUND)
    event = stage.mailbox("ada").event(stage.our_event("ada", "Logic"))
    parts = ("subject", "start", "end", "singleValueExtendedProperties")
    copy = stage.mailbox("bob").put_event({name: event[name] for name in parts})
    kept = stage.mailbox("bob").event(copy)
    stage.clock.pass_time(2 * BOUND)
    stage.timetable["bob"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.run()
    assert await stage.why_open() == {}
    stage.timetable = {"ada": [], "bob": [lecture("Logic", place="A1")]}
    await stage.run()
    assert stage.mailbox("bob").event(copy) == kept
    assert stage.shown("bob") == sorted([*stage.wanted("bob"), ("Logic", "2026-10-01T09:00:00", "")])


async def test_unknown_marks_on_a_later_page_of_another_calendar_are_seen(stage: Stage) -> None:
    stage.sandbox.switches.top_clamp = 3
    ada = stage.mailbox("ada")
    stage.timetable["ada"] = [lecture(f"L{n}", day=10 + n) for n in range(8)]
    await stage.run()
    other = ada.create_calendar("Private")
    for event in ada.events():
        ada.move_event(event["id"], other)
    stage.lose_ledger()
    stage.clock.pass_time(BOUND)
    before = stage.here
    await stage.run()
    assert set((await stage.why_open()).values()) == {("waiting", "E-LEDGER-LOST")}
    assert any("$skip" in record.path for record in looks(stage.asked(since=before)))


async def test_a_mailbox_with_more_calendars_than_fit_on_a_page_is_looked_through_whole(stage: Stage) -> None:
    stage.sandbox.switches.top_clamp = 10
    ada = stage.mailbox("ada")
    calendars = [ada.create_calendar(f"Calendar {n}") for n in range(25)]
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    assert [record.status for record in looks(stage.asked())].count(200) == 26
    ada.move_event(stage.our_event("ada", "Logic"), calendars[-1])
    await stage.settle()
    await stage.assert_true()
    assert len(ada.calendar_view(*DECADE, calendar=calendars[-1])) == 1


@pytest.mark.parametrize("retry_after", [1, 30])
async def test_a_look_that_is_refused_now_and_then_goes_on_where_it_was_and_comes_to_its_end(
    stage: Stage, retry_after: int
) -> None:
    ada = stage.mailbox("ada")
    for n in range(6):
        ada.create_calendar(f"Calendar {n}")
    asked = count(1)

    def each_third_look(info: RequestInfo) -> bool:
        return info.kind == "member" and "/events?" in info.path and next(asked) % 3 == 0

    stage.sandbox.faults.add(each_third_look, 429, times=None, retry_after=retry_after)
    await stage.run()
    assert stage.shown("ada") == stage.wanted("ada")
    answered = [record.path for record in looks(stage.asked()) if record.status == 200]
    assert len(answered) == len(set(answered)) == 7


async def test_a_look_for_a_doubtful_event_comes_to_its_end_though_it_is_refused_now_and_then(
    stage: Stage,
) -> None:
    ada = stage.mailbox("ada")
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    for n in range(6):
        ada.create_calendar(f"Calendar {n}")
    asked = count(1)

    def each_third(info: RequestInfo) -> bool:
        return info.kind == "member" and info.method == "GET" and next(asked) % 3 == 0

    stage.sandbox.faults.add(each_third, 429, times=None, retry_after=1)
    await stage.settle(1)
    assert await stage.why_open() == {}
    await stage.assert_true()


@pytest.mark.parametrize("page", ["504-before", "429", "drop-before"])
async def test_a_first_look_of_which_a_page_is_missing_proves_nothing(stage: Stage, page: str) -> None:
    stage.sandbox.switches.top_clamp = 1
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.run()
    seen = stage.mailbox("ada").events()
    stage.lose_ledger()
    stage.sandbox.faults.add(
        lambda info: info.kind == "single" and "$skip" in info.path, page, times=None, retry_after=5
    )
    await stage.run()
    assert stage.mailbox("ada").events() == seen
    stage.sandbox.faults.clear()
    await stage.settle(1)
    assert stage.mailbox("ada").events() == seen


async def test_a_part_that_is_missing_from_an_answer_is_asked_for_again_without_haste(stage: Stage) -> None:
    stage.mailbox("bob")
    stage.timetable["bob"] = [lecture("Logic")]

    class Losing:
        """Of each answer to a batch the part of its first member is lost, five times."""

        def __init__(self) -> None:
            self.left = 5

        async def request(self, method: str, url: str, **how: Any) -> Response:
            response = await stage.transport.request(method, url, **how)
            if not url.endswith("$batch") or not self.left:
                return response
            self.left -= 1
            told = json.loads(response.body)
            told["responses"] = [part for part in told["responses"] if part["id"] != "1"]
            return Response(status=response.status, headers=response.headers, body=json.dumps(told).encode())

    await stage.run(transport=Losing())
    assert len(stage.clock.waits) >= 2
    await stage.settle()
    await stage.assert_true()


async def test_our_own_calendar_is_made_once_and_filled(stage: Stage) -> None:
    stage.calendar = OURS
    stage.timetable["ada"].append(lecture("Sets", day=12))
    await stage.run()
    stage.timetable["ada"].append(lecture("Graphs", day=13))
    before = stage.here
    await stage.run()
    assert own(stage) == ["Graphs", "Logic", "Sets"]
    assert called(stage) == ["Calendar", OURS]
    assert [record.method for record in stage.asked(since=before)] == ["POST"]
    await stage.assert_true()


async def test_our_own_calendars_of_many_mailboxes_are_made_together(stage: Stage) -> None:
    stage.calendar = OURS
    names = [f"p{n}" for n in range(15)]
    stage.timetable = {name: [lecture("Logic")] for name in names}
    for name in names:
        stage.mailbox(name)
    tally = await stage.run()
    assert all(own(stage, name) == ["Logic"] for name in names)
    assert tally.batches == 4


@pytest.mark.parametrize("name", [OURS, OURS.upper()])
async def test_a_calendar_of_that_name_is_taken_as_ours(stage: Stage, name: str) -> None:
    stage.mailbox("ada").create_calendar(name)
    stage.calendar = OURS
    await stage.run()
    assert own(stage) == ["Logic"]
    assert called(stage) == ["Calendar", name]
    await stage.assert_true()


async def test_a_calendar_on_the_second_page_is_found_by_its_name(stage: Stage) -> None:
    stage.sandbox.switches.top_clamp = 10
    for n in range(15):
        stage.mailbox("ada").create_calendar(f"Calendar {n}")
    stage.mailbox("ada").create_calendar(OURS)
    stage.calendar = OURS
    await stage.run()
    assert own(stage) == ["Logic"]


@pytest.mark.parametrize("effect", ["500-after", "503-after", "504-after", "drop-after", "409-after"])
async def test_a_calendar_that_was_made_in_spite_of_a_fault_is_found_and_not_made_twice(
    stage: Stage, effect: str
) -> None:
    stage.calendar = OURS
    stage.sandbox.faults.add(making_a_calendar, effect, code="ErrorFolderExists")
    await stage.run()
    assert own(stage) == ["Logic"]
    assert called(stage) == ["Calendar", OURS]
    await stage.assert_true()


@pytest.mark.parametrize("dies", [False, True])
async def test_a_calendar_of_which_nobody_can_say_whether_it_was_made_is_not_asked_for_again_too_soon(
    stage: Stage, *, dies: bool
) -> None:
    """The request may still be on its way; it is looked for until that cannot be any more."""
    stage.calendar = OURS
    stage.sandbox.faults.add(making_a_calendar, 504)

    class Dying:
        async def request(self, method: str, url: str, **how: Any) -> Response:
            answer = await stage.transport.request(method, url, **how)
            if dies and b'/calendars"' in how.get("body", b"") and b'"POST"' in how["body"]:
                raise asyncio.CancelledError
            return answer

    with suppress(asyncio.CancelledError):
        await stage.run(transport=Dying())
    before = stage.here
    stage.clock.pass_time(SOON)
    await stage.run()
    assert stage.asked("GET", since=before)
    assert stage.asked("POST", since=before) == []
    assert await stage.why_open() == {("ada", "Logic"): ("waiting", "E-CAL-UNKNOWN")}
    stage.clock.pass_time(SEND_WITHIN + BOUND)
    await stage.settle(1)
    assert own(stage) == ["Logic"]
    assert called(stage) == ["Calendar", OURS]
    await stage.assert_true()


async def test_a_calendar_that_was_certainly_not_made_is_asked_for_again_at_once(stage: Stage) -> None:
    stage.calendar = OURS
    stage.sandbox.faults.add(making_a_calendar, 429, retry_after=5)
    began = stage.clock.now()
    await stage.run()
    assert own(stage) == ["Logic"]
    assert stage.clock.now() - began < SOON


async def test_a_calendar_that_cannot_be_made_leaves_the_others_their_turn(stage: Stage) -> None:
    stage.calendar = OURS
    stage.mailbox("bob")
    stage.timetable["bob"] = [lecture("Logic")]
    stage.sandbox.faults.add(
        lambda info: making_a_calendar(info) and info.mailbox.startswith("ada"), 400, times=None
    )
    await stage.run()
    assert own(stage, "bob") == ["Logic"]
    assert await stage.why_open() == {("ada", "Logic"): ("waiting", "E-EVT-REJECTED")}
    stage.sandbox.faults.clear()
    await stage.settle(1)
    assert own(stage) == ["Logic"]


async def test_a_calendar_of_ours_that_its_owner_deleted_is_made_again_with_all_that_belongs_there(
    stage: Stage,
) -> None:
    stage.calendar = OURS
    stage.timetable["ada"].append(lecture("Sets", day=12))
    await stage.run()
    ada = stage.mailbox("ada")
    (ours,) = (id_ for id_, name in ada.calendars().items() if name == OURS)
    # Where the ids of deleted events still answer, it takes a look to notice, and young events may be late in it.
    stage.clock.pass_time(BOUND)
    ada.delete_calendar(ours)
    stage.timetable["ada"] = [
        lecture("Logic", place="A1"),
        lecture("Sets", day=12, place="A1"),
        *(lecture(f"L{n}", day=13 + n) for n in range(6)),
    ]
    await stage.run()
    assert len(own(stage)) == 8
    assert called(stage) == ["Calendar", OURS]
    await stage.assert_true()


async def test_a_calendar_of_ours_that_its_owner_renamed_stays_ours(stage: Stage) -> None:
    stage.calendar = OURS
    await stage.run()
    ada = stage.mailbox("ada")
    (ours,) = (id_ for id_, name in ada.calendars().items() if name == OURS)
    ada.rename_calendar(ours, "Uni")
    stage.timetable["ada"].append(lecture("Sets", day=12))
    await stage.run()
    assert called(stage) == ["Calendar", "Uni"]
    assert len(ada.calendar_view(*DECADE, calendar=ours)) == 2
    await stage.assert_true()


async def test_events_of_their_own_are_never_returned_to_us_nor_touched(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    ada.put_event(lecture_of_her_own())
    before = ada.events()
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    await stage.settle()
    foreign = {event["id"] for event in before}
    assert [event for event in ada.events() if mark_of(event) is None] == before
    for record in stage.asked("GET"):
        assert foreign.isdisjoint(record.detail.get("events", ()))
    for record in stage.asked("PATCH", "DELETE"):
        assert not any(event in record.path for event in foreign)


def lecture_of_her_own() -> dict[str, object]:
    """An event like ours in title, time and place, made by its owner."""
    return {
        "subject": "Logic",
        "start": {"dateTime": "2026-10-01T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-10-01T10:00:00", "timeZone": "UTC"},
        "location": {"displayName": "B12"},
    }


def making_a_calendar(info: RequestInfo) -> bool:
    return info.kind == "member" and info.method == "POST" and info.path.endswith("/calendars")
