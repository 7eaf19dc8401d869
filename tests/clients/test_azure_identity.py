"""azure-identity signs in with certificates of each form, and meets refusals and throttling as at Entra ID."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, EnvironmentCredential
from tests.clients.world import PASSWORD, Pair, World, by_token
from tests.sandbox.client import Client, Wire

pytestmark = pytest.mark.prove


@contextmanager
def credential(world: World, path: Path, **changes: Any) -> Iterator[Any]:
    settings = {"tenant_id": world.tenant.tenant_id, "client_id": world.app.client_id} | changes
    made = CertificateCredential(
        **settings,
        certificate_path=str(path),
        password=PASSWORD,
        authority=world.address.login_url,
        disable_instance_discovery=True,
        connection_verify=world.ca_file,
    )
    with made:
        yield made


def sign_in(world: World, path: Path, **changes: Any) -> str:
    with credential(world, path, **changes) as made:
        return str(made.get_token(world.scope).token)


def refused(world: World, path: Path, **changes: Any) -> str:
    with pytest.raises(ClientAuthenticationError) as caught:
        sign_in(world, path, **changes)
    return str(caught.value)


@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("form", ["both", "pfx"])
def test_pem_and_pkcs12_give_a_token_that_opens_the_calendar(world: World, form: str, chain: bool) -> None:  # noqa: FBT001 - a parameter of the test
    token = sign_in(world, getattr(world.pair, form), send_certificate_chain=chain)
    wire = Wire(world.address)
    assert Client(wire, token).get(f"/users/{world.ada.address}/events").status == 200
    wire.close()


def test_the_tenant_may_be_named_by_its_domain(world: World) -> None:
    assert sign_in(world, world.pair.pfx, tenant_id=world.tenant.domain)


def test_settings_in_the_environment_sign_in_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AUTHORITY_HOST": world.address.login_url,
        "TENANT_ID": world.tenant.tenant_id,
        "CLIENT_ID": world.app.client_id,
        "CLIENT_CERTIFICATE_PATH": str(world.pair.pfx),
        "CLIENT_CERTIFICATE_PASSWORD": PASSWORD,
    }.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", world.ca_file)
    with EnvironmentCredential(disable_instance_discovery=True) as made:
        assert made.get_token(world.scope).token


def test_of_two_certificates_each_signs_in_until_it_is_removed(world: World, other_pair: Pair) -> None:
    world.app.add_certificate(other_pair.certificate.encode())
    assert sign_in(world, world.pair.both)
    assert sign_in(world, other_pair.both)
    world.app.remove_certificate(world.pair.thumbprint)
    assert "AADSTS700027" in refused(world, world.pair.both)
    assert sign_in(world, other_pair.both)


def test_a_certificate_that_is_not_registered_is_refused_once_and_by_its_thumbprint(
    world: World, other_pair: Pair
) -> None:
    told = refused(world, other_pair.pfx)
    assert "AADSTS700027" in told
    assert other_pair.thumbprint in told
    assert world.codes("POST", "/token") == [401]


def test_an_application_that_the_tenant_does_not_have_is_refused(world: World) -> None:
    told = refused(world, world.pair.pfx, client_id="00000000-1111-4222-8333-444444444444")
    assert "AADSTS700016" in told


def test_a_throttled_sign_in_is_tried_again_when_it_says(world: World) -> None:
    world.throttle(by_token, times=2)
    assert sign_in(world, world.pair.pfx)
    assert world.codes("POST", "/token") == [429, 429, 200]
    assert all(wait >= 0.9 for wait in world.waits("POST", "/token"))


def test_a_sign_in_that_stays_throttled_is_given_up(world: World) -> None:
    world.throttle(by_token, times=20, seconds=0)
    assert "temporarily unavailable" in refused(world, world.pair.pfx)
    assert set(world.codes("POST", "/token")) == {429}
