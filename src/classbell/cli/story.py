"""The demo's story: sandbox, certificate, university, plan, apply, and a day of changes."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from classbell.cli.assembly import run_until_interrupted, workplace
from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation
from classbell.cli.output import Output
from classbell.cli.plan_view import SIGNS, PlanView, counts
from classbell.deliver import Progress
from classbell.errors import ClassbellError, ConfigurationError
from classbell.identity.certificates import new_self_signed
from classbell.life import LocalFiles, SystemIds
from classbell.run import Office, Review, Run
from classbell.sample import PlannedStory, University
from classbell.sandbox import Address, Sandbox, Tenant, notice
from classbell.settings import load

DOMAIN = "example.edu"
TIMEZONE = "Europe/London"
INSTITUTION = "example"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the demo was asked to be."""

    serve: bool
    port: int
    people: int
    seed: int
    directory: Path | None


def tell(invocation: Invocation, setting: Setting) -> int:
    """Tell the story; the exit code."""
    output = invocation.output
    output.start()
    with _folder(setting) as folder:
        university = University.generate(
            seed=setting.seed,
            people=setting.people,
            first_monday=_monday(),
            domain=DOMAIN,
            timezone=TIMEZONE,
        )
        sandbox = Sandbox(seed=setting.seed)
        tenant = sandbox.add_tenant(domain=DOMAIN)
        tenant.add_mailboxes(person.address for person in university.people)
        with sandbox.serve(port=setting.port) as address:
            story = _Story(output, folder, university)
            story.open(tenant, address)
            code = run_until_interrupted(story.tell(), story.stop, output.note)
            if code == Exit.DONE:
                _look_further(output, folder, setting, sandbox)
            if setting.serve and code == Exit.DONE:
                _wait_for_interrupt(output, address)
        return code


class _Story:
    def __init__(self, output: Output, folder: Path, university: University) -> None:
        self._output = output
        self._folder = folder
        self._university = university
        self._run: Run | None = None

    def open(self, tenant: Tenant, address: Address) -> None:
        """Everything an administrator does once: certificate, registration, configuration, timetable."""
        self._step("Sandbox", notice(address))
        pair = new_self_signed("classbell-demo", now=datetime.now(tz=ZoneInfo("UTC")).timestamp(), days=365)
        app = tenant.register_app("Classbell")
        thumbprint = app.add_certificate(pair.certificate)
        app.grant("Calendars.ReadWrite")
        files = LocalFiles()
        files.write_durably(self._folder / "cert.pem", pair.certificate)
        files.write_durably(self._folder / "key.pem", pair.key, private=True)
        self._step("Certificate", f"made, and registered on application {app.client_id} (SHA-1 {thumbprint})")
        files.write_durably(
            self._folder / "classbell.toml", _HOST.format(installation=SystemIds().new_uuid()).encode()
        )
        (self._folder / "conf.d").mkdir(exist_ok=True)
        files.write_durably(
            self._folder / "conf.d" / f"{INSTITUTION}.toml",
            _INSTITUTION.format(
                tenant_id=tenant.tenant_id,
                client_id=app.client_id,
                login_url=address.login_url,
                graph_url=address.graph_url,
                ca_file=address.ca_file,
                timezone=TIMEZONE,
            ).encode(),
        )
        self._university.write(self._folder / "timetable")
        size = self._university.figures()
        self._step(
            "University",
            f"{size.students} students and {size.lecturers} lecturers, {size.modules} modules,"
            f" {size.meetings} meetings in {self._university.weeks} weeks, {size.pairs} calendar entries",
        )

    def stop(self) -> bool:
        return self._run is not None and self._run.stop()

    async def tell(self) -> int:
        configuration = load(self._folder / "classbell.toml", LocalFiles(), os.environ)
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
        return await self._apply(review, view)

    async def _bring_up_to_date(self, office: Office) -> int:
        review, view = await self._plan(office)
        return await self._apply(review, view)

    def _change_the_timetable(self) -> list[PlannedStory]:
        now = datetime.now(tz=ZoneInfo(TIMEZONE)).replace(tzinfo=None)
        self._university, stories = self._university.day_of_changes(now)
        self._university.write(self._folder / "timetable")
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


def _look_further(output: Output, folder: Path, setting: Setting, sandbox: Sandbox) -> None:
    writes = sum(1 for record in sandbox.history if record.kind == "change")
    output.line()
    output.line("Look further", style="bold")
    output.line(f"  The sandbox saw {writes} changes to events, all of events that Classbell itself made,")
    output.line(f"  and would have sent {len(sandbox.outbox)} mails.")
    output.event("sandbox", changes=writes, mails=len(sandbox.outbox))
    if setting.serve:
        output.line(f"  classbell -c {folder / 'classbell.toml'} status")
        output.line(f"  classbell -c {folder / 'classbell.toml'} explain {_someone(folder)}")
        output.line(f"  Change {folder / 'timetable' / 'meetings.csv'}, then: classbell -c ... apply")
    else:
        output.line("  classbell demo --serve   keeps the sandbox up, to try the other commands on it")
        output.line("  classbell init           begins with a real tenant")


def _someone(folder: Path) -> str:
    lines = (folder / "timetable" / "attendance.csv").read_text(encoding="utf-8").splitlines()
    return lines[1].partition(",")[2]


def _wait_for_interrupt(output: Output, address: Address) -> None:
    output.note(f"The sandbox stays at {address.url} until Ctrl-C.")
    output.event(
        "serving", login_url=address.login_url, graph_url=address.graph_url, ca_file=str(address.ca_file)
    )
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        output.note("The sandbox is gone, and everything in it.")


@contextmanager
def _folder(setting: Setting) -> Iterator[Path]:
    """A folder for the demo's files: the one that was named, else one that goes with the demo."""
    if setting.directory is None:
        with tempfile.TemporaryDirectory(prefix="classbell-demo-") as made:
            yield Path(made)
        return
    folder = setting.directory.absolute()
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            "E-DEMO-DIR",
            f"The folder {folder} is not empty.",
            why="the demo writes a configuration, a ledger and a timetable there",
            do="name a new folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def _monday() -> date:
    today = datetime.now(tz=ZoneInfo(TIMEZONE)).date()
    return today - timedelta(days=today.weekday())


_HOST = """\
schema = 1
installation = "{installation}"
include = ["conf.d/*.toml"]
"""

_INSTITUTION = """\
schema = 1
id = "example"
name = "Example University"
mode = "approve"

[tenant]
tenant_id = "{tenant_id}"
client_id = "{client_id}"
login_url = "{login_url}"
graph_url = "{graph_url}"
ca_file = "{ca_file}"

[[tenant.certificates]]
certificate = {{ file = "../cert.pem" }}
private_key = {{ file = "../key.pem" }}

[[sources]]
name = "timetable"
kind = "table"
meetings = "../timetable/meetings.csv"
attendance = "../timetable/attendance.csv"

[sources.map]
key = "key"
start = "start"
end = "end"
title = "title"
module = "module"
type = "type"
room = "room"
building = "building"
staff = "staff"
groups = "groups"
cancelled = "cancelled"

[[audience]]
name = "everybody"
gets = ["timetable"]
profile = "standard"

[[profiles]]
name = "standard"
subject = ["{{{{ title }}}} ({{{{ type }}}})", "{{{{ title }}}}"]
location = ["{{{{ room }}}}, {{{{ building }}}}", "{{{{ room }}}}"]
show_as = "busy"
reminder = "none"

[window]
past = "7d"
future = "200d"
timezone = "{timezone}"
"""
