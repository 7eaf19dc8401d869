"""A command that is interrupted or killed while it delivers; the next one carries on, and nothing is doubled."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.classbell import clean_environment
from tests.scenarios.campus import nothing_changed, open_campus, told_with_reason_and_advice
from tests.scenarios.university import open_university, starts_in_utc
from tests.scenarios.world import Institution, World

from classbell.sample import University
from classbell.sandbox import RequestInfo

pytestmark = [pytest.mark.timeout(300), pytest.mark.prove]

BOUND = 2.0
# An intent holds for a minute; after that and the bound a look decides about what is unknown.
UNTIL_DECIDED = 60 + BOUND + 5


@dataclass
class Strike:
    """Sends a signal to a process as its request of a number comes in; *after* is called before that."""

    at: int
    blow: signal.Signals
    after: Callable[[], None] = lambda: None
    process: "subprocess.Popen[str] | None" = None
    seen: int = 0

    def __call__(self, info: RequestInfo) -> bool:
        """Looks at a request as it comes in; never the fault that it is asked for."""
        if info.kind == "member" and self.process is not None:
            self.seen += 1
            if self.seen == self.at:
                self.after()
                os.kill(self.process.pid, self.blow)
        return False


@dataclass
class Term:
    """A university of the present term that nobody has received yet."""

    world: World
    institution: Institution
    university: University

    def start(self, strike: Strike | None = None) -> "subprocess.Popen[str]":
        """``classbell apply --yes`` in a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "classbell", "apply", "--yes"],
            cwd=self.world.folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if strike is not None:
            strike.process = process
            self.world.sandbox.faults.add(strike, "503-before", times=None)
        return process

    def apply(self, strike: Strike | None = None) -> tuple[int, str]:
        """The same to its end: the exit code, and what it said."""
        before = self.answered()
        process = self.start(strike)
        _, said = process.communicate(timeout=150)
        if strike is not None:
            assert strike.seen >= strike.at
            # What was on its way when the process died is still carried out.
            until(lambda: self.answered() - before == strike.seen)
        self.world.sandbox.faults.clear()
        return process.returncode, said

    @property
    def pairs(self) -> int:
        return self.university.figures().pairs

    @property
    def standing(self) -> dict[str, list[str]]:
        """The ids of all events, by mailbox."""
        return {
            box.address: [event["id"] for event in box.events()]
            for box in self.institution.tenant.mailboxes()
        }

    def every_calendar_is_right(self) -> bool:
        """Whether everybody has each of their classes once."""
        wanted: dict[str, Counter[tuple[str, str]]] = {p.address: Counter() for p in self.university.people}
        for meeting in self.university.meetings:
            for index in () if meeting.cancelled else meeting.attendees:
                wanted[self.university.people[index].address][meeting.title, starts_in_utc(meeting)] += 1
        return wanted == {
            box.address: Counter(
                (event["subject"], event["start"]["dateTime"][:19]) for event in box.events()
            )
            for box in self.institution.tenant.mailboxes()
        }

    def created(self) -> int:
        """How many events were ever created."""
        return sum(
            record.detail["action"] == "create" for record in self.world.sandbox.history if record.change
        )

    def answered(self) -> int:
        """How many requests inside of batches are done, whether or not anybody has read the answer."""
        records = self.world.sandbox.history
        return sum(bool(r.batch) and not r.change and not r.path.endswith("/$batch") for r in records)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.world.database)) as ledger:
            return ledger.execute(query).fetchall()

    def books(self) -> dict[str, list[str]]:
        """The ids of the events that the ledger knows, by mailbox."""
        known: dict[str, list[str]] = {address: [] for address in self.standing}
        for address, event_id in self.rows(
            "SELECT b.address, e.event_id FROM entry e JOIN mailbox b ON b.id = e.mailbox_id"
        ):
            known[str(address)].append(str(event_id))
        return known

    def states(self) -> Counter[str]:
        """How many changes stand in each state."""
        return Counter(str(state) for (state,) in self.rows("SELECT state FROM change"))

    def books_are_right(self) -> bool:
        books, standing = self.books(), self.standing
        return {a: sorted(ids) for a, ids in books.items()} == {a: sorted(ids) for a, ids in standing.items()}


def open_term(world: World, *, bound: str) -> Term:
    today = datetime.now(tz=UTC).date()
    university = University.generate(people=30, weeks=5, first_monday=today - timedelta(days=today.weekday()))
    # So few batches at once that a signal finds most of the work still to be done.
    host = world.folder / "classbell.toml"
    host.write_text(host.read_text(encoding="utf-8") + "\n[engine]\nin_flight = 4\n", encoding="utf-8")
    safety = f'[safety]\noutcome_bound = "{bound}"\n'
    return Term(world, open_university(world, university, more=safety), university)


