"""
Judging a plan by what people have decided, and entering what waits for them.

The guards themselves are pure; here they are told what the ledger knows: what was approved of which exact
set, and how much was deleted in the last day.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from classbell.desired import Desired, MeetingKey
from classbell.errors import HeldError
from classbell.guards import Approved, Circumstances, Hold, Name, Shrinkage, Verdict, freed_by, judge
from classbell.ledger import Found, HoldState, InstitutionLedger, StoredHold
from classbell.model import Action, Fingerprints, Ids
from classbell.numbering import PROVISIONAL, Numbering
from classbell.plan import Mask, Plan, pair_keys, pairs_of
from classbell.report import Review
from classbell.settings import SafetySettings

DAY = 86_400.0


class Members:
    """
    Tells changes apart for longer than a run: a 64-bit digest of mailbox, meeting, action and rendering.

    Numbers will not do, since new mailboxes and meetings have only provisional ones.
    """

    def __init__(self, mailboxes: Numbering[str], meetings: Numbering[MeetingKey]) -> None:
        self._mailboxes = mailboxes
        self._meetings = meetings

    def of(self, plan: Plan, places: Ids) -> Fingerprints:
        """The digests of some changes of a plan, in their order."""
        boxes = _hashed(plan.mailbox[places], lambda number: self._mailbox_keys[number])
        meetings = _hashed(plan.meeting[places], lambda number: "\0".join(self._meeting_keys[number]))
        return _digests(boxes, meetings, plan.action[places].astype(np.uint64), plan.fingerprint[places])

    @cached_property
    def _mailbox_keys(self) -> dict[int, str]:
        return self._mailboxes.keys()

    @cached_property
    def _meeting_keys(self) -> dict[int, MeetingKey]:
        return self._meetings.keys()


def member(mailbox: str, meeting: MeetingKey, action: Action, fingerprint: int) -> Fingerprints:
    """The digest of one change by its keys; of a delete no fingerprint counts."""
    shown = 0 if action is Action.DELETE else fingerprint
    return _digests(
        np.array([_hash(mailbox)], dtype=np.uint64),
        np.array([_hash("\0".join(meeting))], dtype=np.uint64),
        np.array([action], dtype=np.uint64),
        np.array([shown], dtype=np.uint64),
    )


class Holding:
    """What the guards hold in one institution, and what people have decided of it."""

    def __init__(self, ledger: InstitutionLedger, safety: SafetySettings) -> None:
        self._ledger = ledger
        self._safety = safety

    async def circumstances(
        self,
        shrunk: Sequence[Shrinkage],
        changed: Sequence[str],
        *,
        now: float,
        only: int | None,
        read: Collection[str],
    ) -> Circumstances:
        """
        What the guards must know beside the plan. One person's plan is not held for the configuration.

        Args:
            read: the sources that the plan answers for.
        """
        limit = self._safety.source_shrink_percent
        applied = set(read) - {loss.name for loss in shrunk if loss.percent > limit}
        recent = await self._ledger.holds.deleted_since(now - DAY)
        return Circumstances(
            shrunk=shrunk,
            # To look at a new template in one mailbox first is the careful way.
            changed=() if only is not None else changed,
            recent=recent.done,
            gone=recent.gone,
            accepted=pairs_of(
                [
                    (one.mailbox_id, one.meeting_id)
                    for one in await self._ledger.holds.accepted_deletes(now - DAY)
                    if one.sent
                    or one.has_left
                    or one.source not in applied
                    or only not in {None, one.mailbox_id}
                ]
            ),
            restored=pairs_of(await self._ledger.restoring.pairs()),
        )

    async def judged(self, review: Review, *, allow_deletes: int = 0) -> Review:
        """
        The same review with the verdict of the guards.

        Approvals count if they are of all that is held, and were given in the last day. In a run for one
        person only those of that mailbox do: the others are of a set that this run does not see whole.

        Raises:
            HeldError: E-ALLOW-DELETES, a number is not enough here.
        """
        live = {one.name: one for one in await self._ledger.holds.live()}
        if allow_deletes:
            self._see_that_a_number_is_enough(live.values())
        members = Members(review.mailboxes, review.meetings)
        approvals: dict[Name, Approved] = {}
        for one in live.values():
            name = _name_in(review, one)
            mine = review.only is None or (one.scope == "mailbox" and name[2] == str(review.only))
            if one.approved_at(review.now) and mine:
                approvals[name] = _approving(one, members, review.plan)
        verdict = judge(
            review.plan,
            review.circumstances,
            self._safety,
            allow_deletes=allow_deletes,
            approvals=approvals,
            agreed=await self._agreed(review, members),
        )
        if review.only is not None or review.failures:
            freed = freed_by(allow_deletes, review.plan)
            undecided = [one for one in live.values() if one.code not in freed]
            verdict = _with_undecided(review, verdict, undecided, members)
        return replace(review, verdict=_numbered(review, verdict, live))

    def _see_that_a_number_is_enough(self, live: Iterable[StoredHold]) -> None:
        """See that who agrees to a number of deletions goes past no other person's word."""
        rejected = [one for one in live if one.state is HoldState.REJECTED]
        if self._safety.approvals > 1:
            why = f"{self._safety.approvals} accounts must approve what is held (approvals), and this is the word of one"
        elif rejected:
            why = f"hold {rejected[0].id} was rejected by {rejected[0].decided_by}"
        else:
            return
        raise HeldError(
            "E-ALLOW-DELETES",
            "Here a number of deletions cannot be allowed.",
            why=why,
            do="run it without --allow-deletes, look at what is held (classbell holds list), and approve exactly that",
            effect="no calendar was changed by this command",
        )

    async def entered(self, review: Review, *, allow_deletes: int = 0) -> Review:
        """
        Enter into the ledger what waits for a person, and end what does so no more; the review with numbers.

        Args:
            allow_deletes: the number that somebody has agreed to, and may still say no to: what is not held for it is
                not over before the plan is accepted.

        Raises:
            HeldError: E-ALLOW-DELETES, a number is not enough here, or is so no more.
        """
        members = Members(review.mailboxes, review.meetings)
        if allow_deletes:
            self._see_that_a_number_is_enough(await self._ledger.holds.live())
        keys = review.mailboxes.keys()
        found = [
            _found(hold, review, members, keys)
            for hold in review.verdict.holds
            if review.only is None or hold.scope == "mailbox"
        ]
        if review.failures:
            known = {one.name: one for one in await self._ledger.holds.live()}
            # What this run sees is a part of it; what was said of the whole stays true.
            found = [one for one in found if one.name not in known or not known[one.name].covers(one.members)]
        kept = [_name_out(name, keys) for name in review.verdict.used]
        over = [] if allow_deletes else await self._answered(review, keys)
        live = await self._ledger.holds.enter(found, review.now, kept=kept, over=over)
        return replace(review, verdict=_numbered(review, review.verdict, live))

    async def used(self, review: Review) -> list[int]:
        """The numbers of the holds whose approvals let the review's plan pass."""
        live = {one.name: one.id for one in await self._ledger.holds.live()}
        keys = review.mailboxes.keys()
        return numbers_of([_name_out(name, keys) for name in review.verdict.used], live)

    async def _answered(self, review: Review, keys: Mapping[int, str]) -> list[Name] | None:
        """The names of the holds whose cause this run could have seen; None if it could see any."""
        live = await self._ledger.holds.live()
        if review.only is not None:
            return [one.name for one in live if (one.scope, one.subject) == ("mailbox", keys[review.only])]
        if review.failures:
            # What an unread source would delete is in no plan; that proves nothing.
            read = {snapshot.source for snapshot in review.snapshots}
            return [one.name for one in live if one.scope == "source" and one.subject in read]
        return None

    async def _agreed(self, review: Review, members: Members) -> Mask | None:
        """What was approved and accepted in the last day, and could not be delivered yet: it need not ask again."""
        used = await self._ledger.holds.used_since(review.now)
        if not used or not len(review.plan):
            return None
        waiting = await self._ledger.holds.accepted_pairs()
        pairs = pair_keys(review.plan.mailbox, review.plan.meeting)
        agreed = np.isin(pairs, pair_keys(waiting[:, 0], waiting[:, 1]))
        places = np.flatnonzero(agreed).astype(np.int64)
        digests = members.of(review.plan, places)
        known = np.isin(digests, np.concatenate([one.members for one in used]))
        agreed[places] = known
        return agreed


