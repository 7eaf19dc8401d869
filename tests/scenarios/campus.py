"""
A small campus whose administrator uses the command line, at the time that it really is.

Its calendars are up to date, and one class has been moved since: what the next run has to write.
"""

import csv
import io
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from tests.cli.classbell import Ended, classbell
from tests.scenarios.calendars import utc
from tests.scenarios.watch import Watch
from tests.scenarios.world import Institution, World, table

from classbell.life import LocalFiles

PEOPLE = ("ada", "grace", "alan")
CLASSES = 20


@dataclass(frozen=True)
class Class:
    """A class on one day, which everybody attends."""

    key: str
    start: datetime

    @property
    def end(self) -> datetime:
        return self.start + timedelta(hours=1)


# Once for all, so that a test may run past midnight.
@cache
def classes() -> tuple[Class, ...]:
    """One on each of the coming days."""
    noon = datetime.now(tz=UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return tuple(Class(f"algebra-{day:02}", noon + timedelta(days=day)) for day in range(1, CLASSES + 1))


def moved(planned: Sequence[Class]) -> list[Class]:
    """The same with the third an hour later."""
    changed = list(planned)
    changed[2] = replace(planned[2], start=planned[2].start + timedelta(hours=1))
    return changed


def as_tables(folder: Path, planned: Sequence[Class], people: Sequence[str]) -> None:
    """``meetings.csv`` and ``attendance.csv``; *people* are addresses."""
    rows = [[one.key, f"{one.start:%Y-%m-%dT%H:%M}", f"{one.end:%Y-%m-%dT%H:%M}", one.key] for one in planned]
    _write(folder / "meetings.csv", ["key", "start", "end", "title", "room", "cancelled"], rows)
    _write(folder / "attendance.csv", ["meeting", "person"], [[c.key, p] for c in planned for p in people])


def as_feed(planned: Sequence[Class]) -> bytes:
    """A calendar feed."""
    entries = [
        f"BEGIN:VEVENT\r\nUID:{one.key}@campus.example\r\nSUMMARY:{one.key}\r\n"
        f"DTSTART:{one.start:%Y%m%dT%H%M%SZ}\r\nDTEND:{one.end:%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\n"
        for one in planned
    ]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(entries)}END:VCALENDAR\r\n".encode()


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([*row, *[""] * (len(header) - len(row))] for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8")


class Died(BaseException):
    """The end of a process, at a place that a test chose."""


class MortalFiles(LocalFiles):
    """Local files for a process that dies as it writes a certain text."""

    def __init__(self, last: bytes) -> None:
        self._last = last

    def write_durably(self, path: Path, content: bytes, *, private: bool = False) -> None:
        if self._last in content:
            raise Died
        super().write_durably(path, content, private=private)


@dataclass
class Campus:
    """An institution and its administrator."""

    world: World
    institution: Institution

    def run(self, *arguments: str) -> Ended:
        return classbell(*arguments, cwd=self.world.folder)

    def replace_in_file(self, old: str, new: str) -> None:
        """Change the institution's file."""
        text = self.institution.file.read_text(encoding="utf-8")
        assert old in text
        self.institution.file.write_text(text.replace(old, new), encoding="utf-8")

    def refuses(self, code: str, exit_code: int, *arguments: str, says_why: bool = True) -> Ended:
        """Run ``apply --yes``, which ends so, in words and in JSON, and changes nothing."""
        command = ("apply", "--yes", *arguments)
        with self.world.watched() as seen:
            ended = self.run(*command)
            told = self.run("--json", *command)
        assert (ended.code, told.code) == (exit_code, exit_code), ended.out + ended.err
        assert told_with_reason_and_advice(ended.err, code, says_why=says_why), ended.err
        assert "Traceback" not in ended.err
        found = [line for line in told.json if line.get("code") == code]
        assert found, told.out
        assert all(line["type"] == "diagnostic" and line["what"] and line["do"] for line in found)
        assert nothing_changed(seen)
        return ended

    def applies(self, *arguments: str) -> Ended:
        """Run ``apply --yes``, to which nothing is in the way."""
        ended = self.run("apply", "--yes", *arguments)
        assert (ended.code, ended.err) == (0, _only_progress(ended.err)), ended.err
        return ended

    def lets_no_deletion_pass_unasked(self) -> None:
        """However few they are."""
        self.replace_in_file("[window]", "[safety.max_deletes]\nat_least = 0\n\n[window]")

    def approves(self) -> None:
        """Run ``apply --yes``, approve exactly the one thing that it holds, and run it again."""
        held = self.run("apply", "--yes")
        assert held.code == 4, held.out + held.err
        (hold,) = self.run("--json", "holds", "list").json[0]["holds"]
        approved = self.run("holds", "approve", str(hold["id"]), "--deletes", str(hold["deletes"]))
        assert approved.code == 0, approved.err
        self.applies()

    def starts(self, person: str) -> dict[str, str]:
        """When each class is, by somebody's calendar."""
        return {
            event["subject"]: event["start"]["dateTime"][:19] + "Z"
            for event in self.institution.mailbox(person).events()
        }

    def holds(self, planned: Sequence[Class], people: Sequence[str] = PEOPLE) -> bool:
        """Whether the calendars hold exactly these classes."""
        wanted = {one.key: utc(one.start) for one in planned}
        counts = {len(self.institution.mailbox(person).events()) for person in people}
        return counts == {len(wanted)} and all(self.starts(person) == wanted for person in people)


def nothing_changed(seen: Watch) -> bool:
    return not [record for record in seen.records if record.kind == "change"]


def open_campus(world: World, id: str = "example") -> Campus:  # noqa: A002 -- as the institution's file calls it
    """A campus with tables, all of whose calendars are up to date, and one class moved since."""
    folder = world.folder / f"{id}-timetable"
    folder.mkdir()
    planned = classes()
    people = [f"{name}@{id}.edu" for name in PEOPLE]
    as_tables(folder, planned, people)
    campus = Campus(world, world.add_institution(table(folder), PEOPLE, id=id, timezone="UTC"))
    campus.applies("-i", id)
    assert campus.holds(planned)
    as_tables(folder, moved(planned), people)
    return campus


def write_tables(campus: Campus, planned: Sequence[Class], *more: str) -> None:
    """Put another timetable in place; *more* are further persons."""
    folder = campus.world.folder / f"{campus.institution.id}-timetable"
    as_tables(folder, planned, [f"{name}@{campus.institution.domain}" for name in (*PEOPLE, *more)])


def an_hour_later(campus: Campus) -> None:
    """Microsoft takes requests again, and the time that it named is over."""
    campus.world.sandbox.faults.clear()
    ledger = sqlite3.connect(campus.world.database)
    with ledger:
        ledger.execute("UPDATE change SET due_at = 0")
        ledger.execute("UPDATE mailbox SET retry_at = 0, out_code = '', out_detail = ''")
    ledger.close()


def told_with_reason_and_advice(text: str, code: str, *, says_why: bool = True) -> bool:
    """Whether a message of this code is there, and says why and what to do."""
    labels = {line.split()[0] for line in _message(text, code)[1:]}
    return ("Why:" in labels) == says_why and "Do:" in labels


def _message(text: str, code: str) -> list[str]:
    """The lines of the message that begins with a code."""
    lines = text.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith(f"{code}  ")), len(lines))
    rest = lines[begin + 1 :]
    end = next((number for number, line in enumerate(rest) if not line.startswith("  ")), len(rest))
    return [*lines[begin : begin + 1], *rest[:end]]


def _only_progress(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith("Applying  "))
