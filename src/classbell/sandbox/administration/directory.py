"""Tenants, applications with their certificates and grants, and mailboxes."""

from typing import Annotated

from fastapi import APIRouter, Query

from classbell.sandbox.administration import forms
from classbell.sandbox.administration.finding import Box, TheApp, TheMailbox, TheTenant, found
from classbell.sandbox.app import App
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.tenant import Tenant

router = APIRouter(tags=["directory"])
_TENANT = "/tenants/{tenant}"
_APP = _TENANT + "/apps/{app}"
_MAILBOX = _TENANT + "/mailboxes/{mailbox}"
MOST = 1000


@router.get("/tenants")
async def list_tenants(box: Box) -> list[forms.TenantTold]:
    """All tenants in the order they were added."""
    return [_tenant(tenant) for tenant in box.tenants]


@router.post("/tenants", status_code=201)
async def add_tenant(box: Box, new: forms.NewTenant) -> forms.TenantTold:
    """Add a tenant; an id is made where none is given."""
    return _tenant(box.add_tenant(new.domain, new.tenant_id))


@router.get(_TENANT)
async def show_tenant(tenant: TheTenant) -> forms.TenantTold:
    """One tenant."""
    return _tenant(tenant)


@router.post(_TENANT + "/throttle", status_code=204)
async def throttle(box: Box, tenant: TheTenant, span: forms.Span) -> None:
    """Let the service refuse every request to every mailbox of the tenant for so long."""
    box.throttle(tenant, span.seconds)


@router.get(_TENANT + "/apps")
async def list_apps(tenant: TheTenant) -> list[forms.AppTold]:
    """The applications of a tenant."""
    return [_app(app) for app in tenant.apps.values()]


@router.post(_TENANT + "/apps", status_code=201)
async def register_app(tenant: TheTenant, new: forms.NewApp) -> forms.AppTold:
    """Register an application."""
    if new.client_id is not None and tenant.find_app(new.client_id):
        raise ValueError(f"application {new.client_id} exists already")
    app = tenant.register_app(new.name, new.client_id)
    try:
        for pem in new.certificates:
            app.add_certificate(pem.encode())
    except ValueError:
        del tenant.apps[app.client_id]
        raise
    for permission in new.permissions:
        app.grant(permission)
    app.restrict_to(new.mailboxes)
    return _app(app)


@router.get(_APP)
async def show_app(app: TheApp) -> forms.AppTold:
    """One application."""
    return _app(app)


@router.patch(_APP)
async def change_app(app: TheApp, change: forms.AppChange) -> forms.AppTold:
    """Do to an application what its administrators may; what is left out stays."""
    told = change.model_dump(exclude_none=True)
    required = told.pop("required", app.required)
    if set(required) != app.required:
        kept, app.required = app.required, set()
        try:
            app.require(*required)
        except ValueError:
            app.required = kept
            raise
    if "blocked_by" in told:
        told["blocked_by"] = told["blocked_by"] or None
    for name, value in told.items():
        setattr(app, name, value)
    return _app(app)


@router.delete(_APP, status_code=204)
async def delete_app(tenant: TheTenant, app: TheApp) -> None:
    """Delete an application with its service principal; its tokens are refused from now on."""
    app.revoke_tokens()
    del tenant.apps[app.client_id]


@router.post(_APP + "/certificates", status_code=201)
async def add_certificate(app: TheApp, new: forms.NewCertificate) -> forms.AppTold:
    """Upload a certificate."""
    app.add_certificate(new.pem.encode())
    return _app(app)


@router.delete(_APP + "/certificates/{thumbprint}", status_code=204)
async def remove_certificate(app: TheApp, thumbprint: str) -> None:
    """Take a certificate away by its SHA-1 or SHA-256 thumbprint."""
    with found("certificate", thumbprint):
        app.remove_certificate(thumbprint)


@router.put(_APP + "/permissions/{permission}", status_code=204)
async def grant(app: TheApp, permission: str) -> None:
    """Grant an application permission with admin consent; it shows in later tokens."""
    app.grant(permission)


@router.delete(_APP + "/permissions/{permission}", status_code=204)
async def revoke(app: TheApp, permission: str) -> None:
    """Take a permission away; tokens already issued keep it."""
    app.revoke(permission)


