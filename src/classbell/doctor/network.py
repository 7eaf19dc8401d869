"""The way to Microsoft: whether it answers at all, and what time it is there."""

from collections.abc import AsyncIterator

from classbell import headers
from classbell.access import DIALECTS
from classbell.doctor.finding import Finding, State
from classbell.doctor.subject import Subject
from classbell.errors import ConfigurationError, ServiceUnavailable
from classbell.identity.answers import clock_differs
from classbell.identity.tokens import LARGE_SKEW
from classbell.ports import NoAnswer

TIMEOUT = 30.0
# Beyond LARGE_SKEW a warning, beyond five minutes a failure: an assertion holds good for minutes, and how much difference
# Entra ID tolerates is not documented.
TOO_LARGE_SKEW = 300.0
_GONE = 410


async def network(subject: Subject) -> AsyncIterator[Finding]:
    """Sign-in and calendars answer. Asks both for a public document, without any credential."""
    tenant = subject.settings.tenant
    dialect = DIALECTS[tenant.api]()
    retired_on = dialect.capabilities.retired_on
    clock = subject.installation.ports.clock
    addresses = (
        ("E-LOGIN-DOWN", tenant.login, f"{tenant.tenant_id}/v2.0/.well-known/openid-configuration"),
        ("E-GRAPH-DOWN", tenant.calendars, f"{dialect.root.removeprefix('/')}/$metadata"),
    )
    subject.way = await subject.installation.transport(subject.settings)
    reached = []
    for code, base, path in addresses:
        began = clock.now()
        try:
            answer = await subject.transport.request("GET", f"{base}/{path}", headers={}, timeout=TIMEOUT)
        except NoAnswer as lost:
            error = ServiceUnavailable(
                code,
                f"{base} cannot be reached.",
                why=lost.reason,
                do="check name resolution, the firewall, https_proxy and ca_file.",
            )
            yield Finding.failure("network", error)
            continue
        if answer.status == _GONE and code == "E-GRAPH-DOWN" and retired_on:
            yield Finding.failure("network", _retired(base, retired_on))
            continue
        reached.append(base.removeprefix("https://"))
        service_time = headers.date(answer.headers)
        if service_time and subject.ahead is None:
            # The header counts whole seconds; half a second more is what it means on average.
            subject.ahead = (began + clock.now()) / 2 - (service_time + 0.5)
    if retired_on:
        yield Finding.warning(
            "network",
            "W-API-RETIRED",
            f'Calendars are reached by api = "{tenant.api}", which Microsoft has retired.',
            why=f"Exchange Online ended it on {retired_on}; it is good for gateways and sandboxes that still speak it, and for"
            " recordings.",
            do='for Exchange Online itself set api = "graph" in [tenant].',
        )
    subject.reached = len(reached) == len(addresses)
    if subject.reached:
        yield Finding.ok(
            "network", f"{' and '.join(dict.fromkeys(reached))} reached", hosts=list(dict.fromkeys(reached))
        )


def _retired(base: str, since: str) -> ConfigurationError:
    return ConfigurationError(
        "E-API-RETIRED",
        f"{base} no longer serves the interface to calendars that api names.",
        why=f"Microsoft retired it in Exchange Online on {since}.",
        do='set api = "graph" in [tenant], and grant Calendars.ReadWrite of Microsoft Graph.',
    )


async def clock(subject: Subject) -> AsyncIterator[Finding]:
    """The clock of this computer agrees with Microsoft's."""
    ahead = subject.ahead
    if ahead is None:
        yield Finding.warning(
            "clock",
            "W-CLOCK-UNKNOWN",
            "Microsoft's answers do not say what time it is there.",
            why="something in between removes the Date header.",
            do="look at the proxy between this computer and Microsoft.",
        )
        return
    ahead_seconds = round(ahead, 1)
    if abs(ahead) <= LARGE_SKEW:
        yield Finding.ok("clock", f"{abs(ahead):.1f} s from Microsoft's", ahead_seconds=ahead_seconds)
        return
    state = State.WARNING if abs(ahead) <= TOO_LARGE_SKEW else State.FAILURE
    yield Finding.failure("clock", clock_differs(ahead), state=state, ahead_seconds=ahead_seconds)
