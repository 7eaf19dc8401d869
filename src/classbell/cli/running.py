"""What ``plan``, ``apply`` and ``sync`` have in common: institution after institution, and the worst code."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classbell.cli import kept_plans
from classbell.cli.assembly import (
    Workplace,
    institutions,
    interruptible,
    ledger_place,
    run_until_interrupted,
    workplace,
)
from classbell.cli.errors import report as report_error
from classbell.cli.errors import tell_doubt, warn
from classbell.cli.exits import Exit
from classbell.cli.following import delivering
from classbell.cli.holding import account, agreed_to
from classbell.cli.invocation import Invocation
from classbell.cli.plan_view import SIGNS, PlanView, counts
from classbell.cli.suspended import print_suspended, suspended
from classbell.errors import ClassbellError
from classbell.ledger import Waiting
from classbell.model import ChangeState, RunKind
from classbell.people import mailbox_key
from classbell.report import Report, Review, needs_a_person
from classbell.run import Office, Run
from classbell.saved import Ground, save, saved_institution
from classbell.settings import InstitutionSettings, RetentionSettings
from classbell.zones import utc_text

# Of several institutions, or of several things that went wrong with one, the code that says most.
_WORST = (
    Exit.INTERRUPTED,
    Exit.FAILED,
    Exit.USAGE,
    Exit.REFUSED,
    Exit.STALE,
    Exit.HELD,
    Exit.TEMPORARY,
    Exit.PARTLY,
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the command line asks for."""

    person: str | None
    show: bool
    yes: bool
    allow_deletes: int
    everything: bool
    reset: bool = False
    now: bool = False


def worst(codes: Sequence[int]) -> int:
    """The exit code that speaks for all."""
    return next((code for code in _WORST if code in codes), max(codes, default=Exit.DONE))


def read_failures_code(review: Review) -> int:
    """What holds and sources that could not be read, or not in full, mean for the exit code."""
    codes = [failure.exit_code for failure in review.failures]
    if any(snapshot.coverage.unread for snapshot in review.snapshots):
        codes.append(Exit.PARTLY)
    if review.verdict.holds:
        codes.append(Exit.HELD)
    return worst(codes)


async def plan_all(invocation: Invocation, *, everything: bool, out: Path | None) -> tuple[int, bool]:
    """
    Show the plan of each institution; the exit code, and whether anything is pending.

    Args:
        out: the file to write the plan to.
    """
    output = invocation.output
    codes: list[int] = []
    planned = passing = 0
    views = []
    parts = []
    name: str | None = None
    async with workplace(invocation.configuration, writing=False, ask=invocation.ask) as place:
        doubt = await place.doubt()
        for settings in institutions(invocation):
            office = await place.office(settings)
            review = await Run(office).look()
            view = await PlanView.of(settings, review, office.ledger)
            view.print(output, everything=everything)
            views.append(view.as_json())
            parts.append(saved_institution(settings, review, view.bodies))
            planned, passing = planned + len(review.plan), passing + len(review.passed)
            codes.append(read_failures_code(review))
        plan = save(await ground_of(place), parts)
        if out is not None:
            kept_plans.write(place.ports.files, out, plan)
            name = str(out)
        elif planned and doubt is None:
            ledger = ledger_place(invocation.configuration)
            name = kept_plans.keep(place.ports.files, ledger, plan, place.ports.clock.now())
    if doubt is not None:
        tell_doubt(doubt, output)
        codes.append(doubt.exit_code)
    output.answer({"plans": views, "saved": name, "digest": plan.digest})
    code = worst(codes)
    if doubt is not None:
        output.note("Nothing was changed.")
    elif planned:
        output.note(f"Nothing was changed. {_way_to_apply(planned, passing)}: classbell apply {name}")
    else:
        output.note("Nothing to do." if code == Exit.DONE else "Nothing was changed.")
    return code, planned > 0


def _way_to_apply(planned: int, passing: int) -> str:
    """What it would mean to apply a plan now."""
    if passing == planned:
        return "To apply exactly this"
    return "To apply what is not held" if passing else "All of it is held; once that is approved"


def deliver_all(
    invocation: Invocation,
    *,
    person: str | None,
    show: bool,
    yes: bool,
    allow_deletes: int,
    everything: bool,
    reset: bool = False,
    now: bool = False,
) -> int:
    """Plan and deliver for each institution; the exit code."""
    wish = Wish(
        person=person,
        show=show,
        yes=yes,
        allow_deletes=allow_deletes,
        everything=everything,
        reset=reset,
        now=now,
    )
    return Delivering(invocation, wish).run()


