"""``classbell cert status``: of each configured certificate, whether it is registered, valid, and used."""

import asyncio
import os
from typing import TYPE_CHECKING, Any

import typer

from classbell.cli.cert import words
from classbell.cli.cert.reach import reaching
from classbell.cli.errors import error_fields, lines
from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation, command
from classbell.errors import ClassbellError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classbell.identity.standing import CertificateStanding
    from classbell.model import CertificateUse
    from classbell.settings import InstitutionSettings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(status)


def status(invocation: Invocation) -> int:
    """
    Say of each configured certificate whether it is registered, how long it is valid, and whether it is used.

    Whether it is registered is found out by asking Microsoft for a token with it; when it was last used, the ledger
    remembers. Ends with 0 if there is one to sign in with. Without an institution: all of them.

    Example: classbell cert status -i example
    """
    from classbell.cli.assembly import institutions  # noqa: PLC0415 (keeps --help fast)

    answers: list[dict[str, Any]] = []
    code = int(Exit.DONE)
    for settings in institutions(invocation):
        uses = asyncio.run(_remembered(invocation, settings))
        standings, refusal = asyncio.run(_asked(invocation, settings, uses))
        _print(invocation, settings, standings, refusal)
        answers.append(_fields(settings, standings, refusal))
        code = code or _code(standings, refusal)
    invocation.output.answer({"ok": code == 0, "institutions": answers})
    return code


async def _remembered(
    invocation: Invocation, settings: "InstitutionSettings"
) -> "Mapping[str, CertificateUse]":
    """What the ledger remembers; nothing if there is none yet, or it cannot be read now."""
    from classbell.cli.assembly import workplace  # noqa: PLC0415

    try:
        async with workplace(invocation.configuration, writing=False) as place:
            ledger = await place.ledger.institution(settings.id)
            return await ledger.certificates.recall()
    except ClassbellError:
        return {}


async def _asked(
    invocation: Invocation, settings: "InstitutionSettings", uses: "Mapping[str, CertificateUse]"
) -> tuple["Sequence[CertificateStanding]", ClassbellError | None]:
    """How they stand; and why Microsoft refuses all of them, if it does."""
    from classbell.identity.keyring import Keyring, Shelf  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.standing import certificate_status  # noqa: PLC0415
    from classbell.identity.tokens import Tokens  # noqa: PLC0415
    from classbell.life import SystemClock  # noqa: PLC0415

    certificates, files, ask = settings.tenant.certificates, invocation.files, invocation.ask
    now = SystemClock().now()
    try:
        async with reaching(settings) as reach:
            shelf = Shelf(configured=lambda: certificates, files=files, environ=os.environ, ask=ask)
            tokens = Tokens(reach.transport, reach.clock, reach.ids, settings.tenant, Keyring(shelf))
            found = await certificate_status(
                certificates, files, os.environ, now, uses=uses, tokens=tokens, ask=ask
            )
            return found, tokens.clock_warning()
    except ClassbellError as refusal:
        found = await certificate_status(certificates, files, os.environ, now, uses=uses, ask=ask)
        return found, refusal.with_traceback(None)


def _code(standings: "Sequence[CertificateStanding]", refusal: ClassbellError | None) -> int:
    if any(each.registered for each in standings):
        return Exit.DONE
    if refusal is not None:
        return refusal.exit_code
    troubles = [trouble for each in standings for trouble in each.warnings]
    return troubles[0].exit_code if troubles else Exit.TEMPORARY


def _print(
    invocation: Invocation,
    settings: "InstitutionSettings",
    standings: "Sequence[CertificateStanding]",
    refusal: ClassbellError | None,
) -> None:
    output = invocation.output
    output.line(f"{settings.name}  ({settings.id})", style="bold")
    output.table(
        ["certificate", "thumbprint", "days left", "registered", "used"],
        [_row(each) for each in standings],
    )
    told_already: set[str] = set()
    for trouble in (*([refusal] if refusal else []), *(one for each in standings for one in each.warnings)):
        text = "\n".join(lines(trouble))
        if text not in told_already:
            told_already.add(text)
            output.line(text)


def _row(each: "CertificateStanding") -> list[str]:
    credential = each.credential
    return [
        words.place(each.place),
        credential.sha1 if credential else "cannot be used",
        "-" if each.days_left is None else "expired" if each.days_left < 0 else str(each.days_left),
        {True: "yes", False: "no", None: "not known"}[each.registered],
        _used(each),
    ]


def _used(each: "CertificateStanding") -> str:
    from classbell.zones import utc_text  # noqa: PLC0415 (keeps --help fast)

    if each.credential is None:
        return "not known"
    if not each.use.worked_at:
        return "not yet"
    when = utc_text(each.use.worked_at)
    return f"now, last {when}" if each.in_use else f"last {when}"


def _fields(
    settings: "InstitutionSettings",
    standings: "Sequence[CertificateStanding]",
    refusal: ClassbellError | None,
) -> dict[str, Any]:
    return {
        "id": settings.id,
        "name": settings.name,
        "error": error_fields(refusal) if refusal else None,
        "certificates": [_standing(each) for each in standings],
    }


def _standing(each: "CertificateStanding") -> dict[str, Any]:
    from classbell.zones import utc_text  # noqa: PLC0415 (keeps --help fast)

    credential = each.credential
    return {
        "place": each.place,
        "sha1": credential.sha1 if credential else None,
        "sha256": credential.sha256 if credential else None,
        "valid_from": utc_text(credential.not_before) if credential else None,
        "valid_until": utc_text(credential.not_after) if credential else None,
        "days_left": each.days_left,
        "registered": each.registered,
        "in_use": each.in_use,
        "last_worked": utc_text(each.use.worked_at) if each.use.worked_at else None,
        "last_refused": utc_text(each.use.refused_at) if each.use.refused_at else None,
        "warnings": [error_fields(one) for one in each.warnings],
    }
