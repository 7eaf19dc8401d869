"""
A trial: an installation whose processes are killed, stopped and starved, at instants drawn from a seed.

Two institutions in one sandbox; everything is a process. In the end all is well again and comes to rest, and what
has happened is judged by the checkers of the simulation, from the history that the sandbox tells.
"""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.cli.classbell import clean_environment
from tests.processes.clock import CommonClock
from tests.processes.installation import INSTALLATION, Anchor, Installation, Moment, Runner
from tests.processes.service import Service
from tests.simulation.checkers import judged
from tests.simulation.draws import draws
from tests.simulation.ports import Disk
from tests.simulation.timetable import Timetable
from tests.simulation.world import AT_LEAST, MAX_DELETES, PEOPLE

from classbell.identity.certificates import new_self_signed

CLASSES = 10
# What each request takes, so that there is something to be killed in.
LATENCY = 0.04
MEMORIES = ("0.0", "300.0", "inf")
A_DAY_AND_MORE = 95_000.0
MOST_BOUNDS = 4
_ANCHORS = (Anchor.START, Anchor.PLAN, Anchor.INTENTS, Anchor.INTENTS, Anchor.INTENTS)
ENDS_WELL = {0, 3, 4, 5, 7}
INSTITUTIONS = {"north": ("default", ("lectures", "exams")), "south": ("Timetable", ("lectures",))}


class Folder(Disk):
    """Files that are really there."""

    def put(self, path: Path, content: bytes) -> None:
        super().put(path, content)
        path.write_bytes(content)

    def remove(self, path: Path) -> None:
        super().remove(path)
        path.unlink(missing_ok=True)


