"""The server around it all, and the file that describes a sandbox."""

import asyncio
import http.client
import ssl
import urllib.request
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from tests.sandbox.client import MONDAY, Certificate, Client, Wire, World, lecture

from classbell.sandbox import NOTICE, Refusal, Sandbox, SandboxFileError, notice


@pytest.mark.parametrize(
    "path",
    ["/", "/v1.0/users", "/common/oauth2/v2.0/token", "/x/v2.0/.well-known/openid-configuration", "/x/y/z"],
)
def test_every_answer_says_that_it_is_not_microsoft_365(world: World, path: str) -> None:
    assert world.wire.send("GET", path).headers["x-sandbox"] == "not Microsoft 365"


def test_the_line_for_the_start_says_it_loudly(world: World) -> None:
    line = notice(world.address)
    assert line.startswith(NOTICE)
    assert "NOT Microsoft 365" in line
    assert world.address.url in line
    assert str(world.address.ca_file) in line


def test_ordinary_headers_of_graph_are_there(world: World) -> None:
    wanted = "11111111-2222-4333-8444-555555555555"
    headers = world.graph.get(world.events, client_request_id=wanted).headers
    assert headers["client-request-id"] == wanted
    assert len(headers["request-id"]) == 36
    assert headers["odata-version"] == "4.0"
    assert headers["cache-control"] == "private"
    assert headers["content-type"].startswith("application/json;odata.metadata=minimal")
    assert "date" in headers


def test_answers_are_dated_by_the_clock_of_the_sandbox(world: World) -> None:
    for answer in (world.graph.get(world.events), world.ask_token(), Client(world.wire).get(world.events)):
        assert parsedate_to_datetime(answer.headers["date"]) - MONDAY < timedelta(minutes=1)
    world.sandbox.clock.advance(3600)
    dated = parsedate_to_datetime(world.ask_token().headers["date"])
    assert timedelta(hours=1) <= dated - MONDAY < timedelta(hours=1, minutes=1)


def test_only_a_client_that_trusts_the_ca_can_connect(world: World) -> None:
    stranger = http.client.HTTPSConnection(
        "localhost", world.address.port, context=ssl.create_default_context()
    )
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("GET", "/")
    stranger.close()


def test_each_sandbox_has_a_ca_of_its_own(world: World) -> None:
    with Sandbox().serve() as address:
        own, other = (
            x509.load_pem_x509_certificate(one.ca_file.read_bytes()) for one in (world.address, address)
        )
        assert own.public_key() != other.public_key()


