"""Mailboxes that cannot be served keep nobody else from being served, and come back by themselves."""

import pytest
from tests.deliver.interfaces import grant, in_graphs_words, revoke
from tests.deliver.stage import Stage, lecture, member
from tests.switching import registered_before

from classbell.errors import RefusedError, ServiceUnavailable
from classbell.ledger import OutMailbox
from classbell.model import Action
from classbell.sandbox import RequestInfo

pytestmark = pytest.mark.anyio

DAY = 86_400.0
GONE = pytest.mark.parametrize(
    "state", ["missing", "unlicensed", "on-premises", "soft-deleted", "undiscoverable"]
)


def term(stage: Stage, *names: str, lectures: int = 3, place: str = "B12") -> None:
    for name in names:
        stage.mailbox(name)
        stage.timetable[name] = [lecture(f"L{n}", day=10 + n, place=place) for n in range(lectures)]


def let_into(stage: Stage, mailboxes: list[str] | None) -> None:
    """Have an access policy, in effect by now, that lets us into these mailboxes only; None: into all."""
    with registered_before(stage.sandbox.clock):
        stage.app.restrict_to(mailboxes)


async def out(stage: Stage) -> dict[str, OutMailbox]:
    async with stage.ledger() as book:
        return {o.mailbox.address.partition("@")[0]: o for o in await book.mailboxes.out()}


@GONE
@pytest.mark.parametrize("known", [True, False], ids=["served before", "new"])
async def test_a_mailbox_that_is_not_there_is_out_and_asked_again_after_a_day(
    stage: Stage, state: str, *, known: bool
) -> None:
    if known:
        term(stage, "ada", "bob", lectures=1)
        await stage.run()
    term(stage, "ada", "bob", lectures=30)
    stage.mailbox("ada").state = state
    before = stage.here
    await stage.run()
    assert stage.shown("bob") == stage.wanted("bob")
    assert {code for _, code in (await stage.why_open()).values()} == {"E-MBX-404"}
    assert (await out(stage))["ada"].code == "E-MBX-404"
    knocks = [record for record in stage.asked(since=before) if "ada@" in record.path]
    # Those that left together, and none after the first answer.
    assert 0 < len(knocks) <= 3

    stage.mailbox("ada").state = "active"
    before = stage.here
    stage.clock.pass_time(DAY / 2)
    await stage.run()
    assert stage.asked(since=before) == []
    stage.clock.pass_time(DAY / 2)
    await stage.run()
    assert await out(stage) == {}
    await stage.assert_true()


async def test_new_changes_for_a_mailbox_that_is_out_wait_with_the_same_reason(stage: Stage) -> None:
    term(stage, "ada")
    stage.mailbox("ada").state = "unlicensed"
    await stage.run()
    stage.timetable["ada"].append(lecture("New", day=20))
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []
    assert (await stage.why_open())["ada", "New"] == ("waiting", "E-MBX-404")
    stage.mailbox("ada").state = "active"
    await stage.settle(1)
    await stage.assert_true()


async def test_a_mailbox_that_stays_away_costs_a_request_a_day(stage: Stage) -> None:
    term(stage, "ada", lectures=30)
    stage.mailbox("ada").state = "soft-deleted"
    for _ in range(3):
        before = stage.here
        await stage.run()
        assert len(stage.asked(since=before)) <= 3
        stage.clock.pass_time(DAY)


async def test_a_mailbox_that_was_put_in_again_is_served_at_once(stage: Stage) -> None:
    """As when a person asks for one mailbox."""
    term(stage, "ada", "bob")
    stage.mailbox("ada").state = "unlicensed"
    await stage.run()
    stage.mailbox("ada").state = "active"
    async with stage.ledger() as book:
        ada = await book.mailboxes.find(stage.address("ada"))
        assert ada is not None
        await book.mailboxes.put_in(ada.id)
        await stage.delivery(book, only=ada.id).run()
    await stage.assert_true()


async def test_only_the_mailbox_that_was_asked_for_is_delivered_to(stage: Stage) -> None:
    term(stage, "ada", "bob")
    async with stage.ledger() as book:
        revision = await stage.accept(book)
        ada = await book.mailboxes.find(stage.address("ada"))
        assert ada is not None
        await stage.delivery(book, revision=revision, only=ada.id).run()
    assert stage.shown("ada") == stage.wanted("ada")
    assert stage.shown("bob") == []
    assert stage.progress[-1].done == stage.progress[-1].total == 3
    await stage.run()
    await stage.assert_true()


@pytest.mark.parametrize("status", [507, 403])
async def test_a_full_mailbox_waits_until_there_is_room(stage: Stage, status: int) -> None:
    term(stage, "ada", "bob")
    stage.sandbox.switches.full_mailbox_status = status
    stage.mailbox("ada").state = "full"
    await stage.run()
    assert stage.shown("bob") == stage.wanted("bob")
    assert {code for _, code in (await stage.why_open()).values()} == {"E-MBX-FULL"}
    stage.mailbox("ada").state = "active"
    await stage.settle(2)
    await stage.assert_true()


