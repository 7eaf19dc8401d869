"""Access to one institution's tenant: its tokens, its client and its pace, put together."""

from collections.abc import Mapping
from dataclasses import dataclass

from classbell.errors import ClassbellError
from classbell.identity.certificates import load_credentials
from classbell.identity.tokens import Tokens
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Dialect
from classbell.outlook.graph import GraphDialect
from classbell.outlook.pace import Pace
from classbell.ports import Clock, Files, Ids, Transport
from classbell.settings import TenantSettings


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
) -> Access:
    """
    Load the tenant's certificates and make its client; asks Microsoft nothing yet.

    Args:
        in_flight: batches on their way at most.

    Raises:
        ConfigurationError: a certificate, key or password cannot be used.
        RefusedError: no certificate is valid now.
    """
    credentials, troubles = load_credentials(tenant.certificates, files, environ, clock.now())
    tokens = Tokens(transport, clock, ids, tenant, credentials)
    dialect = GraphDialect()
    return Access(
        tokens=tokens,
        client=OutlookClient(transport, tokens, dialect, clock, tenant.graph),
        dialect=dialect,
        pace=Pace(clock, ids, batches=in_flight),
        troubles=tuple(troubles),
    )
