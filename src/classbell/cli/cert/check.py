"""``classbell cert check``: each configured certificate is opened, and a token asked for with it."""

import asyncio
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

from classbell.cli.cert import words
from classbell.cli.cert.reach import Reach, reaching
from classbell.cli.errors import error_fields, lines
from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation, command
from classbell.errors import ClassbellError

if TYPE_CHECKING:
    from classbell.identity.certificates import Credential
    from classbell.settings import CertificateSettings, InstitutionSettings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(check)


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """One certificate: opened or not, and what is wrong with it."""

    place: str
    credential: "Credential | None"
    error: ClassbellError | None
    days_left: int | None = None
    warnings: tuple[ClassbellError, ...] = ()


def check(invocation: Invocation) -> int:
    """
    Open each configured certificate with its key, and sign in with it.

    Proves file permissions, passwords, that key and certificate belong together, kind and dates, and that Microsoft
    gives a token for it; says why where it gives none. Without an institution: all of them.

    Example: classbell cert check -i example
    """
    from classbell.cli.assembly import institutions  # noqa: PLC0415 (keeps --help fast)

    told: list[dict[str, Any]] = []
    code = int(Exit.DONE)
    for settings in institutions(invocation):
        checked = asyncio.run(_institution(invocation, settings))
        _print(invocation, settings, checked)
        told.append({"id": settings.id, "name": settings.name, "certificates": [_fields(c) for c in checked]})
        code = code or next((each.error.exit_code for each in checked if each.error is not None), 0)
    invocation.output.answer({"ok": code == 0, "institutions": told})
    return code


async def _institution(invocation: Invocation, settings: "InstitutionSettings") -> list[_Checked]:
    from classbell.identity.expiry import expiry_warning  # noqa: PLC0415 (keeps --help fast)

    certificates = settings.tenant.certificates
    try:
        async with reaching(settings) as reach:
            found = [await _checked(invocation, settings, each, reach) for each in certificates]
            now = reach.clock.now()
    except ClassbellError as error:
        # There is no way to Microsoft from this one; the next institution has its own.
        return [_Checked(place=each.place, credential=None, error=error) for each in certificates]
    good = [each.credential for each in found if each.credential is not None and each.error is None]
    lasting = max((credential.not_after for credential in good), default=0.0)
    for place, each in enumerate(found):
        if each.credential in good and each.credential is not None:
            ending = expiry_warning(each.credential, now, last=each.credential.not_after == lasting)
            if ending is not None:
                found[place] = replace(each, warnings=(*each.warnings, ending))
    return found


async def _checked(
    invocation: Invocation, settings: "InstitutionSettings", certificate: "CertificateSettings", reach: Reach
) -> _Checked:
    from classbell.identity.certificates import demand_valid, load_credential  # noqa: PLC0415
    from classbell.identity.tokens import Tokens  # noqa: PLC0415

    credential = None
    try:
        credential = load_credential(certificate, invocation.files, os.environ, None, invocation.ask)
        tokens = Tokens(reach.transport, reach.clock, reach.ids, settings.tenant, [credential])
        try:
            await tokens.probe(credential)
        except ClassbellError:
            # Our own words for its dates tell more, unless it is our clock that is wrong.
            if tokens.clock_warning() is None:
                demand_valid(credential, reach.clock.now())
            raise
        clock = tokens.clock_warning()
    except ClassbellError as error:
        return _Checked(place=certificate.place, credential=credential, error=error.with_traceback(None))
    return _Checked(
        place=certificate.place,
        credential=credential,
        error=None,
        days_left=credential.days_left(reach.clock.now()),
        warnings=(clock,) if clock is not None else (),
    )


def _print(invocation: Invocation, settings: "InstitutionSettings", checked: list[_Checked]) -> None:
    output = invocation.output
    output.line(f"{settings.name}  ({settings.id})", style="bold")
    for each in checked:
        known = f"   {each.credential.sha1}" if each.credential is not None else ""
        output.line(f"  {'ok  ' if each.error is None else 'FAIL'}  {words.place(each.place)}{known}")
        if each.error is None:
            output.line(f"        Microsoft gives a token for it; {each.days_left} days left.")
        for trouble in (each.error, *each.warnings):
            if trouble is not None:
                for line in lines(trouble):
                    output.line(f"        {line}")


def _fields(each: _Checked) -> dict[str, Any]:
    return {
        "place": each.place,
        "ok": each.error is None,
        "days_left": each.days_left,
        "sha1": each.credential.sha1 if each.credential else None,
        "sha256": each.credential.sha256 if each.credential else None,
        "error": error_fields(each.error) if each.error else None,
        "warnings": [error_fields(one) for one in each.warnings],
    }
