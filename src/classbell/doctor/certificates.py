"""Certificates: each can be opened, is valid and registered, and there is a second one in reserve."""

from collections.abc import AsyncIterator, Sequence
from pathlib import PurePath

from cryptography.x509.oid import NameOID

from classbell.doctor.finding import Finding, State
from classbell.doctor.subject import Subject
from classbell.errors import RefusedError
from classbell.identity.certificates import Credential
from classbell.identity.standing import CertificateStanding, certificate_status
from classbell.identity.tokens import Tokens

_EXPIRES = "W-CERT-EXPIRES"
# Digits of a thumbprint that tell certificates of one institution apart.
_ENOUGH = 8


async def certificate(subject: Subject) -> AsyncIterator[Finding]:
    """Each certificate opens, is inside its dates and signs in; a second one stands by."""
    standings, asked = await _standings(subject)
    good = [one for one in standings if _good(one)]
    for one in standings:
        yield _of(one, bearable=one in good or bool(good))
    if not asked and good:
        because = "Microsoft cannot be reached" if not subject.reached else "Microsoft refuses to sign us in"
        yield Finding.untried("certificate", f"{because}: whether certificates are registered")
    if len(good) == 1:
        yield Finding.warning(
            "certificate",
            "W-CERT-ONE",
            "Only one certificate can be used; nothing stands by when it ends.",
            why="with two, one takes over from the other without a pause.",
            do=f"classbell cert rotate -i {subject.settings.id}",
        )


async def _standings(subject: Subject) -> tuple[Sequence[CertificateStanding], bool]:
    """How certificates stand, and whether Microsoft was asked for each of them."""
    installation, tenant = subject.installation, subject.settings.tenant
    ports = installation.ports
    now = ports.clock.now()
    found = await certificate_status(
        tenant.certificates, ports.files, installation.environ, now, ask=installation.ask
    )
    usable = [one.credential for one in found if one.credential is not None]
    if not usable or not subject.reached:
        return found, False
    tokens = Tokens(subject.transport, ports.clock, ports.ids, tenant, usable)
    try:
        asked = await certificate_status(
            tenant.certificates, ports.files, installation.environ, now, tokens=tokens, ask=installation.ask
        )
    except RefusedError:
        # Of tenant or application rather than of a certificate: the check of the token tells it.
        return found, False
    return asked, all(one.registered is not None for one in asked if one.credential is not None)


def _good(one: CertificateStanding) -> bool:
    wrong = [warning for warning in one.warnings if warning.code != _EXPIRES]
    return one.credential is not None and not wrong and one.registered is not False


def _of(one: CertificateStanding, *, bearable: bool) -> Finding:
    details = _details(one)
    if one.warnings:
        worst = one.warnings[0]
        state = State.WARNING if bearable else State.FAILURE
        return Finding.failure("certificate", worst, state=state, **details)
    known = ", registered" if one.registered else ""
    name = _name(one.place, one.credential) if one.credential is not None else one.place
    return Finding.ok("certificate", f"{name}  valid {one.days_left} d{known}", **details)


def _details(one: CertificateStanding) -> dict[str, object]:
    if one.credential is None:
        return {"place": one.place}
    return {
        "place": one.place,
        "sha1": one.credential.sha1,
        "days_left": one.days_left,
        "registered": one.registered,
    }


def _name(place: str, credential: Credential) -> str:
    """Its file and whom it names; the thumbprint tells apart those that agree in both."""
    names = credential.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    whom = f"CN={names[0].value!s}, " if names else ""
    return f"{PurePath(place).name} ({whom}{credential.sha1[:_ENOUGH]})"