def test_it_ends_at_once_although_a_client_keeps_its_connection(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox().serve() as address:
        wire = Wire(address)
        wire.send("GET", "/")
    assert caplog.text == "", "it waited until its patience was over"
    with pytest.raises(OSError, match=r".*"):
        wire.send("GET", "/")
    wire.close()


def test_the_ca_and_the_state_stay_the_same_when_it_serves_again() -> None:
    sandbox = Sandbox()
    sandbox.add_tenant("example.edu")
    authorities = []
    for _ in range(2):
        with sandbox.serve() as address:
            wire = Wire(address)
            assert wire.send("GET", "/example.edu/v2.0/.well-known/openid-configuration").status == 200
            authorities.append(address.ca_file.read_bytes())
            wire.close()
    assert authorities[0] == authorities[1]
    with pytest.raises(ConnectionRefusedError):
        wire.send("GET", "/")


def test_it_listens_on_loopback_only_unless_told_otherwise() -> None:
    with pytest.raises(ValueError, match="is not loopback"), Sandbox().serve(host="0.0.0.0"):  # noqa: S104 - refused
        pass


def test_it_serves_on_the_address_that_it_names() -> None:
    with Sandbox().serve(host="127.0.0.2") as address:
        context = ssl.create_default_context(cafile=str(address.ca_file))
        with urllib.request.urlopen(f"{address.url}/x/discovery/v2.0/keys", context=context) as answer:  # noqa: S310 - https
            assert (address.url, answer.status) == (f"https://127.0.0.2:{address.port}", 200)


def test_beyond_loopback_has_to_be_asked_for_in_so_many_words() -> None:
    with Sandbox().serve(host="0.0.0.0", beyond_loopback=True, names=["sandbox.example.edu"]) as address:  # noqa: S104 - the flag's purpose
        assert address.url == f"https://sandbox.example.edu:{address.port}"


def test_the_ca_can_be_kept_in_a_folder_of_choice(tmp_path: Path) -> None:
    with Sandbox().serve(directory=tmp_path / "new") as address:
        assert address.ca_file == tmp_path / "new" / "sandbox-ca.pem"
    assert address.ca_file.exists()


def test_it_serves_inside_a_running_loop() -> None:
    async def run() -> int:
        sandbox = Sandbox()
        sandbox.add_tenant("example.edu")
        async with sandbox.serving() as address:
            context = ssl.create_default_context(cafile=str(address.ca_file))
            url = f"{address.login_url}/example.edu/v2.0/.well-known/openid-configuration"
            async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as answer:
                return answer.status

    assert asyncio.run(run()) == 200


def test_login_and_graph_are_behind_one_address(world: World) -> None:
    assert world.address.login_url == world.address.graph_url == world.address.url
    assert world.address.url == f"https://localhost:{world.address.port}"


def test_a_file_describes_a_whole_sandbox(tmp_path: Path, certificate: Certificate) -> None:
    (tmp_path / "cert.pem").write_bytes(certificate.pem)
    (tmp_path / "people.txt").write_text("bob@example.edu\n\neve@example.edu\n")
    (tmp_path / "sandbox.toml").write_text(
        """
        seed = 7
        clock = 2026-09-21T06:00:00Z
        token_lifetime = 900

        [switches]
        duplicate_transaction_status = 409
        transaction_memory = inf

        [[tenants]]
        domain = "example.edu"
        tenant_id = "11111111-2222-4333-8444-555555555555"
        mailboxes = ["ada@example.edu", { address = "old@example.edu", state = "unlicensed" }]
        mailboxes_file = "people.txt"

        [[tenants.apps]]
        name = "Timetables"
        client_id = "99999999-2222-4333-8444-555555555555"
        certificates = ["cert.pem"]
        permissions = ["Calendars.ReadWrite"]
        mailboxes = ["ada@example.edu", "old@example.edu"]
        """
    )
    sandbox = Sandbox.from_file(tmp_path / "sandbox.toml")
    (tenant,) = sandbox.tenants
    assert sandbox.switches.duplicate_transaction_status == 409
    assert [mailbox.address.partition("@")[0] for mailbox in tenant.mailboxes()] == [
        "ada",
        "old",
        "bob",
        "eve",
    ]
    with sandbox.serve() as address:
        wire = Wire(address)
        app = tenant.apps["99999999-2222-4333-8444-555555555555"]
        made = World(
            sandbox, address, tenant, app, certificate, wire, tenant.mailbox("ada@example.edu"), Client(wire)
        )
        assert made.ask_token().body["expires_in"] == 899
        client = made.sign_in()
        assert client.post("/users/ada@example.edu/events", lecture()).status == 201
        assert client.get("/users/old@example.edu/events").code == "MailboxNotEnabledForRESTAPI"
        assert client.get("/users/bob@example.edu/events").code == "ErrorAccessDenied"
        wire.close()


def test_a_file_describes_what_an_application_asks_for_and_its_roles_in_exchange(tmp_path: Path) -> None:
    (tmp_path / "sandbox.toml").write_text(
        """
        [[tenants]]
        domain = "example.edu"
        mailboxes = ["ada@example.edu", "bob@example.edu"]

        [[tenants.apps]]
        name = "Timetables"
        object_id = "AAAAAAAA-2222-4333-8444-555555555555"
        required_permissions = ["Calendars.ReadWrite", "MailboxSettings.Read"]
        redirect_uris = ["https://timetable.example.edu/consented"]
        exchange_roles = [
          { role = "Application Calendars.ReadWrite", mailboxes = ["Ada@example.edu"] },
          { role = "Application MailboxSettings.Read" },
        ]
        """
    )
    (tenant,) = Sandbox.from_file(tmp_path / "sandbox.toml").tenants
    (app,) = tenant.apps.values()
    assert app.object_id == "aaaaaaaa-2222-4333-8444-555555555555"
    assert app.required == {"Calendars.ReadWrite", "MailboxSettings.Read"}
    assert app.redirect_uris == ["https://timetable.example.edu/consented"]
    assert app.roles == set()
    ada, bob = tenant.mailboxes()
    writing, settings = frozenset({"Calendars.ReadWrite"}), frozenset({"MailboxSettings.Read"})
    app.exchange.check(frozenset(), writing, ada)
    app.exchange.check(frozenset(), settings, bob)
    with pytest.raises(Refusal, match="Access is denied"):
        app.exchange.check(frozenset(), writing, bob)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seed =", "Invalid value"),
        ("colour = 1", 'unknown key "colour"'),
        ("[switches]\nif_match = true", "no switch is called 'if_match'"),
        ("[limits]\nspeed = 9", "no limit is called 'speed'"),
        ("[[faults]]\neffect = 'fire'", "'fire' is no effect"),
        ("[[faults]]\neffect = 503\nverb = 'GET'", "a fault has no 'verb'"),
        ("[[faults]]\neffect = 503\ntimes = 'often'", "Expected `int`"),
        ("[[faults]]\nkind = 'token'", "`effect`"),
        ("[switches]\nduplicate_transaction_status = 418", "Invalid enum value 418"),
        ("[[tenants]]\ndomain = 'example.edu'\ntenant_id = 'x'", "'x' is no GUID"),
        (
            "[[tenants]]\ndomain = 'example.edu'\nmailboxes = [{ address = 'a@example.edu', state = 'asleep' }]",
            "'asleep' is no state of a mailbox",
        ),
        (
            "[[tenants]]\ndomain = 'example.edu'\n[[tenants.apps]]\nname = 'x'\ncertificates = ['none.pem']",
            "none.pem",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_name_and_the_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "sandbox.toml"
    path.write_text(text)
    with pytest.raises(SandboxFileError) as wrong:
        Sandbox.from_file(path)
    assert str(path) in str(wrong.value)
    assert says in str(wrong.value)


def test_a_file_scripts_faults_and_limits(tmp_path: Path) -> None:
    (tmp_path / "sandbox.toml").write_text(
        """
        [limits]
        requests = 50

        [[faults]]
        effect = "503-after"
        method = "POST"
        times = 2
        retry_after = 2.5

        [[faults]]
        effect = "drop"
        kind = "token"
        share = 0.5
        times = 0
        """
    )
    sandbox = Sandbox.from_file(tmp_path / "sandbox.toml")
    first, second = sandbox.faults
    assert (first.status, first.after, first.left, first.retry_after) == (503, True, 2, "2.5")
    assert (second.drops, second.share, second.left) == (True, 0.5, None)
    assert (sandbox.limits.allowed.requests, sandbox.limits.allowed.in_flight) == (50, 4)


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(SandboxFileError, match=r"none\.toml"):
        Sandbox.from_file(tmp_path / "none.toml")
