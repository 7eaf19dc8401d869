"""
Doctor: every precondition of delivery, each with what was found and the exact next step.

All checks stand in ``CHECKS``, in the order in which they are made. A check that rests on one that has failed is told
as not tried, never as ok; what goes wrong with one institution keeps no other from its turn.

It is the one part beside delivery that writes to a mailbox: one event of its own, in the one mailbox that the
configuration names for it.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from classbell.doctor import calendar, certificates, host, network, rights, timetables
from classbell.doctor.finding import Finding, State
from classbell.doctor.subject import Installation, Subject
from classbell.errors import ClassbellError, ConfigurationError
from classbell.settings import InstitutionSettings
from classbell.settings.origins import did_you_mean, nearest


@dataclass(frozen=True, kw_only=True)
class HostCheck:
    """A check of the whole installation."""

    name: str
    run: Callable[[Installation], AsyncIterator[Finding]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check of one institution; it is tried if what it ``needs`` has not failed."""

    name: str
    run: Callable[[Subject], AsyncIterator[Finding]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """Checks whose result it uses, whatever that is."""


CHECKS: tuple[HostCheck | Check, ...] = (
    HostCheck(name="config", run=host.config),
    HostCheck(name="database", run=host.database),
    HostCheck(name="lease", run=host.free_lease),
    Check(name="network", run=network.network),
    Check(name="clock", run=network.clock, needs=("network",)),
    Check(name="certificate", run=certificates.certificate, after=("network",)),
    Check(name="token", run=rights.token, needs=("network", "certificate")),
    Check(name="calendar", run=calendar.calendar, needs=("token",), after=("database",)),
    Check(name="permission", run=rights.permission, needs=("token",), after=("calendar",)),
    Check(name="scope", run=rights.scope, needs=("token",), after=("calendar",)),
    Check(name="sources", run=timetables.sources, after=("database",)),
)
NAMES = tuple(check.name for check in CHECKS)

_BY_NAME = {check.name: check for check in CHECKS}


def chosen(names: Collection[str]) -> frozenset[str]:
    """
    The names of checks as they were asked for; all if none was.

    Raises:
        ConfigurationError: E-DOCTOR-CHECK, there is no such check.
    """
    for name in names:
        if name not in NAMES:
            raise ConfigurationError(
                "E-DOCTOR-CHECK",
                f'There is no check "{name}".   {did_you_mean(nearest(name, NAMES))}'.rstrip(),
                why=f"there are: {', '.join(NAMES)}.",
                do="name one of them, or none for all.",
            )
    return frozenset(names) or frozenset(NAMES)


async def examine(
    installation: Installation,
    institutions: Sequence[InstitutionSettings],
    wanted: Collection[str],
) -> AsyncIterator[Finding]:
    """
    Make the checks that are *wanted*, and those that they rest on; give findings as they come.

    Of a check that was made only for the sake of others, nothing but failures is told.

    Args:
        installation: what is examined.
        institutions: the institutions whose turn it is.
        wanted: names of checks, as ``chosen`` gives them.
    """
    made = _with_needs(wanted)
    failed: dict[str, State] = {}
    for check in CHECKS:
        if isinstance(check, HostCheck) and check.name in made:
            async for finding in _made(check.name, check.run(installation), failed):
                if _is_told(finding, wanted):
                    yield finding
    for settings in institutions:
        subject = Subject(installation=installation, settings=settings)
        with suppress(ClassbellError):  # the check of the database has told it
            if installation.ledger is not None:
                subject.ledger = await installation.ledger.institution(settings.id)
        async for finding in _one(subject, made, dict(failed)):
            if _is_told(finding, wanted):
                yield replace(finding, institution=settings.id)


async def _one(subject: Subject, made: Collection[str], failed: dict[str, State]) -> AsyncIterator[Finding]:
    for check in CHECKS:
        if isinstance(check, HostCheck) or check.name not in made:
            continue
        culprit = next((need for need in check.needs if need in failed), None)
        if culprit is None:
            findings = check.run(subject)
        else:
            how = "failed" if failed[culprit] is State.FAILURE else "was not tried"
            findings = _untried(check.name, f'the check "{culprit}" {how}', culprit)
        async for finding in _made(check.name, findings, failed):
            yield finding


async def _untried(name: str, because: str, culprit: str) -> AsyncIterator[Finding]:
    yield Finding.untried(name, because, needs=culprit)


async def _made(
    name: str, findings: AsyncIterator[Finding], failed: dict[str, State]
) -> AsyncIterator[Finding]:
    """The findings of one check, an error of which is one more; in *failed* it is noted if others cannot rest on it."""
    untried = succeeded = False
    try:
        async for finding in findings:
            untried = untried or finding.state is State.UNTRIED
            succeeded = succeeded or finding.state in {State.OK, State.WARNING}
            if finding.state is State.FAILURE:
                failed[name] = State.FAILURE
            yield finding
    except ClassbellError as error:
        failed[name] = State.FAILURE
        yield Finding.failure(name, error)
    if untried and not succeeded:
        failed.setdefault(name, State.UNTRIED)


def _with_needs(wanted: Collection[str]) -> frozenset[str]:
    made: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in made:
            continue
        made.add(name)
        check = _BY_NAME[name]
        waiting += check.needs
        if isinstance(check, Check):
            waiting += check.after
    return frozenset(made)


def _is_told(finding: Finding, wanted: Collection[str]) -> bool:
    return finding.check in wanted or finding.state is State.FAILURE


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings there are of each state."""
    return {state.value: sum(finding.state is state for finding in findings) for state in State}


__all__ = [
    "CHECKS",
    "NAMES",
    "Check",
    "Finding",
    "HostCheck",
    "Installation",
    "State",
    "Subject",
    "chosen",
    "counts",
    "examine",
]
