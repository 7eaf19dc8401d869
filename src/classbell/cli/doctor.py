"""``classbell doctor``: every precondition, each with what was found and the exact next step."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AsyncExitStack

    from classbell.access import Access
    from classbell.cli.output import Output
    from classbell.doctor import Finding, Installation
    from classbell.ledger import Ledger
    from classbell.ports import Ports, Transport
    from classbell.settings import Configuration, InstitutionSettings, InvalidConfiguration

_WORDS = {"ok": " ok  ", "warning": " warn", "failure": " FAIL", "untried": " --  "}
_STYLES = {"ok": "", "warning": "yellow", "failure": "red", "untried": "dim"}
_INDENT = " " * 20


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(doctor)


def doctor(
    invocation: Invocation,
    *,
    checks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CHECK",
            help="Only these: config, database, lease, network, clock, certificate, token, calendar, permission, scope,"
            " sources.",
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Write an archive for support, without secrets."),
    ] = None,
) -> int:
    """
    Check everything that delivery needs, and say for each thing what to do if it is not so.

    In the mailbox that probe_mailbox names it makes a private test event and removes it again. It changes nothing
    else anywhere.
    """
    from classbell.cli.assembly import run_until_interrupted  # noqa: PLC0415 (keeps --help fast)
    from classbell.doctor import chosen  # noqa: PLC0415

    wanted = chosen(checks or ())
    return run_until_interrupted(_examined(invocation, wanted, bundle), lambda: False, invocation.output.note)


async def _examined(invocation: Invocation, wanted: frozenset[str], bundle: Path | None) -> int:
    from contextlib import AsyncExitStack  # noqa: PLC0415 (keeps --help fast)

    from classbell.doctor import NAMES, counts, examine  # noqa: PLC0415
    from classbell.settings import InvalidConfiguration  # noqa: PLC0415

    output = invocation.output
    findings: list[Finding] = []
    async with AsyncExitStack() as stack:
        installation: Installation | None = None
        try:
            configuration = _configuration(invocation)
        except InvalidConfiguration as error:
            for finding in _without_configuration(error, wanted):
                findings.append(finding)
                _print(output, finding)
        else:
            if configuration.unsound:
                wanted |= {"config"}
            installation = await _installation(configuration, invocation, stack)
            subjects = list(configuration.institutions.values())
            several, shown = len(subjects) > 1, ""
            async for finding in examine(installation, subjects, wanted):
                if several and finding.institution != shown:
                    shown = finding.institution
                    output.line(next(one.name for one in subjects if one.id == shown), style="bold")
                findings.append(finding)
                _print(output, finding)
        code = _exit_code(findings)
        tally = counts(findings)
        output.line(f"{_spoken(tally)}     exit {code}", style="bold")
        if frozenset(NAMES) <= wanted and not tally["failure"] and not tally["untried"]:
            output.note("Next: classbell plan")
        if bundle is not None:
            await _write(bundle, installation, findings, invocation)
    output.answer(
        {
            "findings": [finding.as_json() for finding in findings],
            "counts": tally,
            "exit": code,
            "bundle": None if bundle is None else str(bundle),
        }
    )
    return code


def _configuration(invocation: Invocation) -> "Configuration":
    """
    What is examined: all institutions, or the one that was named.

    Raises:
        InvalidConfiguration: there is nothing that could be examined.
    """
    from classbell.settings import InvalidConfiguration  # noqa: PLC0415 (keeps --help fast)

    configuration = invocation.configuration
    if invocation.institution_id is not None:
        return configuration.only(invocation.institution_id)
    if configuration.unsound and not configuration.institutions:
        raise InvalidConfiguration(configuration.problems())
    return configuration


async def _installation(
    configuration: "Configuration", invocation: Invocation, stack: "AsyncExitStack"
) -> "Installation":
    import os  # noqa: PLC0415 (keeps --help fast)

    from classbell.access import open_access  # noqa: PLC0415
    from classbell.cli.assembly import ledger_place  # noqa: PLC0415
    from classbell.cli.inspection import inspect  # noqa: PLC0415
    from classbell.doctor import Installation  # noqa: PLC0415
    from classbell.ledger import Ledger  # noqa: PLC0415
    from classbell.life import live_ports  # noqa: PLC0415
    from classbell.sources.child import ChildParser  # noqa: PLC0415
    from classbell.transport import AiohttpTransport  # noqa: PLC0415

    ports: Ports = await stack.enter_async_context(live_ports(ChildParser()))
    problems, warnings = inspect(configuration, ports.files, os.environ, ports.clock.now(), invocation.ask)

    async def open_ledger() -> "Ledger":
        ledger = await Ledger.open(configuration.host.database.url, str(configuration.host.installation))
        stack.callback(ledger.close)
        return ledger

    async def transport(settings: "InstitutionSettings") -> "Transport":
        return await stack.enter_async_context(AiohttpTransport(ports.clock, settings.tenant.ca_file))

    async def access(settings: "InstitutionSettings", way: "Transport") -> "Access":
        return open_access(
            settings.tenant,
            transport=way,
            clock=ports.clock,
            ids=ports.ids,
            files=ports.files,
            environ=os.environ,
            in_flight=1,
            ask=invocation.ask,
        )

    return Installation(
        configuration=configuration,
        problems=[*configuration.problems(), *problems],
        warnings=warnings,
        ports=ports,
        environ=os.environ,
        place=ledger_place(configuration),
        open_ledger=open_ledger,
        transport=transport,
        access=access,
        ask=invocation.ask,
    )


def _without_configuration(error: "InvalidConfiguration", wanted: frozenset[str]) -> "list[Finding]":
    """What is wrong with the configuration, and that nothing else could be tried."""
    from classbell.doctor import NAMES, Finding, State  # noqa: PLC0415 (keeps --help fast)

    found = [
        Finding(
            check="config",
            state=State.FAILURE,
            what=f"{problem.origin}: {problem.text}",
            code=problem.code,
            do=problem.hint or error.do,
            exit_code=error.exit_code,
        )
        for problem in error.problems
    ]
    others = [name for name in NAMES if name in wanted and name != "config"]
    return found + [Finding.untried(name, 'the check "config" failed', needs="config") for name in others]


def _exit_code(findings: "Sequence[Finding]") -> int:
    from classbell.cli.running import worst  # noqa: PLC0415 (keeps --help fast)

    return worst([finding.exit_code for finding in findings if finding.exit_code])


def _print(output: "Output", finding: "Finding") -> None:
    state = finding.state.value
    code = f"   {finding.code}" if finding.code else ""
    output.line(f"{_WORDS[state]}  {finding.check:<12} {finding.what}{code}", style=_STYLES[state])
    if state in {"warning", "failure"}:
        for label, text in (("Why:", finding.why), ("Fix:", finding.do)):
            if text:
                output.line(f"{_INDENT}{label} {text}")


def _spoken(tally: dict[str, int]) -> str:
    told: list[str] = [f"{tally['ok']} ok"]
    for state, one, many in (
        ("warning", "warning", "warnings"),
        ("failure", "failure", "failures"),
        ("untried", "not tried", "not tried"),
    ):
        if tally[state]:
            told.append(f"{tally[state]} {one if tally[state] == 1 else many}")
    return ", ".join(told)


async def _write(
    path: Path, installation: "Installation | None", findings: "Sequence[Finding]", invocation: Invocation
) -> None:
    from classbell.doctor.bundle import bundle  # noqa: PLC0415 (keeps --help fast)
    from classbell.errors import ConfigurationError  # noqa: PLC0415
    from classbell.life import SystemClock  # noqa: PLC0415
    from classbell.zones import utc_text  # noqa: PLC0415

    content = await bundle(installation, findings, made_at=utc_text(SystemClock().now()))
    try:
        invocation.files.create_private(path, content)
    except OSError as error:
        raise ConfigurationError(
            "E-BUNDLE-WRITE",
            f"The bundle {path} cannot be written.",
            why=error.strerror or type(error).__name__,
            do="name another file; one that is there already is never replaced.",
        ) from error
    invocation.output.note(f"Wrote {path}. It holds no secrets; look through it before you send it.")
