"""What Microsoft lets us do: the token, the permissions it names, and mailboxes that must be closed."""

from collections.abc import AsyncIterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import jwt

from classbell.doctor.finding import Finding
from classbell.doctor.subject import Subject
from classbell.errors import RefusedError
from classbell.model import Mailbox
from classbell.outlook.answers import Meaning, classify
from classbell.outlook.dialect import Kind
from classbell.outlook.mark import installation_prefix

# The same name in Microsoft Graph and in Office 365 Exchange Online (permissions reference), but for old tenants.
NEEDED = frozenset({"Calendars.ReadWrite"})
_EXCHANGE = NEEDED | {"Calendars.ReadWrite.All"}
# What goes with other things that Classbell can be asked to do, and harms nobody.
HARMLESS = frozenset(
    {
        "MailboxSettings.Read",
        "MailboxSettings.ReadWrite",
        "User.Read.All",
        "User.ReadBasic.All",
        "GroupMember.Read.All",
        "Calendars.Read",
    }
)
# Whoever holds one of these can read mail, or take over the tenant.
DANGEROUS = (
    "Mail.*",
    "full_access_as_app",
    "EWS.AccessAsApp",
    "Exchange.ManageAsApp*",
    "*.ReadWrite.All",
    "*.FullControl.All",
    "Application.*",
    "RoleManagement.*",
    "AppRoleAssignment.*",
)


async def token(subject: Subject) -> AsyncIterator[Finding]:
    """Microsoft gives us a token, of our tenant and for our application, for a certificate."""
    installation = subject.installation
    opened = await installation.access(subject.settings, subject.transport)
    subject.token = await opened.tokens.token()
    subject.opened = opened
    claims = claims_of(subject.token)
    if claims is None:
        yield Finding.warning(
            "token",
            "W-TOKEN-OPAQUE",
            "Microsoft gave a token, but it cannot be read.",
            why="its form is Microsoft's own matter and may change; nothing but these checks reads it.",
            do="nothing, if the check of the calendar is ok: classbell doctor calendar",
        )
        return
    for finding in judged(claims, subject):
        yield finding


def claims_of(text: str) -> Mapping[str, Any] | None:
    """What a token says, unproven: for diagnosis only. None if it cannot be read."""
    try:
        claims: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return claims


def judged(claims: Mapping[str, Any], subject: Subject) -> list[Finding]:
    """What is to be said of a token's claims."""
    tenant = subject.settings.tenant
    tid, appid = str(claims.get("tid", "")).lower(), str(claims.get("appid", "")).lower()
    wanted = tenant.tenant_id.lower()
    others = [
        f"{name} {found} instead of {expected}"
        for name, found, expected in (
            # A tenant may also be configured by its domain, which no token names.
            ("tenant", tid, tid if "." in wanted else wanted),
            ("application", appid, tenant.client_id.lower()),
        )
        if found and found != expected
    ]
    if others:
        error = RefusedError(
            "E-TOKEN-OTHER",
            f"The token is of another {' and '.join(others)}.",
            why="what answers at login_url is not the sign-in service of this tenant.",
            do="check tenant_id, client_id and login_url in [tenant].",
        )
        return [Finding.failure("token", error, tenant=tid, application=appid)]
    found = []
    minutes = _minutes(claims, subject)
    lasts = "" if minutes is None else f", good for {minutes} min"
    name = claims.get("app_displayname")
    shown = f' as "{name}"' if isinstance(name, str) and name else ""
    details = {"tenant": tid, "application": appid, "minutes": minutes}
    found.append(Finding.ok("token", f"for tenant {tid or wanted}{shown}{lasts}", **details))
    # "1" stands for a client secret, "2" for a certificate (access token claims reference).
    if str(claims.get("appidacr", "2")) == "1":
        found.append(
            Finding.warning(
                "token",
                "W-TOKEN-SECRET",
                "The token was had with a client secret, not with a certificate.",
                why="something between here and Microsoft signs in for us.",
                do="check login_url; remove client secrets under Certificates & secrets.",
            )
        )
    return found


def _minutes(claims: Mapping[str, Any], subject: Subject) -> int | None:
    ends = claims.get("exp")
    if not isinstance(ends, int | float):
        return None
    return round((ends - (subject.installation.ports.clock.now() - (subject.ahead or 0.0))) / 60)