@pytest.mark.parametrize("known", [True, False], ids=["served before", "new"])
async def test_a_mailbox_that_a_policy_closes_is_out_and_the_others_go_on(
    stage: Stage, *, known: bool
) -> None:
    names = ("ada", "bob", "cyd", "dan")
    if known:
        term(stage, *names)
        await stage.run()
    term(stage, *names, place="A1")
    let_into(stage, [stage.address("bob")])
    await stage.run()
    assert stage.shown("bob") == stage.wanted("bob")
    assert set((await stage.why_open()).values()) == {("waiting", "E-MBX-DENIED")}
    assert {name: o.code for name, o in (await out(stage)).items()} == dict.fromkeys(
        ("ada", "cyd", "dan"), "E-MBX-DENIED"
    )
    let_into(stage, None)
    await stage.settle(1)
    await stage.assert_true()


async def test_closed_mailboxes_are_no_news_the_next_day(stage: Stage) -> None:
    """They are probed when nothing else is to be done, and all found closed: no reason for an alarm."""
    names = ("ada", "bob", "cyd", "dan", "eve")
    term(stage, *names)
    let_into(stage, [stage.address("bob")])
    await stage.run()
    for _ in range(3):
        stage.clock.pass_time(DAY)
        before = stage.here
        await stage.run()
        assert 0 < len(stage.asked(since=before)) <= 12
        before = stage.here
        await stage.run()
        assert stage.asked(since=before) == []


async def test_one_new_mailbox_that_is_closed_is_no_reason_to_stop_all(stage: Stage) -> None:
    term(stage, "ada", "bob")
    await stage.run()
    let_into(stage, [stage.address("ada"), stage.address("bob")])
    term(stage, "cyd")
    await stage.run()
    assert (await out(stage))["cyd"].code == "E-MBX-DENIED"


@pytest.mark.parametrize("names", [("ada",), ("ada", "bob", "cyd", "dan")])
async def test_a_missing_permission_stops_the_delivery_and_marks_nobody(
    stage: Stage, names: tuple[str, ...]
) -> None:
    revoke(stage)
    term(stage, *names, lectures=10)
    before = stage.here
    with pytest.raises(RefusedError):
        await stage.run()
    # Outlook REST refuses a token without a permission before it looks at any member of a batch.
    assert len(stage.asked(since=before)) == (len(names) if stage.tenant_settings.api == "graph" else 0)
    assert await out(stage) == {}
    grant(stage)
    await stage.run()
    await stage.assert_true()


async def test_a_permission_that_was_taken_away_stops_the_delivery_and_marks_nobody(stage: Stage) -> None:
    names = ("ada", "bob", "cyd", "dan")
    term(stage, *names)
    await stage.run()
    revoke(stage)
    term(stage, *names, place="A1")
    with pytest.raises(RefusedError):
        await stage.run()
    assert await out(stage) == {}
    grant(stage)
    await stage.run()
    await stage.assert_true()


async def test_a_missing_permission_beside_another_trouble_marks_nobody_either(stage: Stage) -> None:
    names = ("ada", "bob", "cyd", "dan")
    term(stage, *names)
    revoke(stage)
    access = stage.access(in_flight=1)
    async with stage.ledger() as book:
        revision = await stage.accept(book)
        await access.tokens.token()
        # Of two members refused, one has the token thrown away, and no other one is to be had.
        stage.sandbox.faults.add(lambda info: info.kind == "token", 503, times=None)
        stage.sandbox.faults.add(member("GET", "dan"), 401, code="InvalidAuthenticationToken")
        with pytest.raises(ServiceUnavailable):
            await stage.delivery(book, revision=revision, access=access).run()
    stage.sandbox.faults.clear()
    grant(stage)
    stage.clock.pass_time(60)
    await stage.run()
    await stage.assert_true()


async def test_hundreds_of_closed_mailboxes_are_not_all_knocked_at(stage: Stage) -> None:
    names = [f"p{n}" for n in range(300)]
    term(stage, *names, lectures=1)
    let_into(stage, [])
    with pytest.raises(RefusedError):
        await stage.run(in_flight=2)
    assert len(stage.asked()) <= 100
    assert await out(stage) == {}
    let_into(stage, None)
    await stage.run()
    await stage.assert_true()


async def test_a_few_open_mailboxes_among_many_closed_ones_are_found(stage: Stage) -> None:
    """A pilot group: the policy names five of a hundred, and theirs are not the first meetings."""
    names = [f"p{n:02}" for n in range(100)]
    for n, name in enumerate(names):
        stage.mailbox(name)
        stage.timetable[name] = [lecture(f"L{n}", day=10 + n)]
    let_into(stage, [stage.address(name) for name in names[-5:]])
    await stage.run(in_flight=8)
    assert all(stage.shown(name) == stage.wanted(name) for name in names[-5:])
    assert set(await out(stage)) == set(names[:-5])