@pytest.fixture
def term(world: World) -> Term:
    return open_term(world, bound=f"{BOUND:.0f}s")


def until(so: Callable[[], bool]) -> None:
    """Wait until something is so, as it soon will be."""
    deadline = time.monotonic() + 30
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def nothing_is_asked_any_more(term: Term) -> bool:
    with term.world.watched() as seen:
        term.world.synced()
    return seen.records == []


def test_ctrl_c_finishes_what_is_on_its_way_and_the_next_apply_does_the_rest(term: Term) -> None:
    code, said = term.apply(Strike(400, signal.SIGINT))
    assert code == 130
    assert "Finishing what is on its way" in said
    assert "Interrupted. What was done is remembered" in said
    states = term.states()
    assert states.keys() == {"done", "pending"}
    assert states.total() == term.pairs
    # Up to then 60 looks and 340 creates had come in; four batches may have been on their way.
    assert 250 < states["done"] <= 340 + 4 * 20
    assert term.books_are_right()

    code, said = term.apply()
    assert code == 0, said
    assert term.every_calendar_is_right()
    assert term.books_are_right()
    assert term.created() == term.pairs
    assert nothing_is_asked_any_more(term)


def test_ctrl_c_during_first_contact_writes_nothing_twice_either(term: Term) -> None:
    code, _ = term.apply(Strike(10, signal.SIGINT))
    assert code == 130
    assert term.books_are_right()
    code, said = term.apply()
    assert code == 0, said
    assert term.every_calendar_is_right()
    assert term.created() == term.pairs


def test_ctrl_c_at_the_question_ends_the_command_at_once_and_changes_nothing(world: World) -> None:
    campus = open_campus(world)
    keyboard, terminal = os.openpty()
    with world.watched() as seen:
        process = subprocess.Popen(
            [sys.executable, "-m", "classbell", "apply"],
            cwd=world.folder,
            env=clean_environment(),
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        os.close(terminal)
        assert process.stderr is not None
        said = b""
        while not said.endswith(b"[y/N] "):
            letter = process.stderr.read(1)
            assert letter, said
            said += letter
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
        os.close(keyboard)
    assert process.returncode == 130
    assert b"Interrupted" in rest
    assert b"Traceback" not in rest
    assert nothing_changed(seen)
    campus.applies()


def carries_on(term: Term) -> None:
    """Once the bound is over, one run settles what was unknown and delivers all the rest."""
    term.world.sandbox.clock.advance(UNTIL_DECIDED)
    term.world.synced()
    assert term.every_calendar_is_right()
    assert term.books_are_right()
    assert term.states().keys() == {"done"}
    assert term.created() == term.pairs
    assert nothing_is_asked_any_more(term)


def test_a_second_ctrl_c_ends_at_once_and_what_was_on_its_way_is_looked_for(term: Term) -> None:
    sandbox = term.world.sandbox

    def become_slow() -> None:
        sandbox.latency = 3.0

    strike = Strike(400, signal.SIGINT, after=become_slow)
    process = term.start(strike)
    assert process.stderr is not None
    said = iter(process.stderr.readline, "")
    assert any("Ctrl-C again stops at once" in line for line in said)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=150)
    assert process.returncode == 130
    assert term.states()["sent"] > 0
    until(lambda: term.answered() == strike.seen)
    sandbox.latency = 0.0
    sandbox.faults.clear()
    carries_on(term)


@pytest.mark.parametrize("moments", [(20,), (65,), (300,), (650, 90)], ids=str)
def test_a_killed_process_leaves_books_from_which_the_next_run_carries_on(
    term: Term, moments: Sequence[int]
) -> None:
    for moment in moments:
        code, _ = term.apply(Strike(moment, signal.SIGKILL))
        assert code == -signal.SIGKILL
    carries_on(term)


def test_what_a_killed_process_left_unknown_waits_for_its_bound_while_all_else_goes_on(world: World) -> None:
    term = open_term(world, bound="10m")
    term.apply(Strike(300, signal.SIGKILL))
    sent = term.states()["sent"]
    assert sent > 0
    code, said = term.apply()
    assert code == 3
    assert told_with_reason_and_advice(said, "E-UNKNOWN")
    assert term.states() == {"done": term.pairs - sent, "unknown": sent}
    world.sandbox.clock.advance(600)
    carries_on(term)


@pytest.mark.prove
def test_a_run_after_a_kill_waits_a_short_bound_out_by_itself(term: Term) -> None:
    term.apply(Strike(300, signal.SIGKILL))
    code, said = term.apply()
    assert code == 0, said
    assert term.every_calendar_is_right()
    assert term.books_are_right()
    assert term.created() == term.pairs
