"""A tenant in the sandbox, and all that is needed to sign in to it as its application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.switching import NotedSwitches, registered_before
from tests.transport.raw_server import RawServer, answering, raw_server, server_tls

from classbell.identity.certificates import Credential, new_self_signed
from classbell.identity.tokens import Tokens
from classbell.life import SystemClock, SystemIds
from classbell.sandbox import App, Sandbox, Tenant
from classbell.settings import TenantSettings
from classbell.transport import AiohttpTransport


class AdvancingClock(SystemClock):
    """Our clock; a test lets time pass on it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return super().now() + self.offset

    async def sleep(self, seconds: float) -> None:
        self.offset += max(seconds, 0.0)


@cache
def new_credential(name: str = "classbell", *, days: int = 365) -> tuple[Credential, bytes]:
    """A credential, and its certificate as PEM for registration; the same for the same arguments."""
    made = new_self_signed(name, now=SystemClock().now() - 60, days=days)
    key = load_pem_private_key(made.key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(made.certificate)
    credential = Credential(
        name=name,
        key=key,
        certificate=certificate,
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
    )
    return credential, made.certificate


@dataclass
class World:
    """What a test can turn: the service, our clock, the way between."""

    sandbox: Sandbox
    tenant: Tenant
    app: App
    credential: Credential
    clock: AdvancingClock
    transport: AiohttpTransport
    login_url: str
    graph_url: str
    ca_file: Path

    def pass_time(self, seconds: float) -> None:
        """Let time pass for us and for Microsoft."""
        self.clock.offset += seconds
        self.sandbox.clock.advance(seconds)

    def settings(self, **changes: str) -> TenantSettings:
        return TenantSettings.model_validate(
            {
                "tenant_id": self.tenant.tenant_id,
                "client_id": self.app.client_id,
                "login_url": self.login_url,
                "graph_url": self.graph_url,
                "ca_file": self.ca_file,
                "certificates": [{"certificate": {"file": "c.pem"}, "private_key": {"file": "k.pem"}}],
            }
            | changes
        )

    def tokens(self, *credentials: Credential, **changes: str) -> Tokens:
        return Tokens(
            self.transport,
            self.clock,
            SystemIds(),
            self.settings(**changes),
            credentials or [self.credential],
        )

    @asynccontextmanager
    async def answered_with(self, answer: bytes) -> AsyncIterator[tuple[Tokens, RawServer]]:
        """Tokens whose endpoint is a server that gives one and the same answer."""
        authority = trustme.CA()
        with authority.cert_pem.tempfile() as ca_file:
            async with (
                raw_server(answering(answer), server_tls(authority, "localhost")) as server,
                AiohttpTransport(self.clock, Path(ca_file), environ={}) as transport,
            ):
                settings = self.settings(login_url=server.url)
                yield Tokens(transport, self.clock, SystemIds(), settings, [self.credential]), server

    def token_requests(self) -> int:
        return sum(
            record.path.endswith("/token") and record.kind in {"request", "refusal"}
            for record in self.sandbox.history
        )


@asynccontextmanager
async def new_world() -> AsyncIterator[World]:
    """A tenant with one mailbox and one application that may write calendars."""
    sandbox = Sandbox(seed=0, switches=NotedSwitches())
    tenant = sandbox.add_tenant(domain="example.edu")
    app = tenant.register_app("classbell")
    credential, pem = new_credential()
    with registered_before(sandbox.clock):
        app.add_certificate(pem)
    app.grant("Calendars.ReadWrite")
    tenant.add_mailbox("ada@example.edu")
    clock = AdvancingClock()
    async with (
        sandbox.serving() as address,
        AiohttpTransport(clock, address.ca_file, environ={}) as transport,
    ):
        yield World(
            sandbox=sandbox,
            tenant=tenant,
            app=app,
            credential=credential,
            clock=clock,
            transport=transport,
            login_url=address.login_url,
            graph_url=address.graph_url,
            ca_file=address.ca_file,
        )