@dataclass
class Trial:
    """
    The world of a trial, and what is noted for those who judge.

    Args:
        seed: of all draws.
        folder: for everything; ``ledger`` in it may be a file system of its own.
        small: whether it is, and can be filled.
        told: is given each line of the trace.
    """

    seed: int
    folder: Path
    small: bool
    told: Callable[[str], None]
    trace: list[str] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    deaths: list[tuple[float, str]] = field(default_factory=list)
    lost: list[tuple[float, float, str]] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        self.random = draws(f"processes/{self.seed}")
        self.clock = CommonClock(self.folder / "ahead-of-time")
        self.began = self.clock.now()
        environment = clean_environment() | self.clock.environment()
        self.installation = Installation(self.folder / "ledger", environment)
        self._identity()
        file = self.folder / "sandbox.toml"
        file.write_text(self._sandbox(), encoding="utf-8")
        self.service = Service(self.folder / "service", file, environment)
        self.service.start()
        self.timetables = [
            one
            for name, (calendar, sources) in INSTITUTIONS.items()
            for one in self._added(name, calendar, sources)
        ]

    def tell(self, text: str) -> None:
        """A line for whoever reads the trace."""
        self.trace.append(f"{self.clock.now() - self.began:10.2f}  {text}")
        self.told(self.trace[-1])

    def sync(self, *words: str, approved: int = 0) -> tuple[Runner, Callable[[], int]]:
        """Start a runner, and note it; what waits for its end gives the exit code."""
        runner = self.installation.start(*words)
        notes = [
            {
                "process": runner.name,
                "kind": "sync",
                "institution": institution,
                "person": "",
                "approved": approved,
                "begin": self.clock.now(),
                "end": None,
                "outcome": "",
                "only_look": False,
                "reset": False,
                "requests": 0,
                "writes": 0,
            }
            for institution in INSTITUTIONS
        ]
        self.runs += notes
        return runner, lambda: self._ended(runner, notes)

    def synced(self, *, approved: int = 0) -> int:
        """A run that nothing happens to; with somebody's word for up to so many deletions another one, of what it held."""
        if approved:
            code = self.synced()
            if not self.installation.approve_all():
                return code
        runner, end = self.sync(approved=approved)
        code = end()
        self.installation.usual_seconds = time.monotonic() - runner.began
        return code

    def kill(self, runner: Runner, moment: Moment, end: Callable[[], int]) -> None:
        """Kill a runner at a moment of its life, if it lives so long."""
        if runner.reaches(moment):
            at = self.clock.now()
            runner.strike(signal.SIGKILL)
            self.kills += 1
            self.deaths.append((at, runner.name))
            self.lost.append((at - 1.0, at + 1.0, runner.name))
            self.tell(f"{runner.name} is killed {moment}")
        end()

    def pass_time(self, seconds: float) -> None:
        """Let time pass for everybody, once nothing is on its way."""
        if seconds:
            self.service.quiet()
            self.clock.advance(seconds)

    def moment(self) -> Moment:
        """An instant: anywhere in a run, after its plan is accepted, or after some writes are about to leave."""
        what = self.random.choice(_ANCHORS)
        if what is Anchor.START:
            return Moment(after=what, delay=self.random.uniform(0.0, 1.0) * self.installation.usual_seconds)
        count = self.random.choice((1, 1, 1, 2, 2, 3)) if what is Anchor.INTENTS else 1
        return Moment(after=what, count=count, delay=self.random.uniform(0.0, 0.15))

    def present(self) -> None:
        """Let timetables change, and others read them."""
        for one in self.timetables:
            for _ in range(self.random.randint(1, 4)):
                one.change(self.random, self._today(), self.random.choice(list(one.classes)))
            if self.random.random() < 0.4:
                one.add(self.random, self._today())
            if self.random.random() < 0.1 and len(one.classes) > CLASSES:
                one.remove(self.random.choice(list(one.classes)))
            one.present(self.clock.now())

    def judged(self) -> list[str]:
        """Let everything be well and come to rest; every violation."""
        self.service.tell("DELETE", "/faults")
        for one in self.timetables:
            one.present(self.clock.now())
        self.tell("everything is well from now on")
        bounds = 0
        while bounds < MOST_BOUNDS:
            bounds += 1
            self.pass_time(A_DAY_AND_MORE)
            self.synced(approved=1_000_000)
            if all(told["state"] != "unknown" for told in self.installation.waiting()):
                break
        for _ in range(2):
            self.pass_time(A_DAY_AND_MORE)
            self.synced(approved=1_000_000)
        self.pass_time(A_DAY_AND_MORE)
        begin = len(self.service.history())
        self.synced()
        history = self.service.history()
        final = {
            "bounds": bounds,
            "third_run": [begin, len(history)],
            "waiting": self.installation.waiting(),
            "suspended": [],
            "stopped": [],
            "beside": [],
            "left_to_people": [],
            "at": self.clock.now(),
        }
        return judged(history, self._testimony(final))

    def _ended(self, runner: Runner, notes: Sequence[dict[str, Any]]) -> int:
        code = runner.ended()
        for note in notes:
            note["end"] = self.clock.now()
            note["outcome"] = str(code)
        said = runner.said()
        starved = code == 1 and ("E-DB-BROKEN" in said or "E-DB-OPEN" in said)
        if (code not in ENDS_WELL and code != -signal.SIGKILL and not starved) or "E-FAULT" in said:
            self.surprises.append(f"{runner.name} ended with {code}:\n{said[-3000:]}")
        codes = sorted({word for word in said.split() if word.startswith("E-")})
        self.tell(f"{runner.name} ended with {code} {' '.join(codes)}")
        return code

    def _identity(self) -> None:
        pair = new_self_signed("classbell", now=time.time() - 86_400)
        for place in (self.folder, self.installation.folder):
            (place / "cert.pem").write_bytes(pair.certificate)
        key = self.installation.folder / "key.pem"
        key.write_bytes(pair.key)
        key.chmod(0o600)

    def _sandbox(self) -> str:
        text = f"seed = {self.seed}\nlatency = {LATENCY}\n\n[switches]\n"
        text += f"transaction_memory = {self.random.choice(MEMORIES)}\n"
        text += f"lookup_lag = {self.random.choice(('0.0', '60.0'))}\ncommit_bound = 60.0\n"
        for name in INSTITUTIONS:
            people = ", ".join(f'"{person}"' for person in _people(name))
            text += f'\n[[tenants]]\ndomain = "{name}.example"\ntenant_id = "{_id(name, 1)}"\nmailboxes = [{people}]\n'
            text += f'\n[[tenants.apps]]\nname = "Classbell"\nclient_id = "{_id(name, 2)}"\n'
            text += 'certificates = ["cert.pem"]\npermissions = ["Calendars.ReadWrite"]\n'
        return text

    def _added(self, name: str, calendar: str, sources: Sequence[str]) -> list[Timetable]:
        folder = self.folder / name
        folder.mkdir()
        disk = Folder(self.clock.now)
        made = [
            Timetable(
                institution=name,
                name=source,
                folder=folder,
                disk=disk,
                people=_people(name),
                states=self.states,
            )
            for source in sources
        ]
        for one in made:
            for _ in range(CLASSES):
                one.add(self.random, self._today())
            one.present(self.clock.now())
        told = {"id": name, "tenant": _id(name, 1), "app": _id(name, 2), "calendar": calendar}
        self.installation.add(
            told | {"url": self.service.url, "ca_file": str(self.service.ca_file)}, made, AT_LEAST
        )
        return made

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def _testimony(self, final: dict[str, Any]) -> dict[str, Any]:
        mails = self.service.tell("GET", "/outbox")
        return {
            "installation": INSTALLATION,
            "institutions": [
                {
                    "id": name,
                    "tenant": _id(name, 1),
                    "app": _id(name, 2),
                    "calendar": INSTITUTIONS[name][0],
                    "mailboxes": _people(name),
                    "policies": {},
                }
                for name in INSTITUTIONS
            ],
            "at_least": AT_LEAST,
            "max_deletes": MAX_DELETES,
            "bound": 600.0,
            "states": self.states,
            "runs": self.runs,
            "decisions": [],
            "deaths": self.deaths,
            "lost": self.lost,
            # How long an answer is on its way on loopback, at the very most.
            "ways": [(self.began, 1.0)],
            # Of what was to be deleted, and never came to the service, nobody but the ledger knows.
            "deletes": [],
            "mails": [mail["cause"] for mail in mails],
            "surprises": self.surprises,
            "final": final,
        }


def _people(institution: str) -> list[str]:
    return [f"{person}@{institution}.example" for person in PEOPLE]


def _id(institution: str, of: int) -> str:
    return str(UUID(int=list(INSTITUTIONS).index(institution) * 10 + of, version=4))