async def test_a_denial_in_passing_closes_nothing(stage: Stage) -> None:
    """Tokens near their end have been refused with a 403 for single requests."""
    term(stage, "ada", lectures=6)
    await stage.run()
    term(stage, "ada", lectures=6, place="A1")
    stage.sandbox.faults.add(member("PATCH"), 403, code="ErrorAccessDenied")
    await stage.run()
    assert await out(stage) == {}
    await stage.assert_true()


async def test_a_token_that_expires_on_the_way_is_renewed(stage: Stage) -> None:
    term(stage, "ada", "bob", lectures=10)
    access = stage.access()
    async with stage.ledger() as book:
        revision = await stage.accept(book)
        await access.tokens.token()
        stage.clock.pass_time(2 * 3600)
        await stage.delivery(book, revision=revision, access=access).run()
    await stage.assert_true()


@pytest.mark.parametrize("whole", [True, False], ids=["batch", "member"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_token_refused_once_delays_nothing_for_long(
    stage: Stage, method: str, *, whole: bool
) -> None:
    term(stage, "ada", "bob")

    def hit(info: RequestInfo) -> bool:
        found = (
            info.kind == "batch" and any(p["method"] == method for p in info.body["requests"])
            if whole
            else member(method)(info)
        )
        return bool(found)

    stage.sandbox.faults.add(hit, 401, code="InvalidAuthenticationToken", times=2)
    began = stage.clock.now()
    await stage.run()
    assert stage.clock.now() - began < 10
    await stage.assert_true()


async def test_tokens_that_are_never_accepted_end_the_delivery_and_say_so(stage: Stage) -> None:
    term(stage, "ada", "bob")
    stage.sandbox.faults.add(
        lambda info: info.kind == "batch", 401, code="InvalidAuthenticationToken", times=None
    )
    began = stage.clock.now()
    with pytest.raises(ServiceUnavailable) as caught:
        await stage.run()
    assert caught.value.code == "E-TOKEN-REJECTED"
    assert stage.clock.now() - began < 30
    stage.sandbox.faults.clear()
    await stage.run()
    await stage.assert_true()


async def test_a_sign_in_service_that_fails_on_the_way_loses_no_answer(stage: Stage) -> None:
    term(stage, "ada", "bob", lectures=10)
    await stage.run()
    term(stage, "ada", "bob", lectures=10, place="A1")
    access = stage.access(in_flight=1)
    async with stage.ledger() as book:
        revision = await stage.accept(book)
        await access.tokens.token()
        stage.sandbox.faults.add(lambda info: info.kind == "token", 503, times=None)
        # The token is refused for one member, and no other one is to be had.
        stage.sandbox.faults.add(member("PATCH", "bob"), 401, code="InvalidAuthenticationToken")
        with pytest.raises(ServiceUnavailable):
            await stage.delivery(book, revision=revision, access=access).run()
    states = {state for state, _ in (await stage.why_open()).values()}
    assert states <= {"pending", "waiting"}
    stage.sandbox.faults.clear()
    before = stage.here
    tally = await stage.run()
    # What was refused as one too many is asked again: only what was done counts.
    written = [record for record in stage.asked("PATCH", since=before) if record.status == 200]
    assert tally.done[Action.UPDATE] == len(written)
    await stage.assert_true()


@pytest.mark.parametrize("code", ["ErrorPropertyValidationFailure", "ErrorInvalidRequest"])
async def test_a_rejected_event_waits_a_day_and_the_others_are_done(stage: Stage, code: str) -> None:
    term(stage, "ada", lectures=3)
    stage.sandbox.faults.add(
        lambda info: info.kind == "member" and info.method == "POST" and info.body["subject"] == "L1",
        400,
        code=code,
        times=None,
    )
    await stage.run()
    assert await stage.why_open() == {("ada", "L1"): ("waiting", "E-EVT-REJECTED")}
    before = stage.here
    await stage.run()
    assert stage.asked(since=before) == []
    stage.clock.pass_time(DAY)
    await stage.run()
    assert len(stage.asked("POST", since=before)) == 1
    stage.timetable["ada"][1] = lecture("L1", "Something else", day=11)
    await stage.run()
    await stage.assert_true()


async def test_a_batch_that_is_refused_for_the_sake_of_one_member_lets_the_others_through(
    stage: Stage,
) -> None:
    term(stage, "ada", "bob", "cyd")

    def poisoned(info: RequestInfo) -> bool:
        body = in_graphs_words(getattr(info, "body", None) or {})
        return info.kind == "batch" and any(
            part.get("body", {}).get("subject") == "L1" and "ada@" in part["url"]
            for part in body.get("requests", [])
        )

    stage.sandbox.faults.add(poisoned, 400, code="BadRequest", times=None)
    await stage.run()
    assert await stage.why_open() == {("ada", "L1"): ("waiting", "E-EVT-REJECTED")}
