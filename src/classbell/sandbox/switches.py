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
        exceptions_survive_series_change: whether exceptions stay when pattern or times of their series change.
        occurrences_inherit_properties: whether occurrences show the extended properties of their series.
        deleted_occurrence_status: what the id of an occurrence meets that was taken out of its series.
        unsupported_view_filter_status: status of a ``$filter`` that calendarView does not support.
        duplicate_category_code: the code for a master category whose name is taken.
        issuer_audience: whether an assertion may name the issuer instead of the token endpoint as audience.
        lookup_lag: for how long a new event is missing from lists with ``$filter``.
        lookup_lag_spread: whether each event has a lag of its own between 0 and ``lookup_lag``.
        lagging_lists: which lists lag: those with ``$filter``, or all of them and calendarView.
        commit_bound: how long after a request it may still be committed and found, whatever ``delay`` a fault
            names.
        mailbox_concurrency: whether the fifth request in flight is always refused, or about 13 % of the time,
            and more often with each further one.
        slot_held: for how long after its answer a request still counts as in flight.
        tenant_requests: how many requests an application may send to one tenant in ten seconds.
        retry_after: whether refusals carry ``Retry-After`` in whole seconds, not at all, as a decimal, or as
            nonsense.
        stale_only_by_address: whether a mailbox in the state ``stale`` answers when it is asked by its object id.
        outlook_rest: whether Outlook REST is served, or 410 as after its end.
        outlook_batch_size: the largest batch of Outlook REST.
        outlook_concurrency: whether any number of its requests may be in flight for a mailbox, or four.
        key_propagation: for how long a newly added certificate is not yet known to the token endpoint.
        access_policy_delay: for how long a new access policy has no effect yet.
        exchange_role_delay: for how long a role assigned or taken away in Exchange has no effect yet.
        outside_exchange_scope: the text for a mailbox outside the scope of a role assigned in Exchange: that of
            a missing permission or that of an access policy.
        no_roles_answer: what a token meets that has no roles, of an application without roles in Exchange:
            ``ErrorAccessDenied``, or ``NoPermissionsInAccessToken`` with this status.
        malformed_assertion_status: status of AADSTS50027, and with it its error.
        scope_refusal: the AADSTS number for a scope that is not the default one.
        several_resources_error: the error of AADSTS700022.
        missing_parameter_code: the AADSTS number for a parameter that is missing.
        shared_endpoint_code: the AADSTS number for client credentials at the endpoint of all tenants.
        other_cloud_code: the AADSTS number for a tenant of another national cloud.
        ps256_proof: whether a proof of possession may be signed with PS256.
        null_keys_kept: whether a list of certificates may name those it keeps without their content.
        sign_in_limit: how many token requests an application has a minute.
        sign_in_throttle_body: what the answer above that limit holds: JSON as all refusals, or a line of text.
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
    exceptions_survive_series_change: bool = False
    occurrences_inherit_properties: bool = True
    deleted_occurrence_status: Literal[404, 400] = 404
    unsupported_view_filter_status: Literal[500, 400] = 500
    duplicate_category_code: str = "ErrorCategoryNameExists"
    issuer_audience: bool = False
    lookup_lag: float = 0.0
    lookup_lag_spread: bool = False
    lagging_lists: Literal["filtered", "all"] = "filtered"
    commit_bound: float = 600.0
    mailbox_concurrency: Literal["hard", "soft"] = "hard"
    slot_held: float = 0.0
    tenant_requests: float = math.inf
    retry_after: Literal["seconds", "absent", "decimal", "silly"] = "seconds"
    stale_only_by_address: bool = True
    outlook_rest: Literal["served", "retired"] = "served"
    outlook_batch_size: int = 20
    outlook_concurrency: Literal["free", "four"] = "free"
    key_propagation: float = 0.0
    access_policy_delay: float = 0.0
    exchange_role_delay: float = 0.0
    outside_exchange_scope: Literal["denied", "policy"] = "denied"
    no_roles_answer: Literal["denied", "401", "403"] = "denied"
    malformed_assertion_status: Literal[401, 400] = 401
    scope_refusal: Literal[1002012, 70011] = 1002012
    several_resources_error: Literal["invalid_scope", "invalid_request"] = "invalid_scope"
    missing_parameter_code: Literal[900144, 90014] = 900144
    shared_endpoint_code: Literal[9001023, 50194] = 9001023
    other_cloud_code: Literal[90038, 900382, 900432] = 90038
    ps256_proof: bool = False
    null_keys_kept: bool = False
    sign_in_limit: float = math.inf
    sign_in_throttle_body: Literal["json", "text"] = "json"
