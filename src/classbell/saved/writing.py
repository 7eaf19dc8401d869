"""From a reviewed plan to what stands in its file."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
import numpy as np

from classbell.configured import digests_of
from classbell.differences import seen
from classbell.errors import SourceUnreachable
from classbell.model import Action, Reason, Snapshot
from classbell.plan import Plan
from classbell.report import Review
from classbell.saved.file import (
    VERSION,
    SavedChange,
    SavedFailure,
    SavedHold,
    SavedInstitution,
    SavedLoss,
    SavedPlan,
    SavedRendering,
    SavedSource,
)
from classbell.saved.standing import Ground
from classbell.settings import InstitutionSettings
from classbell.zones import utc_text

KEPT_FOR = timedelta(hours=24)


def save(ground: Ground, institutions: Sequence[SavedInstitution]) -> SavedPlan:
    """Put the plans of some institutions into one file's content."""
    who = institutions[0].id if len(institutions) == 1 else "all"
    until = ground.now + KEPT_FOR.total_seconds()
    plan = SavedPlan(
        classbell_plan=VERSION,
        name="",
        made_at=utc_text(ground.now),
        valid_until=utc_text(until),
        until=until,
        installation=ground.installation.lower(),
        revision=ground.revision,
        institutions=list(institutions),
    )
    # Two plans of one revision differ in what they plan, so their names must.
    named = msgspec.structs.replace(plan, name=f"{who}-{ground.revision}-{plan.true_digest[:6]}")
    return msgspec.structs.replace(named, digest=named.true_digest)


def saved_institution(
    settings: InstitutionSettings, review: Review, bodies: Mapping[int, bytes]
) -> SavedInstitution:
    """
    An institution's reviewed plan in the words of the file.

    Args:
        bodies: renderings by fingerprint, for the titles that people read.
    """
    order = [*review.desired.sources, *review.withdrawn]
    mailboxes = review.mailboxes.keys()
    return SavedInstitution(
        id=settings.id,
        planned_at=review.now,
        basis=review.basis,
        settings=digests_of(settings, review.renderings),
        counts=_counts(review.plan),
        passed=_counts(review.passed),
        unchanged=review.plan.unchanged,
        delivered=review.plan.delivered,
        served=review.served,
        upcoming={mailboxes[number]: count for number, count in review.plan.upcoming.items()},
        shrunk=[
            SavedLoss(source=loss.name, before=loss.before, after=loss.after)
            for loss in review.circumstances.shrunk
        ],
        changed=list(review.circumstances.changed),
        sources=[_source(snapshot) for snapshot in review.snapshots],
        order=order,
        withdrawn=list(review.withdrawn),
        rekeys=[(one.number, one.source, one.old_key, one.new_key) for one in review.rekeys],
        failures=[
            SavedFailure(
                source=source,
                unreachable=isinstance(failure, SourceUnreachable),
                code=failure.code,
                what=failure.what,
                why=failure.why,
                do=failure.do,
                effect=failure.effect,
            )
            for source, failure in zip(review.failed, review.failures, strict=True)
        ],
        remarks=[(remark.code, remark.text) for remark in review.remarks],
        unread=sorted((order[place], mailboxes[box]) for place, box in review.desired.unread),
        holds=[
            SavedHold(
                code=hold.code,
                scope=hold.scope,
                subject=mailboxes[int(hold.subject)] if hold.scope == "mailbox" else hold.subject,
                text=hold.text,
                changes=hold.changes,
                deletes=hold.deletes,
            )
            for hold in review.verdict.holds
        ],
        changes=_changes(review, bodies, settings.window.timezone),
        renderings=[
            SavedRendering(
                meeting_digest=new.meeting_digest,
                profile_digest=new.profile_digest,
                normaliser=new.normaliser,
                fingerprint=f"{new.rendering.fingerprint:016x}",
                body=new.rendering.body.decode(),
            )
            for new in review.renderings.fresh
        ],
    )


def _source(snapshot: Snapshot) -> SavedSource:
    starts = np.array([m.starts_at for m in snapshot.meetings if not m.cancelled], dtype=np.int64)
    return SavedSource(
        name=snapshot.source,
        digest=snapshot.digest,
        begin=snapshot.coverage.window.begin,
        end=snapshot.coverage.window.end,
        starts=starts.tobytes(),
        unread=sorted(snapshot.coverage.unread),
    )


def _counts(plan: Plan) -> dict[str, int]:
    return {action.name.lower(): plan.count(action) for action in Action if plan.count(action)}


def _changes(review: Review, bodies: Mapping[int, bytes], timezone: str) -> list[SavedChange]:
    """Changes that differ in nothing but their mailbox, together."""
    plan = review.plan
    if not len(plan):
        return []
    meetings, mailboxes = review.meetings.keys(), review.mailboxes.keys()
    held = np.full(len(plan), -1, dtype=np.int64)
    for place, hold in enumerate(review.verdict.holds):
        held[hold.places] = place
    columns = np.column_stack(
        (
            *(
                plan.meeting,
                plan.action,
                plan.reason,
                plan.policy,
                held,
                plan.calendar,
                plan.starts,
                plan.ends,
            ),
            *(plan.previous.view(np.int64), plan.fingerprint.view(np.int64)),
        )
    )
    groups, member = np.unique(columns, axis=0, return_inverse=True)
    order = np.argsort(member, kind="stable")
    bounds = np.searchsorted(member[order], np.arange(len(groups) + 1))
    calendars = review.desired.slots.calendars
    found = []
    for index, group in enumerate(groups.tolist()):
        meeting, action, reason, policy, hold, calendar, starts, ends, previous, fingerprint = group
        prints = [value & 0xFFFFFFFFFFFFFFFF for value in (previous, fingerprint)]
        event = seen(bodies.get(prints[1]) or bodies.get(prints[0], b""), timezone)
        source, key = meetings[meeting]
        found.append(
            SavedChange(
                action=Action(action).name.lower(),
                reason=Reason(reason).name.lower(),
                source=source,
                meeting=key,
                title=event.subject if event else "",
                when=utc_text(starts),
                starts_at=starts,
                ends_at=ends,
                fingerprint=f"{prints[1]:016x}",
                previous=f"{prints[0]:016x}",
                calendar=calendars[calendar],
                policy=policy,
                held=hold if hold >= 0 else None,
                mailboxes=[
                    mailboxes[box] for box in plan.mailbox[order[bounds[index] : bounds[index + 1]]].tolist()
                ],
            )
        )
    return sorted(found, key=lambda change: (change.starts_at, change.source, change.meeting, change.action))
