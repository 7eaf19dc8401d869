"""Tokens are had from Entra ID with a certificate, kept, shared, and held on to through trouble."""

import asyncio
import re
from urllib.parse import parse_qs

import jwt
import pytest
from tests.identity.world import World, new_credential
from tests.transport.raw_server import http

from classbell.errors import ClassbellError, RefusedError, ServiceUnavailable
from classbell.identity.tokens import Tokens
from classbell.life import SystemIds
from classbell.sandbox import RequestInfo

pytestmark = pytest.mark.anyio


def at_the_token_endpoint(info: RequestInfo) -> bool:
    return info.kind == "token"


async def refused(tokens: Tokens) -> ClassbellError:
    with pytest.raises(ClassbellError) as caught:
        await tokens.token()
    error = caught.value
    assert error.what
    assert error.why
    assert error.do
    assert "eyJ" not in f"{error.what}{error.why}{error.do}{error.origin}"
    return error


async def test_a_certificate_gives_a_token_that_opens_mailboxes(world: World) -> None:
    token = await world.tokens().token()
    response = await world.transport.request(
        "GET",
        f"{world.graph_url}/v1.0/users/ada@example.edu/calendars",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status == 200


async def test_the_request_is_the_documented_form_with_an_assertion_under_our_key(world: World) -> None:
    body = b'{"token_type":"Bearer","expires_in":3599,"access_token":"t"}'
    async with world.answered_with(http(body=body)) as (tokens, server):
        assert await tokens.token() == "t"
    head, _, content = server.heard.decode().partition("\r\n\r\n")
    form = {name: values[0] for name, values in parse_qs(content).items()}
    url = f"{server.url}/{world.tenant.tenant_id}/oauth2/v2.0/token"
    assert head.startswith(f"POST /{world.tenant.tenant_id}/oauth2/v2.0/token HTTP/1.1\r\n")
    assertion = form.pop("client_assertion")
    assert form == {
        "grant_type": "client_credentials",
        "client_id": world.app.client_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": f"{world.graph_url}/.default",
    }
    header = jwt.get_unverified_header(assertion)
    thumbprint = header.pop("x5t#S256")
    assert header == {"alg": "PS256", "typ": "JWT"}
    assert bytes.fromhex(world.credential.sha256) == jwt.utils.base64url_decode(thumbprint)
    assert "=" not in thumbprint
    claims = jwt.decode(assertion, world.credential.key.public_key(), algorithms=["PS256"], audience=url)
    assert claims["iss"] == claims["sub"] == world.app.client_id
    assert claims["aud"] == url
    assert claims["exp"] - claims["iat"] == 600
    assert claims["nbf"] == claims["iat"]
    assert abs(claims["iat"] - world.clock.now()) < 60


async def test_each_assertion_has_an_id_of_its_own(world: World) -> None:
    body = b'{"token_type":"Bearer","expires_in":0,"access_token":"t"}'
    async with world.answered_with(http(body=body)) as (tokens, server):
        await tokens.token()
        await tokens.token()
    forms = [parse_qs(part.split(b"\r\n")[0].decode()) for part in server.heard.split(b"\r\n\r\n")[1:]]
    ids = {
        jwt.decode(form["client_assertion"][0].split("POST ")[0], options={"verify_signature": False})["jti"]
        for form in forms
    }
    assert len(ids) == 2


async def test_a_token_is_kept_until_five_minutes_before_its_end(world: World) -> None:
    tokens = world.tokens()
    first = await tokens.token()
    lifetime = jwt.decode(first, options={"verify_signature": False})["exp"] - world.clock.now()
    world.pass_time(lifetime - 400)
    assert await tokens.token() == first
    assert world.token_requests() == 1
    world.pass_time(200)
    assert await tokens.token() != first
    assert world.token_requests() == 2


async def test_many_who_ask_at_once_share_one_request(world: World) -> None:
    tokens = world.tokens()
    given = await asyncio.gather(*(tokens.token() for _ in range(100)))
    assert len(set(given)) == 1
    assert world.token_requests() == 1


async def test_whoever_gives_up_waiting_takes_nobody_along(world: World) -> None:
    tokens = world.tokens()
    first, second = asyncio.create_task(tokens.token()), asyncio.create_task(tokens.token())
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert first.cancelled()


async def test_a_refused_token_is_not_given_out_again(world: World) -> None:
    tokens = world.tokens()
    first = await tokens.token()
    tokens.invalidate("another token")
    assert await tokens.token() == first
    world.pass_time(1)
    tokens.invalidate(first)
    assert await tokens.token() != first


@pytest.mark.parametrize("trouble", ["503-before", "drop-before", "401-before"])
async def test_a_token_that_is_still_valid_is_used_through_trouble_of_the_endpoint(
    world: World, trouble: str
) -> None:
    tokens = world.tokens()
    first = await tokens.token()
    expires_at = jwt.decode(first, options={"verify_signature": False})["exp"]
    fault = world.sandbox.faults.add(at_the_token_endpoint, trouble, times=None)
    world.pass_time(expires_at - world.clock.now() - 200)
    for _ in range(50):
        assert await tokens.token() == first
    assert fault.hits == 1, "the endpoint is left in peace between attempts"
    assert tokens.trouble is not None
    world.pass_time(100)
    assert await tokens.token() == first
    assert fault.hits == 2
    world.sandbox.faults.clear()
    world.pass_time(90)
    tokens.retry_at = 0.0
    assert await tokens.token() != first
    assert tokens.trouble is None


async def test_once_the_token_has_ended_trouble_is_an_error_and_waiting_helps(world: World) -> None:
    tokens = world.tokens()
    await tokens.token()
    fault = world.sandbox.faults.add(at_the_token_endpoint, "503-before", times=None, retry_after=100)
    world.pass_time(2 * 86_400)
    for _ in range(3):
        error = await refused(tokens)
        assert (type(error), error.code) == (ServiceUnavailable, "E-LOGIN-BUSY")
    assert fault.hits == 1
    world.pass_time(99)
    await refused(tokens)
    assert fault.hits == 1, "Retry-After is obeyed"
    world.pass_time(2)
    await refused(tokens)
    assert fault.hits == 2
    world.sandbox.faults.clear()
    world.pass_time(200)
    assert await tokens.token()


@pytest.mark.stands_on("key_propagation")
async def test_pauses_after_a_refusal_grow_so_that_a_correction_heals_it_without_restart(
    world: World,
) -> None:
    stranger, pem = new_credential("stranger")
    tokens = world.tokens(stranger)
    asked = []
    for pause in (60, 300, 900, 3600, 3600):
        assert (await refused(tokens)).code == "E-CERT-UNREG"
        asked.append(world.token_requests())
        world.pass_time(pause - 1)
        await refused(tokens)
        assert world.token_requests() == asked[-1]
        world.pass_time(2)
    assert asked == [1, 2, 3, 4, 5]
    world.app.add_certificate(pem)
    assert await tokens.token()
    assert tokens.in_use == stranger


@pytest.mark.stands_on("key_propagation")
async def test_the_newest_registered_certificate_is_used(world: World) -> None:
    newer, pem = new_credential("newer", days=400)
    world.app.add_certificate(pem)
    tokens = world.tokens(world.credential, newer)
    await tokens.token()
    assert tokens.in_use == newer
    assert world.token_requests() == 1


async def test_a_certificate_that_is_not_registered_yet_gives_way_to_the_one_that_works(
    world: World,
) -> None:
    newer, pem = new_credential("newer", days=400)
    tokens = world.tokens(newer, world.credential)
    first = await tokens.token()
    assert tokens.in_use == world.credential
    assert world.token_requests() == 2
    world.pass_time(60)
    tokens.invalidate(first)
    second = await tokens.token()
    assert world.token_requests() == 3, "the one that works is remembered"
    world.app.add_certificate(pem)
    world.pass_time(900)
    tokens.invalidate(second)
    await tokens.token()
    assert tokens.in_use == newer


async def test_if_no_certificate_is_registered_the_error_names_them_all(world: World) -> None:
    strangers = [new_credential(name)[0] for name in ("one", "two")]
    error = await refused(world.tokens(*strangers))
    assert (type(error), error.code, error.origin) == (RefusedError, "E-CERT-UNREG", "AADSTS700027")
    for stranger in strangers:
        assert stranger.sha1 in error.what
    assert world.app.client_id in error.why
    assert world.token_requests() == 2


async def test_any_other_refusal_stops_at_once(world: World) -> None:
    tokens = world.tokens(new_credential("one")[0], world.credential, client_id=str(SystemIds().new_uuid()))
    error = await refused(tokens)
    assert (type(error), error.code, error.origin) == (RefusedError, "E-APP", "AADSTS700016")
    assert world.token_requests() == 1


@pytest.mark.stands_on("key_propagation")
async def test_an_expired_certificate_is_tried_last_but_tried(world: World) -> None:
    old, pem = new_credential("old", days=1)
    world.app.add_certificate(pem)
    tokens = world.tokens(old, new_credential("unregistered")[0])
    world.clock.offset = 2 * 86_400
    error = await refused(tokens)
    assert (error.code, world.token_requests()) == ("E-CLOCK", 2), "ours was the clock that was wrong"
    world.clock.offset = 0.0
    tokens.retry_at = 0.0
    assert await tokens.token()
    assert tokens.in_use == old


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tenant_id": "7885c852-6065-4136-833e-5ef5a4c9919b"}, "E-TENANT"),
        ({"tenant_id": "exmaple.edu"}, "E-TENANT"),
        ({"client_id": "7885c852-6065-4136-833e-5ef5a4c9919b"}, "E-APP"),
        ({"graph_url": "https://graph.microsoft.us"}, "E-RESOURCE"),
    ],
)
async def test_what_is_wrong_in_the_configuration_is_named(
    world: World, changes: dict[str, str], code: str
) -> None:
    error = await refused(world.tokens(**changes))
    assert (type(error), error.code) == (RefusedError, code)
    assert error.exit_code == 6
    (wrong,) = changes.values()
    assert wrong in f"{error.what}{error.why}"


