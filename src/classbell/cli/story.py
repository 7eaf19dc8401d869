"""The demo's story: sandbox, certificate, university, plan, apply, and a day of changes."""

import os
import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from classbell.cli.assembly import run_until_interrupted, workplace
from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation
from classbell.cli.output import Output
from classbell.cli.plan_view import SIGNS, PlanView, counts
from classbell.cli.stage import DOMAIN, INSTITUTION, TIMEZONE, Setting, Stage, built
from classbell.deliver import Progress
from classbell.errors import ClassbellError
from classbell.life import LocalFiles
from classbell.report import Review
from classbell.run import Office, Run
from classbell.sample import PlannedStory, University
from classbell.settings import load


def tell(invocation: Invocation, setting: Setting) -> int:
    """Tell the story; the exit code."""
    output = invocation.output
    output.start()
    university = University.generate(
        seed=setting.seed, people=setting.people, first_monday=_monday(), domain=DOMAIN, timezone=TIMEZONE
    )
    with built(setting, university) as stage:
        story = _Story(output, stage, university)
        story.introduce()
        code = run_until_interrupted(story.tell(), story.stop, output.note)
        if code == Exit.DONE:
            _look_further(output, stage, setting)
        if setting.serve and code == Exit.DONE:
            _wait_for_interrupt(output, stage)
    if code == Exit.DONE and stage.served is not None:
        _say_what_the_sandbox_saw(output, stage.served)
    return code


class _Story:
    def __init__(self, output: Output, stage: Stage, university: University) -> None:
        self._output = output
        self._stage = stage
        self._university = university
        self._run: Run | None = None

    def introduce(self) -> None:
        """Say what stands ready: sandbox, certificate and registration, configuration, timetable."""
        stage, size = self._stage, self._university.figures()
        self._step("Sandbox", stage.notice)
        self._step(
            "Certificate",
            f"made, and registered on application {stage.client_id} of tenant {DOMAIN}",
        )
        self._step(
            "University",
            f"{size.students} students and {size.lecturers} lecturers, {size.modules} modules,"
            f" {size.meetings} meetings in {self._university.weeks} weeks, {size.pairs} calendar entries",
        )

    def stop(self) -> bool:
        return self._run is not None and self._run.stop()

    async def tell(self) -> int:
        configuration = load(self._stage.folder / "classbell.toml", LocalFiles(), os.environ)
        async with workplace(configuration, writing=True) as place:
            office = await place.office(configuration.institution(INSTITUTION))
            try:
                return await self._chapters(office)
            finally:
                self._run = None

    async def _chapters(self, office: Office) -> int:
        self._step("Plan", "what every calendar should hold, against what we have delivered: nothing yet")
        if code := await self._bring_up_to_date(office):
            return code
        self._step("Plan again", "the same timetable, so there is nothing to do")
        review, _ = await self._plan(office)
        _demand(len(review.plan) == 0, "a second plan of the same timetable is empty")
        stories = self._change_the_timetable()
        review, view = await self._plan(office)
        _demand(_matches(view, stories), "the plan shows exactly what happened")
        if code := await self._apply(review, view):
            return code
        review, _ = await self._plan(office)
        _demand(len(review.plan) == 0, "after the day's changes there is nothing to do again")
        return Exit.DONE

    async def _bring_up_to_date(self, office: Office) -> int:
        review, view = await self._plan(office)
        return await self._apply(review, view)

    def _change_the_timetable(self) -> list[PlannedStory]:
        now = datetime.now(tz=ZoneInfo(TIMEZONE)).replace(tzinfo=None)
        self._university, stories = self._university.day_of_changes(now)
        self._university.write(self._stage.folder / "timetable")
        self._step("A day of changes", "at the university")
        for story in stories:
            self._output.line(f"  * {story.text}")
            self._output.event("story", story=story.kind, text=story.text, meetings=list(story.meetings))
        return stories

    async def _plan(self, office: Office) -> tuple[Review, PlanView]:
        self._run = Run(office)
        review = await self._run.look()
        view = await PlanView.of(office.settings, review, office.ledger)
        few = len(review.plan) < 1000  # noqa: PLR2004 (more than a screenful says nothing)
        if few:
            view.print(self._output, everything=False)
        else:
            view.print_head(self._output)
        plan = view.as_json()
        self._output.event("plan", counts=plan["counts"], changes=plan["changes"] if few else [])
        return review, view

    async def _apply(self, review: Review, view: PlanView) -> int:
        run = self._run
        if run is None:  # pragma: no cover - a plan always precedes
            return Exit.FAILED
        with self._output.progress("Applying", len(review.passed)) as bar:

            def tell(progress: Progress) -> None:
                bar.advance(max(progress.done - bar.done, 0))

            report = await run.carry_out(review, tell)
        words = ", ".join(f"{report.tally.done[action]} {action.name.lower()}" for action in SIGNS)
        self._output.line(
            f"  Applied {words} in {report.seconds:.1f} s, {report.tally.batches} batches to the sandbox."
        )
        self._output.event(
            "applied", counts=counts(review.passed), seconds=round(report.seconds, 3), exit=report.exit_code
        )
        _demand(report.exit_code in {Exit.DONE, Exit.INTERRUPTED}, f"{view.settings.name} is up to date")
        return report.exit_code

    def _step(self, title: str, text: str) -> None:
        self._output.line()
        self._output.line(f"{title}", style="bold")
        self._output.line(f"  {text}")
        self._output.event("step", title=title, text=text)


def _matches(view: PlanView, stories: list[PlannedStory]) -> bool:
    planned = {
        (change.action.name.lower(), mailbox, change.key)
        for change in view.changes
        for mailbox in change.mailboxes
    }
    told = {(c.action, c.person, c.meeting) for story in stories for c in story.changes}
    return planned == told


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001 (an assertion in words)
    if not holds:
        raise ClassbellError(
            "E-DEMO",
            f"The demo expected this, and it is not so: {what}.",
            why="unknown; this is a fault of the product or of the demo",
            do="run it again with -v and --dir, and report what it prints",
        )


def _look_further(output: Output, stage: Stage, setting: Setting) -> None:
    output.line()
    output.line("Look further", style="bold")
    if setting.serve:
        host = stage.folder / "classbell.toml"
        output.line(f"  {stage.pages}   shows every mailbox's week (its certificate is the sandbox's own)")
        output.event("look", pages=stage.pages)
        output.line(f"  classbell -c {host} status")
        output.line(f"  classbell -c {host} explain {stage.somebody}")
        output.line(
            f"  Change {stage.folder / 'timetable' / 'meetings.csv'}, then: classbell -c {host} apply"
        )
    else:
        output.line("  classbell demo --serve   keeps the sandbox up, to try the other commands on it")
        output.line("  classbell init           begins with a real tenant")


def _say_what_the_sandbox_saw(output: Output, served: dict[str, int]) -> None:
    output.line(
        f"The sandbox saw {served['requests']} requests and {served['changes']} changes to events,"
        f" and would have sent {served['mails']} mails."
    )
    output.event("sandbox", **served)


def _wait_for_interrupt(output: Output, stage: Stage) -> None:
    output.note(f"The sandbox stays at {stage.login_url} until Ctrl-C.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        output.note("The sandbox is gone, and everything in it.")


def _monday() -> date:
    today = datetime.now(tz=ZoneInfo(TIMEZONE)).date()
    return today - timedelta(days=today.weekday())
