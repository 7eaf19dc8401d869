"""The installation itself: its configuration, the ledger's database, the lease."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from classbell.doctor.finding import Finding, State
from classbell.doctor.subject import Installation
from classbell.errors import ClassbellError, LeaseHeld
from classbell.lease import lease
from classbell.ledger import SCHEMA
from classbell.settings import Problem
from classbell.witness import Witness

# Less room than this, and the ledger may not get through the next bulk load.
LITTLE_SPACE = 1_000_000_000
_GB = 1_000_000_000
_OTHERS = 0o007
# The check of certificates tells it, and whether another one stands in for it.
_TOLD_ELSEWHERE = {"E-CERT-EXPIRED", "E-CERT-NOT-YET"}
_USAGE = 2


async def config(installation: Installation) -> AsyncIterator[Finding]:
    """The configuration names nothing that is missing, and nothing in it looks like a slip."""
    configuration = installation.configuration
    problems = [p for p in installation.problems if p.code not in _TOLD_ELSEWHERE]
    for problem in problems:
        yield _problem(problem, State.FAILURE)
    if not configuration.institutions:
        yield Finding.warning(
            "config",
            "W-CFG-NOBODY",
            "There is no institution yet.",
            why="no file of an institution is included.",
            do="classbell init --institution ID writes a first one.",
        )
    for warning in (*configuration.warnings, *installation.warnings):
        yield _problem(warning, State.WARNING)
    if not problems:
        count = len(configuration.institutions)
        yield Finding.ok(
            "config",
            f"{count} institution{'' if count == 1 else 's'}, no unknown keys",
            institutions=list(configuration.institutions),
        )


async def database(installation: Installation) -> AsyncIterator[Finding]:
    """The ledger's database can be opened and written, is of our schema, and is the newest one."""
    try:
        ledger = await installation.open_ledger()
        await ledger.prove_writable()
        revision = await ledger.revision()
        files = installation.ports.files
        Witness(files, installation.beside(".witness"), installation.id).confirm(revision)
    except ClassbellError as error:
        yield Finding.failure("database", error)
        return
    installation.ledger = ledger
    for finding in _readable_by_others(installation):
        yield finding
    free = None
    with suppress(OSError):
        free = files.free(installation.place.parent)
    room = "" if free is None else f", {free / _GB:.1f} GB free"
    details = {"schema": SCHEMA, "revision": revision, "free_bytes": free}
    if free is not None and free < LITTLE_SPACE:
        yield Finding.warning(
            "database",
            "W-DB-SPACE",
            f"There is little room left for the ledger{room}.",
            why=f"the disk of {installation.place.parent} is almost full.",
            do="free space on this disk, or move the database to another one ([database] url).",
            **details,
        )
    else:
        yield Finding.ok("database", f"writable, schema {SCHEMA}{room}", **details)


def _readable_by_others(installation: Installation) -> Iterator[Finding]:
    """Of the files that say who attends what, whether everybody on this computer may read them."""
    open_files = []
    for path in (installation.place, installation.beside("-wal")):
        with suppress(OSError):
            if installation.ports.files.mode(path) & _OTHERS:
                open_files.append(str(path))
    if open_files:
        yield Finding.warning(
            "database",
            "W-DB-READABLE",
            f"Everybody on this computer may read the ledger: {', '.join(open_files)}.",
            why="it says who attends what.",
            do=f"chmod o= {' '.join(open_files)}",
        )


async def free_lease(installation: Installation) -> AsyncIterator[Finding]:
    """No other process is at work on the ledger."""
    try:
        with lease(installation.beside(".lease")):
            pass
    except LeaseHeld as held:
        # Mostly the service itself, and then all is as it should be.
        yield Finding.failure("lease", held, state=State.WARNING)
    except ClassbellError as error:
        yield Finding.failure("lease", error)
    else:
        yield Finding.ok("lease", "free")


def _problem(problem: Problem, state: State) -> Finding:
    return Finding(
        check="config",
        state=state,
        what=f"{problem.origin}: {problem.text}",
        code=problem.code,
        do=problem.hint,
        exit_code=_USAGE if state is State.FAILURE else 0,
    )