async def permission(subject: Subject) -> AsyncIterator[Finding]:
    """The permission for calendars is there, and no other that could do harm."""
    claims = claims_of(subject.token)
    roles = None if claims is None else frozenset(map(str, claims.get("roles") or ()))
    needed = NEEDED if subject.settings.tenant.api == "graph" else _EXCHANGE
    has = sorted((roles or frozenset()) & needed)
    if has:
        yield Finding.ok("permission", f"{has[0]}, granted in Entra ID", roles=sorted(roles or ()))
    elif subject.probed:
        # Roles that are given in Exchange, mailbox by mailbox, stand in no token (Exchange page "Role Based Access
        # Control for Applications").
        text = "granted in Exchange for chosen mailboxes, as the check of the calendar proves"
        yield Finding.ok("permission", text, roles=sorted(roles or ()))
    elif subject.probed is None:
        yield Finding.warning(
            "permission",
            "W-PERMISSION-UNPROVEN",
            "The token names no Calendars.ReadWrite; whether Exchange grants it is not proven.",
            why="a permission that is given in Exchange, mailbox by mailbox, stands in no token.",
            do="set probe_mailbox in [tenant] and run: classbell doctor calendar",
        )
    else:
        consent = subject.access.tokens.no_mailbox_open()
        yield Finding.failure("permission", consent, roles=sorted(roles or ()))
    for finding in _extras((roles or frozenset()) - _EXCHANGE - HARMLESS):
        yield finding


def _extras(names: frozenset[str]) -> list[Finding]:
    alarming = {name for name in names if any(fnmatchcase(name, pattern) for pattern in DANGEROUS)}
    do = "remove it under Entra > App registrations > API permissions, then run: classbell doctor permission"
    found = []
    if alarming:
        error = RefusedError(
            "E-PERMISSION-WIDE",
            f"The application may do far more than calendars: {', '.join(sorted(alarming))}.",
            why="whoever gets hold of the certificate could read mail, or take over the tenant.",
            do=do,
        )
        found.append(Finding.failure("permission", error, permissions=sorted(alarming)))
    if names - alarming:
        rest = sorted(names - alarming)
        found.append(
            Finding.warning(
                "permission",
                "W-PERMISSION-EXTRA",
                f"The application has permissions that Classbell does not use: {', '.join(rest)}.",
                why="what is not needed is only a risk.",
                do=do,
                permissions=rest,
            )
        )
    return found


async def scope(subject: Subject) -> AsyncIterator[Finding]:
    """Mailboxes that must be closed are closed. Asks each for events of our own mark, and wants to be refused."""
    addresses = subject.settings.tenant.expect_denied
    if not addresses:
        yield Finding.warning(
            "scope",
            "W-SCOPE-UNPROVEN",
            "Whether other mailboxes are closed to the application is not proven.",
            why="expect_denied in [tenant] names none.",
            do='name one or more that must be closed, as in expect_denied = ["vc@example.ac.uk"].',
        )
    if addresses and subject.probed is False:
        yield Finding.untried("scope", "our own mailbox is refused as well, so a refusal proves nothing")
        return
    for address in addresses:
        yield await _closed(subject, address)


async def _closed(subject: Subject, address: str) -> Finding:
    access = subject.access
    # By our mark, so that even an open mailbox shows us nobody's events.
    prefix = installation_prefix(subject.installation.id)
    request = access.dialect.look(Mailbox(id=0, key=address.lower(), address=address), "", prefix)
    (answer,) = await access.client.send([request])
    diagnosis = classify(Kind.LOOK, answer)
    match diagnosis.meaning:
        case Meaning.FORBIDDEN:
            return Finding.ok("scope", f"{address}: refused, as it must be", mailbox=address)
        case Meaning.DONE:
            error = RefusedError(
                "E-SCOPE-WIDE",
                f"{address} must be refused but was allowed.",
                why=_why_wide(subject),
                do=f"{_how_to_close(subject)}; wait up to 2 h; run: classbell doctor scope",
            )
            return Finding.failure("scope", error, mailbox=address)
        case Meaning.MAILBOX_OUT | Meaning.GONE:
            return Finding.warning(
                "scope",
                "W-SCOPE-NOBODY",
                f"{address} is no mailbox, so it proves nothing.",
                why=f"Microsoft says {diagnosis.origin}.",
                do="name a mailbox that exists under expect_denied in [tenant].",
                mailbox=address,
            )
        case _:
            return Finding.warning(
                "scope",
                diagnosis.code,
                f"{address}: {diagnosis.reason}",
                why=f"Microsoft's answer was {diagnosis.origin or 'lost'}; it proves nothing.",
                do="run it again: classbell doctor scope",
                mailbox=address,
            )


def _granted_in_entra(subject: Subject) -> bool:
    claims = claims_of(subject.token)
    return bool(claims and _EXCHANGE & frozenset(map(str, claims.get("roles") or ())))


def _why_wide(subject: Subject) -> str:
    if _granted_in_entra(subject):
        return (
            "the app holds tenant-wide Calendars.ReadWrite in Entra; that grant adds to a scope in Exchange, it is"
            " not limited by it."
        )
    return "the role assignment in Exchange has no scope, or its scope holds this mailbox."


def _how_to_close(subject: Subject) -> str:
    if _granted_in_entra(subject):
        return (
            "remove it under Entra > App registrations > API permissions (with a role scoped in Exchange in its place),"
            " or limit it with an application access policy"
        )
    return "correct the scope of the role assignment (Get-ManagementRoleAssignment, Set-ManagementScope)"
