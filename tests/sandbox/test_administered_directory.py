"""The administrative API: tenants, applications with what they may, and mailboxes."""

from tests.sandbox.administrator import Administrator
from tests.sandbox.client import Certificate, Client, Wire, World, lecture


def test_a_tenant_is_set_up_over_the_api_until_a_client_gets_in(
    world: World, admin: Administrator, certificate: Certificate
) -> None:
    domain = f"new.{world.tenant.domain}"
    tenant = admin.do("POST", "/tenants", {"domain": domain})
    app = admin.do(
        "POST",
        f"/tenants/{domain}/apps",
        {"name": "New", "certificates": [certificate.pem.decode()], "permissions": ["Calendars.ReadWrite"]},
    )
    path = f"/tenants/{tenant['tenant_id']}/mailboxes"
    (mailbox,) = admin.do("POST", path, {"mailboxes": [{"address": f"eve@{domain}"}]})
    assert admin.get(f"{path}/{mailbox['id']}").body == mailbox
    found = next(known for known in world.sandbox.tenants if known.domain == domain)
    wire = Wire(world.address)
    new = World(
        world.sandbox,
        world.address,
        found,
        found.apps[app["client_id"]],
        certificate,
        wire,
        found.mailbox(f"eve@{domain}"),
        Client(wire),
    )
    assert new.sign_in().post(f"/users/eve@{domain}/events", lecture()).status == 201
    wire.close()
    told = admin.get(f"/tenants/{domain}").body
    assert told == tenant | {"apps": [app["client_id"]], "mailboxes": 1}
    assert told in admin.get("/tenants").body


def test_certificates_permissions_and_policies_are_given_and_taken(
    world: World, admin: Administrator, certificate: Certificate
) -> None:
    path = f"/tenants/{world.tenant.tenant_id}/apps/{world.app.client_id}"
    (known,) = admin.get(path).body["certificates"]
    admin.do("DELETE", f"{path}/certificates/{known['sha256']}")
    assert world.ask_token().status == 401
    admin.do("POST", f"{path}/certificates", {"pem": certificate.pem.decode()})
    admin.do("DELETE", f"{path}/permissions/Calendars.ReadWrite")
    admin.do("PUT", f"{path}/permissions/Calendars.Read")
    reader = world.sign_in()
    assert reader.post(world.events, lecture()).status == 403
    assert reader.get(world.events).status == 200
    admin.do("PUT", f"{path}/policy", {"mailboxes": ["bob@example.edu"]})
    assert reader.get(world.events).status == 403
    admin.do("PUT", f"{path}/policy", {"mailboxes": None})
    assert reader.get(world.events).status == 200
    assert admin.do("PATCH", path, {"name": "Other"})["name"] == "Other"
    assert admin.get(f"/tenants/{world.tenant.domain}/apps").body == [admin.get(path).body]


def test_an_application_loses_its_tokens_its_service_principal_and_itself(
    world: World, admin: Administrator
) -> None:
    path = f"/tenants/{world.tenant.tenant_id}/apps/{world.app.client_id}"
    admin.do("POST", f"{path}/revoke-tokens")
    assert world.graph.get(world.events).status == 401
    assert admin.do("PATCH", path, {"enabled": False})["enabled"] is False
    assert world.ask_token().body["error_codes"] == [7000112]
    admin.do("PATCH", path, {"enabled": True})
    fresh = world.sign_in()
    admin.do("DELETE", path)
    assert fresh.get(world.events).status == 401
    assert world.ask_token().body["error_codes"] == [700016]


def test_mailboxes_are_searched_paged_renamed_and_put_into_states(
    world: World, admin: Administrator, home: str
) -> None:
    path = f"/tenants/{world.tenant.domain}/mailboxes"
    many = [{"address": f"s{number}@{world.tenant.domain}"} for number in range(5)]
    admin.do("POST", path, {"mailboxes": many})
    assert [told["address"][:2] for told in admin.get(f"{path}?search=S&offset=1&limit=2").body] == [
        "s1",
        "s2",
    ]
    admin.do("PATCH", home, {"state": "full"})
    assert world.graph.post(world.events, lecture()).code == "ErrorQuotaExceeded"
    new = f"lovelace@{world.tenant.domain}"
    told = admin.do("PATCH", home, {"state": "active", "address": new})
    assert (told["address"], told["state"]) == (new, "active")
    assert world.graph.get(f"/users/{new}/events").status == 200


def test_nothing_is_added_twice_or_by_halves(world: World, admin: Administrator) -> None:
    tenant = f"/tenants/{world.tenant.domain}"
    ada, bob = world.ada.address, f"bob@{world.tenant.domain}"
    assert admin.refused("POST", "/tenants", {"domain": world.tenant.domain})[0] == 400
    for pair in ([bob, ada], [bob, bob.upper()]):
        mailboxes = [{"address": address} for address in pair]
        assert admin.refused("POST", f"{tenant}/mailboxes", {"mailboxes": mailboxes})[0] == 400
    assert [mailbox.address for mailbox in world.tenant.mailboxes()] == [ada]
    admin.do("POST", f"{tenant}/mailboxes", {"mailboxes": [{"address": bob}]})
    assert admin.refused("PATCH", f"{tenant}/mailboxes/{bob}", {"address": ada})[0] == 400
    app = {"name": "x", "certificates": ["no PEM"]}
    assert admin.refused("POST", f"{tenant}/apps", app)[0] == 400
    again = {"name": "x", "client_id": world.app.client_id}
    assert admin.refused("POST", f"{tenant}/apps", again)[0] == 400
    assert list(world.tenant.apps) == [world.app.client_id]


def test_an_application_is_changed_as_its_administrators_may(world: World, admin: Administrator) -> None:
    path = f"/tenants/{world.tenant.domain}/apps/{world.app.object_id}"
    wanted = {"required": ["Calendars.Read"], "redirect_uris": ["https://x.example/"], "public": True}
    told = admin.do("PATCH", path, wanted)
    assert told == told | wanted
    assert world.ask_token().body["error_codes"] == [700025]
    admin.do("PATCH", path, {"public": False, "blocked_by": "c0ffee"})
    assert world.ask_token().body["error_codes"] == [53003]
    assert admin.do("PATCH", path, {"blocked_by": ""})["blocked_by"] == ""
    assert world.ask_token().status == 200
    assert admin.refused("PATCH", path, {"required": ["World.Rule"], "name": "x"})[0] == 400
    assert admin.get(path).body["required"] == ["Calendars.Read"]


def test_roles_and_permissions_of_exchange_are_given_and_taken(world: World, admin: Administrator) -> None:
    path = f"/tenants/{world.tenant.domain}/apps/{world.app.client_id}"
    admin.do("PUT", f"{path}/exchange-permissions/Calendars.ReadWrite.All")
    assert admin.get(path).body["exchange_permissions"] == ["Calendars.ReadWrite.All"]
    admin.do("DELETE", f"{path}/exchange-permissions/Calendars.ReadWrite.All")
    assert admin.get(path).body["exchange_permissions"] == []
    admin.do("DELETE", f"{path}/permissions/Calendars.ReadWrite")
    client = world.sign_in()
    role = f"{path}/exchange-roles/Application%20Calendars.Read"
    admin.do("PUT", role, {"mailboxes": [world.ada.address]})
    assert client.get(world.events).status == 200
    admin.do("DELETE", role)
    assert client.get(world.events).status == 403
    assert admin.refused("DELETE", role)[0] == 404
    assert admin.refused("PUT", f"{path}/exchange-roles/King", {"mailboxes": None})[0] == 400
