"""The Microsoft side of an institution: tenant, application, certificates."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from classbell.settings.base import Settings
from classbell.settings.references import FileReference, PrivateFile, Secret
from classbell.settings.values import (
    CLOUDS,
    ApiName,
    BaseUrl,
    CloudName,
    Guid,
    LocalPath,
    MailAddress,
    TenantId,
    Text,
)


class CertificateSettings(Settings):
    """
    A certificate with its private key, in two settings or in one.

    Either `certificate` and `private_key` (PEM; both may be in one file), or a `keystore` that holds both (PKCS#12,
    Java keystore, or PEM).
    """

    certificate: FileReference | None = None
    """The certificate that was uploaded to the application."""

    private_key: Secret | None = None
    """Its private key."""

    keystore: PrivateFile | None = None
    """A file that holds certificate and private key. Its form is told by its content, whatever its name."""

    alias: Text | None = None
    """Which key of the keystore; needed where it has several."""

    store_password: Secret | None = None
    """The password of the keystore."""

    key_password: Secret | None = None
    """The password of the private key, where it has one. In a keystore: where it is not the store's."""

    @model_validator(mode="after")
    def _pair_or_keystore(self) -> Self:
        pair = self.certificate is not None or self.private_key is not None
        if pair == (self.keystore is not None):
            raise PydanticCustomError(
                "key_material", "a certificate is either certificate and private_key, or a keystore"
            )
        if pair and (self.certificate is None or self.private_key is None):
            absent = "private_key" if self.private_key is None else "certificate"
            raise PydanticCustomError(
                "key_material",
                "{absent} is missing: certificate and private_key stand together",
                {"absent": absent},
            )
        if pair and (self.alias is not None or self.store_password is not None):
            raise PydanticCustomError(
                "key_material", "alias and store_password belong to a keystore; a key in PEM has key_password"
            )
        if self.private_key is not None and self.private_key.prompt:
            raise PydanticCustomError(
                "key_material", "a private key cannot be typed in; its password can: key_password"
            )
        return self

    @property
    def place(self) -> str:
        """Where the certificate is kept, for messages."""
        if self.keystore is not None:
            return f"{self.keystore.place}, {self.alias}" if self.alias else self.keystore.place
        return str(self.certificate.file) if self.certificate else ""


class TenantSettings(Settings):
    """The Microsoft tenant, and the application with which Classbell signs in to it."""

    tenant_id: TenantId
    """The tenant: its GUID, or one of its verified domains."""

    client_id: Guid
    """The application (client) ID of the application that was registered for Classbell."""

    application_object_id: Guid | None = None
    """The Object ID of the same application, from its overview page. With it Classbell can renew its own certificate."""

    cloud: CloudName = "global"
    """The national cloud in which the tenant lives."""

    login_url: BaseUrl | None = None
    """Another address for sign-in, for a sandbox or a proxy. Stands with `graph_url` and overrules `cloud`."""

    graph_url: BaseUrl | None = None
    """Another address for Microsoft Graph. Stands with `login_url` and overrules `cloud`."""

    outlook_url: BaseUrl | None = None
    """Another address for Outlook REST, for a gateway that still speaks it; counts with `api = "outlook-rest-v2"`. Without
    it that of `graph_url`, as of a sandbox, else the cloud's."""

    api: ApiName = "graph"
    """The interface to calendars: Microsoft Graph, or its predecessor Outlook REST, which Microsoft retired in Exchange
    Online on 2024-03-31. The other one is for gateways and sandboxes that still speak it."""

    assertion: Literal["PS256", "RS256"] = "PS256"
    """How sign-ins are signed. `"RS256"` with a SHA-1 thumbprint is the older form, for a gateway that demands it."""

    probe_mailbox: MailAddress | None = None
    """A mailbox in which `classbell doctor` may make a private test event and remove it again. It writes to no other."""

    expect_denied: tuple[MailAddress, ...] = ()
    """Mailboxes that must be closed to Classbell. `classbell doctor` asks for their calendars, and fails if it gets one."""

    ca_file: LocalPath | None = None
    """Certificates (PEM) of an authority to trust beside the system's, for a sandbox or a proxy."""

    certificates: Annotated[tuple[CertificateSettings, ...], Field(min_length=1)]
    """What Classbell signs in with. List two while one takes over from the other: the newest valid one is used."""

    @model_validator(mode="after")
    def _both_urls_or_none(self) -> Self:
        if (self.login_url is None) != (self.graph_url is None):
            raise PydanticCustomError("url_pair", "login_url and graph_url stand together, or neither does")
        return self

    @property
    def login(self) -> str:
        """Base URL of Entra ID without a slash at the end; the tenant's path follows."""
        return self.login_url or CLOUDS[self.cloud].login

    @property
    def graph(self) -> str:
        """Base URL of Microsoft Graph without a slash at the end; ``/v1.0`` follows."""
        return self.graph_url or CLOUDS[self.cloud].graph

    @property
    def calendars(self) -> str:
        """Base URL of the interface to calendars without a slash at the end; its version follows."""
        if self.api == "graph":
            return self.graph
        return self.outlook_url or self.graph_url or CLOUDS[self.cloud].outlook

    @property
    def resource(self) -> str:
        """What tokens for calendars are asked for: the interface that ``api`` names, as Entra ID calls it."""
        return self.graph if self.api == "graph" else CLOUDS[self.cloud].outlook
