"""What the path of a request names: the sandbox, a tenant, an application, a mailbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from classbell.sandbox.app import App
from classbell.sandbox.box import Sandbox
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.tenant import Tenant


def nothing(what: str, name: object) -> HTTPException:
    """404: there is none of that name."""
    return HTTPException(404, f"There is no {what} {name!r}.")


@contextmanager
def found(what: str, name: object) -> Iterator[None]:
    """Let an unknown name inside the block be told as such."""
    try:
        yield
    except KeyError:
        raise nothing(what, name) from None


async def the_box(request: Request) -> Sandbox:
    """The sandbox that is administered."""
    box: Sandbox = request.app.state.box
    return box


Box = Annotated[Sandbox, Depends(the_box)]


async def the_tenant(box: Box, tenant: str) -> Tenant:
    """The tenant of an id or domain."""
    for known in box.tenants:
        if known.is_called(tenant):
            return known
    raise nothing("tenant", tenant)


TheTenant = Annotated[Tenant, Depends(the_tenant)]


async def the_app(tenant: TheTenant, app: str) -> App:
    """The application of a client id or object id."""
    known = tenant.find_app(app)
    if known is None:
        raise nothing("application", app)
    return known


TheApp = Annotated[App, Depends(the_app)]


async def the_mailbox(tenant: TheTenant, mailbox: str) -> Mailbox:
    """The mailbox of an id or address."""
    known = tenant.find(mailbox)
    if known is None:
        raise nothing("mailbox", mailbox)
    return known


TheMailbox = Annotated[Mailbox, Depends(the_mailbox)]