def numbers_of(names: Iterable[Name], live: Mapping[Name, int]) -> list[int]:
    """The numbers of holds; 0, under which no plan is accepted, for one that another process has ended meanwhile."""
    return [live.get(name, 0) for name in names]


async def settle_restored(ledger: InstitutionLedger, review: Review) -> None:
    """Let pairs that were put back be as any other, where a source names them again or their end was agreed to."""
    pairs = await ledger.restoring.pairs()
    if not pairs:
        return
    passed = review.passed
    going = passed.action == Action.DELETE
    over = np.union1d(_wanted(review.desired), pair_keys(passed.mailbox[going], passed.meeting[going]))
    await ledger.restoring.release([pair for pair in pairs if np.isin(pairs_of([pair]), over).all()])


def _wanted(desired: Desired) -> Ids:
    """All pairs that mailboxes should hold, as numbers."""
    if not len(desired.mailboxes):
        return np.empty(0, dtype=np.int64)
    mailbox = np.repeat(desired.mailboxes, np.diff(desired.offsets))
    return pair_keys(mailbox, desired.slots.meeting[desired.slot])


def _with_undecided(
    review: Review, verdict: Verdict, live: Iterable[StoredHold], members: Members
) -> Verdict:
    """
    The verdict on a plan that does not see everything, with what is held of more than that and was not agreed to.

    A part of too much is not too much: nobody would be asked about what somebody may even have said no to.
    """
    judged_whole = _judged_whole(review)
    passed, holds = verdict.passed.copy(), list(verdict.holds)
    for stored in live:
        if stored.scope == judged_whole or stored.code == "E-HOLD-CONFIG" or stored.approved_at(review.now):
            continue
        places = np.flatnonzero(passed).astype(np.int64)
        mine = places[np.isin(members.of(review.plan, places), stored.members)]
        if not len(mine):
            continue
        passed[mine] = False
        holds.append(
            Hold(
                code=stored.code,
                scope=stored.scope,
                subject=_name_in(review, stored)[2],
                text=stored.text,
                changes=len(mine),
                deletes=int(np.count_nonzero(review.plan.action[mine] == Action.DELETE)),
                places=mine,
            )
        )
    return replace(verdict, passed=passed, holds=tuple(holds))


