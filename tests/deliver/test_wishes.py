"""What owners do to our events: put right, or let stand, as the profile says."""

from typing import Any, Literal

import pytest
from tests.deliver.interfaces import in_graphs_words
from tests.deliver.stage import BOUND, Stage, lecture, mark_of, member

from classbell.model import Meeting
from classbell.sandbox import RequestInfo

pytestmark = pytest.mark.anyio

KEEP = {"on_user_edit": "keep"}
RESPECT = {"on_user_delete": "respect"}
# What was made unseen, and is gone, only the service's memory of transactions can tell of.
FROM_ITS_TRANSACTION = pytest.mark.stands_on("transaction_memory")
NEEDS_TRANSACTIONS = pytest.mark.needs("transaction_id")


@pytest.fixture(autouse=True)
async def two_lectures(stage: Stage) -> None:
    """Ada and Bob attend Logic, Ada alone Sets."""
    for name in ("ada", "bob"):
        stage.mailbox(name)
    stage.timetable = {"ada": [lecture("Logic"), lecture("Sets", day=12)], "bob": [lecture("Logic")]}


def change_logic(stage: Stage, **to: Any) -> None:
    """Logic is another way from now on."""
    new: Meeting = lecture("Logic", **to)
    stage.timetable = {
        name: [new if one.key == "Logic" else one for one in meetings]
        for name, meetings in stage.timetable.items()
    }


def logic_of(stage: Stage, name: str = "ada") -> dict[str, Any]:
    """The event of Logic, whatever its owner calls it now."""
    (found,) = (
        event
        for event in stage.mailbox(name).events()
        if (mark := mark_of(event)) is not None and mark.meeting_key.endswith(":Logic")
    )
    return found


def incarnation(stage: Stage) -> int:
    mark = mark_of(logic_of(stage))
    assert mark is not None
    return mark.incarnation


def watch_patches(stage: Stage) -> list[dict[str, Any]]:
    """The bodies of all updates from now on."""
    seen: list[dict[str, Any]] = []

    def look(info: RequestInfo) -> bool:
        if info.kind == "batch":
            seen.extend(
                in_graphs_words(part["body"]) for part in info.body["requests"] if part["method"] == "PATCH"
            )
        return False

    stage.sandbox.faults.add(look, 500)
    return seen


async def test_an_update_sends_everything_where_edits_are_put_right(stage: Stage) -> None:
    await stage.run()
    sent = watch_patches(stage)
    stage.mailbox("ada").edit_event(logic_of(stage)["id"], {"subject": "Mine"})
    change_logic(stage, place="A1")
    await stage.run()
    assert {len(body) for body in sent} == {11}
    assert logic_of(stage)["subject"] == "Logic"


async def test_where_edits_are_kept_an_update_sends_only_what_has_changed(stage: Stage) -> None:
    stage.policies = KEEP
    await stage.run()
    sent = watch_patches(stage)
    change_logic(stage, place="A1")
    await stage.run()
    assert sent == [{"location": {"displayName": "A1"}}] * 2
    assert stage.shown("ada") == stage.wanted("ada")


async def test_what_an_owner_has_changed_stays_until_the_meetings_own_value_changes(stage: Stage) -> None:
    stage.policies = KEEP
    await stage.run()
    mine = {"subject": "Exam!", "showAs": "free", "categories": ["Mine"], "isReminderOn": True}
    notes = {"body": {"contentType": "html", "content": "<p>bring the book</p>"}}
    stage.mailbox("ada").edit_event(logic_of(stage)["id"], mine | notes)
    change_logic(stage, place="A1")
    await stage.run()
    event = logic_of(stage)
    assert event["location"]["displayName"] == "A1"
    assert {field: event[field] for field in mine} == mine
    assert "bring the book" in event["body"]["content"]
    change_logic(stage, title="Logic II", place="A1")
    await stage.run()
    event = logic_of(stage)
    assert event["subject"] == "Logic II"
    assert (event["showAs"], event["categories"]) == ("free", ["Mine"])


async def test_a_moved_meeting_moves_with_start_and_end_though_its_owner_had_moved_it(stage: Stage) -> None:
    stage.policies = KEEP
    await stage.run()
    later = {"dateTime": "2026-10-01T16:00:00", "timeZone": "UTC"}
    stage.mailbox("ada").edit_event(logic_of(stage)["id"], {"start": later, "end": later})
    change_logic(stage, hour=11)
    await stage.run()
    event = logic_of(stage)
    assert event["start"]["dateTime"][:19] == "2026-10-01T11:00:00"
    assert event["end"]["dateTime"][:19] == "2026-10-01T12:00:00"


