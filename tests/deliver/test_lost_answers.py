"""A create whose answer is lost makes one event: never two, never none."""

import math
from contextlib import suppress
from typing import Any, Literal

import pytest
from tests.deliver.stage import BOUND, SEND_WITHIN, Stage, batch_of, lecture, mark_of, member

from classbell.errors import RefusedError
from classbell.model import Action, ChangeState
from classbell.ports import Response

pytestmark = pytest.mark.anyio

DUE = BOUND + SEND_WITHIN
MEMORIES = pytest.mark.parametrize("memory", [0.0, 300.0, math.inf])
AFTER = pytest.mark.parametrize("effect", ["drop-after", "503-after", "504-after", "500-after", "409-after"])
BEFORE = pytest.mark.parametrize("effect", ["drop-before", "503-before", "504-before", "409-before"])
OF_DELETED = pytest.mark.parametrize("of_deleted", ["existing", "duplicate", "forgotten"])


@pytest.fixture(autouse=True)
def one_lecture(stage: Stage) -> None:
    stage.mailbox("ada")
    stage.timetable["ada"] = [lecture("Logic")]


@AFTER
@MEMORIES
async def test_a_create_that_was_carried_out_is_found_by_its_mark_and_adopted(
    stage: Stage, effect: str, memory: float
) -> None:
    stage.sandbox.switches.transaction_memory = memory
    stage.sandbox.faults.add(member("POST"), effect)
    await stage.run()
    assert (await stage.open_changes())["ada", "Logic"].state is ChangeState.UNKNOWN
    stage.clock.pass_time(DUE)
    before = stage.here
    tally = await stage.run()
    assert stage.asked("POST", since=before) == []
    assert tally.done[Action.CREATE] == 1
    await stage.assert_true()


async def test_a_look_that_adopts_an_event_keeps_microsofts_id_of_the_request_that_made_it(
    stage: Stage,
) -> None:
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    (told,) = await request_ids(stage)
    assert told
    stage.clock.pass_time(DUE)
    await stage.run()
    assert await request_ids(stage) == [told]


async def request_ids(stage: Stage) -> list[str]:
    """Microsoft's ids of the requests of Ada's changes."""
    async with stage.ledger() as book:
        ada = await book.mailboxes.find(stage.address("ada"))
        assert ada is not None
        return [request_id for *_, request_id in await book.changes.of_mailbox(ada.id)]


@BEFORE
@MEMORIES
async def test_a_create_that_was_not_carried_out_is_looked_for_and_sent_again_under_its_transaction_id(
    stage: Stage, effect: str, memory: float
) -> None:
    stage.sandbox.switches.transaction_memory = memory
    stage.sandbox.faults.add(member("POST"), effect)
    await stage.run()
    change = (await stage.open_changes())["ada", "Logic"]
    stage.clock.pass_time(DUE)
    before = stage.here
    await stage.run()
    methods = [record.method for record in stage.asked(since=before)]
    assert methods == ["GET", "GET", "POST"]
    (event,) = stage.mailbox("ada").events()
    if stage.tenant_settings.api == "graph":
        assert event["transactionId"] == change.operation
    mark = mark_of(event)
    assert mark is not None
    assert mark.operation == change.operation
    await stage.assert_true()


@pytest.mark.parametrize("effect", ["drop-after", "503-after", "504-after"])
async def test_the_loss_of_a_whole_batchs_answer_loses_and_doubles_nothing(stage: Stage, effect: str) -> None:
    names = ["ada", "bob", "cyd"]
    for name in names:
        stage.mailbox(name)
        stage.timetable[name] = [lecture("Logic"), lecture("Sets", day=12)]
    stage.sandbox.faults.add(batch_of("POST"), effect)
    await stage.run()
    assert {state for state, _ in (await stage.why_open()).values()} == {"unknown"}
    stage.clock.pass_time(DUE)
    before = stage.here
    await stage.run()
    assert stage.asked("POST", since=before) == []
    await stage.assert_true()


async def test_nobody_looks_before_the_bound_is_over(stage: Stage) -> None:
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    stage.clock.pass_time(DUE - 5)
    before = stage.here
    await stage.run(patience=0.0)
    assert stage.asked(since=before) == []
    assert (await stage.open_changes())["ada", "Logic"].state is ChangeState.UNKNOWN


async def test_a_delivery_that_is_patient_enough_waits_for_the_bound_itself(stage: Stage) -> None:
    stage.sandbox.faults.add(member("POST"), "504-before")
    tally = await stage.run(patience=DUE + 60)
    assert tally.done[Action.CREATE] == 1
    assert sum(stage.clock.waits) == pytest.approx(DUE + 1, abs=5)
    await stage.assert_true()