async def ground_of(place: Workplace) -> Ground:
    """What a saved plan must fit."""
    return Ground(
        installation=str(place.configuration.host.installation),
        revision=await place.ledger.revision(),
        now=place.ports.clock.now(),
    )


async def prune(office: Office, retention: RetentionSettings) -> None:
    """Remove what is old; that it could not be is for the next run to tell."""
    with suppress(ClassbellError):
        await office.ledger.pruning.prune(
            office.ports.clock.now(),
            payload=retention.ledger_payload.total_seconds(),
            runs=retention.runs.total_seconds(),
        )


class Delivering:
    """One ``apply`` or ``sync``."""

    def __init__(self, invocation: Invocation, wish: Wish) -> None:
        self._invocation = invocation
        self._output = invocation.output
        self._wish = wish
        self._run: Run | None = None
        self._interrupted = False

    def run(self) -> int:
        """Plan and deliver; the exit code."""
        self._invocation.open_log()
        self._output.start()
        return run_until_interrupted(self._all(), self._stop, self._output.note)

    def _stop(self) -> bool:
        self._interrupted = True
        return self._run is not None and self._run.stop()

    async def _all(self) -> int:
        chosen = institutions(self._invocation)
        if self._wish.person is not None and len(chosen) > 1:
            chosen = [self._invocation.chosen]
        codes = []
        async with self._workplace() as place:
            for settings in chosen:
                office = await place.office(settings)
                codes.append(await self._one(office, settings))
                await prune(office, self._invocation.configuration.host.database.retention)
                if self._interrupted:
                    break
        return worst(codes)

    @asynccontextmanager
    async def _workplace(self) -> AsyncIterator[Workplace]:
        configuration = self._invocation.configuration
        async with workplace(configuration, writing=True, ask=self._invocation.ask) as place:
            yield place

    async def _one(self, office: Office, settings: InstitutionSettings) -> int:
        """One institution; what goes wrong with it is reported and keeps no other from its turn."""
        wish = self._wish
        self._run = Run(
            office,
            person=wish.person,
            allow_deletes=wish.allow_deletes,
            allowed_by=account() if wish.allow_deletes else "",
            reset=wish.reset,
            insist=wish.now,
            kind=RunKind.APPLY if wish.show else RunKind.SYNC,
        )
        try:
            review = await self._run.entered(await self._review(self._run, office))
            view = await PlanView.of(settings, review, office.ledger)
            if wish.show or wish.reset or review.verdict.holds or review.failures or review.remarks:
                view.print(self._output, everything=self._wish.everything)
            self._output.event(
                "plan", institution=settings.id, counts=counts(review.plan), passed=counts(review.passed)
            )
            if self._of_the_configuration(review):
                review = await self._approved(self._run, review, office)
            elif len(review.passed) and not self._agreed(review, settings):
                self._output.note("Nothing was changed.")
                return read_failures_code(review)
            return await self._deliver(self._run, review, office)
        except ClassbellError as error:
            await self._run.remember(error)
            return report_error(error, self._output)
        finally:
            self._run = None

    def _of_the_configuration(self, review: Review) -> bool:
        """Whether all that stands in the way is a change of the configuration, and somebody is there to ask."""
        codes = {hold.code for hold in review.verdict.holds}
        return codes == {"E-HOLD-CONFIG"} and not self._wish.yes and self._output.can_ask

    async def _approved(self, run: Run, review: Review, office: Office) -> Review:
        """Ask for the approval that ``classbell holds approve`` would give; the review as it then stands."""
        (hold,) = review.verdict.holds
        stored = await office.ledger.holds.find(hold.id or 0)
        with interruptible():
            agreed = stored is not None and agreed_to(self._output, stored)
        if stored is None or not agreed:
            return review
        await office.ledger.holds.approve(
            stored.id,
            account(),
            office.ports.clock.now(),
            digest=stored.digest,
            needed=office.settings.safety.approvals,
        )
        return await run.entered(await run.judged(review))

    async def _review(self, run: Run, office: Office) -> Review:  # noqa: ARG002 (a saved plan needs it)
        return await run.look()

    def _agreed(self, review: Review, settings: InstitutionSettings) -> bool:
        wish = self._wish
        if wish.yes or (wish.person is not None and not wish.show and not wish.reset):
            return True
        found = counts(review.passed)
        words = ", ".join(f"{found[action.name.lower()]} {action.name.lower()}" for action in SIGNS)
        asked = f"Apply to {settings.name}: {words}?"
        if wish.reset:
            asked = f"Put back {wish.person}, and lose what was changed in these events in Outlook: {words}?"
        with interruptible():
            return self._output.confirm(asked, flag="--yes")

    async def _deliver(self, run: Run, review: Review, office: Office) -> int:
        passed, settings = len(review.passed), office.settings
        with self._output.progress("Applying", passed) as bar:
            report = await run.carry_out(review, delivering(bar, office.ports.clock))
        # Of persons the one who was asked for: who leaves empty-handed is told why.
        key = mailbox_key(self._wish.person or "")
        self._print_report(settings, report, await suspended(office.ledger, key))
        return report.exit_code

    def _print_report(
        self, settings: InstitutionSettings, report: Report, stopped: list[dict[str, Any]]
    ) -> None:
        done = report.tally.done
        words = ", ".join(f"{done[action]} {action.name.lower()}" for action in SIGNS)
        if any(done.values()):
            came = f"applied {words}"
        elif report.holds or report.failures or report.waiting or stopped:
            came = "nothing was applied"
        else:
            came = "nothing was to be done"
        self._output.line(f"{settings.name}: {came} in {_duration(report.seconds)}.")
        print_suspended(self._output, stopped, settings.name)
        for waiting in report.waiting:
            warn(told_waiting(waiting), self._output)
        self._output.event(
            "applied",
            institution=settings.id,
            done={action.name.lower(): done[action] for action in SIGNS},
            suspended=stopped,
            waiting=[waiting_json(w) for w in report.waiting],
            seconds=round(report.seconds, 3),
            batches=report.tally.batches,
            exit=report.exit_code,
        )


