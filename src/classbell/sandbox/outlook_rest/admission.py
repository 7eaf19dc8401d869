"""
Who may ask: tokens for Exchange itself, got with a certificate, with a permission of Exchange.

Refusals carry the reason in ``x-ms-diagnostics`` and no body, as in life. The numbers 2000001 and 2000008 were
met in public; the others are judgement.
"""

from collections.abc import Mapping
from dataclasses import replace

from classbell.sandbox.access import Access, Tokens
from classbell.sandbox.outlook_rest.paths import HOSTS
from classbell.sandbox.refusals import Refusal
from classbell.sandbox.tenant import Tenant

EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
WEAK = "1"  # how a token names a client secret
# Permissions of Exchange, and those of Graph that mean the same.
_PERMISSIONS = {
    "Calendars.Read": "Calendars.Read",
    "Calendars.Read.All": "Calendars.Read",
    "Calendars.ReadWrite": "Calendars.ReadWrite",
    "Calendars.ReadWrite.All": "Calendars.ReadWrite",
}


def admit(tokens: Tokens, authorization: str | None, tenants: Mapping[str, Tenant]) -> Access:
    """
    What the bearer of a token may do here, its roles in the words of Graph.

    Raises:
        Refusal: 401; the body of the answer is empty.
    """
    try:
        access = tokens.bearer(authorization, tenants)
    except Refusal as refusal:
        expired = "expired" in refusal.message
        number, category = (2000010, "expired_token") if expired else (2000002, "invalid_token")
        raise _refused(number, refusal.message, category) from None
    if access.audience.rstrip("/") not in {*HOSTS, EXCHANGE_APP_ID}:
        raise _refused(
            2000003,
            "The audience claim value is invalid for current resource. Audience claim is "
            f"'{access.audience}' and resource type is 'Exchange'.",
            "invalid_resource",
        )
    if access.proved == WEAK:
        raise _refused(
            2000001,
            "The access token is acquired using an authentication method that is too weak to allow access for "
            "this application. Presented auth strength was 1, required is 2.",
            "invalid_token",
        )
    roles = frozenset(_PERMISSIONS[role] for role in access.roles if role in _PERMISSIONS)
    if not roles:
        raise _refused(
            2000008,
            "The token contains no permissions, or permissions can not be understood.",
            "invalid_grant",
        )
    return replace(access, roles=roles)


def reasons(number: int, reason: str, category: str) -> dict[str, str]:
    """The headers in which the reason of a 401 stands."""
    return {
        "x-ms-diagnostics": f'{number};reason="{reason}";error_category="{category}"',
        "WWW-Authenticate": f'Bearer client_id="{EXCHANGE_APP_ID}", '
        'trusted_issuers="00000001-0000-0000-c000-000000000000@*", token_types="app_asserted_user_v1 '
        'service_asserted_app_v1", authorization_uri="https://login.windows.net/common/oauth2/authorize", '
        f'error="{category}"',
    }


def _refused(number: int, reason: str, category: str) -> Refusal:
    return Refusal(401, str(number), reason, headers=reasons(number, reason, category))
