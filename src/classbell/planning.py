"""From what sources said to a plan: desired state, what the ledger has delivered, and the difference of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from classbell.desired import Desired, MeetingKey, desired_state
from classbell.ledger import InstitutionLedger, Rekeyed
from classbell.model import Ids, Snapshot, Window
from classbell.numbering import Numbering
from classbell.people import Receipt
from classbell.plan import Plan, Terms, Wishes, pairs_of, plan_changes
from classbell.reach import ALL, in_order, source_places
from classbell.renderings import Renderings
from classbell.renumbering import as_delivered, beside, renumbering
from classbell.settings import InstitutionSettings
from classbell.wishes import policies_of


@dataclass(frozen=True, kw_only=True)
class Planned:
    """
    A plan with the desired state and the numbers of meetings that it speaks of.

    ``wanted_again`` are the pairs that are desired and that a plan leaves alone, for nobody knows what became of them.
    """

    plan: Plan
    desired: Desired
    meetings: Numbering[MeetingKey]
    withdrawn: tuple[str, ...]
    only: int | None
    rekeys: tuple[Rekeyed, ...]
    wanted_again: frozenset[tuple[int, int]]


class Planning:
    """
    Plans for one institution. Reads the ledger, writes nothing.

    Args:
        reset: put everything back to what it should be, whatever owners of calendars have wished.
    """

    def __init__(
        self, ledger: InstitutionLedger, settings: InstitutionSettings, *, reset: bool = False
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._reset = reset

    async def planned(
        self,
        served: Sequence[Receipt],
        snapshots: Sequence[Snapshot],
        mailboxes: Numbering[str],
        renderings: Renderings,
        *,
        now: float,
        window: Window,
        only_of: Callable[[Numbering[str]], int | None],
    ) -> Planned:
        """
        The plan for all mailboxes, or for one.

        Args:
            only_of: gives the number of that one mailbox, once all that sources name have theirs.
        """
        ledger = self._ledger
        known = await ledger.meetings.numbers()
        meetings: Numbering[MeetingKey] = Numbering(known)
        desired = self._desired(served, meetings, mailboxes, renderings)
        only = only_of(mailboxes)
        withdrawn = await self._withdrawn(desired, snapshots)
        # A process that died has left these behind; what they say must not be trusted.
        stale = await ledger.entries.stale()
        places = source_places(known, (*desired.sources, *withdrawn))
        delivered = [run async for run in ledger.entries.delivered(places, fresh=stale)]
        # Where an event stands that the ledger cannot prove, a second one beside it would be a duplicate.
        unsettled = await ledger.changes.unsettled()
        busy = [*unsettled, *await ledger.sightings.blocking()]
        extras = await ledger.sightings.extras()
        renumbered = await renumbering(
            ledger,
            desired,
            # What is held goes with its meeting, whatever key that has now.
            [*delivered, as_delivered(extras, places)],
            window=window,
            meetings=meetings,
            renderings=renderings,
            timezone=self._settings.window.timezone,
            unsettled={of for _, of in unsettled},
        )
        if renumbered.rekeys:
            # Again, by other numbers: the meetings that were taken for new are those that are delivered.
            meetings = renumbered.numbers(known)
            desired = self._desired(served, meetings, mailboxes, renderings)
        untouched = np.union1d(pairs_of(busy), renumbered.untouchable(desired, delivered, meetings))
        terms = await self._terms(desired, snapshots, withdrawn, untouched, now=now, window=window, only=only)
        terms = replace(terms, beside=beside(desired, extras))
        plan = plan_changes(desired, delivered, terms)
        return Planned(
            plan=plan,
            desired=desired,
            meetings=meetings,
            withdrawn=withdrawn,
            only=only,
            rekeys=renumbered.rekeys,
            wanted_again=desired.asks_for(unsettled),
        )

    def _desired(
        self,
        served: Sequence[Receipt],
        meetings: Numbering[MeetingKey],
        mailboxes: Numbering[str],
        renderings: Renderings,
    ) -> Desired:
        profiles = self._settings.profiles
        return desired_state(
            served,
            meetings=meetings,
            mailboxes=mailboxes,
            calendars={p.name: "" if p.calendar == "default" else p.calendar for p in profiles},
            render=renderings.render,
            policies=policies_of(profiles),
        )

    async def _withdrawn(self, desired: Desired, snapshots: Sequence[Snapshot]) -> tuple[str, ...]:
        """
        Sources that we delivered from and that nobody gets any more: taken out, renamed, or of no audience.

        Their events go, as any that nobody wants, and the guards judge how many may go at once. One that
        is wanted and could not be read is none of them.
        """
        unread = {s.name for s in self._settings.sources} - {s.source for s in snapshots}
        delivered = {source for source, _ in await self._ledger.meetings.numbers()}
        return tuple(sorted(delivered - set(desired.sources) - unread))

    async def _terms(
        self,
        desired: Desired,
        snapshots: Sequence[Snapshot],
        withdrawn: Sequence[str],
        busy: Ids,
        *,
        now: float,
        window: Window,
        only: int | None,
    ) -> Terms:
        ledger = self._ledger
        return Terms(
            now=int(now),
            window=window,
            coverages=[s.coverage for s in in_order(snapshots, desired)] + [ALL] * len(withdrawn),
            busy=busy,
            drifted=pairs_of(await ledger.sightings.drifted()),
            missing=pairs_of(await ledger.sightings.missing()),
            wishes=Wishes() if self._reset else await ledger.wishes.all(),
            unlinked=np.array(await ledger.suspensions.unlinked(), dtype=np.int64),
            anew=self._reset,
            only=only,
        )