@pytest.mark.parametrize("effect", ["drop-before", "drop-after", "503-before", "504-after", "429"])
async def test_edits_are_kept_when_the_update_is_repeated(stage: Stage, effect: str) -> None:
    stage.policies = KEEP
    await stage.run()
    stage.mailbox("ada").edit_event(logic_of(stage)["id"], {"subject": "Exam!"})
    change_logic(stage, place="A1")
    stage.sandbox.faults.add(member("PATCH", "ada"), 429 if effect == "429" else effect)
    await stage.run()
    await stage.settle()
    event = logic_of(stage)
    assert (event["subject"], event["location"]["displayName"]) == ("Exam!", "A1")
    await stage.assert_true(but={"ada": "edits"})


async def test_an_older_update_that_was_never_made_takes_nothing_from_the_newer_one(stage: Stage) -> None:
    """Only what was delivered counts as delivered: both changes are in what is sent at last."""
    stage.policies = KEEP
    await stage.run()
    change_logic(stage, place="A1")
    stage.sandbox.faults.add(member("PATCH"), 429, times=2, retry_after=3_600)
    await stage.run()
    change_logic(stage, title="Logic II", place="A1")
    sent = watch_patches(stage)
    await stage.settle()
    assert sent == [{"subject": "Logic II", "location": {"displayName": "A1"}}] * 2
    await stage.assert_true()


@pytest.mark.parametrize("answers", [404, 200])
@pytest.mark.parametrize("policies", [{}, RESPECT])
async def test_what_lies_in_deleted_items_is_never_written_to_but_made_again(
    stage: Stage, policies: dict[str, str], answers: Literal[200, 404]
) -> None:
    """Microsoft does not say whether an immutable id leads there. The meeting has changed under either policy."""
    stage.policies = policies
    stage.sandbox.switches.items_in_deleted_items_by_immutable_id = answers
    await stage.run()
    stage.clock.pass_time(BOUND)
    stage.mailbox("ada").delete_event(logic_of(stage)["id"])
    lying = stage.mailbox("ada").deleted_events()
    change_logic(stage, place="A1")
    await stage.run()
    await stage.assert_true()
    assert incarnation(stage) == 2
    assert stage.mailbox("ada").deleted_events() == lying


async def test_a_deleted_event_comes_back_when_its_meeting_changes(stage: Stage) -> None:
    stage.policies = RESPECT
    await stage.run()
    # Where the ids of deleted events still answer, it takes a look to notice, in which young events may be missing.
    stage.clock.pass_time(BOUND)
    stage.mailbox("ada").delete_event(logic_of(stage)["id"])
    await stage.run()
    assert stage.shown("ada") == stage.wanted("ada")[1:]
    change_logic(stage, place="A1")
    await stage.run()
    await stage.assert_true()
    assert incarnation(stage) == 2


async def made_and_deleted_unseen(stage: Stage) -> None:
    """Ada's Logic is made without our hearing of it, its look fails until she has deleted it."""
    stage.sandbox.faults.add(member("POST", "ada"), "504-after")
    await stage.run()
    stage.mailbox("ada").delete_event(logic_of(stage)["id"])
    await stage.settle()


@FROM_ITS_TRANSACTION
@NEEDS_TRANSACTIONS
async def test_what_was_made_and_deleted_before_we_knew_stays_deleted_where_that_is_respected(
    stage: Stage,
) -> None:
    stage.policies = RESPECT
    stage.timetable["ada"] = [lecture("Logic")]
    stage.sandbox.switches.transaction_of_deleted = "duplicate"
    await made_and_deleted_unseen(stage)
    await stage.settle()
    assert stage.shown("ada") == []
    assert await stage.why_open() == {}
    await stage.settle()
    assert stage.shown("ada") == []
    change_logic(stage, place="A1")
    await stage.run()
    assert stage.shown("ada") == stage.wanted("ada")
    assert incarnation(stage) == 2


@FROM_ITS_TRANSACTION
@NEEDS_TRANSACTIONS
async def test_what_was_made_and_deleted_before_we_knew_is_made_again_where_that_is_put_right(
    stage: Stage,
) -> None:
    stage.timetable["ada"] = [lecture("Logic")]
    stage.sandbox.switches.transaction_of_deleted = "duplicate"
    await made_and_deleted_unseen(stage)
    await stage.settle()
    await stage.assert_true()
    assert incarnation(stage) == 2


@FROM_ITS_TRANSACTION
@NEEDS_TRANSACTIONS
async def test_another_policy_brings_back_what_stayed_deleted(stage: Stage) -> None:
    stage.policies = RESPECT
    stage.timetable["ada"] = [lecture("Logic")]
    stage.sandbox.switches.transaction_of_deleted = "duplicate"
    await made_and_deleted_unseen(stage)
    await stage.settle()
    assert stage.shown("ada") == []
    stage.policies = {}
    await stage.run()
    await stage.assert_true()
