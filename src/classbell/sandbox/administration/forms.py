"""What the administrative API takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from classbell.sandbox.mailbox import State


class Form(BaseModel):
    """What is sent; an unknown member is refused."""

    model_config = ConfigDict(extra="forbid")


class NewTenant(Form):
    """A tenant with a verified domain."""

    domain: Annotated[str, Field(min_length=1)]
    tenant_id: str | None = None


class TenantTold(BaseModel):
    """A tenant."""

    tenant_id: str
    domain: str
    apps: list[str]
    mailboxes: int


class NewApp(Form):
    """An application with its service principal; permissions are granted at once."""

    name: str
    client_id: str | None = None
    certificates: list[str] = Field(default=[], description="PEM, as uploaded in the portal")
    permissions: list[str] = []
    mailboxes: list[str] | None = Field(None, description="an access policy; null for all mailboxes")


class AppChange(Form):
    """What a person changes of an application."""

    name: str | None = None
    enabled: bool | None = Field(None, description="its service principal is switched on")
    installed: bool | None = Field(None, description="its service principal exists")
    public: bool | None = Field(None, description="it is a public client, which has no credentials")
    blocked_by: str | None = Field(None, description="a Conditional Access policy; empty for none")
    required: list[str] | None = Field(None, description="the permissions that consent grants")
    redirect_uris: list[str] | None = None


class CertificateTold(BaseModel):
    """A registered certificate."""

    key_id: str
    sha1: str
    sha256: str
    start: datetime
    end: datetime


class AppTold(BaseModel):
    """An application."""

    client_id: str
    object_id: str
    name: str
    enabled: bool
    installed: bool
    public: bool
    blocked_by: str
    certificates: list[CertificateTold]
    permissions: list[str]
    exchange_permissions: list[str]
    required: list[str]
    redirect_uris: list[str]


class NewCertificate(Form):
    """A certificate to upload."""

    pem: str


class Policy(Form):
    """An access policy: these mailboxes only; null lifts it."""

    mailboxes: list[str] | None


class NewMailbox(Form):
    """A mailbox with an empty default calendar."""

    address: Annotated[str, Field(min_length=1)]
    state: State = "active"
    id: str | None = None


class NewMailboxes(Form):
    """Mailboxes to be made."""

    mailboxes: list[NewMailbox]


class MailboxChange(Form):
    """Another state or address for a mailbox."""

    state: State | None = None
    address: Annotated[str, Field(min_length=1)] | None = None


class MailboxTold(BaseModel):
    """A mailbox."""

    id: str
    address: str
    state: State


class Place(Form):
    """A calendar of the mailbox by its id; null for the default one."""

    calendar: str | None = None


class NewEvent(Place):
    """An event made by the owner, in the JSON of Graph."""

    event: dict[str, Any]


class EventId(BaseModel):
    """The immutable id of an event."""

    id: str


class CalendarName(Form):
    """The name of a calendar."""

    name: Annotated[str, Field(min_length=1)]


class CalendarTold(BaseModel):
    """A calendar."""

    id: str
    name: str


class FaultTold(BaseModel):
    """A scripted fault: its number, how often it took effect, how often it still will, and what was said."""

    number: int
    hits: int
    left: int | None = Field(description="null for ever")
    rule: dict[str, Any]


class NewLimits(Form):
    """What one application may do at one mailbox; what is left out stays."""

    in_flight: Annotated[int, Field(ge=1)] | None = Field(None, description="requests at a time")
    requests: Annotated[int, Field(ge=1)] | None = Field(None, description="in ten minutes")
    upload: Annotated[int, Field(ge=1)] | None = Field(None, description="bytes in five minutes")


class Seed(Form):
    """A seed of everything random from now on."""

    seed: int


class Moment(Form):
    """A moment of the sandbox's clock; without an offset it is UTC."""

    now: datetime


class Span(Form):
    """Seconds."""

    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class FixedLatency(Span):
    """Every request takes so long."""


class DrawnLatency(Form):
    """Waiting times as in life, drawn from a seed; *scale* multiplies them."""

    seed: int = 0
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


class MailTold(BaseModel):
    """A mail that the service would have sent."""

    number: int
    at: float
    tenant: str
    sender: str
    recipient: str
    kind: Literal["invitation", "update", "cancellation"]
    subject: str
    cause: str