# What a person can do about open changes; about all others nothing but wait.
_NAMES = "classbell status names the mailboxes; "
_AT_ONCE = "; to try at once: classbell sync PERSON"
_ADVICE = {
    "E-MBX-404": f"{_NAMES}assign a licence, or correct the address at the source{_AT_ONCE}",
    "E-MBX-FULL": f"{_NAMES}their owners make room{_AT_ONCE}",
    "E-MBX-DENIED": f"{_NAMES}check which mailboxes the application may enter, in Exchange{_AT_ONCE}",
    "E-PAUSED": "nothing; to go on: classbell resume PERSON, or classbell resume -i ID",
    "E-UNLINKED": "nothing; to deliver there again: classbell resume PERSON",
    "E-CAL-STOPPED": f"{_NAMES}to make the calendar again: classbell sync PERSON --reset",
    "E-LEDGER-LOST": f"{_NAMES}put back the newest copy of the ledger's database, or: classbell ledger rebuild",
}


def told_waiting(waiting: Waiting) -> ClassbellError:
    """Open changes that stand for the same reason, as an error that ends nothing."""
    do = _ADVICE.get(waiting.code, "nothing; the next run goes on with them")
    if waiting.state is ChangeState.HELD:
        do = "look at these events in Outlook; docs/reference/errors.md says more of this code"
    return ClassbellError(
        waiting.code or "E-PENDING",
        f"{_where(waiting)} {_how(waiting)}{_when(waiting)}.",
        why=waiting.detail or "the run ended before their turn",
        do=do,
    )


def waiting_short(waiting: Waiting) -> str:
    """How much waits where, without the reason."""
    return f"{_where(waiting)} {_how(waiting)}"


def waiting_words(waiting: Waiting) -> str:
    """The same in one line."""
    why = f": {waiting.detail.rstrip('.')}" if waiting.detail else ""
    return f"{_where(waiting)} {_how(waiting)}{why}{_when(waiting)}"


def _where(waiting: Waiting) -> str:
    mailboxes = "1 mailbox" if waiting.mailboxes == 1 else f"{waiting.mailboxes} mailboxes"
    if not waiting.changes:
        return mailboxes
    return ("1 change in " if waiting.changes == 1 else f"{waiting.changes} changes in ") + mailboxes


def _how(waiting: Waiting) -> str:
    one = (waiting.changes or waiting.mailboxes) == 1
    if needs_a_person(waiting):
        return "waits for a person" if one else "wait for a person"
    if waiting.state is ChangeState.UNKNOWN:
        return "is not certain" if one else "are not certain"
    return "waits" if one else "wait"


def _when(waiting: Waiting) -> str:
    due = waiting.due_at and not needs_a_person(waiting)
    return f"; next try at {utc_text(waiting.due_at)}" if due else ""


def waiting_json(waiting: Waiting) -> dict[str, object]:
    """The same as JSON fields."""
    return {
        "state": waiting.state.value,
        "code": waiting.code,
        "detail": waiting.detail,
        "changes": waiting.changes,
        "mailboxes": waiting.mailboxes,
        "due": utc_text(waiting.due_at) if waiting.due_at else None,
    }


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} m {rest:02} s" if minutes else f"{seconds:.1f} s"
