"""MSAL for Python signs in with certificates of each form, and meets refusals and throttling as at Entra ID."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msal
import pytest
from tests.clients.world import PASSWORD, Pair, World, by_token, make_pair
from tests.sandbox.client import Client, Wire

pytestmark = pytest.mark.prove

Form = Callable[[Pair], dict[str, Any]]


def pfx(pair: Pair) -> dict[str, Any]:
    return {"private_key_pfx_path": str(pair.pfx), "passphrase": PASSWORD}


def pfx_with_chain(pair: Pair) -> dict[str, Any]:
    return pfx(pair) | {"public_certificate": True}


def pem(pair: Pair) -> dict[str, Any]:
    return {"private_key": pair.key, "passphrase": PASSWORD, "public_certificate": pair.certificate}


def pem_by_thumbprint(pair: Pair) -> dict[str, Any]:
    return {"private_key": pair.key, "passphrase": PASSWORD, "thumbprint": pair.thumbprint}


def application(world: World, credential: dict[str, Any], **changes: Any) -> Any:
    settings = {"authority": world.authority, "client_id": world.app.client_id} | changes
    return msal.ConfidentialClientApplication(
        client_credential=credential, instance_discovery=False, verify=world.ca_file, **settings
    )


def ask(world: World, credential: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = application(world, credential, **changes).acquire_token_for_client([world.scope])
    return answer


def opens_the_calendar(world: World, token: str) -> bool:
    wire = Wire(world.address)
    answer = Client(wire, token).get(f"/users/{world.ada.address}/events")
    wire.close()
    return answer.status == 200


def refused(world: World, credential: dict[str, Any], **changes: Any) -> tuple[str, int]:
    answer = ask(world, credential, **changes)
    (code,) = answer["error_codes"]
    assert answer["error_description"].startswith(f"AADSTS{code}: ")
    return answer["error"], code


@pytest.mark.parametrize("form", [pfx, pfx_with_chain, pem, pem_by_thumbprint])
def test_each_form_of_certificate_gives_a_token_that_opens_the_calendar(world: World, form: Form) -> None:
    answer = ask(world, form(world.pair))
    assert answer["token_type"] == "Bearer"
    assert opens_the_calendar(world, answer["access_token"])


def test_the_tenant_may_be_named_by_its_domain(world: World) -> None:
    answer = ask(world, pfx(world.pair), authority=f"{world.address.login_url}/{world.tenant.domain}")
    assert opens_the_calendar(world, answer["access_token"])


def test_a_token_is_had_once_and_then_kept(world: World) -> None:
    app = application(world, pfx(world.pair))
    first, second = (app.acquire_token_for_client([world.scope]) for _ in range(2))
    assert first["access_token"] == second["access_token"]
    assert world.codes("POST", "/token") == [200]


def test_one_assertion_is_good_for_the_tokens_of_two_services(world: World) -> None:
    app = application(world, pfx(world.pair))
    for scope in (world.scope, "https://outlook.office365.com/.default"):
        assert "access_token" in app.acquire_token_for_client([scope])
    assert world.codes("POST", "/token") == [200, 200]


def test_of_two_certificates_each_signs_in_until_it_is_removed(world: World, other_pair: Pair) -> None:
    world.app.add_certificate(other_pair.certificate.encode())
    assert "access_token" in ask(world, pfx(world.pair))
    assert "access_token" in ask(world, pem(other_pair))
    world.app.remove_certificate(world.pair.thumbprint)
    assert refused(world, pfx(world.pair)) == ("invalid_client", 700027)
    assert "access_token" in ask(world, pem(other_pair))


@pytest.mark.parametrize("form", [pfx, pem, pem_by_thumbprint])
def test_a_certificate_that_is_not_registered_is_refused_by_its_thumbprint(
    world: World, other_pair: Pair, form: Form
) -> None:
    answer = ask(world, form(other_pair))
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [700027])
    assert "The key was not found." in answer["error_description"]
    if form is pem_by_thumbprint:
        assert other_pair.thumbprint in answer["error_description"]
    assert world.codes("POST", "/token") == [401]


def test_a_key_that_is_not_the_certificates_is_refused_by_its_signature(
    world: World, other_pair: Pair
) -> None:
    answer = ask(world, pem(other_pair) | {"thumbprint": world.pair.thumbprint})
    assert answer["error_codes"] == [700027]
    assert "failed signature validation" in answer["error_description"]


def test_a_certificate_that_has_expired_is_refused(world: World, tmp_path: Path) -> None:
    old = make_pair(tmp_path, days_old=30, days=20)
    world.app.add_certificate(old.certificate.encode())
    answer = ask(world, pfx(old))
    assert answer["error_codes"] == [700027]
    assert "The key used is expired." in answer["error_description"]


def test_an_application_that_the_tenant_does_not_have_is_refused(world: World) -> None:
    nobody = "00000000-1111-4222-8333-444444444444"
    assert refused(world, pfx(world.pair), client_id=nobody) == ("unauthorized_client", 700016)


def test_a_scope_of_one_permission_is_refused(world: World) -> None:
    answer = application(world, pfx(world.pair)).acquire_token_for_client(
        [f"{world.address.graph_url}/Calendars.ReadWrite"]
    )
    assert (answer["error"], answer["error_codes"]) == ("invalid_scope", [1002012])


def test_a_tenant_that_does_not_exist_stops_msal_before_it_signs_in(world: World) -> None:
    with pytest.raises(ValueError, match="double check your tenant name"):
        application(world, pfx(world.pair), authority=f"{world.address.login_url}/nowhere.example.org")
    assert world.codes("GET", "openid-configuration") == [400]
    assert world.codes("POST", "/token") == []


def test_a_consent_that_is_missing_shows_at_the_calendar_and_not_at_the_sign_in(world: World) -> None:
    world.app.revoke("Calendars.ReadWrite")
    assert not opens_the_calendar(world, ask(world, pfx(world.pair))["access_token"])
    assert world.codes("GET", "/events") == [403]


def test_a_throttled_sign_in_is_left_in_peace_for_as_long_as_it_says(world: World) -> None:
    world.throttle(by_token, times=1, seconds=2)
    app = application(world, pfx(world.pair))
    for _ in range(3):
        assert app.acquire_token_for_client([world.scope])["error"] == "temporarily_unavailable"
    assert world.codes("POST", "/token") == [429], "msal answers the repeated ones itself"
    time.sleep(2.1)
    assert "access_token" in app.acquire_token_for_client([world.scope])
    assert world.codes("POST", "/token") == [429, 200]


def test_a_sign_in_that_is_out_is_raised(world: World) -> None:
    world.sandbox.faults.add(by_token, 503)
    with pytest.raises(msal.exceptions.MsalServiceError, match="503"):
        ask(world, pfx(world.pair))
