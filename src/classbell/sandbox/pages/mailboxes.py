"""The page of all mailboxes: search, counts, last change."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.pages import words
from classbell.sandbox.pages.paging import Pager, whole
from classbell.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

PER_PAGE = 50
_ORDERS = {"changed": "latest change first", "address": "by address"}


def shown(box: "Sandbox", asked: Mapping[str, str]) -> dict[str, Any]:
    """What the page says of the mailboxes whose address holds the text searched for."""
    search = asked.get("search", "").strip()
    order = asked.get("order", "changed")
    order = order if order in _ORDERS else "changed"
    wanted = search.casefold()
    matching = [
        (tenant, mailbox)
        for tenant in box.tenants
        for mailbox in tenant.mailboxes()
        if wanted in mailbox.address.casefold()
    ]
    if order == "changed":
        matching.sort(key=lambda pair: _latest(pair[1]), reverse=True)
    else:
        matching.sort(key=lambda pair: pair[1].address.casefold())
    pager = Pager(len(matching), PER_PAGE, whole(asked.get("page", ""), 1))
    names = words.apps(box)
    return {
        "search": search,
        "order": order,
        "orders": _ORDERS,
        "pager": pager,
        "query": urlencode({"search": search, "order": order}),
        "rows": [_row(box, names, *pair) for pair in matching[pager.first : pager.end]],
        "several": len(box.tenants) > 1,
        "changes": len(box.history),
    }


def _latest(mailbox: Mailbox) -> int:
    changes = mailbox.store.changes
    return changes[-1] if changes else 0


def _row(box: "Sandbox", names: Mapping[str, str], tenant: Tenant, mailbox: Mailbox) -> dict[str, Any]:
    with box.lock:
        live = sum(event.is_live for event in mailbox.store.events.values())
        deleted = len(mailbox.store.events) - live
        latest = _latest(mailbox)
        record = box.history[latest - 1] if latest else None
    return {
        "tenant": tenant,
        "mailbox": mailbox,
        "events": live,
        "deleted": deleted,
        "at": record.at if record else None,
        "change": f"{words.deed(record.detail)}, by {words.who(record.detail['cause'], names)}"
        if record
        else "",
    }
