"""The pages on which an administrator grants what an application asks for."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.sandbox.client import Answer, World
from tests.sandbox.test_tokens import decoded

BACK = "https://timetable.example.edu/consented?from=entra"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BOTH = pytest.mark.parametrize("version", ["", "v2.0/"])


@pytest.fixture
def asking(world: World) -> World:
    """The application asks for two permissions and has none."""
    world.app.revoke("Calendars.ReadWrite")
    world.app.require("Calendars.ReadWrite", "MailboxSettings.Read")
    world.app.redirect_uris.append(BACK)
    return world


def path(world: World, version: str, tenant: str | None = None, **changes: str | None) -> str:
    query = {"client_id": world.app.client_id, "redirect_uri": BACK, "state": "a b&c"}
    query |= {"scope": "https://graph.microsoft.com/.default"} if version else {}
    sent = {name: value for name, value in {**query, **changes}.items() if value is not None}
    return f"/{tenant or world.tenant.tenant_id}/{version}adminconsent?{urlencode(sent)}"


def decide(world: World, where: str, decision: str) -> Answer:
    """Press a button."""
    return world.wire.send("POST", where, urlencode({"decision": decision}).encode(), FORM)


def result(answer: Answer) -> dict[str, str]:
    """What the application's own page is told."""
    assert answer.status == 302
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK.partition("?")[0]
    return {name: value for name, (value,) in parse_qs(parts.query).items()}


@BOTH
def test_the_page_names_the_application_and_what_it_asks_for_and_grants_nothing(
    asking: World, version: str
) -> None:
    answer = asking.wire.send("GET", path(asking, version))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    for text in ("Timetables", asking.app.client_id, asking.tenant.domain, "not Microsoft 365"):
        assert text in answer.body
    assert "<li>Calendars.ReadWrite</li>\n<li>MailboxSettings.Read</li>" in answer.body
    assert "roles" not in decoded(asking.ask_token())


@BOTH
def test_accept_grants_what_is_required_and_leads_back(asking: World, version: str) -> None:
    told = result(decide(asking, path(asking, version), "accept"))
    wanted = {"from": "entra", "admin_consent": "True", "tenant": asking.tenant.tenant_id, "state": "a b&c"}
    assert told == wanted | ({"scope": "https://graph.microsoft.com/.default"} if version else {})
    assert decoded(asking.ask_token())["roles"] == ["Calendars.ReadWrite", "MailboxSettings.Read"]


def test_consent_shows_in_later_tokens_only(asking: World) -> None:
    early = asking.sign_in()
    decide(asking, path(asking, ""), "accept")
    assert early.get(asking.events).status == 403
    assert asking.sign_in().get(asking.events).status == 200


def test_cancel_grants_nothing_and_tells_the_application(asking: World) -> None:
    told = result(decide(asking, path(asking, "v2.0/"), "cancel"))
    assert (told["admin_consent"], told["error"], told["state"]) == ("True", "consent_required", "a b&c")
    assert told["error_description"].startswith("AADSTS65004: The resource owner or authorization server")
    assert "tenant" not in told
    assert "roles" not in decoded(asking.ask_token())


def test_cancel_on_the_v1_page_has_its_own_words(asking: World) -> None:
    told = result(decide(asking, path(asking, ""), "cancel"))
    assert told == {
        "from": "entra",
        "error": "permission_denied",
        "error_description": "The admin canceled the request",
        "state": "a b&c",
    }


@BOTH
def test_a_redirect_uri_must_be_registered_letter_by_letter(asking: World, version: str) -> None:
    where = path(asking, version, redirect_uri="https://timetable.example.edu/consented")
    answer = decide(asking, where, "accept")
    assert (answer.status, "location" in answer.headers) == (400, False)
    assert "AADSTS50011: The redirect URI" in answer.body
    assert "roles" not in decoded(asking.ask_token())


def test_the_v1_page_may_end_where_it_is(asking: World) -> None:
    answer = decide(asking, path(asking, "", redirect_uri=None), "accept")
    assert (answer.status, "<h1>Granted</h1>" in answer.body) == (200, True)
    assert "roles" in decoded(asking.ask_token())


def test_the_v2_page_needs_a_redirect_uri(asking: World) -> None:
    answer = asking.wire.send("GET", path(asking, "v2.0/", redirect_uri=None))
    assert (answer.status, "AADSTS50011" in answer.body) == (400, True)


@pytest.mark.parametrize(
    ("scope", "code"),
    [(None, "AADSTS900144"), ("https://graph.microsoft.com/Calendars.ReadWrite", "AADSTS1002012")],
)
def test_the_v2_page_needs_the_default_scope(asking: World, scope: str | None, code: str) -> None:
    answer = asking.wire.send("GET", path(asking, "v2.0/", scope=scope))
    assert (answer.status, code in answer.body) == (400, True)


@pytest.mark.parametrize("tenant", ["common", "organizations"])
def test_without_a_tenant_the_page_is_that_of_the_administrators_own(asking: World, tenant: str) -> None:
    told = result(decide(asking, path(asking, "", tenant=tenant), "accept"))
    assert told["tenant"] == asking.tenant.tenant_id


@pytest.mark.parametrize(
    ("tenant", "client_id", "code"),
    [
        (None, "11111111-2222-4333-8444-555555555555", "AADSTS700016"),
        (None, None, "AADSTS900144"),
        ("common", "11111111-2222-4333-8444-555555555555", "AADSTS700016"),
        ("nowhere.example.org", "11111111-2222-4333-8444-555555555555", "AADSTS90002"),
    ],
)
def test_an_unknown_application_or_tenant_has_a_page_that_says_so(
    asking: World, tenant: str | None, client_id: str | None, code: str
) -> None:
    answer = asking.wire.send("GET", path(asking, "", tenant=tenant, client_id=client_id))
    assert (answer.status, code in answer.body) == (400, True)


def test_names_on_the_page_are_text_and_nothing_else(world: World) -> None:
    world.app.name = "<script>alert(1)</script>"
    answer = world.wire.send("GET", path(world, "", redirect_uri=None))
    assert "<script>" not in answer.body
    assert "&lt;script&gt;" in answer.body
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_consent_is_in_the_history(asking: World) -> None:
    before = len(asking.sandbox.history)
    decide(asking, path(asking, ""), "accept")
    decide(asking, path(asking, ""), "cancel")
    asking.wire.send("GET", path(asking, "", client_id="nobody"))
    found = [(each.kind, each.status, each.detail) for each in asking.sandbox.history[before:]]
    assert found == [
        ("request", 302, {}),
        ("refusal", 302, {"code": "permission_denied"}),
        ("refusal", 400, {"code": "AADSTS700016"}),
    ]
    assert asking.sandbox.history[before].app == asking.app.client_id


def test_only_permissions_that_graph_has_can_be_required(world: World) -> None:
    with pytest.raises(ValueError, match="none of"):
        world.app.require("Calendars.ReadWrite.Everything")
