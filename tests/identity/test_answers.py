"""Each refusal of the token endpoint has its words, and the right kind: wait, or change something."""

import pytest

from classbell.errors import ClassbellError, RefusedError, ServiceUnavailable
from classbell.identity.answers import Circumstances, TokenAnswer, no_mailbox_open, refusal

TAIL = (
    " Trace ID: 5ae25142-265a-4a0d-bef2-2ee4646aecfe Correlation ID: 7885c852-6065-4136-833e-5ef5a4c9919b"
    " Timestamp: 2026-09-14 05:47:32Z"
)
CIRCUMSTANCES = Circumstances(
    tenant="example.edu",
    application="118d9c15-faca-47ad-9d8f-c21d28c80e5f",
    login="https://login.microsoftonline.com",
    graph="https://graph.microsoft.com",
    thumbprints=("A1B2C3",),
    ahead=-664.0,
)
NOT_FOUND = (
    "The certificate with identifier used to sign the client assertion is not registered on application."
    " [Reason - The key was not found., Thumbprint of key used by client: 'A1B2C3', Please visit ...]"
)
EXPIRED = (
    "The certificate with identifier used to sign the client assertion is expired on application."
    " [Reason - The key used is expired., Thumbprint of key used by client: 'A1B2C3', Found key 'Start=...']"
)
SIGNATURE = (
    "Client assertion failed signature validation. [Reason - The provided signature value did not match the"
    " expected signature value., Thumbprint of key used by client: 'A1B2C3']"
)


def answered(status: int, error: str, number: int | None, text: str = "Something.") -> ClassbellError:
    said = f"AADSTS{number}: {text}{TAIL}" if number else text
    answer = TokenAnswer(error=error, error_description=said, error_codes=[number] if number else [])
    return refusal(status, answer, CIRCUMSTANCES)


@pytest.mark.parametrize(
    ("status", "error", "number", "code"),
    [
        (401, "invalid_client", 700027, "E-CERT-UNREG"),
        (401, "invalid_client", 700024, "E-CLOCK"),
        (401, "invalid_client", 700021, "E-ASSERTION"),
        (401, "invalid_client", 700023, "E-CLOUD"),
        (401, "invalid_client", 50048, "E-ASSERTION"),
        (400, "invalid_request", 50027, "E-ASSERTION"),
        (401, "invalid_client", 5002730, "E-CERT-KIND"),
        (401, "invalid_client", 5002738, "E-CERT-KIND"),
        (401, "invalid_client", 7000218, "E-ASSERTION"),
        (400, "unauthorized_client", 700016, "E-APP"),
        (400, "invalid_tenant", 90002, "E-TENANT"),
        (400, "invalid_request", 90002, "E-TENANT"),
        (400, "invalid_request", 900023, "E-TENANT"),
        (400, "invalid_request", 900021, "E-TENANT"),
        (400, "invalid_request", 90038, "E-CLOUD"),
        (400, "invalid_request", 900382, "E-CLOUD"),
        (400, "invalid_request", 900432, "E-CLOUD"),
        (400, "unauthorized_client", 7000112, "E-APP-DISABLED"),
        (400, "unauthorized_client", 70001, "E-APP-DISABLED"),
        (401, "invalid_client", 700025, "E-APP-PUBLIC"),
        (400, "invalid_resource", 500011, "E-RESOURCE"),
        (400, "invalid_scope", 1002012, "E-RESOURCE"),
        (400, "invalid_scope", 70011, "E-RESOURCE"),
        (400, "invalid_scope", 700022, "E-RESOURCE"),
        (400, "invalid_request", 900144, "E-ASSERTION"),
        (400, "invalid_request", 90014, "E-ASSERTION"),
        (400, "invalid_request", 9001023, "E-TENANT"),
        (400, "invalid_request", 50194, "E-TENANT"),
        (400, "invalid_grant", 53003, "E-BLOCKED"),
        (400, "invalid_grant", 65001, "E-CONSENT"),
    ],
)
def test_a_refusal_that_somebody_must_mend_says_what_to_do(
    status: int, error: str, number: int, code: str
) -> None:
    refused = answered(status, error, number)
    assert (type(refused), refused.code, refused.origin) == (RefusedError, code, f"AADSTS{number}")
    assert refused.what.endswith(".")
    assert refused.why.endswith(".")
    assert refused.do
    assert "$" not in f"{refused.what}{refused.why}{refused.do}"