async def test_a_look_that_the_service_dates_before_the_bound_does_not_decide(stage: Stage) -> None:
    """Our clock runs some minutes ahead of the service's; its time counts."""
    stage.sandbox.faults.add(member("POST"), "504-before")
    await stage.run()
    stage.clock.pass_time(DUE - 100)
    stage.clock.ahead = 240.0
    before = stage.here
    await stage.run(patience=0.0)
    assert {record.method for record in stage.asked(since=before)} == {"GET"}
    change = (await stage.open_changes())["ada", "Logic"]
    assert change.state is ChangeState.UNKNOWN
    assert change.due_at - stage.clock.now() == pytest.approx(101, abs=10)


@pytest.mark.parametrize("ahead", [25.0, 240.0, -290.0])
async def test_what_was_sent_while_our_clock_was_wrong_is_told_from_a_copy(
    stage: Stage, ahead: float
) -> None:
    """A create that is the first thing a process sends is marked with the service's time as well, not with ours."""
    await stage.run()
    stage.timetable["ada"].append(lecture("Sets", day=12))
    stage.clock.ahead = ahead
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run(bound=30.0)
    stage.clock.pass_time(DUE)
    before = stage.here
    await stage.run(bound=30.0)
    assert stage.asked("POST", since=before) == []
    assert await stage.why_open() == {}
    await stage.assert_true()


async def test_an_event_that_is_listed_late_is_not_made_twice(stage: Stage) -> None:
    stage.sandbox.switches.lookup_lag = 60.0
    stage.sandbox.switches.transaction_memory = 0.0
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run(patience=DUE + 60)
    await stage.assert_true()


@pytest.mark.parametrize("fault", ["504-before", "drop-before", "429", "403", "404"])
async def test_a_look_that_fails_decides_nothing(stage: Stage, fault: str) -> None:
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    stage.clock.pass_time(DUE + 2)
    stage.sandbox.faults.add(member("GET"), fault, times=None)
    before = stage.here
    with suppress(RefusedError):
        await stage.run(patience=0.0)
    assert stage.asked("GET", since=before) != []
    assert stage.asked("POST", since=before) == []
    assert (await stage.open_changes())["ada", "Logic"].state is ChangeState.UNKNOWN
    stage.sandbox.faults.clear()
    await stage.settle()
    await stage.assert_true()


@OF_DELETED
@pytest.mark.needs("transaction_id")
async def test_what_its_owner_removed_before_it_was_found_is_made_anew_under_another_id(
    stage: Stage, of_deleted: Literal["existing", "duplicate", "forgotten"]
) -> None:
    stage.sandbox.switches.transaction_of_deleted = of_deleted
    stage.sandbox.switches.transaction_memory = math.inf
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    first = stage.our_event("ada", "Logic")
    transaction = stage.mailbox("ada").event(first)["transactionId"]
    stage.mailbox("ada").delete_event(first)
    await stage.settle(3)
    (event,) = stage.mailbox("ada").events()
    if of_deleted == "forgotten":
        assert event["transactionId"] == transaction
    else:
        assert event["transactionId"] != transaction
    await stage.assert_true()


async def test_two_events_with_the_mark_of_an_unknown_create_are_left_to_a_person(stage: Stage) -> None:
    """Its owner has copied the event before we could find it: nobody can say which one is ours."""
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    ada = stage.mailbox("ada")
    copy = ada.copy_event(stage.our_event("ada", "Logic"))
    before = ada.events()
    await stage.settle()
    assert await stage.why_open() == {("ada", "Logic"): ("held", "E-MARK-SEVERAL")}
    assert ada.events() == before
    ada.delete_event(copy)
    async with stage.ledger() as book:
        owner = await book.mailboxes.find(stage.address("ada"))
        assert owner is not None
        # As when somebody asks for this person alone.
        await book.changes.release_held(owner.id)
    await stage.run()
    assert await stage.why_open() == {}
    await stage.assert_true()


async def test_an_unknown_create_is_found_in_the_calendar_its_owner_moved_it_to(stage: Stage) -> None:
    ada = stage.mailbox("ada")
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    ada.move_event(stage.our_event("ada", "Logic"), ada.create_calendar("Private"))
    await stage.settle()
    await stage.assert_true()


@pytest.mark.needs("immutable_ids")
async def test_an_unknown_create_that_its_owner_moves_amid_the_look_is_one_event(stage: Stage) -> None:
    """It is met in the calendar where it stood, and once more in the one where it stands then."""
    ada = stage.mailbox("ada")
    private = ada.create_calendar("Private")
    stage.sandbox.faults.add(member("POST"), "504-after")
    await stage.run()
    event = stage.our_event("ada", "Logic")
    moved: list[str] = []

    class Moving:
        async def request(self, method: str, url: str, **how: Any) -> Response:
            answer = await stage.transport.request(method, url, **how)
            if b"/events?" in how.get("body", b"") and not moved:
                ada.move_event(event, private)
                moved.append(event)
            return answer

    stage.clock.pass_time(BOUND + SEND_WITHIN)
    await stage.run(transport=Moving())
    assert moved
    assert await stage.why_open() == {}
    await stage.assert_true()
