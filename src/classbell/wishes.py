"""What the owners of calendars want: what their profiles let stand, and what they have deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classbell.desired import Desired
from classbell.ledger import Absence, InstitutionLedger, OwnersWishes
from classbell.model import Coverage, Ids, Policy
from classbell.plan import Mask, Wishes, pair_keys
from classbell.report import Review, held_sources
from classbell.settings import InstitutionSettings, ProfileSettings

_SHIFT = 32
_MEETING = 2**_SHIFT - 1


def policies_of(profiles: Sequence[ProfileSettings]) -> dict[str, Policy]:
    """What each profile says of its owners' edits and deletions, by its name."""
    return {profile.name: _policy(profile) for profile in profiles}


def stopping_calendars(profiles: Sequence[ProfileSettings]) -> frozenset[str]:
    """The names of the calendars which, once their owner has deleted one, are not made again."""
    return frozenset(profile.calendar for profile in profiles if profile.on_calendar_delete == "stop")


def _policy(profile: ProfileSettings) -> Policy:
    policy = Policy(0)
    if profile.on_user_edit == "keep":
        policy |= Policy.KEEP_EDITS
    if profile.on_user_delete == "respect":
        policy |= Policy.RESPECT_DELETIONS
    if profile.on_calendar_delete == "stop":
        policy |= Policy.STOP_WITHOUT_CALENDAR
    return policy


@dataclass(frozen=True, kw_only=True)
class Gone:
    """What is gone from calendars: what the next run makes again, and what stays so because its owner wants that."""

    missing: Sequence[Absence]
    respected: Sequence[Absence]


async def gone_from(ledger: InstitutionLedger, settings: InstitutionSettings, now: float) -> Gone:
    """What is gone from calendars, as far as anybody has noticed."""
    found = await ledger.absences.all(now - settings.window.past.total_seconds())
    respect = {Policy.RESPECT_DELETIONS in policy for policy in policies_of(settings.profiles).values()}

    def respected(one: Absence) -> bool:
        # Where profiles differ, that one counts by which it was last planned.
        return Policy.RESPECT_DELETIONS in one.policy if len(respect) > 1 else True in respect

    return Gone(
        missing=[one for one in found if not respected(one)],
        respected=[one for one in found if respected(one)],
    )


async def settle(
    kept: OwnersWishes, review: Review, coverages: Mapping[str, Coverage], *, reset: bool
) -> None:
    """
    Forget what owners have deleted where that says nothing any more.

    Args:
        coverages: what was seen of each source that the plan answers for.
        reset: whether the one person that is planned for wants everything back.
    """
    if reset and review.only is not None:
        await kept.forget_all(review.only)
        return
    wishes = await kept.all()
    holds = review.verdict.holds
    if not len(wishes) or any(hold.scope == "institution" for hold in holds):
        return
    place = {name: index for index, name in enumerate(coverages)}
    source = np.array([place.get(name, -1) for name in await kept.sources()], dtype=np.int64)
    gone = outlived(
        wishes,
        review.desired,
        source,
        list(coverages.values()),
        now=review.now,
        held=frozenset(place[name] for name in held_sources(review) if name in place),
        only=review.only,
    )
    waiting = {int(hold.subject) for hold in holds if hold.scope == "mailbox"}
    await kept.forget([(box, of) for box, of in gone if box not in waiting])


def outlived(
    wishes: Wishes,
    desired: Desired,
    sources: Ids,
    coverages: Sequence[Coverage],
    *,
    now: float,
    held: frozenset[int] = frozenset(),
    only: int | None = None,
) -> list[tuple[int, int]]:
    """
    The pairs whose wish has nothing left to say: the meeting is cancelled, removed, or no longer theirs.

    As with deletes, absence proves something only inside the coverage of a complete read, and only of what is to come:
    no guard counts what a source has lost of the past.

    Args:
        sources: for each wish the place of its meeting's source in *coverages*, or -1 for one not read now.
        held: places of sources of which nothing is applied.
        only: if given, the one mailbox that is planned for.
    """
    if not len(wishes):
        return []
    mailbox, meeting = wishes.pairs >> _SHIFT, wishes.pairs & _MEETING
    gone = (sources >= 0) & ~np.isin(wishes.pairs, _wanted_in(desired, np.unique(mailbox)))
    gone &= ~np.isin(sources, sorted(held)) & _covered(wishes, sources, coverages) & (wishes.starts > now)
    unread = np.array(sorted(desired.unread), dtype=np.int64).reshape(-1, 2)
    gone &= ~np.isin(pair_keys(mailbox, sources), pair_keys(unread[:, 1], unread[:, 0]))
    if only is not None:
        gone &= mailbox == only
    return list(zip(mailbox[gone].tolist(), meeting[gone].tolist(), strict=True))


def _wanted_in(desired: Desired, mailboxes: Ids) -> Ids:
    """The pairs that some mailboxes should hold."""
    places = np.flatnonzero(np.isin(desired.mailboxes, mailboxes))
    parts = [
        pair_keys(
            np.full(int(end - begin), desired.mailboxes[place]),
            desired.slots.meeting[desired.slot[begin:end]],
        )
        for place, begin, end in zip(
            places.tolist(),
            desired.offsets[places].tolist(),
            desired.offsets[places + 1].tolist(),
            strict=True,
        )
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _covered(wishes: Wishes, sources: Ids, coverages: Sequence[Coverage]) -> Mask:
    # The extra last element answers for -1.
    begins = np.array([c.window.begin for c in coverages] + [1], dtype=np.int64)
    ends = np.array([c.window.end for c in coverages] + [0], dtype=np.int64)
    covered: Mask = (wishes.starts >= begins[sources]) & (wishes.starts < ends[sources])
    return covered
