"""Our own token request says what MSAL's says; where it differs is listed here, each with its reason."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import jwt
import msal
import pytest
import requests
from cryptography import x509
from tests.clients.world import PASSWORD, Pair, World

from classbell.identity.certificates import load_credential
from classbell.identity.tokens import Tokens
from classbell.life import LocalFiles, SystemClock, SystemIds
from classbell.ports import Response
from classbell.settings import TenantSettings
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.prove

# What MSAL says and we do not.
FIELDS_LEFT_OUT = {
    "client_info": "asks who the user is, and there is none",
}
CLAIMS_ADDED = {
    "nbf": "the certificate credentials page has it; refusals for the time then tell both ends truly",
}
HEADERS_LEFT_OUT = {
    "x-client-sku": "statistics on MSAL",
    "x-client-ver": "statistics on MSAL",
    "x-client-os": "statistics on MSAL",
    "x-client-current-telemetry": "statistics on MSAL",
    "x-client-last-telemetry": "statistics on MSAL",
    "x-ms-lib-capability": "tells the endpoint what MSAL does with Retry-After",
}
# Those of the connection, which each HTTP library words in its own way.
HEADERS_OF_THE_LIBRARY = {"accept-encoding", "connection", "content-length", "host", "user-agent"}


@dataclass(frozen=True)
class Sent:
    """A token request as it left, and the status of the answer."""

    method: str
    url: str
    headers: dict[str, str]
    form: dict[str, str]
    status: int

    @property
    def assertion(self) -> str:
        """The client assertion."""
        return self.form["client_assertion"]

    @property
    def header(self) -> dict[str, Any]:
        """The header of the assertion."""
        return jwt.get_unverified_header(self.assertion)

    def claims(self, pair: Pair) -> dict[str, Any]:
        """The claims of the assertion, which the key of the pair has signed."""
        key = x509.load_pem_x509_certificate(pair.certificate.encode()).public_key()
        found: dict[str, Any] = jwt.decode(
            self.assertion,
            key,  # type: ignore[arg-type]  # an RSA key
            algorithms=["PS256"],
            options={"verify_aud": False},
        )
        return found


def sent(method: str, url: str, headers: Mapping[str, str], body: bytes, status: int) -> Sent:
    fields = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    form = dict(fields)
    assert len(form) == len(fields), "a field stands twice"
    return Sent(method, url, {name.lower(): value for name, value in headers.items()}, form, status)


class Listening(AiohttpTransport):
    """Our transport, which keeps what went through it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.heard: list[Sent] = []

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", **options: Any
    ) -> Response:
        response = await super().request(method, url, headers=headers, body=body, **options)
        self.heard.append(sent(method, url, headers, body, response.status))
        return response


def msals(world: World, tenant: str) -> Sent:
    """What MSAL sends for the PKCS#12 form of the pair."""
    heard = []

    def note(response: requests.Response, **_: Any) -> None:
        asked = response.request
        if asked.method == "POST":
            heard.append(
                sent(asked.method, asked.url, asked.headers, asked.body.encode(), response.status_code)
            )

    with requests.Session() as session:
        session.verify = world.ca_file
        session.hooks["response"].append(note)
        app = msal.ConfidentialClientApplication(
            world.app.client_id,
            authority=f"{world.address.login_url}/{tenant}",
            client_credential={"private_key_pfx_path": str(world.pair.pfx), "passphrase": PASSWORD},
            instance_discovery=False,
            http_client=session,
        )
        app.acquire_token_for_client([world.scope])
    (request,) = heard
    return request


def ours(world: World, tenant: str) -> Sent:
    """What we send for the PEM form of the pair."""
    settings = TenantSettings.model_validate(
        {
            "tenant_id": tenant,
            "client_id": world.app.client_id,
            "login_url": world.address.login_url,
            "graph_url": world.address.graph_url,
            "ca_file": world.address.ca_file,
            "certificates": [
                {
                    "certificate": {"file": world.pair.both},
                    "private_key": {"file": world.pair.both},
                    "key_password": {"env": "KEY_PASSWORD"},
                }
            ],
        }
    )
    clock = SystemClock()
    credential = load_credential(
        settings.certificates[0], LocalFiles(), {"KEY_PASSWORD": PASSWORD}, clock.now()
    )

    async def sign_in() -> list[Sent]:
        async with Listening(clock, world.address.ca_file, environ={}) as transport:
            await Tokens(transport, clock, SystemIds(), settings, [credential]).token()
            return transport.heard

    (request,) = asyncio.run(sign_in())
    return request


