"""The administrative API: person, controls, and what can be watched."""

import math
from typing import Any

import pytest
from openapi_spec_validator import validate
from tests.sandbox.administrator import Administrator
from tests.sandbox.client import TAG, World, lecture, tag

from classbell.sandbox import Sandbox


def test_a_person_edits_copies_drags_deletes_and_restores(
    world: World, admin: Administrator, home: str
) -> None:
    event = world.create(singleValueExtendedProperties=tag("x"))["id"]
    edited = admin.do("PATCH", f"{home}/events/{event}", {"subject": "Mine"})
    assert edited["subject"] == "Mine"
    other = admin.do("POST", f"{home}/calendars", {"name": "Other"})["id"]
    copy = admin.do("POST", f"{home}/events/{event}/copy", {"calendar": other})["id"]
    twin = admin.get(f"{home}/events/{copy}").body
    assert twin["singleValueExtendedProperties"] == [{"id": TAG, "value": "x"}]
    admin.do("POST", f"{home}/events/{event}/move", {"calendar": other})
    assert world.graph.get(world.events).body["value"] == []
    before = admin.get(f"{home}/events/{event}").body["changeKey"]
    admin.do("POST", f"{home}/events/{event}/touch")
    assert admin.get(f"{home}/events/{event}").body["changeKey"] != before
    admin.do("DELETE", f"{home}/events/{event}")
    assert [told["id"] for told in admin.get(f"{home}/deleted-events").body] == [event]
    admin.do("POST", f"{home}/events/{event}/restore", {})
    assert [told["subject"] for told in world.graph.get(world.events).body["value"]] == ["Mine"]
    admin.do("DELETE", f"{home}/events/{event}?for_good=true")
    assert admin.refused("GET", f"{home}/events/{event}")[0] == 404


def test_a_person_makes_events_and_calendars(world: World, admin: Administrator, home: str) -> None:
    other = admin.do("POST", f"{home}/calendars", {"name": "Other"})["id"]
    event = admin.do("POST", f"{home}/events", {"event": lecture(), "calendar": other})["id"]
    admin.do("PATCH", f"{home}/calendars/{other}", {"name": "Another"})
    assert [told["name"] for told in admin.get(f"{home}/calendars").body] == ["Calendar", "Another"]
    view = "begin=2026-09-21T00:00:00Z&end=2026-09-22T00:00:00Z"
    assert [told["id"] for told in admin.get(f"{home}/events?{view}").body] == [event]
    assert [told["id"] for told in admin.get(f"{home}/events").body] == [event]
    admin.do("DELETE", f"{home}/calendars/{other}")
    assert admin.get(f"{home}/events").body == []
    assert {record.detail["cause"] for record in world.sandbox.history if record.change} >= {"user"}


def test_a_person_meets_the_refusals_of_outlook(world: World, admin: Administrator, home: str) -> None:
    told = admin.ask("POST", f"{home}/events", {"event": {"subject": "no time"}})
    assert (told.status, told.body["error"]["code"]) == (400, "ErrorPropertyValidationFailure")
    default = admin.get(f"{home}/calendars").body[0]["id"]
    assert admin.refused("DELETE", f"{home}/calendars/{default}")[0] == 400
    assert world.ada.events() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tenants/nowhere.edu"),
        ("GET", "{tenant}/apps/none"),
        ("DELETE", "{tenant}/apps/{app}/certificates/AB"),
        ("GET", "{tenant}/mailboxes/none@example.edu"),
        ("GET", "{home}/events/none"),
        ("POST", "{home}/events/none/copy"),
        ("POST", "{home}/events/{event}/move?"),
        ("DELETE", "{home}/calendars/none"),
        ("DELETE", "/faults/4711"),
        ("GET", "/nothing-like-that"),
    ],
)
def test_what_is_not_there_is_told_with_404(
    world: World, admin: Administrator, home: str, method: str, path: str
) -> None:
    event = world.create()["id"]
    tenant = f"/tenants/{world.tenant.domain}"
    filled = path.format(tenant=tenant, app=world.app.client_id, home=home, event=event)
    body = {"calendar": "none"} if method == "POST" else None
    assert admin.refused(method, filled, body)[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tenants", {"domain": ""}),
        ("POST", "/tenants", {"domain": "x.edu", "colour": "red"}),
        ("POST", "/faults", {"effect": "503-before", "metod": "POST"}),
        ("POST", "/faults", {}),
        ("PUT", "/latency", {"seconds": -1}),
        ("PUT", "/clock", {"now": "soon"}),
        ("GET", "/history?after=-1", None),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(
    admin: Administrator, method: str, path: str, body: Any
) -> None:
    status, message = admin.refused(method, path, body)
    assert status == 422
    assert message.startswith(("body.", "query."))


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/faults", {"effect": "fire"}, "no effect"),
        ("/faults", {"effect": "503", "share": 2}, "share lies between"),
        ("/switches", {"if_match": True}, "no switch is called"),
        ("/switches", {"top_clamp": "many"}, "Expected `int`"),
    ],
)
def test_what_is_impossible_is_refused_in_words(
    admin: Administrator, path: str, body: dict[str, Any], says: str
) -> None:
    before = admin.get(path).body
    status, message = admin.refused("PATCH" if path == "/switches" else "POST", path, body)
    assert status == 400
    assert says in message
    assert admin.get(path).body == before


