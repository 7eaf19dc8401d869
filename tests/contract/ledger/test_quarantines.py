"""The ledger's note that an institution is in quarantine."""

import pytest
from tests.contract.ledger.books import NOW, accept, create

from classbell.ledger import InQuarantine, InstitutionLedger, Ledger
from classbell.model import Suspended

pytestmark = pytest.mark.anyio

WAITS = (900.0, 3600.0)


async def test_each_probe_that_was_due_and_failed_puts_the_next_one_further_off(
    uni: InstitutionLedger,
) -> None:
    assert await uni.quarantine.standing() is None
    first = await uni.quarantine.failed("E-A", "a", NOW, WAITS)
    assert first == InQuarantine(code="E-A", detail="a", since=NOW, probes=0, probe_at=NOW + 900)
    early = await uni.quarantine.failed("E-B", "b", NOW + 10, WAITS)
    assert (early.code, early.since, early.probes, early.probe_at) == ("E-B", NOW, 0, NOW + 900)
    for probes, at in ((1, NOW + 900), (2, NOW + 4500)):
        later = await uni.quarantine.failed("E-A", "a", at, WAITS)
        assert (later.since, later.probes, later.probe_at) == (NOW, probes, at + 3600)
    assert await uni.quarantine.standing() == later
    await uni.quarantine.leave()
    assert await uni.quarantine.standing() is None


async def test_the_mailbox_of_the_probe_is_that_of_the_soonest_meeting_that_is_due(
    uni: InstitutionLedger,
) -> None:
    assert await uni.quarantine.probe_mailbox(NOW) is None
    await accept(uni, create("ann", "algebra", starts=2000), create("bob", "logic", starts=1000))
    bob = await uni.mailboxes.find("bob")
    assert bob is not None
    assert await uni.quarantine.probe_mailbox(NOW) == bob.id


async def test_where_only_one_run_is_carried_out_a_mailbox_of_that_is_probed(uni: InstitutionLedger) -> None:
    first = await accept(uni, create("bob", "logic", starts=1000), read=())
    second = await accept(uni, create("ann", "algebra", starts=2000), read=())
    probed = [await uni.quarantine.probe_mailbox(NOW, one.run_id) for one in (first, second)]
    boxes = [await uni.mailboxes.find(key) for key in ("bob", "ann")]
    assert probed == [box and box.id for box in boxes]


async def test_no_mailbox_is_probed_where_nothing_is_wanted(uni: InstitutionLedger) -> None:
    await accept(uni, create("ann", "algebra", starts=2000), create("bob", "logic", starts=1000))
    await uni.suspensions.suspend("bob", Suspended.PAUSED, "on leave", NOW)
    ann = await uni.mailboxes.find("ann")
    assert ann is not None
    assert await uni.quarantine.probe_mailbox(NOW) == ann.id
    await uni.suspensions.pause_all("holidays", NOW, None)
    assert await uni.quarantine.probe_mailbox(NOW) is None


async def test_no_institution_is_in_the_quarantine_of_another(ledger: Ledger, uni: InstitutionLedger) -> None:
    await uni.quarantine.failed("E-A", "a", NOW, WAITS)
    other = await ledger.institution("another")
    assert await other.quarantine.standing() is None
    await other.quarantine.leave()
    assert await uni.quarantine.standing() is not None
    await accept(uni, create("ann", "algebra"))
    assert await other.quarantine.probe_mailbox(NOW) is None