@router.put(_APP + "/exchange-permissions/{permission}", status_code=204)
async def grant_exchange(app: TheApp, permission: str) -> None:
    """Grant a permission of Office 365 Exchange Online, which Outlook REST asks for."""
    app.grant_exchange(permission)


@router.delete(_APP + "/exchange-permissions/{permission}", status_code=204)
async def revoke_exchange(app: TheApp, permission: str) -> None:
    """Take such a permission away; tokens already issued keep it."""
    app.revoke_exchange(permission)


@router.put(_APP + "/exchange-roles/{role}", status_code=204)
async def assign_role(app: TheApp, role: str, scope: forms.Policy) -> None:
    """Assign a role in Exchange (RBAC for Applications) for some mailboxes, or null for all."""
    app.exchange.assign(role, scope.mailboxes)


@router.delete(_APP + "/exchange-roles/{role}", status_code=204)
async def unassign_role(app: TheApp, role: str) -> None:
    """Take a role in Exchange away."""
    with found("role", role):
        app.exchange.unassign(role)


@router.put(_APP + "/policy", status_code=204)
async def restrict(app: TheApp, policy: forms.Policy) -> None:
    """Limit the application to some mailboxes."""
    app.restrict_to(policy.mailboxes)


@router.post(_APP + "/revoke-tokens", status_code=204)
async def revoke_tokens(app: TheApp) -> None:
    """Make all tokens issued so far worthless."""
    app.revoke_tokens()


@router.get(_TENANT + "/mailboxes")
async def list_mailboxes(
    tenant: TheTenant,
    search: str = "",
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> list[forms.MailboxTold]:
    """Mailboxes in the order they were added, those whose address holds the text searched for."""
    wanted = search.casefold()
    matching = [mailbox for mailbox in tenant.mailboxes() if wanted in mailbox.address.casefold()]
    return [_mailbox(mailbox) for mailbox in matching[offset : offset + limit]]


@router.post(_TENANT + "/mailboxes", status_code=201)
async def add_mailboxes(tenant: TheTenant, new: forms.NewMailboxes) -> list[forms.MailboxTold]:
    """Add mailboxes, all or none."""
    taken = {name.casefold() for each in new.mailboxes for name in (each.address, each.id or "") if name}
    wanted = sum(1 + (each.id is not None) for each in new.mailboxes)
    if len(taken) < wanted or any(tenant.find(name) for name in taken):
        raise ValueError("two mailboxes would have one address or id")
    return [_mailbox(tenant.add_mailbox(each.address, each.state, each.id)) for each in new.mailboxes]


@router.get(_MAILBOX)
async def show_mailbox(mailbox: TheMailbox) -> forms.MailboxTold:
    """One mailbox."""
    return _mailbox(mailbox)


@router.patch(_MAILBOX)
async def change_mailbox(
    tenant: TheTenant, mailbox: TheMailbox, change: forms.MailboxChange
) -> forms.MailboxTold:
    """Give a mailbox another state or address."""
    if change.address is not None:
        other = tenant.find(change.address)
        if other is not None and other is not mailbox:
            raise ValueError(f"{change.address} has a mailbox already")
        tenant.rename_mailbox(mailbox.address, change.address)
    mailbox.state = mailbox.state if change.state is None else change.state
    return _mailbox(mailbox)


def _tenant(tenant: Tenant) -> forms.TenantTold:
    return forms.TenantTold(
        tenant_id=tenant.tenant_id,
        domain=tenant.domain,
        apps=list(tenant.apps),
        mailboxes=sum(1 for _ in tenant.mailboxes()),
    )


def _app(app: App) -> forms.AppTold:
    certificates = [
        forms.CertificateTold(
            key_id=each.key_id, sha1=each.sha1, sha256=each.sha256, start=each.start, end=each.end
        )
        for each in app.credentials
    ]
    return forms.AppTold(
        client_id=app.client_id,
        object_id=app.object_id,
        name=app.name,
        enabled=app.enabled,
        installed=app.installed,
        public=app.public,
        blocked_by=app.blocked_by or "",
        exchange_permissions=sorted(app.exchange_roles),
        required=sorted(app.required),
        redirect_uris=app.redirect_uris,
        certificates=certificates,
        permissions=sorted(app.roles),
    )


def _mailbox(mailbox: Mailbox) -> forms.MailboxTold:
    return forms.MailboxTold.model_validate(mailbox, from_attributes=True)
