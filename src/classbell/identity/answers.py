"""
What Entra ID's refusals mean, and what an administrator does about each.

Codes and their causes are those of the "Microsoft Entra authentication and authorization error codes"
page, and what others have reported where that page is silent. Microsoft asks not to program against
codes: ``error`` and the HTTP status decide whether waiting helps; codes choose the words.
"""

import re
from dataclasses import dataclass
from string import Template

import msgspec

from classbell.errors import ClassbellError, RefusedError, ServiceUnavailable

_STAYS = "Calendars stay as they are until this is repaired."
_AWAITS = "Calendars stay as they are until it answers."


class TokenAnswer(msgspec.Struct, kw_only=True):
    """An answer of the token endpoint, good or bad. ``expires_in`` and ``refresh_in`` are seconds."""

    access_token: str = ""
    expires_in: float | str = 0
    refresh_in: float | str | None = None
    error: str = ""
    error_description: str = ""
    error_codes: list[int] = []

    def __repr__(self) -> str:
        return f"TokenAnswer({self.error or 'token'})"

    @property
    def number(self) -> int | None:
        """The AADSTS code; None if it names none."""
        if self.error_codes:
            return self.error_codes[0]
        # Not by lines: what separates the description's parts has changed over the years.
        found = re.search(r"AADSTS(\d+)", self.error_description)
        return int(found[1]) if found else None


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """
    What the words of a refusal may name: no secrets among them.

    ``thumbprints`` are SHA-1, of all certificates tried; ``ahead`` is by how many seconds our clock is
    ahead of Microsoft's, None if that is not known.
    """

    tenant: str
    application: str
    login: str
    graph: str
    thumbprints: tuple[str, ...]
    ahead: float | None


@dataclass(frozen=True)
class _Advice:
    code: str
    what: str
    why: str
    do: str


_APP = "the application $application in tenant $tenant"

_UNREGISTERED = _Advice(
    "E-CERT-UNREG",
    "Microsoft refused our certificate (thumbprint $thumbprints).",
    f"it is not registered on {_APP}.",
    "upload the certificate (never the key) under App registrations > Certificates & secrets >"
    " Certificates; it takes effect within minutes.",
)
_EXPIRED_THERE = _Advice(
    "E-CERT-UNREG",
    "Microsoft refused our certificate (thumbprint $thumbprints).",
    f"its registration on {_APP} has ended, or has not begun.",
    "register a valid certificate under App registrations > Certificates & secrets > Certificates.",
)
_WRONG_SIGNATURE = _Advice(
    "E-CERT-UNREG",
    "Microsoft refused our signature (certificate thumbprint $thumbprints).",
    f"the certificate registered on {_APP} under this thumbprint does not fit our private key.",
    "upload the certificate of this key again under App registrations > Certificates & secrets >"
    " Certificates.",
)
_TENANT = _Advice(
    "E-TENANT",
    'Microsoft knows no tenant "$tenant".',
    "the id is mistyped, the domain is not verified there, or the tenant is in another Microsoft cloud.",
    "copy the tenant id from the overview page of the Entra admin center into tenant_id; check cloud.",
)
_CLOUD = _Advice(
    "E-CLOUD",
    'The tenant "$tenant" is in another Microsoft cloud.',
    "tenants in national clouds sign in at addresses of their own, not at $login.",
    "set cloud in [tenant] to the cloud of the institution.",
)
_APPLICATION = _Advice(
    "E-APP",
    'Microsoft knows no application $application in tenant "$tenant".',
    "the id is mistyped, the application belongs to another tenant, or nobody has consented to it there.",
    "copy the application (client) id from App registrations into client_id, and grant admin consent.",
)
_DISABLED = _Advice(
    "E-APP-DISABLED",
    "The application $application is switched off in tenant $tenant.",
    "an administrator has disabled it, or the tenant's subscription is suspended.",
    'enable it under Enterprise applications > Properties > "Enabled for users to sign-in?".',
)
_PUBLIC = _Advice(
    "E-APP-PUBLIC",
    "The application $application is registered as a public client.",
    "public clients may not sign in with a certificate.",
    'set "Allow public client flows" to No under App registrations > Authentication.',
)
_RESOURCE = _Advice(
    "E-RESOURCE",
    "The tenant $tenant does not know the service $graph.",
    "graph_url belongs to another Microsoft cloud than the tenant, or is mistyped.",
    "set cloud in [tenant], or correct login_url and graph_url together.",
)
_BLOCKED = _Advice(
    "E-BLOCKED",
    "A Conditional Access policy of tenant $tenant keeps us out.",
    "a policy for workload identities does not allow this application from this network, or at its risk.",
    "allow the address this computer reaches the internet from, or exclude the application from the policy.",
)
_CONSENT = _Advice(
    "E-CONSENT",
    "The application $application has not been granted access to calendars in tenant $tenant.",
    "its token carries no permission: admin consent for Calendars.ReadWrite is missing, and no mailbox is"
    " opened to it in Exchange.",
    "App registrations > API permissions: add the application permission Calendars.ReadWrite of Microsoft"
    " Graph, then Grant admin consent; it can take some minutes.",
)
_DENIED = _Advice(
    "E-CONSENT",
    "Microsoft opens no mailbox of tenant $tenant to the application $application.",
    "its token carries permissions, but an access policy or a role scope of Exchange excludes the mailboxes.",
    "check the application access policy or the role assignment's scope in Exchange; changes take an hour.",
)
_MISUNDERSTOOD = _Advice(
    "E-ASSERTION",
    "Microsoft could not make sense of our sign-in.",
    "something on the way changes our requests, or this is a fault of Classbell.",
    "check proxies between this computer and $login; if there are none, report this with the code.",
)
_AUDIENCE = _Advice(
    "E-CLOUD",
    "Our sign-in was addressed to another authority than the one that received it.",
    "login_url or cloud does not fit the tenant $tenant.",
    "set cloud in [tenant], or correct login_url and graph_url together.",
)
_KIND = _Advice(
    "E-CERT-KIND",
    "Microsoft does not take keys of this kind (certificate thumbprint $thumbprints).",
    "it takes RSA keys of 2048 bits or more.",
    "make a new pair and register its certificate: classbell cert new -i ID",
)
_BUSY = _Advice(
    "E-LOGIN-BUSY",
    "Microsoft's sign-in service cannot answer at the moment.",
    "it says that this will pass.",
    "nothing; it is tried again by itself.",
)

