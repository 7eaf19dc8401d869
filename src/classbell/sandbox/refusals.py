"""
Refusals of the Graph half, word for word as the service gives them.

Source: Graph pages "Microsoft Graph error responses", "Throttling limits" and the issue threads where the
messages were met. Nobody should branch on the message; people read it.
"""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """
    An answer with an error envelope.

    Args:
        status: HTTP status.
        code: the ``code`` of the envelope.
        message: its ``message``.
        headers: further headers of the answer, such as ``Retry-After``.
        annotations: further members beside ``code``, such as ``@event.existingEventId``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        annotations: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.annotations = annotations or {}


def bad_request(message: str, code: str = "BadRequest") -> Refusal:
    """400 of the gateway: the request could not be understood."""
    return Refusal(400, code, message)


def invalid_request(message: str) -> Refusal:
    """400 of the calendar: understood, and not possible."""
    return Refusal(400, "ErrorInvalidRequest", message)


def property_refused() -> Refusal:
    """400: a value that the store does not take. The service names no property."""
    return Refusal(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")


def body_unreadable(message: str) -> Refusal:
    """400: the body is JSON, but not of the declared type."""
    return Refusal(400, "RequestBodyRead", message)


def zone_refused(name: str) -> Refusal:
    """400: a time zone that the service does not know."""
    return Refusal(
        400,
        "TimeZoneNotSupportedException",
        f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'.",
    )


def segment_unknown(segment: str) -> Refusal:
    """400: a path that does not exist."""
    return bad_request(f"Resource not found for the segment '{segment}'.", "RequestBroker--ParseUri")


def id_malformed() -> Refusal:
    """400: an id that is no id."""
    return Refusal(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def not_found() -> Refusal:
    """404: no such event or calendar in this mailbox."""
    return Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def conflict() -> Refusal:
    """412: If-Match names an older version."""
    return Refusal(
        412,
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in the request "
        "does not match the current change key for the item.",
    )


def access_denied() -> Refusal:
    """403: the token carries no permission for this."""
    return Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def access_policy() -> Refusal:
    """403: an application access policy keeps this application out of this mailbox."""
    return Refusal(
        403,
        "ErrorAccessDenied",
        "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.",
    )


def no_permissions(status: int) -> Refusal:
    """401 or 403: the token names no permission at all."""
    return Refusal(
        status,
        "NoPermissionsInAccessToken",
        "The token contains no permissions, or permissions can not be understood.",
    )


def directory_denied() -> Refusal:
    """403 of the directory: the token carries no permission for this."""
    return Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def directory_not_found(name: str) -> Refusal:
    """404 of the directory: there is no such object."""
    return Refusal(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
    )


def token_refused(message: str) -> Refusal:
    """401: the bearer token is missing, garbled, expired or for somebody else."""
    return Refusal(
        401,
        "InvalidAuthenticationToken",
        message,
        headers={
            "WWW-Authenticate": 'Bearer realm="", '
            'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        },
    )


def throttled(message: str, retry_after: int) -> Refusal:
    """429 for one application and one mailbox."""
    return Refusal(429, "ApplicationThrottled", message, headers={"Retry-After": str(retry_after)})


def throttled_tenant(retry_after: int) -> Refusal:
    """429 for all mailboxes of a tenant."""
    return Refusal(
        429, "TooManyRequests", "Please retry again later.", headers={"Retry-After": str(retry_after)}
    )


def filter_refused() -> Refusal:
    """400: a filter that the calendar does not support."""
    return Refusal(400, "ErrorInvalidUrlQueryFilter", "This filter query is not supported.")


def internal_error() -> Refusal:
    """500, which the service also gives for some queries that it does not support."""
    return Refusal(
        500, "ErrorInternalServerError", "An internal server error occurred. The operation failed."
    )


def not_reproduced(what: str) -> Refusal:
    """501, which the service never gives: the sandbox says openly what it does not reproduce."""
    return Refusal(501, "SandboxNotReproduced", f"The sandbox does not reproduce {what}.")