@dataclass(frozen=True)
class Both:
    """The same sign-in, by MSAL and by us."""

    msals: Sent
    ours: Sent


@pytest.fixture
def both(world: World) -> Both:
    tenant = world.tenant.tenant_id
    return Both(msals(world, tenant), ours(world, tenant))


def test_both_are_answered_with_a_token(both: Both) -> None:
    assert (both.msals.status, both.ours.status) == (200, 200)


def test_method_and_address_are_the_same(both: Both) -> None:
    assert (both.ours.method, both.ours.url) == (both.msals.method, both.msals.url)


def test_the_fields_are_the_same_but_for_those_listed(both: Both) -> None:
    assert set(both.msals.form) - set(both.ours.form) == set(FIELDS_LEFT_OUT)
    told = {name: value for name, value in both.msals.form.items() if name not in FIELDS_LEFT_OUT}
    assert both.ours.form | {"client_assertion": ""} == told | {"client_assertion": ""}


def test_the_headers_are_the_same_but_for_those_listed(both: Both) -> None:
    theirs = set(both.msals.headers) - HEADERS_OF_THE_LIBRARY
    assert theirs - set(both.ours.headers) == set(HEADERS_LEFT_OUT)
    assert set(both.ours.headers) <= theirs
    for name in ("accept", "content-type"):
        assert both.ours.headers[name] == both.msals.headers[name]
    assert UUID(both.ours.headers["client-request-id"]) != UUID(both.msals.headers["client-request-id"])


def test_the_header_of_the_assertion_is_the_same_but_for_padding(both: Both) -> None:
    # RFC 7515 has no padding in a thumbprint; MSAL keeps it, and Entra ID takes either.
    named = both.msals.header
    assert both.ours.header == named | {"x5t#S256": named["x5t#S256"].rstrip("=")}


def test_the_thumbprint_is_that_of_the_certificate(both: Both, world: World) -> None:
    (registered,) = world.app.credentials
    for request in (both.msals, both.ours):
        text = request.header["x5t#S256"]
        assert urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex().upper() == registered.sha256


def test_the_claims_are_the_same_but_for_those_listed(both: Both, world: World) -> None:
    theirs, own = both.msals.claims(world.pair), both.ours.claims(world.pair)
    assert set(theirs) - set(own) == set()
    assert set(own) - set(theirs) == set(CLAIMS_ADDED)
    for name in ("aud", "iss", "sub"):
        assert own[name] == theirs[name]
    assert own["aud"] == both.ours.url


def test_both_assertions_hold_as_long_and_from_now_on(both: Both, world: World) -> None:
    theirs, own = both.msals.claims(world.pair), both.ours.claims(world.pair)
    assert own["exp"] - own["iat"] == round(theirs["exp"] - theirs["iat"])
    # MSAL counts fractions of seconds; RFC 7519 leaves the choice.
    assert abs(own["iat"] - theirs["iat"]) < 30
    assert own["nbf"] == own["iat"]


def test_each_assertion_has_a_random_id_of_the_same_form(both: Both, world: World) -> None:
    theirs, own = (UUID(request.claims(world.pair)["jti"]) for request in (both.msals, both.ours))
    assert (own.version, own.variant) == (theirs.version, theirs.variant)
    assert own != theirs


def test_a_tenant_named_by_its_domain_is_addressed_so_by_us_and_by_its_id_by_msal(
    world: World,
) -> None:
    # MSAL asks the metadata first, which name the tenant by its id; the audience is the address in either case.
    theirs, own = msals(world, world.tenant.domain), ours(world, world.tenant.domain)
    assert (theirs.status, own.status) == (200, 200)
    assert theirs.url == f"{world.authority}/oauth2/v2.0/token"
    assert own.url == theirs.url.replace(world.tenant.tenant_id, world.tenant.domain)
    for request in (theirs, own):
        assert request.claims(world.pair)["aud"] == request.url
