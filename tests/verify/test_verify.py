"""Reading mailboxes back: what is seen, what is kept, and what the next run makes of it."""

from typing import Any

import msgspec
import pytest
from tests.deliver.stage import BOUND, Stage, lecture, mark_of, member
from tests.verify.readings import gone, seen, verification, verify

from classbell.errors import ServiceUnavailable
from classbell.ledger import Sighted
from classbell.model import Action, Policy
from classbell.outlook.mark import MARK_PROPERTY, Mark
from classbell.sandbox import RequestInfo
from classbell.zones import instant

pytestmark = pytest.mark.anyio

# By then lists show every event.
LATE = BOUND + 60


@pytest.fixture(autouse=True)
async def delivered(stage: Stage) -> None:
    """Ada has two lectures, Bo one; all that may still be late has come."""
    for name in ("ada", "bo"):
        stage.mailbox(name)
    stage.timetable = {"ada": [lecture("Logic"), lecture("Sets", day=12)], "bo": [lecture("Logic")]}
    await stage.run()
    stage.clock.pass_time(LATE)


async def test_calendars_that_are_right_are_read_with_two_questions_each_and_nothing_is_told(
    stage: Stage,
) -> None:
    before = stage.here
    verdict = await verify(stage)
    assert (verdict.read, sum(verdict.seen.values()), verdict.unread) == (2, 0, [])
    # The calendars of a mailbox and our events in the one that there is.
    assert [record.method for record in stage.asked(since=before)] == ["GET"] * 4


async def test_what_its_owner_changed_is_told_by_field_and_put_right(stage: Stage) -> None:
    event = stage.our_event("ada", "Logic")
    stage.mailbox("ada").edit_event(event, {"subject": "Mine", "location": {"displayName": "home"}})
    verdict = await verify(stage)
    assert verdict.seen == {Sighted.DRIFTED: 1}
    assert await seen(stage, "ada") == [(Sighted.DRIFTED, "title, room")]
    before = stage.here
    tally = await stage.run()
    assert tally.done == {Action.UPDATE: 1}
    # Under the etag that was seen: no conflict, no second read.
    assert [record.method for record in stage.asked(since=before) if record.status != 429] == ["PATCH"]
    assert stage.our_event("ada", "Logic") == event
    await stage.assert_true()
    assert (await verify(stage)).seen == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"start": {"dateTime": "2026-10-01T08:00:00", "timeZone": "UTC"}}, "start"),
        ({"end": {"dateTime": "2026-10-01T11:30:00", "timeZone": "UTC"}}, "end"),
        ({"showAs": "oof"}, "show as"),
        ({"sensitivity": "private"}, "sensitivity"),
        ({"isReminderOn": True, "reminderMinutesBeforeStart": 5}, "reminder"),
        ({"categories": ["Mine"]}, "categories"),
        ({"body": {"contentType": "html", "content": "<p>ask about the exam</p>"}}, "text"),
    ],
)
async def test_every_field_that_we_set_is_compared(stage: Stage, change: dict[str, Any], field: str) -> None:
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), change)
    await verify(stage)
    assert await seen(stage, "ada") == [(Sighted.DRIFTED, field)]


async def test_a_change_that_nobody_sees_is_no_drift_and_costs_no_write(stage: Stage) -> None:
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), {"importance": "high"})
    assert (await verify(stage)).seen == {}
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []
    # The new etag is known: the next change of the meeting needs no second read.
    stage.timetable["ada"][0] = lecture("Logic", place="A1")
    stage.timetable["bo"] = []
    await stage.run()
    assert "GET" not in [record.method for record in stage.asked(since=before)]
    await stage.assert_true()


async def test_drift_that_is_not_put_right_stays_known(stage: Stage) -> None:
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Logic"), {"subject": "Mine"})
    await verify(stage)
    assert (await verify(stage)).seen == {Sighted.DRIFTED: 1}
    assert await seen(stage, "ada") == [(Sighted.DRIFTED, "title")]


@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
async def test_what_its_owner_removed_is_missing_and_made_again_as_another_one(stage: Stage) -> None:
    stage.mailbox("ada").delete_event(stage.our_event("ada", "Logic"))
    first, second = await verify(stage), await verify(stage)
    assert (first.seen, len(first.missing), first.boxes) == ({Sighted.MISSING: 1}, 1, second.boxes)
    # Nothing in the mailbox shows it any more, and the ledger goes on knowing it.
    assert (second.seen, await gone(stage)) == ({}, [("ada", Policy(0))])
    tally = await stage.run()
    assert tally.done == {Action.CREATE: 1}
    mark = mark_of(stage.mailbox("ada").event(stage.our_event("ada", "Logic")))
    assert mark is not None
    assert mark.incarnation == 2
    await stage.assert_true()
    assert await seen(stage, "ada") == []


