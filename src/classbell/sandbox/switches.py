"""What nobody outside Microsoft knows for certain about the service, as switches with a considered default."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(kw_only=True)
class Switches:
    """
    Uncertain behaviours; a client is right only if it is right under every value.

    May be changed while the sandbox serves. Times are seconds of the sandbox's clock.

    Attributes:
        duplicate_transaction_status: status of ``ErrorDuplicateTransactionId``.
        transaction_memory: how long a ``transactionId`` is remembered after its create.
        transaction_of_deleted: what a repeated create meets whose event has been deleted since: the old
            event again, a refusal as duplicate, or a new event.
        post_echo_zone: zone of start and end in answers to POST and PATCH without
            ``Prefer: outlook.timezone``: UTC, or the zone of the request.
        items_in_deleted_items_by_immutable_id: what GET, PATCH and DELETE by immutable id say of an event
            in Deleted Items.
        unscoped_events_span_calendars: whether ``/users/{id}/events`` lists every calendar of the mailbox.
        scoped_path_checks_calendar: whether ``/calendars/{c}/events/{e}`` refuses an event of another calendar.
        if_match_on_delete: whether DELETE obeys ``If-Match``.
        top_clamp: the largest page.
        read_only_properties: what becomes of read-only properties in a body.
        long_subject: whether a subject above 255 characters is refused or cut.
        full_mailbox_status: status of ``ErrorQuotaExceeded``.
        issuer_audience: whether an assertion may name the issuer instead of the token endpoint as audience.
        lookup_lag: for how long a new event is missing from lists with ``$filter``.
        key_propagation: for how long a newly added certificate is not yet known to the token endpoint.
    """

    duplicate_transaction_status: Literal[400, 409] = 400
    transaction_memory: float = math.inf
    transaction_of_deleted: Literal["existing", "duplicate", "forgotten"] = "existing"
    post_echo_zone: Literal["utc", "request"] = "utc"
    items_in_deleted_items_by_immutable_id: Literal[200, 404] = 404
    unscoped_events_span_calendars: bool = False
    scoped_path_checks_calendar: bool = False
    if_match_on_delete: bool = True
    top_clamp: int = 1000
    read_only_properties: Literal["refuse", "ignore"] = "refuse"
    long_subject: Literal["refuse", "cut"] = "refuse"
    full_mailbox_status: int = 507
    issuer_audience: bool = False
    lookup_lag: float = 0.0
    key_propagation: float = 0.0
