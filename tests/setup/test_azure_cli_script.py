"""What the script for the Azure CLI asks of it, run by bash; a program that answers stands in for the CLI."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.setup.institutions import CLIENT, NASTY, NEW, OLD, TENANT, facts, registered

from classbell.setup import Facts, parse_answer, rendered
from classbell.setup.quoting import one_line

GRAPH, EXCHANGE = "00000003-0000-0000-c000-000000000000", "00000002-0000-0ff1-ce00-000000000000"
CALENDARS, USER_READ = "ef54d2bf-783f-4e0f-bca1-3210c0444d99", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
MADE, BORN = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

AZ = """\
#!/bin/sh
printf '%s\\0' "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
case "$*" in
  "ad app create "*) echo 11111111-1111-4111-8111-111111111111 ;;
  "ad sp list "*) ;;
  "ad sp create "*) echo 22222222-2222-4222-8222-222222222222 ;;
  "ad sp show "*appRoles*) echo 55555555-5555-4555-8555-555555555555 ;;
  "ad sp show "*) echo 33333333-3333-4333-8333-333333333333 ;;
  "ad app show "*) echo 44444444-4444-4444-8444-444444444444 ;;
  "ad app permission list "*) echo "$ASKED" ;;
  "ad app permission admin-consent "*) exit "$CONSENT" ;;
  "account show "*) echo 66666666-6666-4666-8666-666666666666 ;;
  "rest --method GET "*tsv*) echo "$GRANTED" ;;
esac
"""


def run(folder: Path, known: Facts, **answers: str) -> tuple[list[list[str]], str]:
    """What a script asks of the Azure CLI, and what it tells; the stand-in for the CLI answers from *answers*."""
    for name, content in (("az", AZ), ("sleep", "#!/bin/sh\n")):
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name).chmod(0o755)
    (script,) = rendered(known, ["azure-cli"])
    (folder / "azure-cli.sh").write_bytes(script.content)
    calls = folder / "calls"
    calls.unlink(missing_ok=True)
    environment = {"ASKED": "", "CONSENT": "0", "GRANTED": "", "CALLS": str(calls)} | answers
    environment["PATH"] = f"{folder}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "azure-cli.sh"], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    return [line.split("\0") for line in calls.read_text("utf-8").split("\0\n") if line], ended.stdout


def asked(calls: list[list[str]], *beginning: str) -> list[list[str]]:
    """The arguments of the calls that begin so, without that beginning."""
    return [call[len(beginning) :] for call in calls if call[: len(beginning)] == list(beginning)]


def test_an_application_is_made_certified_granted_its_permission_and_told(tmp_path: Path) -> None:
    calls, told = run(tmp_path, facts(certificates=(NEW, OLD)))
    assert calls[0] == ["login", "--allow-no-subscriptions", "--output", "none"]
    (made,) = asked(calls, "ad", "app", "create")
    assert made[:4] == [
        "--display-name",
        "Classbell for Example University",
        "--sign-in-audience",
        "AzureADMyOrg",
    ]
    assert asked(calls, "ad", "sp", "create")[0][:2] == ["--id", MADE]
    assert asked(calls, "ad", "app", "credential", "reset") == [
        ["--id", MADE, "--cert", f"@{each.file}", "--append", "--output", "none"] for each in (NEW, OLD)
    ]
    assert asked(calls, "ad", "app", "permission", "add") == [
        ["--id", MADE, "--api", GRAPH, "--api-permissions", f"{CALENDARS}=Role"]
    ]
    assert asked(calls, "ad", "app", "permission", "admin-consent") == [["--id", MADE]]
    assert asked(calls, "ad", "app", "permission", "delete") == []
    assert asked(calls, "rest", "--method", "POST") == []
    assert parse_answer(told) == {
        "tenant_id": "66666666-6666-4666-8666-666666666666",
        "client_id": MADE,
        "application_object_id": "44444444-4444-4444-8444-444444444444",
    }
    assert f"# service principal, for Exchange: {BORN}" in told


def test_where_the_shortcut_to_consent_is_refused_the_permission_is_assigned(tmp_path: Path) -> None:
    calls, _ = run(tmp_path, facts(), CONSENT="1")
    ((_, url, _, body),) = asked(calls, "rest", "--method", "POST")
    assert url == f"https://graph.microsoft.com/v1.0/servicePrincipals/{BORN}/appRoleAssignments"
    assert body == (
        f'{{"principalId":"{BORN}","resourceId":"33333333-3333-4333-8333-333333333333","appRoleId":"{CALENDARS}"}}'
    )


def test_an_application_that_is_there_is_not_made_again_and_loses_user_read(tmp_path: Path) -> None:
    calls, _ = run(tmp_path, registered(cloud="usgov-dod"), ASKED=f"{USER_READ}\n{CALENDARS}")
    assert calls[0] == ["cloud", "set", "--name", "AzureUSGovernment"]
    assert calls[1][:3] == ["login", "--tenant", TENANT]
    assert asked(calls, "ad", "app", "create") == []
    assert asked(calls, "ad", "app", "permission", "delete") == [
        ["--id", CLIENT, "--api", GRAPH, "--api-permissions", USER_READ]
    ]
    assert any(
        "https://dod-graph.microsoft.us/v1.0/servicePrincipals/" in call[4]
        for call in calls
        if call[0] == "rest"
    )


def test_with_a_scope_nothing_is_granted_and_what_was_granted_is_taken_away(tmp_path: Path) -> None:
    calls, _ = run(
        tmp_path, registered(scope="some@example.edu"), GRANTED="a-grant\nanother", ASKED=CALENDARS
    )
    assert asked(calls, "ad", "app", "permission", "add") == []
    assert asked(calls, "ad", "app", "permission", "admin-consent") == []
    assert [call[1].rsplit("/", 1)[1] for call in asked(calls, "rest", "--method", "DELETE")] == [
        "a-grant",
        "another",
    ]
    assert asked(calls, "ad", "app", "permission", "delete") == [
        ["--id", CLIENT, "--api", GRAPH, "--api-permissions", CALENDARS]
    ]


def test_the_older_api_has_a_permission_of_exchange_looked_up_by_its_name(tmp_path: Path) -> None:
    calls, _ = run(tmp_path, facts(api="outlook-rest-v2"))
    (looked_up,) = asked(calls, "ad", "sp", "show", "--id", EXCHANGE)
    assert "appRoles[?value=='Calendars.ReadWrite.All'].id | [0]" in looked_up
    assert asked(calls, "ad", "app", "permission", "add") == [
        ["--id", MADE, "--api", EXCHANGE, "--api-permissions", "55555555-5555-4555-8555-555555555555=Role"]
    ]


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_a_name_arrives_as_it_is_and_does_nothing_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken").touch()
    calls, _ = run(tmp_path, facts(name=name))
    usual, _ = run(tmp_path, facts())
    assert asked(calls, "ad", "app", "create")[0][1] == f"Classbell for {one_line(name)}"
    assert [call[:3] for call in calls] == [call[:3] for call in usual]
    assert (tmp_path / "broken").exists()
