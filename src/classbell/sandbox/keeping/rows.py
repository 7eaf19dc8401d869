"""
What is kept of tenants, applications, mailboxes and events, and how it becomes bytes and is itself again.

Contents are kept once and referred to by number: forty mailboxes of one lecture share one.
"""

from array import array
from dataclasses import fields
from datetime import timedelta
from operator import attrgetter
from typing import Any, get_type_hints

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from classbell.sandbox.app import App
from classbell.sandbox.content import Content
from classbell.sandbox.ids import MailboxIds
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.personal import Personal
from classbell.sandbox.scoping import Addresses
from classbell.sandbox.store import PURGED, Calendar, Event, Properties, Series, Store
from classbell.sandbox.tenant import Tenant

# Of an application beside its fields: what it shares with others, and its scoping, which is kept step by step.
_APART = frozenset({"commons", "exchange"})
_HINTS = get_type_hints(App)
_APP_FIELDS = tuple(each.name for each in fields(App) if each.name not in _APART)
KeptFields = msgspec.defstruct("KeptFields", [(name, _HINTS[name]) for name in _APP_FIELDS])


class KeptApp(msgspec.Struct):
    """An application with the steps of its scoping."""

    told: KeptFields  # type: ignore[valid-type] # made from the fields of an application
    policy: list[tuple[float, Addresses]]
    assigned: list[tuple[float, dict[str, Addresses]]]


class KeptTenant(msgspec.Struct):
    """A tenant without its mailboxes."""

    tenant_id: str
    domain: str
    cloud: str
    longest_key_life: timedelta | None
    apps: list[KeptApp]


class KeptMailbox(msgspec.Struct, array_like=True):
    """A mailbox without its events; ``changes`` is an array of unsigned 32-bit integers."""

    address: str
    id: str
    name: str
    state: str
    ids: MailboxIds
    counters: tuple[int, int, int]
    calendars: dict[int, Calendar]
    personal: Personal | None
    changes: bytes


class KeptEvent(msgspec.Struct, array_like=True, gc=False):
    """An event in the order of its fields, with numbers for its contents, and the days of its series."""

    number: int
    folder: int
    version: int
    created: float
    modified: float
    content: int
    properties: Properties
    transaction: str
    posted: int
    posted_properties: Properties
    made_by: str
    days: Series | None = None


EVENT_FIELDS = KeptEvent.__struct_fields__[:-1]
_values = attrgetter(*EVENT_FIELDS)
_CONTENT, _POSTED = EVENT_FIELDS.index("content"), EVENT_FIELDS.index("posted")


def _enc_hook(value: Any) -> bytes:
    if isinstance(value, RSAPublicKey):
        return value.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raise NotImplementedError


def _dec_hook(kind: type, value: Any) -> Any:
    if kind is RSAPublicKey:
        return load_der_public_key(value)
    raise NotImplementedError


pack = msgspec.msgpack.Encoder(enc_hook=_enc_hook).encode
read_tenant = msgspec.msgpack.Decoder(KeptTenant, dec_hook=_dec_hook).decode
read_mailbox = msgspec.msgpack.Decoder(KeptMailbox).decode
read_event = msgspec.msgpack.Decoder(KeptEvent).decode
read_content = msgspec.msgpack.Decoder(Content).decode


def of_tenant(tenant: Tenant) -> KeptTenant:
    """What is kept of a tenant."""
    apps = [
        KeptApp(
            KeptFields(**{name: getattr(app, name) for name in _APP_FIELDS}),
            app.exchange.policy.steps,
            app.exchange.assigned.steps,
        )
        for app in tenant.apps.values()
    ]
    return KeptTenant(tenant.tenant_id, tenant.domain, tenant.cloud, tenant.longest_key_life, apps)


def into_tenant(kept: KeptTenant, tenant: Tenant) -> None:
    """Make a new tenant what it was."""
    tenant.cloud, tenant.longest_key_life = kept.cloud, kept.longest_key_life
    for each in kept.apps:
        told: Any = each.told
        app = tenant.register_app(told.name, told.client_id)
        for name in _APP_FIELDS:
            setattr(app, name, getattr(told, name))
        app.exchange.policy.steps = each.policy
        app.exchange.assigned.steps = each.assigned


def of_mailbox(mailbox: Mailbox) -> KeptMailbox:
    """What is kept of a mailbox beside its events."""
    store = mailbox.store
    counters, personal = store.counters
    return KeptMailbox(
        mailbox.address,
        mailbox.id,
        mailbox.name,
        mailbox.state,
        store.ids,
        counters,
        store.calendars,
        personal,
        store.changes.tobytes(),
    )


def into_mailbox(kept: KeptMailbox, tenant: Tenant) -> Mailbox:
    """A mailbox as it was, without its events."""
    mailbox = tenant.add_mailbox(kept.address, kept.state, kept.id)
    mailbox.name = kept.name
    store = mailbox.store
    store.ids = kept.ids
    store.counters = (kept.counters, kept.personal)
    store.calendars = kept.calendars
    store.changes = array("I", kept.changes)
    return mailbox


def of_event(event: Event, store: Store, contents: "Contents") -> bytes:
    """What is kept of an event."""
    values = list(_values(event))
    values[_CONTENT] = contents.number(event.content)
    values[_POSTED] = contents.number(event.posted)
    values.append(store.series.get(event.number))
    return pack(KeptEvent(*values))


def into_store(row: bytes, store: Store, contents: dict[int, Content]) -> None:
    """An event as it was; one that is away only where its transaction id is remembered."""
    kept = read_event(row)
    told = {name: getattr(kept, name) for name in EVENT_FIELDS}
    event = Event(**told | {"content": contents[kept.content], "posted": contents[kept.posted]})
    if event.folder != PURGED:
        store.events[event.number] = event
    if event.transaction:
        store.transactions[event.transaction] = event
    if kept.days is not None:
        store.series[event.number] = kept.days


class Contents:
    """
    Numbers for contents, the same for equal ones as far as they are remembered.

    Attributes:
        fresh: the numbers and bytes that are still to be written.
    """

    _REMEMBERED = 50_000

    def __init__(self, last: int) -> None:
        self._last = last
        self._numbers: dict[Content, int] = {}
        self.fresh: list[tuple[int, bytes]] = []

    def number(self, content: Content) -> int:
        """The number of a content, a new one if it is not remembered."""
        known = self._numbers.get(content)
        if known is not None:
            return known
        if len(self._numbers) >= self._REMEMBERED:
            self._numbers.clear()
        self._last += 1
        self._numbers[content] = self._last
        self.fresh.append((self._last, pack(content)))
        return self._last
