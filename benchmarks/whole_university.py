"""
Syncs a whole real university into as many sandbox mailboxes, and prints time, memory and requests.

    python -m benchmarks.whole_university INSTANCE.xml [--weeks 2]

The instance is one of the International Timetabling Competition 2019 (see ``itc2019.py``). Product and
sandbox are processes of their own and talk over HTTPS; the product is the real command line.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.itc2019 import Counts, Instance, address, read, write
from benchmarks.report import Figure, report

from classbell.cli.stage import Setting, Stage, built


@dataclass(frozen=True)
class Person:
    """A student; ``address`` names the mailbox."""

    address: str


@dataclass
class Competition:
    """An instance as the stage wants it: people with addresses, and tables to write."""

    instance: Instance
    weeks: int
    first_monday: date
    counts: list[Counts] = field(default_factory=list)

    @property
    def people(self) -> list[Person]:
        """All students."""
        return [Person(address(student, "example.edu")) for student in self.instance.wishes]

    def write(self, directory: Path) -> None:
        """Write the two tables."""
        self.counts.append(write(self.instance, directory, weeks=self.weeks, first_monday=self.first_monday))


@dataclass(frozen=True)
class Figures:
    """Of one command: its last report, its seconds of processor time, and its largest memory in MB."""

    report: dict[str, Any]
    wall: float
    processor: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Sync a whole university into the sandbox.")
    parser.add_argument("instance", type=Path)
    parser.add_argument("--weeks", type=int, default=2)
    arguments = parser.parse_args()
    if not arguments.instance.is_file():
        parser.error(f"{arguments.instance} is absent; instances are published at itc2019.org")
    monday = date.today() + timedelta(days=7 - date.today().weekday())  # noqa: DTZ011 (any coming week)
    university = Competition(read(arguments.instance), arguments.weeks, monday)
    with staged(university) as stage:
        counts = university.counts[0]
        print(f"students {counts.students:,}   meetings {counts.meetings:,}   pairs {counts.pairs:,}")
        first, second = sync(stage), sync(stage)
    show("first sync", first)
    show("second sync", second)
    served = stage.served or {}
    print(f"the sandbox saw {served['requests']:,} requests and {served['changes']:,} changes")
    assert served["changes"] == counts.pairs, "every pair is one event, created once"
    assert second.report["batches"] == 0, "the second sync asks nothing"
    seconds = first.report["seconds"]
    report(
        "university.1",
        "First sync of a whole university",
        Figure(name="mailboxes", value=len({row.address for row in university.people}), unit="mailboxes"),
        Figure(name="events created", value=counts.pairs, unit="events"),
        Figure(name="events for each second", value=counts.pairs / seconds, unit="events"),
        Figure(name="processor time", value=first.processor, unit="s"),
        Figure(name="memory", value=first.memory, unit="MB"),
    )
    report(
        "university.2",
        "Sync of a whole university with nothing to do",
        Figure(name="time", value=second.report["seconds"], unit="s"),
        Figure(name="processor time", value=second.processor, unit="s"),
        Figure(name="memory", value=second.memory, unit="MB"),
        Figure(name="batches", value=second.report["batches"], unit="batches", bar=0, wanted="at most"),
    )


@contextmanager
def staged(university: Competition) -> Iterator[Stage]:
    """Configuration, timetable and a sandbox with a mailbox for every student."""
    setting = Setting(serve=False, port=0, people=0, seed=1, directory=None)
    with built(setting, university) as stage:
        yield stage


def sync(stage: Stage) -> Figures:
    """Run ``classbell sync`` as an administrator would."""
    command = [sys.executable, "-m", "classbell", "--json", "-c", str(stage.folder / "classbell.toml")]
    process = subprocess.Popen([*command, "sync", "--yes"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    events = [json.loads(line) for line in process.stdout]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, events[-3:]
    report = next(event for event in events if event["type"] == "applied")
    return Figures(
        report=report,
        wall=report["seconds"],
        processor=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / 1024,
    )


def show(name: str, figures: Figures) -> None:
    """Print one command's figures."""
    print(
        f"{name:12} {figures.report['done']['create']:>9,} created   {figures.wall:7.1f} s"
        f"   {figures.processor:7.1f} s of processor   {figures.memory:6.0f} MB"
        f"   {figures.report['batches']:,} batches"
    )


if __name__ == "__main__":
    main()
