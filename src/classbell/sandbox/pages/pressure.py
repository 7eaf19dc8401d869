"""The page of the limits: who is near them, and who is refused for a while."""

from typing import TYPE_CHECKING, Any

from classbell.sandbox import limits
from classbell.sandbox.pages import words

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

MOST = 100


def shown(box: "Sandbox") -> dict[str, Any]:
    """What the page says of those that use the limits most."""
    now = box.clock.now()
    names = words.apps(box)
    tenants = box.tenants
    rows = []
    for used in box.limits.in_use(now, most=MOST):
        tenant, mailbox = next(
            ((tenant, found) for tenant in tenants if (found := tenant.find(used.mailbox))), (None, None)
        )
        rows.append(
            {
                "app": names.get(used.app, used.app),
                "tenant": tenant,
                "mailbox": mailbox,
                "used": used,
            }
        )
    domains = {tenant.tenant_id: tenant.domain for tenant in tenants}
    return {
        "rows": rows,
        "most": MOST,
        "peak": box.peak_in_flight(),
        "in_flight": box.limits.in_flight,
        "throttled": {domains.get(key, key): round(left) for key, left in box.limits.throttled(now).items()},
        "limits": {
            "in_flight": box.limits.allowed.in_flight,
            "requests": box.limits.allowed.requests,
            "minutes": limits.REQUESTS_SPAN // 60,
            "upload": box.limits.allowed.upload,
            "upload_minutes": limits.UPLOAD_SPAN // 60,
        },
    }