@pytest.mark.stands_on("lookup_lag")
async def test_a_young_event_that_lists_do_not_show_yet_is_not_missing(stage: Stage) -> None:
    stage.timetable["bo"].append(lecture("Young", day=14))
    await stage.run()
    event = stage.our_event("bo", "Young")
    stage.mailbox("bo").delete_event(event)
    early = await verify(stage)
    assert (early.seen, early.young) == ({}, 1)
    assert 0 < early.judged_at - stage.clock.now() <= BOUND
    stage.clock.pass_time(LATE)
    late = await verify(stage)
    assert (late.seen, late.young) == ({Sighted.MISSING: 1}, 0)


async def test_an_event_moved_to_another_calendar_is_found_there(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    ada.move_event(stage.our_event("ada", "Logic"), ada.create_calendar("Mine"))
    assert (await verify(stage)).seen == {}


async def test_a_copy_is_told_and_never_touched(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    copy = ada.copy_event(stage.our_event("ada", "Logic"))
    ada.edit_event(copy, {"subject": "My copy"})
    kept = msgspec.json.encode(ada.event(copy))
    stage.clock.pass_time(LATE)
    assert (await verify(stage)).seen == {Sighted.COPY: 1}
    stage.timetable["ada"] = [lecture("Sets", day=12)]
    await stage.run()
    assert msgspec.json.encode(ada.event(copy)) == kept
    # Of the pair nothing is left in the ledger, and the copy goes on being its owner's.
    assert (await verify(stage)).seen == {Sighted.COPY: 1}
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    await stage.run()
    assert msgspec.json.encode(ada.event(copy)) == kept


async def test_an_event_with_its_mark_gone_is_neither_missing_nor_ours_to_change(stage: Stage) -> None:
    ada, event = stage.mailbox("ada"), stage.our_event("ada", "Logic")
    ada.edit_event(
        event, {"singleValueExtendedProperties": [{"id": MARK_PROPERTY, "value": "something else"}]}
    )
    kept = msgspec.json.encode(ada.event(event))
    assert (await verify(stage)).seen == {Sighted.FORGED: 1}
    await stage.run()
    assert msgspec.json.encode(ada.event(event)) == kept


async def test_marks_that_others_wrote_are_told_and_never_touched(stage: Stage) -> None:
    ada, bo = stage.mailbox("ada"), stage.mailbox("bo")
    of_bo = bo.event(stage.our_event("bo", "Logic"))
    mark = mark_of(of_bo)
    assert mark is not None
    unheard = Mark(**{name: getattr(mark, name) for name in mark.__struct_fields__} | {"meeting_key": "x:y"})
    texts = {
        "another mailbox's": mark.text(),
        "unreadable": mark.text()[:-3],
        "another installation's": mark.text().replace(
            mark.installation, "0d0fbbd4-26e4-4d4a-8c2f-7a3c5f9f3a11"
        ),
        "unknown": Mark(
            **{name: getattr(unheard, name) for name in mark.__struct_fields__}
            | {"mailbox_key": stage.address("ada")}
        ).text(),
    }
    put = [
        ada.put_event(
            {name: of_bo[name] for name in ("start", "end")}
            | {"subject": name, "singleValueExtendedProperties": [{"id": MARK_PROPERTY, "value": text}]}
        )
        for name, text in texts.items()
    ]
    kept = [msgspec.json.encode(ada.event(one)) for one in put]
    stage.clock.pass_time(LATE)
    assert (await verify(stage)).seen == {Sighted.COPY: 1, Sighted.FORGED: 1, Sighted.EXTRA: 1}
    await stage.run()
    assert [msgspec.json.encode(ada.event(one)) for one in put] == kept


async def test_beside_an_event_that_the_ledger_cannot_prove_none_is_made(stage: Stage) -> None:
    """As after an answer was lost together with the ledger's own memory of it."""
    ada = stage.mailbox("ada")
    event = ada.event(stage.our_event("ada", "Logic"))
    mark = mark_of(event)
    assert mark is not None
    parts = {name: getattr(mark, name) for name in mark.__struct_fields__}
    stage.timetable["ada"] = [lecture("Sets", day=12)]
    await stage.run()
    put = ada.put_event(
        {name: event[name] for name in ("subject", "start", "end")}
        | {
            "singleValueExtendedProperties": [
                {"id": MARK_PROPERTY, "value": Mark(**parts | {"incarnation": 2}).text()}
            ]
        }
    )
    stage.clock.pass_time(LATE)
    assert (await verify(stage)).seen == {Sighted.EXTRA: 1}
    async with stage.ledger() as book:
        (extra,) = await book.sightings.extras()
    # By its time it is known to be in the place of a meeting that its source gives another key.
    assert extra.starts_at == instant(lecture("Logic").start, "UTC")
    assert extra.ends_at == extra.starts_at + 3600
    stage.timetable["ada"] = [lecture("Logic"), lecture("Sets", day=12)]
    assert (await stage.run()).done == {}
    ada.delete_event(put)
    assert (await verify(stage)).seen == {}
    assert (await stage.run()).done == {Action.CREATE: 1}


@pytest.mark.parametrize("effect", ["403", "404-before", "500", "429"])
async def test_of_a_mailbox_that_could_not_be_read_nothing_is_concluded(stage: Stage, effect: str) -> None:
    stage.mailbox("ada").delete_event(stage.our_event("ada", "Logic"))
    code = int(effect[:3]) if effect[0].isdigit() else effect
    stage.sandbox.faults.add(member("GET", "ada"), code, times=50)
    verdict = await verify(stage)
    assert [(unread.mailbox.address, bool(unread.code)) for unread in verdict.unread] == [
        (stage.address("ada"), True)
    ]
    assert (verdict.read, verdict.seen) == (1, {})
    assert await seen(stage, "ada") == []


async def test_what_is_busy_is_read_when_its_fence_has_fallen(stage: Stage) -> None:
    stage.sandbox.faults.add(member("GET", "ada"), 429, retry_after=7)
    verdict = await verify(stage)
    assert (verdict.read, verdict.unread) == (2, [])
    assert any(wait >= 5 for wait in stage.clock.waits)


@pytest.mark.stands_on("items_in_deleted_items_by_immutable_id")
async def test_whether_events_are_gone_is_asked_again_after_a_moment_and_not_all_from_the_beginning(
    stage: Stage,
) -> None:
    ada = stage.mailbox("ada")
    for title in ("Logic", "Sets"):
        ada.delete_event(stage.our_event("ada", title))

    def one_event(info: RequestInfo) -> bool:
        return member("GET", "ada")(info) and "/events/" in info.path

    stage.sandbox.faults.add(one_event, 429, retry_after=7, times=3)
    before = stage.here
    verdict = await verify(stage)
    assert (verdict.read, verdict.unread, verdict.seen) == (2, [], {Sighted.MISSING: 2})
    asked = [record for record in stage.asked("GET", since=before) if record.mailbox == stage.address("ada")]
    # Both are refused, then the first of them again; each look was taken once.
    assert [record.status for record in asked] == [200] * 4 + [404] * 3
    looked, sibling, *both = [record.at for record in asked[3:]]
    assert min(sibling - looked, both[0] - sibling) >= 7


async def test_nobody_at_home_is_said_as_such(stage: Stage) -> None:
    stage.sandbox.faults.add(lambda info: info.kind == "batch", "drop-before", times=100)
    with pytest.raises(ServiceUnavailable, match="E-GRAPH-DOWN"):
        await verify(stage)


async def test_a_sample_takes_those_first_that_were_not_read_for_longest(stage: Stage) -> None:
    for _ in range(2):
        before = stage.here
        await verify(stage, sample=1)
        stage.clock.pass_time(60)
        asked = {record.mailbox for record in stage.asked(since=before)}
        assert len(asked) == 1
    before = stage.here
    await verify(stage, "bo")
    assert {record.mailbox for record in stage.asked(since=before)} == {stage.address("bo")}


async def test_an_update_of_which_nobody_knows_is_no_drift(stage: Stage) -> None:
    stage.timetable["ada"][1] = lecture("Sets", day=12, place="A1")
    stage.sandbox.faults.add(member("PATCH"), "504-after")
    await stage.run(patience=0.0)
    assert (await verify(stage)).seen == {}
    await stage.settle()
    await stage.assert_true()


async def test_what_waited_to_be_changed_and_is_missing_is_asked_for_anew(stage: Stage) -> None:
    stage.timetable["ada"][1] = lecture("Sets", day=12, place="A1")
    stage.sandbox.faults.add(member("PATCH"), 429, retry_after=3)
    await stage.run(patience=0.0)
    stage.mailbox("ada").delete_event(stage.our_event("ada", "Sets"))
    stage.clock.pass_time(60)
    assert (await verify(stage)).seen == {Sighted.MISSING: 1}
    assert await stage.why_open() == {}
    assert (await stage.run()).done == {Action.CREATE: 1}
    await stage.assert_true()


async def test_a_stop_ends_after_what_is_under_way_and_keeps_what_was_read(stage: Stage) -> None:
    people = [f"p{number}" for number in range(200)]
    for name in people:
        stage.mailbox(name)
        stage.timetable[name] = [lecture("Logic")]
    await stage.run()
    async with stage.ledger() as book:
        verifying = verification(stage, book, lambda _: verifying.stop())
        verdict = await verifying.all()
        assert verdict.interrupted
        assert 0 < verdict.read < len(people)
        left = await book.sightings.longest_unseen(1)
        assert left[0].address not in {stage.address("ada"), stage.address("bo")}
    assert (await verify(stage)).read == len(people) + 2


async def test_what_its_owner_changed_before_we_could_find_it_is_no_less_changed(stage: Stage) -> None:
    """The answer to its create was lost, and it is adopted as it stands there by then."""
    stage.timetable["ada"].append(lecture("Graphs", day=13))
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    stage.mailbox("ada").edit_event(stage.our_event("ada", "Graphs"), {"subject": "Mine"})
    await stage.settle()
    assert await stage.why_open() == {}
    stage.clock.pass_time(LATE)
    assert (await verify(stage)).seen == {Sighted.DRIFTED: 1}
    await stage.run()
    await stage.assert_true()
