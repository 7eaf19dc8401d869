"""A tenant: its applications with their certificates and permissions, and its mailboxes."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.surroundings import Commons

GRAPH = "https://graph.microsoft.com"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# Resources that exist in every tenant beside Graph: a token for them is of no use to Graph.
OTHER_RESOURCES = ("https://outlook.office.com", "https://outlook.office365.com")


@dataclass(frozen=True, slots=True)
class KeyCredential:
    """A registered certificate; thumbprints are hexadecimal in upper case."""

    sha1: str
    sha256: str
    key: RSAPublicKey | None
    start: datetime
    end: datetime
    known_from: float


@dataclass
class App:
    """
    An application registered in a tenant, with its service principal.

    ``roles`` are the granted application permissions of Graph: a token carries those of its own issue. With
    ``only`` set, an access policy limits the application to these mailboxes.
    """

    name: str
    client_id: str
    object_id: str
    commons: Commons = field(repr=False)
    credentials: list[KeyCredential] = field(default_factory=list)
    roles: set[str] = field(default_factory=set)
    only: frozenset[str] | None = None

    def add_certificate(self, pem: bytes) -> str:
        """
        Upload a certificate (PEM; a private key beside it is ignored).

        Returns:
            Its SHA-1 thumbprint, as the portal shows it.
        """
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
        wait = self.commons.switches.key_propagation
        credential = KeyCredential(
            sha1=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - a name, not a proof
            sha256=certificate.fingerprint(hashes.SHA256()).hex().upper(),
            key=key if isinstance(key, RSAPublicKey) else None,
            start=certificate.not_valid_before_utc,
            end=certificate.not_valid_after_utc,
            # Without propagation known at any time, also if the clock is set back afterwards.
            known_from=self.commons.clock.now() + wait if wait else -math.inf,
        )
        self.credentials.append(credential)
        return credential.sha1

    def remove_certificate(self, thumbprint: str) -> None:
        """
        Take a certificate away by its SHA-1 or SHA-256 thumbprint.

        Raises:
            KeyError: none has it.
        """
        wanted = thumbprint.replace(":", "").upper()
        kept = [known for known in self.credentials if wanted not in (known.sha1, known.sha256)]
        if len(kept) == len(self.credentials):
            raise KeyError(thumbprint)
        self.credentials[:] = kept

    def grant(self, role: str) -> None:
        """Grant an application permission of Graph with admin consent; it shows in later tokens."""
        self.roles.add(role)

    def revoke(self, role: str) -> None:
        """Take a permission away; tokens already issued keep it until they expire."""
        self.roles.discard(role)

    def restrict_to(self, addresses: Iterable[str] | None) -> None:
        """Let an access policy limit the application to some mailboxes; None lifts it."""
        self.only = None if addresses is None else frozenset(address.casefold() for address in addresses)


class Tenant:
    """A tenant of the sandbox; made by ``Sandbox.add_tenant``."""

    def __init__(self, tenant_id: str, domain: str, commons: Commons) -> None:
        self.tenant_id = tenant_id
        self.domain = domain
        self.apps: dict[str, App] = {}
        self._commons = commons
        self._mailboxes: dict[str, Mailbox] = {}
        self._by_id: dict[str, Mailbox] = {}

    def register_app(self, name: str, client_id: str | None = None) -> App:
        """Register an application with its service principal; no certificate, nothing granted."""
        new_id = self._commons.new_guid
        app = App(name, (client_id or str(new_id())).lower(), str(new_id()), self._commons)
        self.apps[app.client_id] = app
        return app

    def add_mailbox(self, address: str, state: str = "active", id: str | None = None) -> Mailbox:  # noqa: A002 - as Graph calls it
        """
        A mailbox with an empty default calendar.

        Raises:
            ValueError: the address is taken, or the state unknown.
        """
        key = address.casefold()
        if key in self._mailboxes:
            raise ValueError(f"{address} has a mailbox already")
        new_id = self._commons.new_guid
        mailbox = Mailbox(
            address,
            user_id=(id or str(new_id())).lower(),
            guids=(new_id(), new_id()),
            state=state,
            tenant=self.tenant_id,
            around=self._commons.around,
            switches=self._commons.switches,
            lock=self._commons.lock,
        )
        self._mailboxes[key] = mailbox
        self._by_id[mailbox.id] = mailbox
        return mailbox

    def add_mailboxes(self, addresses: Iterable[str]) -> list[Mailbox]:
        """Many mailboxes at once."""
        return [self.add_mailbox(address) for address in addresses]

    def mailbox(self, address: str) -> Mailbox:
        """
        The mailbox of an address or object id.

        Raises:
            KeyError: there is none.
        """
        found = self.find(address)
        if found is None:
            raise KeyError(address)
        return found

    def find(self, user: str) -> Mailbox | None:
        """The mailbox of an address or object id in any case, or None."""
        key = user.casefold()
        return self._mailboxes.get(key) or self._by_id.get(key)

    def mailboxes(self) -> Iterator[Mailbox]:
        """All mailboxes in the order they were added."""
        return iter(list(self._mailboxes.values()))

    def rename_mailbox(self, address: str, new_address: str) -> None:
        """Another address for the same mailbox; its object id and its events stay."""
        mailbox = self._mailboxes.pop(address.casefold())
        mailbox.address = mailbox.store.address = new_address
        self._mailboxes[new_address.casefold()] = mailbox

    def is_called(self, text: str) -> bool:
        """Whether *text* is its id or its verified domain."""
        return text.casefold() in (self.tenant_id, self.domain.casefold())


def is_guid(text: str) -> bool:
    """Whether *text* is a GUID in its usual form."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
