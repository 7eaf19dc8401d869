"""What a token says is judged for diagnosis only; one that cannot be read is no reason to fail."""

import time
from typing import Any, cast

import jwt
import pytest
from tests.doctor.world import Clinic

from classbell.doctor.rights import claims_of, judged
from classbell.doctor.subject import Installation, Subject
from classbell.life import SystemClock


class Room:
    """As much of an installation as judging claims needs: the ports' clock."""

    class ports:  # noqa: N801 -- stands for an attribute
        clock = SystemClock()


def found(clinic: Clinic, **claims: Any) -> list[tuple[str, str]]:
    settings = clinic.world.configuration.institutions["example"]
    subject = Subject(installation=cast("Installation", Room()), settings=settings)
    said = {
        "tid": settings.tenant.tenant_id,
        "appid": settings.tenant.client_id,
        "appidacr": "2",
        "exp": time.time() + 3600,
    } | claims
    return [(one.state.value, one.code) for one in judged(said, subject)]


def test_a_token_of_our_tenant_had_with_a_certificate_is_well(clinic: Clinic) -> None:
    assert found(clinic) == [("ok", "")]


@pytest.mark.parametrize("claim", ["tid", "appid"])
def test_a_token_of_another_tenant_or_application_is_a_failure(clinic: Clinic, claim: str) -> None:
    assert found(clinic, **{claim: "11111111-2222-4333-8444-555555555555"}) == [("failure", "E-TOKEN-OTHER")]


def test_a_token_that_was_had_with_a_client_secret_is_a_warning(clinic: Clinic) -> None:
    assert found(clinic, appidacr="1") == [("ok", ""), ("warning", "W-TOKEN-SECRET")]


def test_claims_that_are_missing_or_of_another_type_are_no_reason_to_fail(clinic: Clinic) -> None:
    assert found(clinic, exp="soon", tid="", appidacr=None) == [("ok", "")]


def test_what_is_no_readable_token_says_nothing() -> None:
    assert claims_of("opaque") is None
    assert claims_of("") is None
    assert claims_of(jwt.encode({"tid": "x"}, "k" * 32)) == {"tid": "x"}
