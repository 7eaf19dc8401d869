"""What happens to the processes of a trial. Each act has its runner, and most of them kill something."""

import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress

from tests.processes.installation import fill
from tests.processes.trial import INSTITUTIONS, Trial

Act = Callable[[Trial], None]


def killed(trial: Trial) -> None:
    """A runner is killed."""
    runner, end = trial.sync()
    trial.kill(runner, trial.moment(), end)


def stopped(trial: Trial) -> None:
    """A runner is stopped for longer than its requests may take to leave, and wakes up again, perhaps beside another."""
    runner, end = trial.sync()
    moment = trial.moment()
    if runner.reaches(moment):
        runner.strike(signal.SIGSTOP)
        seconds = trial.random.choice((30.0, 90.0, 400.0, 2_000.0))
        trial.tell(f"{runner.name} is stopped {moment}, for {seconds:.0f} s")
        begin = trial.clock.now()
        trial.pass_time(seconds)
        if trial.random.random() < 0.7:
            if trial.random.random() < 0.7:
                trial.installation.lose_lease()
            trial.synced()
        trial.lost.append((begin - 1.0, trial.clock.now() + 1.0, runner.name))
        runner.strike(signal.SIGCONT)
    end()


def beside(trial: Trial) -> None:
    """Two runners are at work at once, since the file of their lease is gone; one of them is killed, or none."""
    first, end_of_first = trial.sync()
    if first.reaches(trial.moment()):
        trial.installation.lose_lease()
    second, end_of_second = trial.sync()
    trial.tell(f"{first.name} and {second.name} are at work beside each other")
    struck = trial.random.choice((None, first, second))
    if struck is first:
        trial.kill(first, trial.moment(), end_of_first)
        end_of_second()
    elif struck is second:
        trial.kill(second, trial.moment(), end_of_second)
        end_of_first()
    else:
        end_of_first()
        end_of_second()


def unserved(trial: Trial) -> None:
    """The service ends, or is killed, while somebody is asking it, and comes back."""
    runner, end = trial.sync()
    moment = trial.moment()
    if runner.reaches(moment):
        begin = trial.clock.now()
        if trial.random.random() < 0.5:
            # What it has answered must be written before it dies, so nobody may ask for more meanwhile.
            runner.strike(signal.SIGSTOP)
            trial.service.kill()
            runner.strike(signal.SIGCONT)
            how = "killed"
        else:
            trial.service.end()
            how = "ended"
        trial.kills += 1
        time.sleep(trial.random.choice((0.0, 0.0, 1.0)))
        trial.service.start()
        trial.lost.append((begin - 1.0, trial.clock.now() + 1.0, runner.name))
        trial.tell(f"the service is {how} {moment} of {runner.name}, and is back")
    end()


def full(trial: Trial) -> None:
    """Nothing more can be written."""
    runner, end = trial.sync()
    moment = trial.moment()
    if not runner.reaches(moment):
        end()
    elif trial.small and trial.random.random() < 0.7:
        filler = fill(trial.installation.folder)
        trial.tell(f"the disk is full {moment} of {runner.name}")
        end()
        filler.unlink()
    else:
        size = trial.random.choice((0, 4_096, 65_536, 200_000))
        with suppress(ProcessLookupError):
            runner.limit_files(size)
        trial.tell(f"no file of {runner.name} may grow beyond {size} bytes {moment}")
        end()


def locked(trial: Trial) -> None:
    """Another program holds the ledger's database locked."""
    runner, end = trial.sync()
    moment = trial.moment()
    if runner.reaches(moment):
        with closing(sqlite3.connect(trial.installation.database, timeout=2, isolation_level=None)) as other:
            with suppress(sqlite3.OperationalError):
                other.execute("BEGIN IMMEDIATE")
                trial.tell(f"the database is locked {moment} of {runner.name}")
            # A runner waits ten seconds for its turn.
            time.sleep(trial.random.choice((0.3, 0.3, 11.0)))
    end()


# Drawn as cards are, so that each has its turn.
DECK: tuple[Act, ...] = (*[killed] * 8, stopped, beside, unserved, full, locked)


def troubled(trial: Trial) -> None:
    """The service is not quite well: some requests to come go wrong."""
    rule: dict[str, object] = {
        "effect": trial.random.choice(("504-after", "drop-after", "503-before", "504-late", 429)),
        "kind": "member",
        "method": trial.random.choice(("POST", "PATCH", "DELETE", "")),
        "times": trial.random.randint(1, 3),
    }
    if rule["effect"] == "504-late":
        rule["delay"] = trial.random.uniform(1.0, 50.0)
    trial.service.tell("POST", "/faults", rule)
    trial.tell(f"some requests will go wrong: {rule}")


def owned(trial: Trial) -> None:
    """The owner of a calendar copies, edits, moves or deletes an event there."""
    tenant = f"{trial.random.choice(list(INSTITUTIONS))}.example"
    boxes = trial.service.tell("GET", f"/tenants/{tenant}/mailboxes")
    mailbox = trial.service.mailbox(tenant, trial.random.choice(boxes)["address"])
    events = sorted(trial.service.tell("GET", f"{mailbox}/events"), key=lambda event: event["id"])
    if not events:
        return
    event = trial.random.choice(events)
    deed = trial.random.choice(("copy", "edit", "delete", "make"))
    at = f"{mailbox}/events/{event['id']}"
    if deed == "copy":
        trial.service.tell("POST", f"{at}/copy", {})
    elif deed == "edit":
        trial.service.tell("PATCH", at, {"showAs": "free"})
    elif deed == "delete":
        trial.service.tell("DELETE", at)
    else:
        own = {"subject": "Dentist", "start": event["start"], "end": event["end"]}
        trial.service.tell("POST", f"{mailbox}/events", {"event": own})
    trial.tell(f"somebody at {tenant}: {deed} {event['subject']}")


def play(trial: Trial, kills: int) -> None:
    """Let things happen until so many processes were killed."""
    deck: list[Act] = []
    while trial.kills < kills:
        if not deck:
            deck = list(DECK)
            trial.random.shuffle(deck)
        trial.present()
        if trial.random.random() < 0.3:
            troubled(trial)
        if trial.random.random() < 0.4:
            owned(trial)
        deck.pop()(trial)
        trial.pass_time(trial.random.choice((0.0, 0.0, 30.0, 250.0, 700.0, 4_000.0, 90_000.0)))
        if trial.random.random() < 0.25:
            # Half of them with somebody's word that what is held may go.
            trial.synced(approved=trial.random.choice((0, 1_000)))
