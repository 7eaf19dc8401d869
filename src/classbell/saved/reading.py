"""From the file of a saved plan back to the review that a run carries out."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from classbell.desired import Desired, MeetingKey, Slots
from classbell.errors import SourceUnreachable, SourceUnusable
from classbell.guards import Shrinkage
from classbell.holds import Holding
from classbell.ledger import InstitutionLedger, NewRendering, Rekeyed
from classbell.model import Action, Coverage, Meeting, Reason, Remark, Rendering, Snapshot, Window
from classbell.numbering import Numbering
from classbell.plan import Plan, pair_keys
from classbell.renderings import Renderings
from classbell.renumbering import Renumbering
from classbell.report import Review
from classbell.run import Office
from classbell.saved.file import (
    SavedFailure,
    SavedInstitution,
    SavedPlan,
    SavedRendering,
    SavedSource,
)
from classbell.saved.standing import stale
from classbell.zones import wall


async def review_of(plan: SavedPlan, saved: SavedInstitution, office: Office) -> Review:
    """
    The review that was saved, to be judged and carried out now.

    Raises:
        StalePlan: E-PLAN-STALE, the ledger no longer has what one of its events looks like.
    """
    ledger, now = office.ledger, office.ports.clock.now()
    rekeys = tuple(
        Rekeyed(number=number, source=source, old_key=old, new_key=new)
        for number, source, old, new in saved.rekeys
    )
    meetings = Renumbering(rekeys=rekeys).numbers(await ledger.meetings.numbers())
    mailboxes: Numbering[str] = Numbering(await ledger.mailboxes.numbers())
    calendars = tuple(dict.fromkeys(("", *(change.calendar for change in saved.changes))))
    table = _arrays(saved, meetings, mailboxes, calendars)
    renderings = Renderings(office.settings.profiles, office.ports.files, {})
    renderings.fresh.extend(_rendering(one) for one in saved.renderings)
    await _see_bodies(plan, table, renderings, ledger)
    shrunk = tuple(
        Shrinkage(
            source=saved.order.index(loss.source), name=loss.source, before=loss.before, after=loss.after
        )
        for loss in saved.shrunk
    )
    return Review(
        now=now,
        snapshots=tuple(_snapshot(source) for source in saved.sources),
        failures=tuple(_failure(failure) for failure in saved.failures),
        failed=tuple(failure.source for failure in saved.failures),
        remarks=tuple(Remark(code=code, text=text) for code, text in saved.remarks),
        desired=_desired(saved, mailboxes, calendars),
        plan=table,
        circumstances=await Holding(ledger, office.settings.safety).circumstances(
            shrunk,
            tuple(saved.changed),
            now=now,
            only=None,
            read={*(source.name for source in saved.sources), *saved.withdrawn},
        ),
        meetings=meetings,
        mailboxes=mailboxes,
        renderings=renderings,
        withdrawn=tuple(saved.withdrawn),
        rekeys=rekeys,
        basis=saved.basis,
        saved=plan.name,
        saved_served=saved.served,
        digest=plan.digest,
    )


def _arrays(
    saved: SavedInstitution,
    meetings: Numbering[MeetingKey],
    mailboxes: Numbering[str],
    calendars: Sequence[str],
) -> Plan:
    counts = [len(change.mailboxes) for change in saved.changes]

    def column(values: Iterable[Any], kind: type[np.generic]) -> Any:
        return np.repeat(np.fromiter(values, dtype=kind, count=len(counts)), counts)

    mailbox = mailboxes.numbers(key for change in saved.changes for key in change.mailboxes)
    meeting = column((meetings.number((c.source, c.meeting)) for c in saved.changes), np.int64)
    place = {name: index for index, name in enumerate(saved.order)}
    arrays = {
        "mailbox": mailbox,
        "meeting": meeting,
        "action": column((Action[c.action.upper()] for c in saved.changes), np.int8),
        "reason": column((Reason[c.reason.upper()] for c in saved.changes), np.int8),
        "fingerprint": column((int(c.fingerprint, 16) for c in saved.changes), np.uint64),
        "previous": column((int(c.previous, 16) for c in saved.changes), np.uint64),
        "starts": column((c.starts_at for c in saved.changes), np.int64),
        "ends": column((c.ends_at for c in saved.changes), np.int64),
        "source": column((place.get(c.source, -1) for c in saved.changes), np.int16),
        "policy": column((c.policy for c in saved.changes), np.int8),
        "calendar": column((calendars.index(c.calendar) for c in saved.changes), np.int16),
    }
    order = np.argsort(pair_keys(mailbox, meeting), kind="stable")
    return Plan(
        **{name: array[order] for name, array in arrays.items()},
        unchanged=saved.unchanged,
        delivered=saved.delivered,
        upcoming={mailboxes.number(key): count for key, count in saved.upcoming.items()},
    )


def _rendering(saved: SavedRendering) -> NewRendering:
    return NewRendering(
        meeting_digest=saved.meeting_digest,
        profile_digest=saved.profile_digest,
        normaliser=saved.normaliser,
        rendering=Rendering(fingerprint=int(saved.fingerprint, 16), body=saved.body.encode()),
    )


async def _see_bodies(
    plan: SavedPlan, table: Plan, renderings: Renderings, ledger: InstitutionLedger
) -> None:
    wanted = {int(one) for one in np.unique(table.fingerprint)} - {0} - renderings.new_bodies().keys()
    if wanted - (await ledger.meetings.bodies(wanted)).keys():
        raise stale("E-PLAN-STALE", plan, "the ledger no longer has what some of its events look like")


def _snapshot(source: SavedSource) -> Snapshot:
    """A read of which only the times of the meetings are known, which is all that is kept of one."""
    starts = np.frombuffer(source.starts, dtype=np.int64).tolist()
    times = [wall(start, "UTC") for start in starts]
    return Snapshot(
        source=source.name,
        meetings=tuple(
            Meeting(key=str(index), start=start, end=start, zone="UTC") for index, start in enumerate(times)
        ),
        people=(),
        attendance=np.empty((0, 2), dtype=np.int32),
        coverage=Coverage(window=Window(begin=source.begin, end=source.end), unread=frozenset(source.unread)),
        digest=source.digest,
    )


def _failure(saved: SavedFailure) -> SourceUnusable | SourceUnreachable:
    kind = SourceUnreachable if saved.unreachable else SourceUnusable
    return kind(saved.code, saved.what, why=saved.why, do=saved.do, effect=saved.effect)


def _desired(saved: SavedInstitution, mailboxes: Numbering[str], calendars: tuple[str, ...]) -> Desired:
    nothing = np.empty(0, dtype=np.int64)
    place = {name: index for index, name in enumerate(saved.order)}
    return Desired(
        sources=tuple(saved.order[: len(saved.order) - len(saved.withdrawn)]),
        mailboxes=nothing,
        offsets=np.zeros(1, dtype=np.int64),
        slot=np.empty(0, dtype=np.int32),
        slots=Slots(
            meeting=nothing,
            source=np.empty(0, dtype=np.int16),
            fingerprint=np.empty(0, dtype=np.uint64),
            starts=nothing,
            ends=nothing,
            calendar=np.empty(0, dtype=np.int16),
            policy=np.empty(0, dtype=np.int8),
            calendars=calendars,
        ),
        known=nothing,
        cancelled=nothing,
        unread=frozenset((place[source], mailboxes.number(key)) for source, key in saved.unread),
    )