def test_switches_are_read_and_set_one_by_one(world: World, admin: Administrator) -> None:
    told = admin.do("PATCH", "/switches", {"duplicate_transaction_status": 409, "transaction_memory": 5})
    assert (told["duplicate_transaction_status"], told["if_match_on_delete"]) == (409, True)
    assert world.sandbox.switches.transaction_memory == 5
    assert admin.do("PATCH", "/switches", {"transaction_memory": "inf"}) == admin.get("/switches").body
    assert world.sandbox.switches.transaction_memory == math.inf


def test_the_clock_is_set_and_advanced(world: World, admin: Administrator) -> None:
    told = admin.do("PUT", "/clock", {"now": "2026-10-01T08:00:00+02:00"})
    assert told["now"].startswith("2026-10-01T06:00:00")
    told = admin.do("POST", "/clock/advance", {"seconds": 3600})
    assert told["now"].startswith("2026-10-01T07:00:0")
    assert admin.get("/clock").body["now"].startswith("2026-10-01T07:00:0")
    world.graph = world.sign_in()
    assert world.create()["createdDateTime"].startswith("2026-10-01T07:00:0")


def test_the_clock_keeps_to_the_years_that_mailboxes_know(world: World, admin: Administrator) -> None:
    before = world.sandbox.clock.now()
    for refused in (
        admin.ask("POST", "/clock/advance", {"seconds": 1e12}),
        admin.ask("PUT", "/clock", {"now": "9999-01-01T00:00:00Z"}),
        admin.ask("PUT", "/clock", {"now": "1969-12-31T00:00:00Z"}),
    ):
        assert (refused.status, refused.body["error"]["code"]) == (400, "Impossible")
    assert world.sandbox.clock.now() - before < 60


def test_latency_is_fixed_or_drawn(world: World, admin: Administrator) -> None:
    admin.do("PUT", "/latency", {"seconds": 0.25})
    assert (world.sandbox.latency, admin.get("/latency").body) == (0.25, {"seconds": 0.25})
    admin.do("PUT", "/latency", {"seed": 1, "scale": 0.001})
    assert admin.get("/latency").body == {"drawn": True}
    assert world.graph.get(world.events).status == 200


def test_the_same_seed_draws_the_same_again(world: World, admin: Administrator) -> None:
    def drawn() -> list[str]:
        admin.do("PUT", "/seed", {"seed": 99})
        return [str(world.sandbox.faults._random.random()), world.graph.get(world.home).headers["request-id"]]

    assert drawn() == drawn()


def test_a_tenant_is_throttled_as_a_whole(world: World, admin: Administrator) -> None:
    admin.do("POST", f"/tenants/{world.tenant.domain}/throttle", {"seconds": 30})
    assert world.graph.get(world.events).status == 429
    assert world.tenant.tenant_id in admin.get("/limits").body["throttled_tenants"]
    admin.do("POST", "/clock/advance", {"seconds": 31})
    assert world.graph.get(world.events).status == 200


def test_the_history_comes_as_json_lines_page_by_page(world: World, admin: Administrator) -> None:
    start = len(world.sandbox.history)
    for _ in range(3):
        world.create()
    first = admin.get(f"/history?after={start}&limit=4")
    assert first.headers["content-type"] == "application/jsonl"
    assert first.lines == [record.told() for record in world.sandbox.history[start : start + 4]]
    rest = admin.get(f"/history?after={first.headers['x-after']}")
    assert [told["number"] for told in rest.lines] == [start + 5, start + 6]
    assert rest.headers["x-after"] == str(start + 6)
    assert admin.get(f"/history?after={start + 6}").text == ""


def test_the_history_is_filtered_by_kind_application_and_mailbox(world: World, admin: Administrator) -> None:
    start = len(world.sandbox.history)
    world.create()
    world.ada.put_event(lecture())
    world.graph.get("/users/nobody@example.edu/events")
    ada, app = world.ada.address.upper(), world.app.client_id

    def kinds(query: str) -> list[str]:
        return [told["kind"] for told in admin.get(f"/history?after={start}&{query}").lines]

    assert kinds("") == ["change", "request", "change", "refusal"]
    assert kinds("kind=change") == ["change", "change"]
    assert kinds(f"app={app}") == ["change", "request", "refusal"]
    assert kinds(f"mailbox={ada}") == ["change", "request", "change"]
    assert kinds(f"mailbox={ada}&app={app}&kind=request") == ["request"]