async def test_the_tenant_may_be_named_by_its_domain(world: World) -> None:
    assert await world.tokens(tenant_id="example.edu").token()


@pytest.mark.parametrize(
    ("offset", "words"), [(664, r"11 min 0[345] s ahead of"), (-7384, "2 h 03 min behind")]
)
async def test_a_wrong_clock_is_said_in_figures_and_heals_by_itself(
    world: World, offset: float, words: str
) -> None:
    world.clock.offset = offset
    tokens = world.tokens()
    error = await refused(tokens)
    assert (type(error), error.code, error.origin) == (RefusedError, "E-CLOCK", "AADSTS700024")
    assert re.fullmatch(f"This computer's clock is {words} Microsoft's.", error.what)
    world.clock.offset = 0.0
    tokens.retry_at = 0.0
    assert await tokens.token()


async def test_an_endpoint_that_cannot_be_reached_is_a_passing_trouble(world: World) -> None:
    error = await refused(world.tokens(login_url="https://127.0.0.1:1"))
    assert (type(error), error.code) == (ServiceUnavailable, "E-LOGIN-DOWN")
    assert "127.0.0.1:1 could not be reached" in error.why


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http("200 OK", b"<html>Sign in to the guest network</html>"), "E-LOGIN-ANSWER"),
        (http("403 Forbidden", b"<html>Blocked by policy</html>"), "E-LOGIN-ANSWER"),
        (http("200 OK", b"{}"), "E-LOGIN-ANSWER"),
        (http("429 Too Many Requests", b"Too Many Requests", "Retry-After: 60"), "E-LOGIN-BUSY"),
        (http("502 Bad Gateway", b"\xff\xfe"), "E-LOGIN-BUSY"),
    ],
)
async def test_what_is_not_an_answer_of_microsoft_is_never_taken_for_a_refusal(
    world: World, answer: bytes, code: str
) -> None:
    async with world.answered_with(answer) as (tokens, _):
        error = await refused(tokens)
    assert (type(error), error.code) == (ServiceUnavailable, code)


async def test_a_token_without_permission_is_recognised(world: World) -> None:
    tokens = world.tokens()
    assert tokens.roles() is None
    await tokens.token()
    assert tokens.roles() == frozenset({"Calendars.ReadWrite"})
    assert "API permissions" not in tokens.no_mailbox_open().do
    world.app.revoke("Calendars.ReadWrite")
    world.pass_time(1)
    tokens.invalidate(await tokens.token())
    await tokens.token()
    assert tokens.roles() == frozenset()
    error = tokens.no_mailbox_open()
    assert error.code == "E-CONSENT"
    assert "Grant admin consent" in error.do


async def test_nothing_shown_in_a_log_shows_a_token(world: World) -> None:
    tokens = world.tokens()
    token = await tokens.token()
    assert token not in repr(vars(tokens))
