"""Access to one institution's tenant: its tokens, its client and its pace, put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from classbell.errors import ClassbellError
from classbell.identity.keyring import Keyring, Memory, Shelf
from classbell.identity.tokens import Tokens
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Dialect
from classbell.outlook.graph import GraphDialect
from classbell.outlook.outlook_rest import OutlookRestDialect
from classbell.outlook.pace import Pace
from classbell.ports import Clock, Files, Ids, Transport
from classbell.settings import Ask, CertificateSettings, TenantSettings
from classbell.settings.values import ApiName

DIALECTS: Mapping[ApiName, Callable[[], Dialect]] = {
    "graph": GraphDialect,
    "outlook-rest-v2": OutlookRestDialect,
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """What delivery needs of the tenant. ``troubles`` are certificates that cannot be used, beside one that can."""

    tokens: Tokens
    client: OutlookClient
    dialect: Dialect
    pace: Pace
    troubles: tuple[ClassbellError, ...] = ()


def open_access(
    tenant: TenantSettings,
    *,
    transport: Transport,
    clock: Clock,
    ids: Ids,
    files: Files,
    environ: Mapping[str, str],
    in_flight: int,
    configured: Callable[[], Sequence[CertificateSettings]] | None = None,
    memory: Memory | None = None,
    ask: Ask | None = None,
) -> Access:
    """
    Load the tenant's certificates and make its client; asks Microsoft nothing yet.

    Args:
        in_flight: batches on their way at most.
        configured: gives the certificates as they are configured now; without it they stay as they are.
        memory: what is remembered of certificates between processes.
        ask: the way to a person for passwords that are typed in.

    Raises:
        ConfigurationError: no certificate, key or password can be used.
    """
    shelf = Shelf(
        configured=configured or (lambda: tenant.certificates), files=files, environ=environ, ask=ask
    )
    keyring = Keyring(shelf, memory=memory)
    keyring.look(clock.now())
    tokens = Tokens(transport, clock, ids, tenant, keyring)
    dialect = DIALECTS[tenant.api]()
    return Access(
        tokens=tokens,
        client=OutlookClient(transport, tokens, dialect, clock, tenant.calendars),
        dialect=dialect,
        pace=Pace(clock, ids, batches=in_flight),
        troubles=keyring.troubles(clock.now()),
    )