_REFUSALS = {
    700024: _Advice("E-CLOCK", "", "", ""),  # worded below, with the seconds
    700016: _APPLICATION,
    7000112: _DISABLED,
    70001: _DISABLED,
    700025: _PUBLIC,
    90002: _TENANT,
    900021: _TENANT,
    900023: _TENANT,
    9001023: _TENANT,
    50194: _TENANT,
    90038: _CLOUD,
    900382: _CLOUD,
    900432: _CLOUD,
    700023: _AUDIENCE,
    500011: _RESOURCE,
    1002012: _RESOURCE,
    70011: _RESOURCE,
    700022: _RESOURCE,
    53003: _BLOCKED,
    530003: _BLOCKED,
    530032: _BLOCKED,
    530035: _BLOCKED,
    65001: _CONSENT,
    5002730: _KIND,
    5002738: _KIND,
    50013: _MISUNDERSTOOD,
    50027: _MISUNDERSTOOD,
    50048: _MISUNDERSTOOD,
    700021: _MISUNDERSTOOD,
    7000215: _MISUNDERSTOOD,
    7000218: _MISUNDERSTOOD,
    7000222: _MISUNDERSTOOD,
    901002: _MISUNDERSTOOD,
    70003: _MISUNDERSTOOD,
    900144: _MISUNDERSTOOD,
    90014: _MISUNDERSTOOD,
}
_PASSING = frozenset({90055, 90033, 90006, 90090, 90012, 90024, 50033, 50196})

_TOO_MANY = 429
_SERVER_ERRORS_FROM = 500
UNREGISTERED = 700027
CLOCK = 700024