def test_what_is_done_to_the_sandbox_stands_in_its_history(world: World, admin: Administrator) -> None:
    start = len(world.sandbox.history)
    admin.do("PUT", "/latency", {"seconds": 0})
    admin.ask("POST", "/tenants", {"domain": ""})
    admin.get("/clock")
    told = [
        (record.kind, record.method, record.path, record.status) for record in world.sandbox.history[start:]
    ]
    assert told == [
        ("administration", "PUT", "/_sandbox/latency", 204),
        ("administration", "POST", "/_sandbox/tenants", 422),
    ]


def test_the_outbox_tells_mails_from_a_number_on(world: World, admin: Administrator, home: str) -> None:
    start = len(world.sandbox.outbox)
    guests = [{"emailAddress": {"address": f"guest{number}@example.org"}} for number in range(3)]
    admin.do("POST", f"{home}/events", {"event": lecture(attendees=guests)})
    mails = admin.get(f"/outbox?after={start + 1}").body
    assert [(mail["number"], mail["recipient"]) for mail in mails] == [
        (start + 2, "guest1@example.org"),
        (start + 3, "guest2@example.org"),
    ]
    assert (mails[0]["kind"], mails[0]["cause"]) == ("invitation", "user")


def test_limits_tell_who_uses_how_much(world: World, admin: Administrator) -> None:
    # Beyond the windows of what other tests did.
    world.sandbox.clock.advance(1200)
    for _ in range(3):
        world.create()
    told = admin.get("/limits?limit=1000").body
    assert told["limits"] == {"in_flight": 4, "requests": 10_000, "upload": 150_000_000}
    assert told["peak_in_flight"] == world.sandbox.peak_in_flight()
    (used,) = [used for used in told["in_use"] if used["mailbox"] == world.ada.id]
    assert (used["app"], used["requests"], used["in_flight"]) == (world.app.client_id, 3, 0)
    assert used["upload"] > 100
    assert used["peak"] == 1


def test_limits_can_be_made_tighter_than_the_services(world: World, admin: Administrator) -> None:
    world.sandbox.clock.advance(1200)
    admin.do("PATCH", "/limits", {"requests": 2, "upload": 1000})
    try:
        answers = [world.graph.get(world.events) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert "refused for another" in admin.get("/pages/limits").text
        (used,) = [used for used in admin.get("/limits").body["in_use"] if used["mailbox"] == world.ada.id]
        assert used["fence"] > 500
        assert admin.refused("PATCH", "/limits", {"in_flight": 0})[0] == 422
    finally:
        admin.do("PATCH", "/limits", {"requests": 10_000, "upload": 150_000_000})
    assert world.graph.get(world.events).status == 200


def test_the_api_describes_itself(admin: Administrator) -> None:
    description = admin.get("/openapi.json").body
    validate(description)
    assert {"/history", "/faults", "/tenants/{tenant}/mailboxes/{mailbox}/events/{event}"} <= set(
        description["paths"]
    )
    assert all(
        method["summary"] and method["description"]
        for path in description["paths"].values()
        for method in path.values()
    )


def test_no_page_from_elsewhere_can_use_it(world: World, admin: Administrator) -> None:
    told = admin.ask("PUT", "/latency", {"seconds": 5}, Origin="https://evil.example")
    assert (told.status, told.body["error"]["code"]) == (403, "CrossOrigin")
    assert world.sandbox.latency == 0.0
    own = f"https://localhost:{world.address.port}"
    assert admin.ask("PUT", "/latency", {"seconds": 0}, Origin=own).status == 204


def test_other_computers_cannot_use_it_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # An address of this computer beside loopback need not exist where the tests run.
    monkeypatch.setattr("classbell.sandbox.surfaces._is_loopback", lambda host: host != "127.0.0.1")
    for opened, status in ((False, 403), (True, 200)):
        with Sandbox().serve(host="127.0.0.1", open_administration=opened) as address:
            outsider = Administrator(address)
            assert outsider.ask("GET", "/tenants").status == status
            outsider.close()


def test_what_is_reproduced_of_microsoft_365_is_described_beside_it(admin: Administrator) -> None:
    told = admin.get("/microsoft.openapi.json").body
    validate(told)
    assert {path.split("/")[1] for path in told["paths"]} == {"v1.0", "api", "{tenant}"}