def _judged_whole(review: Review) -> str:
    """The scope of holds of which a plan that does not see everything has seen all there is."""
    if review.failures:
        return "source" if review.only is None else ""
    return "mailbox"


def _approving(stored: StoredHold, members: Members, plan: Plan) -> Approved:
    return lambda places: stored.covers(members.of(plan, places))


def _found(hold: Hold, review: Review, members: Members, keys: Mapping[int, str]) -> Found:
    plan, places = review.plan, hold.places
    code, scope, subject = _name_out(hold.name, keys)
    # What was never delivered before has no number yet by which it could be shown; deletes come first.
    lasting = places[(plan.mailbox[places] < PROVISIONAL) & (plan.meeting[places] < PROVISIONAL)]
    shown = lasting[np.argsort(-plan.action[lasting], kind="stable")]
    seen = np.where(plan.fingerprint[shown] == 0, plan.previous[shown], plan.fingerprint[shown])
    return Found(
        code=code,
        scope=scope,
        subject=subject,
        text=hold.text,
        changes=hold.changes,
        deletes=hold.deletes,
        members=np.sort(members.of(plan, places)),
        listed=np.column_stack(
            [
                plan.mailbox[shown],
                plan.meeting[shown],
                plan.action[shown].astype(np.int64),
                seen.view(np.int64),
                plan.starts[shown],
            ]
        ).astype(np.int64),
    )


def _numbered(review: Review, verdict: Verdict, live: Mapping[Name, StoredHold]) -> Verdict:
    """The holds with their numbers in the ledger, where they are entered there."""
    keys = review.mailboxes.keys() if verdict.holds and live else {}
    holds = []
    for hold in verdict.holds:
        stored = live.get(_name_out(hold.name, keys)) if live else None
        known = {} if stored is None else {"id": stored.id, "note": _note_of(stored)}
        holds.append(replace(hold, **known))  # type: ignore[arg-type]
    return replace(verdict, holds=tuple(holds))


def _note_of(stored: StoredHold) -> str:
    return f"rejected by {stored.decided_by}" if stored.state == "rejected" else stored.note


def _name_out(name: Name, keys: Mapping[int, str]) -> Name:
    """The name with a mailbox's key in place of its number."""
    code, scope, subject = name
    return (code, scope, keys[int(subject)]) if scope == "mailbox" else name


def _name_in(review: Review, stored: StoredHold) -> Name:
    """The name with a mailbox's number in place of its key."""
    if stored.scope != "mailbox":
        return stored.name
    return stored.code, stored.scope, str(review.mailboxes.known(stored.subject))


def _hashed(numbers: Ids, key_of: Callable[[int], str]) -> Fingerprints:
    """A 64-bit digest of each number's key."""
    distinct, place = np.unique(numbers, return_inverse=True)
    digests = [_hash(key_of(number)) for number in distinct.tolist()]
    return np.array(digests, dtype=np.uint64)[place]


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little")


def _digests(
    boxes: Fingerprints, meetings: Fingerprints, actions: Fingerprints, shown: Fingerprints
) -> Fingerprints:
    digest = _mixed(boxes)
    for part in (meetings, actions, shown):
        digest = _mixed(digest ^ part)
    return digest


def _mixed(numbers: NDArray[np.uint64]) -> Fingerprints:
    """Every bit of the input moves every bit of the output: the last steps of SplitMix64 (Steele, Lea, Flood 2014)."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Fingerprints = numbers ^ (numbers >> np.uint64(31))
    return mixed