def refusal(status: int, answer: TokenAnswer, circumstances: Circumstances) -> ClassbellError:
    """
    The error that an answer without a token stands for.

    Returns:
        ServiceUnavailable: waiting will help. RefusedError: somebody must change something first.
    """
    number = answer.number
    origin = f"AADSTS{number}" if number else answer.error
    if (
        status == _TOO_MANY
        or status >= _SERVER_ERRORS_FROM
        or answer.error == "temporarily_unavailable"
        or number in _PASSING
    ):
        return ServiceUnavailable(
            _BUSY.code,
            _BUSY.what,
            why=_BUSY.why,
            do=_BUSY.do,
            effect=_AWAITS,
            origin=origin or f"HTTP {status}",
        )
    if not answer.error and number is None:
        return ServiceUnavailable(
            "E-LOGIN-ANSWER",
            f"What {circumstances.login} answered is not an answer of Microsoft's sign-in service.",
            why="a proxy, a network sign-in page or a wrong login_url is in between.",
            do="check the network's way to it, and login_url if it is set.",
            effect=_AWAITS,
            origin=f"HTTP {status}",
        )
    if number == CLOCK:
        return clock(circumstances, origin)
    advice = _unregistered(answer) if number == UNREGISTERED else _REFUSALS.get(number or 0)
    if advice is None:
        return _unknown(answer, origin)
    return _refused(advice, circumstances, origin)


def no_mailbox_open(circumstances: Circumstances, roles: frozenset[str] | None) -> RefusedError:
    """
    The error to raise when Microsoft lets us in, but into no mailbox.

    Args:
        circumstances: what its words may name.
        roles: the permissions in the token; None if it could not be read.
    """
    return _refused(_DENIED if roles else _CONSENT, circumstances, "")


def _unregistered(answer: TokenAnswer) -> _Advice:
    reason = answer.error_description.lower()
    if "key used is expired" in reason or "is expired on application" in reason:
        return _EXPIRED_THERE
    if "signature" in reason and "not registered" not in reason:
        return _WRONG_SIGNATURE
    return _UNREGISTERED


def _refused(advice: _Advice, circumstances: Circumstances, origin: str) -> RefusedError:
    words = {
        "tenant": circumstances.tenant,
        "application": circumstances.application,
        "login": circumstances.login,
        "graph": circumstances.graph,
        "thumbprints": ", ".join(circumstances.thumbprints),
    }

    def say(text: str) -> str:
        return Template(text).substitute(words)

    return RefusedError(
        advice.code, say(advice.what), why=say(advice.why), do=say(advice.do), effect=_STAYS, origin=origin
    )


def clock(circumstances: Circumstances, origin: str) -> RefusedError:
    """``E-CLOCK``, with the difference in words where it is known."""
    return clock_differs(circumstances.ahead, origin)


def clock_differs(ahead: float | None, origin: str = "") -> RefusedError:
    """
    ``E-CLOCK``.

    Args:
        ahead: seconds by which our clock is ahead of Microsoft's; None if that is not known.
        origin: the code of Microsoft's, where it refused us for it.
    """
    if ahead is None or abs(ahead) < 1:
        what = "This computer's clock and Microsoft's do not agree."
    else:
        side = "ahead of" if ahead > 0 else "behind"
        what = f"This computer's clock is {_spoken(abs(ahead))} {side} Microsoft's."
    return RefusedError(
        "E-CLOCK",
        what,
        why="sign-in with a certificate holds good for minutes only, so both clocks must agree.",
        do="enable time synchronisation (chrony or systemd-timesyncd).",
        effect="Nothing is lost; the service goes on by itself once the clock is right.",
        origin=origin,
    )


def _unknown(answer: TokenAnswer, origin: str) -> RefusedError:
    return RefusedError(
        "E-TOKEN-REFUSED",
        "Microsoft refused to sign us in.",
        why=f'it says: "{_shown(answer.error_description or answer.error)}"',
        do=f"look the code up: https://login.microsoftonline.com/error?code={origin.removeprefix('AADSTS')}"
        if origin.startswith("AADSTS")
        else "ask the tenant's administrator what this means.",
        effect=_STAYS,
        origin=origin,
    )


def _shown(description: str) -> str:
    """A text of Microsoft's, fit to be shown: one line, no trace ids, nothing that looks like a token."""
    text = re.split(r"\s*Trace ID:", description)[0]
    text = re.sub(r"eyJ[\w-]+(\.[\w-]*)*", "…", text)
    return " ".join(text.split())[:300]


def _spoken(seconds: float) -> str:
    """A duration for people, such as ``11 min 04 s``."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {left:02} s" if minutes else f"{left} s"