@pytest.mark.parametrize(
    ("status", "error", "number"),
    [
        (429, "", None),
        (503, "", None),
        (500, "server_error", None),
        (503, "invalid_client", 700027),
        (400, "temporarily_unavailable", None),
        *[(400, "invalid_request", number) for number in (90055, 90033, 90006, 90090, 90012, 90024, 50033)],
        (400, "invalid_grant", 50196),
    ],
)
def test_a_passing_trouble_is_not_a_refusal(status: int, error: str, number: int | None) -> None:
    passing = answered(status, error, number)
    assert (type(passing), passing.code) == (ServiceUnavailable, "E-LOGIN-BUSY")


def test_the_three_reasons_for_an_unregistered_certificate_are_told_apart() -> None:
    causes = {answered(401, "invalid_client", 700027, text).why for text in (NOT_FOUND, EXPIRED, SIGNATURE)}
    assert len(causes) == 3
    assert "not registered" in answered(401, "invalid_client", 700027, NOT_FOUND).why
    assert "has ended" in answered(401, "invalid_client", 700027, EXPIRED).why
    assert "does not fit our private key" in answered(401, "invalid_client", 700027, SIGNATURE).why


def test_words_name_the_tenant_the_application_and_the_certificate() -> None:
    unregistered = answered(401, "invalid_client", 700027, NOT_FOUND)
    assert "A1B2C3" in unregistered.what
    assert "118d9c15-faca-47ad-9d8f-c21d28c80e5f in tenant example.edu" in unregistered.why
    assert answered(401, "invalid_client", 700024).what == (
        "This computer's clock is 11 min 04 s behind Microsoft's."
    )


@pytest.mark.parametrize("separator", ["\r\n", " "])
def test_an_unknown_code_is_shown_as_it_is_on_one_line_without_trace_ids(separator: str) -> None:
    answer = TokenAnswer(
        error="invalid_client",
        error_description=f"AADSTS7999999: The moon is in the wrong phase.{separator}Trace ID: 5ae2{separator}x",
    )
    shown = refusal(401, answer, CIRCUMSTANCES)
    assert (type(shown), shown.code, shown.origin) == (RefusedError, "E-TOKEN-REFUSED", "AADSTS7999999")
    assert shown.why == 'it says: "AADSTS7999999: The moon is in the wrong phase."'
    assert shown.do.endswith("error?code=7999999")


def test_an_error_without_a_number_is_shown_too() -> None:
    shown = answered(400, "invalid_target", None, "No such target.")
    assert (shown.code, shown.origin, shown.why) == (
        "E-TOKEN-REFUSED",
        "invalid_target",
        'it says: "No such target."',
    )


def test_what_looks_like_a_token_is_never_repeated() -> None:
    shown = answered(
        400, "invalid_target", None, "Cannot read eyJhbGciOiJQUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln here."
    )
    assert shown.why == 'it says: "Cannot read … here."'


def test_closed_mailboxes_are_a_missing_consent_only_if_the_token_carries_no_permission() -> None:
    assert "Grant admin consent" in no_mailbox_open(CIRCUMSTANCES, frozenset()).do
    assert "Grant admin consent" in no_mailbox_open(CIRCUMSTANCES, None).do
    assert "Exchange" in no_mailbox_open(CIRCUMSTANCES, frozenset({"Calendars.ReadWrite"})).do
