"""
An application: its registration with what it proves itself with, and its service principal with its grants.

Source: Entra page "Application and service principal objects", Graph page "application resource type".
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from classbell.sandbox.credentials import KeyCredential, Secret, key_credential
from classbell.sandbox.scoping import Scoping
from classbell.sandbox.surroundings import Commons

# The application permissions that a publisher of calendars may ask for, with the ids of their app roles.
# Source: Graph page "Microsoft Graph permissions reference".
ROLE_IDS = {
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Calendars.Read": "798ee544-9d2d-430c-a058-570e29e34338",
    "Calendars.ReadBasic.All": "8ba4a692-bc31-4128-9094-475872af8a53",
    "Calendars.ReadWrite": "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "MailboxSettings.Read": "40f97065-369a-49f4-947c-6a255697ae91",
    "MailboxSettings.ReadWrite": "6931bccd-447a-43d1-b442-00a195474933",
    "Place.Read.All": "913b9306-0ce1-42b8-9137-6a7df690a760",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadBasic.All": "97235f07-e226-4f63-ace3-39588e11d3a1",
}


@dataclass(kw_only=True)
class App:
    """
    An application registered in a tenant, with its service principal.

    Attributes:
        object_id: of the registration; ``principal_id`` is that of the service principal.
        roles: the granted application permissions of Graph: a token carries those of its own issue.
        exchange_roles: the granted application permissions of Office 365 Exchange Online, which stand in tokens for
            Outlook REST.
        required: the permissions that its registration asks for; consent grants them.
        redirect_uris: where the page for consent may send people.
        exchange: which mailboxes it may open.
        installed: whether its service principal exists; a registration alone gets no tokens.
        enabled: whether people have left its service principal switched on.
        public: whether it is registered as a public client, which has no credentials.
        blocked_by: the Conditional Access policy that keeps it from tokens, if any.
        generation: how often its tokens have been revoked.
    """

    name: str = field(kw_only=False)
    client_id: str
    object_id: str
    principal_id: str
    commons: Commons = field(repr=False)
    credentials: list[KeyCredential] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    roles: set[str] = field(default_factory=set)
    exchange_roles: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    redirect_uris: list[str] = field(default_factory=list)
    installed: bool = True
    enabled: bool = True
    public: bool = False
    blocked_by: str | None = None
    generation: int = 0
    exchange: Scoping = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.exchange = Scoping(self.commons)

    def add_certificate(self, pem: bytes, *, end: datetime | None = None) -> str:
        """
        Upload a certificate (PEM; a private key beside it is ignored).

        Args:
            pem: the certificate.
            end: until when it is registered, where that is earlier than its own end.

        Returns:
            Its SHA-1 thumbprint, as the portal shows it.
        """
        return self.register_key(x509.load_pem_x509_certificate(pem), end=end).sha1

    def register_key(
        self, certificate: x509.Certificate, *, name: str | None = None, end: datetime | None = None
    ) -> KeyCredential:
        """Add a certificate to those registered; known to the token endpoint after a while."""
        credential = self.new_key(certificate, name=name, end=end)
        self.credentials.append(credential)
        return credential

    def new_key(
        self, certificate: x509.Certificate, *, name: str | None = None, end: datetime | None = None
    ) -> KeyCredential:
        """The credential that a certificate would be, registered now."""
        wait = self.commons.switches.key_propagation
        # Without propagation known at any time, also if the clock is set back afterwards.
        known_from = self.commons.clock.now() + wait if wait else -math.inf
        return key_credential(certificate, str(self.commons.new_guid()), known_from, name=name, end=end)

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

    def add_secret(self, value: str, end: datetime | None = None) -> None:
        """Make a client secret of a given value, good until *end*."""
        self.secrets.append(Secret(value, end.timestamp() if end else math.inf))

    def require(self, *permissions: str) -> None:
        """
        Ask for application permissions of Graph in the registration; consent grants them.

        Raises:
            ValueError: the sandbox knows no permission of that name.
        """
        for permission in permissions:
            if permission not in ROLE_IDS:
                raise ValueError(f"{permission!r} is none of {', '.join(ROLE_IDS)}")
        self.required.update(permissions)

    def consent(self) -> None:
        """What an administrator does who grants consent: everything required is granted."""
        self.roles |= self.required

    def grant(self, role: str) -> None:
        """Grant an application permission of Graph with admin consent; it shows in later tokens."""
        self.roles.add(role)

    def revoke(self, role: str) -> None:
        """Take a permission away; tokens already issued keep it until they expire."""
        self.roles.discard(role)

    def grant_exchange(self, role: str) -> None:
        """Grant an application permission of Office 365 Exchange Online, such as Calendars.ReadWrite.All."""
        self.exchange_roles.add(role)

    def revoke_exchange(self, role: str) -> None:
        """Take such a permission away; tokens already issued keep it until they expire."""
        self.exchange_roles.discard(role)

    def revoke_tokens(self) -> None:
        """Make all access tokens issued so far worthless; new ones are to be had."""
        self.generation += 1

    def restrict_to(self, addresses: Iterable[str] | None) -> None:
        """Let an access policy limit the application to some mailboxes; None lifts it."""
        self.exchange.restrict_to(addresses)
