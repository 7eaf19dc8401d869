"""A sandbox described by a TOML file."""

import re
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from classbell.sandbox.latency import Latency
from classbell.sandbox.limits import Allowance
from classbell.sandbox.rules import add_rule, rule_of
from classbell.sandbox.switches import Switches

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox
    from classbell.sandbox.tenant import Tenant


class SandboxFileError(Exception):
    """The file that describes a sandbox is missing or wrong; the text says where."""


class _ExchangeRole(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    mailboxes: list[str] | None = None


class _App(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    client_id: str | None = None
    object_id: str | None = None
    certificates: list[Path] = []
    permissions: list[str] = []
    exchange_permissions: list[str] = []
    mailboxes: list[str] | None = None
    exchange_roles: list[_ExchangeRole] = []
    required_permissions: list[str] = []
    redirect_uris: list[str] = []


class _Mailbox(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    state: str = "active"
    id: str | None = None


class _Tenant(msgspec.Struct, forbid_unknown_fields=True):
    domain: str
    tenant_id: str | None = None
    mailboxes: list[str | _Mailbox] = []
    mailboxes_file: Path | None = None
    apps: list[_App] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    seed: int = 0
    clock: datetime | None = None
    latency: float | Literal["lifelike"] = 0.0
    token_lifetime: int | None = None
    switches: dict[str, Any] = {}
    limits: dict[str, int] = {}
    faults: list[dict[str, Any]] = []
    tenants: list[_Tenant] = []


def load(path: Path, make: "type[Sandbox]", data: Path | None = None) -> "Sandbox":
    """
    Make the sandbox that a file describes; paths in it are relative to it.

    What the folder *data* keeps stands as it is; the file adds the tenants, applications and mailboxes that are
    missing there.

    Raises:
        SandboxFileError: the file or one that it names cannot be read, or says something unknown.
        DataError: the folder cannot be used.
    """
    made = None
    try:
        told = msgspec.toml.decode(path.read_bytes(), type=_File, dec_hook=_path)
        switches = msgspec.convert(told.switches, Switches, strict=False)
        unknown = told.switches.keys() - set(Switches.__dataclass_fields__)
        if unknown:
            raise SandboxFileError(f"{path}: no switch is called {min(unknown)!r}")
        latency = Latency(told.seed) if told.latency == "lifelike" else told.latency
        sandbox = make(
            told.seed, switches=switches, latency=latency, token_lifetime=told.token_lifetime, data=data
        )
        made = sandbox
        sandbox.limits.allowed = _limits(told.limits)
        for fault in told.faults:
            add_rule(sandbox.faults, rule_of(fault))
        if told.clock is not None and not sandbox.has_past:
            sandbox.clock.set(told.clock)
        for tenant in told.tenants:
            _fill(_tenant(sandbox, tenant), tenant, path.parent)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        if made is not None:
            made.close()
        raise SandboxFileError(_in_words(path, error)) from error
    return sandbox


# As msgspec words it; a place in the file follows it, as in `$.tenants[0]`.
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `\$\.?([^`]*)`)?")


def _in_words(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        named = "" if error.filename in {None, str(path)} else f": {error.filename}"
        return f"{path}{named} cannot be read: {error.strerror or type(error).__name__}"
    unknown = _UNKNOWN_KEY.fullmatch(str(error))
    if unknown is None:
        return f"{path}: {error}"
    return f'{path}: unknown key "{unknown[1]}"' + (f" in {unknown[2]}" if unknown[2] else "")


def _path(kind: type, value: Any) -> Any:
    """Paths stand in the file as texts, a type that msgspec does not know."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError


def _limits(told: dict[str, int]) -> Allowance:
    unknown = told.keys() - {each.name for each in fields(Allowance)}
    if unknown:
        raise ValueError(f"no limit is called {min(unknown)!r}")
    return Allowance(**told)


def _tenant(sandbox: "Sandbox", told: _Tenant) -> "Tenant":
    """The tenant as it was kept, or else a new one."""
    if sandbox.has_past:
        for kept in sandbox.tenants:
            if kept.is_called(told.tenant_id or told.domain):
                return kept
    return sandbox.add_tenant(told.domain, told.tenant_id)


def _fill(tenant: "Tenant", told: _Tenant, folder: Path) -> None:
    kept = {mailbox.id for mailbox in tenant.mailboxes()}
    named = [_Mailbox(entry) if isinstance(entry, str) else entry for entry in told.mailboxes]
    if told.mailboxes_file is not None:
        lines = (folder / told.mailboxes_file).read_text().splitlines()
        named += [_Mailbox(line.strip()) for line in lines if line.strip()]
    for entry in named:
        known = tenant.find(entry.address)
        if known is None or known.id not in kept:
            tenant.add_mailbox(entry.address, entry.state, entry.id)
    names = {app.name for app in tenant.apps.values()}
    for described in told.apps:
        if described.name in names if described.client_id is None else tenant.find_app(described.client_id):
            continue
        app = tenant.register_app(described.name, described.client_id, described.object_id)
        for certificate in described.certificates:
            app.add_certificate((folder / certificate).read_bytes())
        for permission in described.permissions:
            app.grant(permission)
        for permission in described.exchange_permissions:
            app.grant_exchange(permission)
        app.require(*described.required_permissions)
        app.redirect_uris.extend(described.redirect_uris)
        app.restrict_to(described.mailboxes)
        for assigned in described.exchange_roles:
            app.exchange.assign(assigned.role, assigned.mailboxes)
