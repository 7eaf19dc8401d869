"""A plan in words and in JSON: totals first, then guards and reasons, then what changes for whom."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from classbell.cli.errors import warn
from classbell.cli.output import Output
from classbell.cli.suspended import print_suspended, suspended
from classbell.differences import Difference, Seen, differences, seen
from classbell.errors import HeldError
from classbell.guards import DELETE_VOLUME, Hold, left_of_day
from classbell.ledger import InstitutionLedger, LeftOpen
from classbell.model import Action, Reason
from classbell.plan import Plan
from classbell.report import Review, accepted_of
from classbell.settings import InstitutionSettings
from classbell.zones import utc_text

SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
REASONS = {
    Reason.NEW_MEETING: "new in the timetable",
    Reason.JOINED: "now attends, or is back in the timetable",
    Reason.CHANGED: "changed in the timetable",
    Reason.CANCELLED: "cancelled",
    Reason.REMOVED: "no longer in the timetable",
    Reason.LEFT: "no longer attends",
    Reason.RESTORED: "had been removed from the calendar",
    Reason.EDITED: "had been changed in Outlook",
    Reason.UNLINKED: "taken away by classbell unlink or purge",
    Reason.RESET: "put back to what it should be",
    Reason.PUT_BACK: "put back by classbell restore",
    Reason.UNLIKE: "does not show what it should",
    Reason.REPRIEVED: "may have been deleted, and is wanted again",
    Reason.CONFIGURED: "changed by the configuration, or in the timetable",
}
# Of what is held: why, and where to look.
_ADVICE = {
    "E-SRC-SHRUNK": (
        "unknown; so much less at once is mostly an export that broke",
        "if the source is wrong, repair it, and the next run goes on by itself",
    ),
    "E-HOLD-RESTORED": (
        "a person has put them back, and the source still does not name them",
        "repair the source, and the next run goes on by itself",
    ),
    "E-HOLD-CONFIG": (
        "a person has changed who receives what, or how it looks",
        "look at the plan: classbell plan --all",
    ),
    "E-HOLD-CHANGES": (
        "unknown; all times may have moved, or a source may have changed its ids",
        "look at the plan: classbell plan --all (if so much is usual here: max_changes_percent in [safety])",
    ),
    "E-HOLD-DAY": (
        "unknown; many small losses one after the other add up to a large one",
        "look at the plan: classbell plan --all",
    ),
    "E-HOLD-DELETES": (
        "unknown; a term may have ended, or a source may have lost much",
        "look at the plan: classbell plan --all",
    ),
    "E-HOLD-MAILBOX": (
        "unknown; somebody may have left all groups, or their timetable may be broken",
        "look: classbell explain {}",
    ),
}
MEETINGS_SHOWN = 15
MAILBOXES_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class MeetingChange:
    """The same change of one meeting in some mailboxes; of a delete ``fingerprint`` is 0."""

    action: Action
    reason: Reason
    source: str
    key: str
    event: Seen | None
    differences: tuple[Difference, ...]
    mailboxes: tuple[str, ...]
    held: bool
    fingerprint: int = 0


class PlanView:
    """What a reviewed plan means, with names instead of numbers."""

    def __init__(self, settings: InstitutionSettings, review: Review, bodies: dict[int, bytes]) -> None:
        self.settings = settings
        self.review = review
        self.bodies = bodies
        self._zone = settings.window.timezone
        self._meetings = review.meetings.keys()
        self._mailboxes = review.mailboxes.keys()
        self.changes = tuple(self._grouped())
        self.suspended: list[dict[str, Any]] = []
        self.left_open = LeftOpen(going={}, looked_for=0)

    @classmethod
    async def of(cls, settings: InstitutionSettings, review: Review, ledger: InstitutionLedger) -> "PlanView":
        """Look up the texts that a plan mentions."""
        wanted = {int(f) for f in np.unique(review.plan.fingerprint)} | {
            int(f) for f in np.unique(review.plan.previous)
        }
        bodies = review.renderings.new_bodies()
        bodies.update(await ledger.meetings.bodies(wanted - bodies.keys() - {0}))
        view = cls(settings, review, bodies)
        view.suspended = await suspended(ledger)
        if not review.saved:
            view.left_open = await ledger.plans.left_open(accepted_of(review), review.now)
        return view

    def _grouped(self) -> Iterator[MeetingChange]:
        plan, passed = self.review.plan, self.review.verdict.passed
        columns = (
            np.column_stack(
                [
                    plan.meeting,
                    plan.action,
                    plan.reason,
                    passed,
                    plan.previous.view(np.int64),
                    plan.fingerprint.view(np.int64),
                ]
            )
            if len(plan)
            else np.empty((0, 6), dtype=np.int64)
        )
        groups, member = np.unique(columns, axis=0, return_inverse=True)
        order = np.argsort(member, kind="stable")
        bounds = np.searchsorted(member[order], np.arange(len(groups) + 1))
        found = [
            self._change(groups[index].tolist(), order[bounds[index] : bounds[index + 1]].tolist())
            for index in range(len(groups))
        ]
        yield from sorted(
            found, key=lambda c: (c.event.start.isoformat() if c.event else "", c.key, c.action)
        )

    def _change(self, group: list[int], members: list[int]) -> MeetingChange:
        meeting, action, reason, passed, previous, fingerprint = group
        source, key = self._meetings[meeting]
        old = self.bodies.get(previous & 0xFFFFFFFFFFFFFFFF, b"")
        new = self.bodies.get(fingerprint & 0xFFFFFFFFFFFFFFFF, b"")
        return MeetingChange(
            action=Action(action),
            reason=Reason(reason),
            source=source,
            key=key,
            event=seen(new or old, self._zone),
            differences=tuple(differences(old, new, self._zone)),
            mailboxes=tuple(self._mailboxes[int(self.review.plan.mailbox[row])] for row in members),
            held=not passed,
            fingerprint=fingerprint & 0xFFFFFFFFFFFFFFFF,
        )

    def as_json(self) -> dict[str, Any]:
        """The whole plan as one object."""
        review = self.review
        return {
            "institution": self.settings.id,
            "planned_at": utc_text(review.now),
            "counts": counts(review.plan) | {"unchanged": review.plan.unchanged},
            "passed": counts(review.passed),
            "rekeyed": len(review.rekeys),
            "sources": [
                {"name": s.source, "meetings": len(s.meetings), "people": len(s.people)}
                for s in review.snapshots
            ],
            "failures": [{"code": f.code, "what": f.what, "why": f.why, "do": f.do} for f in review.failures],
            "holds": [
                {
                    "id": hold.id,
                    "code": hold.code,
                    "scope": hold.scope,
                    "subject": self._subject(hold.scope, hold.subject),
                    "text": hold.text,
                    "note": hold.note,
                    "changes": hold.changes,
                    "deletes": hold.deletes,
                }
                for hold in review.verdict.holds
            ],
            "remarks": [{"code": remark.code, "text": remark.text} for remark in review.remarks],
            "suspended": self.suspended,
            "open": {a.name.lower(): self.left_open.going.get(a, 0) for a in Action if a in SIGNS}
            | {"looked_for": self.left_open.looked_for},
            "changes": [_as_json(change) for change in self.changes],
        }

    def print(self, output: Output, *, everything: bool) -> None:
        """Totals, guards, reasons, and the changes: the first of them, or with *everything* all."""
        self.print_head(output)
        print_suspended(output, self.suspended, self.settings.name)
        self._print_open(output)
        self._print_guards(output)
        if not self.changes:
            return
        self._print_reasons(output)
        shown = self.changes if everything else self.changes[:MEETINGS_SHOWN]
        output.line()
        output.table(["", "when", "meeting", "mailboxes", "what", ""], [self._row(c) for c in shown])
        if len(shown) < len(self.changes):
            output.line(f"  ... {len(self.changes) - len(shown)} more meetings: --all, or --json")
        self._print_mailboxes(output)

    def print_head(self, output: Output) -> None:
        """The totals only."""
        review, plan = self.review, self.review.plan
        meetings = sum(len(s.meetings) for s in review.snapshots)
        read = (
            f"{len(review.snapshots)} of {len(self.settings.sources)} sources read, {_n(meetings)} meetings"
        )
        from_file = f"plan {review.saved}, as it was saved; no source is read"
        output.line(f"{self.settings.name}   {from_file if review.saved else read}", style="bold")
        affected = len(np.unique(plan.mailbox))
        parts = [f"{SIGNS[a]} {_n(plan.count(a))} {a.name.lower()}" for a in SIGNS]
        output.line(
            f"  {'   '.join(parts)}   = {_n(plan.unchanged)} unchanged"
            f"      {_n(affected)} of {_n(max(review.served, affected))} mailboxes affected"
        )

    def _print_open(self, output: Output) -> None:
        """What earlier runs have left: it goes on unasked, and is no part of this plan."""
        going, seen_only = self.left_open.going, self.left_open.looked_for
        found = ", ".join(
            f"{_n(going[action])} {action.name.lower()}" for action in SIGNS if going.get(action)
        )
        words = [f"{found} go on with the next sync"] if found else []
        words += [f"{_n(seen_only)} delete are looked for, and not sent again"] if seen_only else []
        if words:
            output.line(f"  Open     accepted by earlier runs and not done: {'; '.join(words)}")

    def _print_guards(self, output: Output) -> None:
        if self.review.rekeys:
            output.line(
                f"  Rekey    {_n(len(self.review.rekeys))} meetings have other ids at their source and are the same;"
                " no mailbox is touched for that"
            )
        limit, plan = self.settings.safety.max_deletes, self.review.plan
        deletes = plan.count(Action.DELETE)
        share = 100 * deletes / plan.delivered if plan.delivered else 0
        passed = self.review.passed.count(Action.DELETE)
        verdict = "ok" if passed == deletes else "partly held" if passed else "held"
        # The stricter of count and share, which is what counts: a count alone promises too much.
        allowed = max(limit.at_least, min(limit.count, int(plan.delivered * limit.percent / 100)))
        of_day = left_of_day(plan, self.review.circumstances, self.settings.safety)
        output.line(
            f"  Guards   deletes {deletes} of {_n(allowed)} allowed ({share:.1f} %), {_n(of_day)} left of 24 hours  {verdict}"
        )
        for failure in self.review.failures:
            warn(failure, output)
        for holds in self._alike():
            warn(
                self._told(holds),
                output,
                id=holds[0].id,
                changes=sum(hold.changes for hold in holds),
                deletes=sum(hold.deletes for hold in holds),
            )
        for remark in self.review.remarks:
            output.warning(remark.code, remark.text)

    def _alike(self) -> list[list[Hold]]:
        """What is held, that of mailboxes together: one cause is one message."""
        holds = self.review.verdict.holds
        mailboxes = [hold for hold in holds if hold.scope == "mailbox"]
        others = [[hold] for hold in holds if hold.scope != "mailbox"]
        return [*others, mailboxes] if mailboxes else others

    def _told(self, holds: list[Hold]) -> HeldError:
        first = holds[0]
        subject = self._subject(first.scope, first.subject)
        text = f"{subject}: {first.text}" if first.scope == "mailbox" else first.text
        if len(holds) > 1:
            text += f" And {len(holds) - 1} more mailboxes like it."
        if first.note:
            text += f" ({first.note[0].upper()}{first.note[1:]}.)"
        why, look = _ADVICE[first.code]
        look = look.format(subject)
        return HeldError(first.code, text, why=why, do=f"{look}; {self._way_on(holds)}")

    def _way_on(self, holds: list[Hold]) -> str:
        """What to type if what is held is right."""
        first = holds[0]
        if len(holds) > 1 and first.id is not None:
            return "each has a number: classbell holds list"
        if first.id is not None and self.review.only is not None and first.scope != "mailbox":
            # This is a part of it; what is approved is the whole.
            return f"see: classbell holds show {first.id}, which says how it can pass"
        if first.id is not None:
            approve = f"classbell holds approve {first.id} --deletes {first.deletes}"
            return f"see: classbell holds show {first.id}; if it is right: {approve}"
        alone = self.settings.safety.approvals == 1 and first.code in DELETE_VOLUME
        if self.review.only is not None and alone:
            # One person's plan is no set that is kept for approval, unless it is that mailbox that is held.
            deletes = self.review.plan.count(Action.DELETE)
            return f"if it is right: classbell sync {self._mailboxes[self.review.only]} --allow-deletes {deletes}"
        return "classbell apply enters it under a number, by which it can be approved"

    def _print_reasons(self, output: Output) -> None:
        total: Counter[str] = Counter()
        for change in self.changes:
            total[REASONS[change.reason]] += len(change.mailboxes)
        words = "   ".join(f"{_n(count)} {reason}" for reason, count in total.most_common())
        output.line(f"  Why      {words}")

    def _row(self, change: MeetingChange) -> list[str]:
        event = change.event
        when = title = ""
        if event is not None:
            when = f"{event.start:%a %d %b}" if event.all_day else f"{event.start:%a %d %b %H:%M}"
            title = event.subject
        what = "; ".join(f"{d.field} {d.old or '(none)'} -> {d.new or '(none)'}" for d in change.differences)
        who = change.mailboxes[0] if len(change.mailboxes) == 1 else str(len(change.mailboxes))
        return [
            SIGNS[change.action],
            when,
            title or change.key,
            who,
            what or REASONS[change.reason],
            "held" if change.held else "",
        ]

    def _print_mailboxes(self, output: Output) -> None:
        per_mailbox: dict[str, Counter[Action]] = {}
        for change in self.changes:
            for name in change.mailboxes:
                per_mailbox.setdefault(name, Counter())[change.action] += 1
        if len(per_mailbox) <= 1:
            return
        largest = sorted(per_mailbox.items(), key=lambda item: (-item[1].total(), item[0]))
        rows = [
            [name, *(str(count[action]) for action in SIGNS)] for name, count in largest[:MAILBOXES_SHOWN]
        ]
        output.line()
        output.table(["Largest changes", *SIGNS.values()], rows)

    def _subject(self, scope: str, subject: str) -> str:
        return self._mailboxes[int(subject)] if scope == "mailbox" else subject


def counts(plan: Plan) -> dict[str, int]:
    """How many changes of each kind."""
    return {action.name.lower(): plan.count(action) for action in SIGNS}


def _as_json(change: MeetingChange) -> dict[str, Any]:
    event = change.event
    return {
        "action": change.action.name.lower(),
        "reason": change.reason.name.lower(),
        "source": change.source,
        "meeting": change.key,
        "title": event.subject if event else "",
        "location": event.location if event else "",
        "start": event.start.isoformat() if event else "",
        "differences": [{"field": d.field, "old": d.old, "new": d.new} for d in change.differences],
        "mailboxes": list(change.mailboxes),
        "held": change.held,
    }


def _n(number: int) -> str:
    return f"{number:,}".replace(",", " ")
