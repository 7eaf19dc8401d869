"""``classbell setup`` as an administrator uses it, and as a hosting provider does."""

import stat
from pathlib import Path

import pytest
from tests.cli.classbell import Ended, classbell
from tests.cli.conftest import put
from tests.settings.folder import Folder

from classbell.identity.certificates import KeyPair
from classbell.setup import PARTS

TENANT, CLIENT = "7d5c1f2e-3b4a-4c6d-8e9f-0a1b2c3d4e5f", "1c9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10"
OBJECT = "c7d20f48-1e65-4b39-8a04-93d1f6b7e25c"


@pytest.fixture
def certified(first: Path, pair: KeyPair) -> Path:
    """As ``classbell init`` leaves it, with a certificate whose file holds its key as well."""
    put(first / "conf.d", "cert.pem", pair.key + pair.certificate)
    return first


def setup(folder: Path, *arguments: str) -> Ended:
    return classbell("setup", *arguments, cwd=folder)


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_fresh_configuration_is_enough_to_begin_with(first: Path) -> None:
    ended = setup(first)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Let Classbell into Microsoft 365 · Example University\n")
    assert "  Tenant       not known yet\n" in ended.out
    assert "is not there yet: classbell cert new -i example" in ended.out
    for part in PARTS:
        assert f"==== {part.file} · {part.title} ====" in ended.out
    check = classbell("config", "check", cwd=first)
    assert "tenant.tenant_id: not filled in yet; classbell setup says how to come by it." in check.err
    assert "tenant.client_id: not filled in yet" in check.err


def test_single_parts_are_printed_alone_and_in_their_usual_order(first: Path) -> None:
    ended = setup(first, "--only", "consent", "--only", "portal")
    assert [line for line in ended.out.splitlines() if line.startswith("====")] == [
        "==== portal.txt · by hand, click by click ====",
        "==== consent.txt · the link that grants consent ====",
    ]
    assert setup(first, "--only", "nothing").code == 2


def test_what_is_known_is_filled_in(folder: Folder) -> None:
    ended = setup(folder.path, "--scope", "timetable@example.edu", "--service-principal", OBJECT)
    assert "$client = '0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10'" in ended.out
    assert f"$principal = '{OBJECT}'" in ended.out
    assert "$group = 'timetable@example.edu'" in ended.out
    assert "--tenant example.ac.uk" in ended.out
    assert "Nothing is to be consented to." in ended.out
    assert "access-policy" not in ended.out
    assert "$group = 'x@y'" in setup(folder.path, "--scope", "x@y", "--only", "access-policy").out
    assert setup(folder.path, "--service-principal", "classbell").code == 2
    assert [setup(folder.path, "--scope", wrong).code for wrong in ("", " ", "a\nb", "\x1b[31m")] == [
        2,
        2,
        2,
        2,
    ]


@pytest.mark.parametrize("wrong", ["--write", "group@", "a b@example.edu", "<script>", "one@two@three"])
def test_what_names_no_group_is_not_taken_for_one(folder: Folder, wrong: str) -> None:
    ended = setup(folder.path, f"--scope={wrong}")
    assert ended.code == 2
    assert "--scope takes the address or the name of a group" in ended.err


def test_it_names_the_very_file_that_is_uploaded_where_there_is_no_key_in_it(folder: Folder) -> None:
    assert "     conf.d/cert.pem\n" in setup(folder.path, "--only", "portal").out
    setup(folder.path, "--write", "out")
    portal = (folder.path / "out" / "portal.txt").read_text()
    assert "conf.d" not in portal
    assert "The file lies beside this one." in portal
    assert "--write" not in portal + (folder.path / "out" / "README.txt").read_text()


def test_a_file_with_the_key_in_it_is_never_named_for_upload(certified: Path) -> None:
    portal = setup(certified, "--only", "portal").out
    assert "conf.d/cert.pem" not in portal
    assert "--write DIR saves the file: the public" in portal


def test_in_a_sandbox_it_says_that_scripts_are_for_real_tenants(folder: Folder) -> None:
    file = folder.path / "conf.d" / "example.toml"
    urls = '[tenant]\nlogin_url = "https://localhost:1"\ngraph_url = "https://localhost:1"'
    file.write_text(file.read_text().replace("[tenant]", urls))
    ended = setup(folder.path, "--only", "consent")
    assert ended.err.startswith("This institution is in a sandbox (login_url)")
    assert "classbell sandbox register -i example" in ended.err


def test_an_answer_that_names_no_id_is_told_which_there_are(folder: Folder) -> None:
    ended = setup(folder.path, "--answer", "client=1")
    assert ended.code == 2
    assert '"client" is no id that is taken in.   Did you mean "client_id"?' in ended.err
    assert '"foo" is no id' in setup(folder.path, "--answer", "foo=bar").err


def test_programs_get_every_part_and_the_thumbprints(folder: Folder) -> None:
    (told,) = setup(folder.path, "--json").json
    assert [part["name"] for part in told["parts"]] == [part.name for part in PARTS]
    assert all(part["text"] for part in told["parts"])
    assert (told["tenant_id"], told["application_object_id"]) == ("example.ac.uk", None)
    assert told["consent_link"] == (
        "https://login.microsoftonline.com/example.ac.uk/adminconsent"
        "?client_id=0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10"
    )
    assert len(told["certificates"][0]["sha1"]) == 40
    assert told["warnings"] == []


def test_the_retired_api_comes_with_a_warning_wherever_it_is_asked_for(folder: Folder) -> None:
    older = ("--api", "outlook-rest-v2")
    assert "Microsoft retired the Outlook REST API v2.0" in setup(folder.path, *older).out
    assert "2024-03-31" in setup(folder.path, *older, "--only", "portal").err
    assert "2024-03-31" in setup(folder.path, *older, "--write", "out").err
    (told,) = setup(folder.path, *older, "--json").json
    assert "2024-03-31" in told["warnings"][0]


def test_the_api_that_the_configuration_names_is_set_up_unless_another_is_asked_for(folder: Folder) -> None:
    path = folder.path / "conf.d" / "example.toml"
    path.write_text(path.read_text().replace("[tenant]", '[tenant]\napi = "outlook-rest-v2"', 1))
    assert "Office 365 Exchange Online" in setup(folder.path, "--only", "portal").out
    assert "Microsoft Graph" in setup(folder.path, "--only", "portal", "--api", "graph").out


# --- Saved ---


def test_all_of_it_is_saved_with_the_public_certificate_and_no_secret(certified: Path, pair: KeyPair) -> None:
    ended = setup(certified, "--write", "out/microsoft")
    assert (ended.code, ended.err) == (0, "")
    found = everything(certified / "out" / "microsoft")
    assert set(found) > {"README.txt", *(part.file for part in PARTS)}
    assert pair.certificate in found.values()
    assert not any(b"PRIVATE KEY" in content for content in found.values())
    assert sorted(ended.out.splitlines()) == sorted(f"wrote out/microsoft/{name}" for name in found)
    # What PowerShell 5.1 would otherwise read in an old code page.
    assert all(
        content.startswith(b"\xef\xbb\xbf") for name, content in found.items() if name.endswith(".ps1")
    )


def test_files_are_open_to_whoever_is_to_read_them(certified: Path) -> None:
    setup(certified, "--write", "out")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (certified / "out").iterdir()} == {0o644}


def test_a_file_that_somebody_changed_is_not_overwritten_unless_asked(certified: Path) -> None:
    setup(certified, "--write", "out")
    assert setup(certified, "--write", "out").code == 0
    (certified / "out" / "graph.ps1").write_text("mine")
    (certified / "out" / "portal.txt").unlink()
    before = everything(certified / "out")
    ended = setup(certified, "--write", "out")
    assert ended.code == 2
    assert ended.err.startswith("E-SETUP-EXISTS  out/graph.ps1: there is something else of this name.")
    assert everything(certified / "out") == before
    assert setup(certified, "--write", "out", "--force").code == 0
    assert everything(certified / "out")["graph.ps1"] != b"mine"


def test_a_folder_that_cannot_be_written_to_is_a_clear_error(certified: Path) -> None:
    (certified / "file").touch()
    ended = setup(certified, "--write", "file/below")
    assert (ended.code, ended.err.split()[0]) == (2, "E-SETUP-WRITE")


# --- For a hosting provider ---


def test_a_pack_is_handed_over_filled_in_and_taken_back(certified: Path, pair: KeyPair) -> None:
    handed = setup(certified, "--handover", "pack")
    assert handed.code == 0
    assert "Next: send the folder to Example University." in handed.err
    pack = everything(certified / "pack")
    assert pair.certificate in pack.values()
    assert not any(b"PRIVATE KEY" in content for content in pack.values())
    form = pack["answer.txt"].decode()
    for key, value in (("tenant_id", TENANT), ("client_id", CLIENT), ("application_object_id", OBJECT)):
        assert f'\n{key} = ""\n' in form
        form = form.replace(f'{key} = ""', f'{key} = "{value}"')
    (certified / "came back.txt").write_text(form, encoding="utf-16")
    taken = setup(certified, "--answer", "came back.txt")
    assert taken.code == 0
    assert taken.out == (
        f"tenant_id               (not known) -> {TENANT}\n"
        f"client_id               (not known) -> {CLIENT}\n"
        f"application_object_id   (not known) -> {OBJECT}\n"
        "wrote conf.d/example.toml\n"
    )
    left = classbell("config", "check", cwd=certified).err
    assert "tenant" not in left
    assert "window.timezone" in left
    assert f"app={CLIENT}" in setup(certified, "--only", "azure-cli").out


def test_nothing_is_handed_over_without_a_certificate(first: Path) -> None:
    ended = setup(first, "--handover", "pack")
    assert (ended.code, ended.err.split()[0]) == (2, "E-SETUP-CERT")
    assert not (first / "pack").exists()


def test_an_id_that_is_there_is_replaced_only_with_a_yes(folder: Folder) -> None:
    path = folder.path / "conf.d" / "example.toml"
    before = path.read_bytes()
    asked = setup(folder.path, "--answer", f"client_id={CLIENT}")
    assert (asked.code, asked.err.split()[0]) == (2, "E-ASK")
    assert path.read_bytes() == before
    (told,) = setup(folder.path, "--answer", f"client_id={CLIENT}", "--yes", "--json").json
    assert told["changes"] == [
        {"key": "client_id", "old": "0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10", "new": CLIENT}
    ]
    assert path.read_bytes() == before.replace(b"0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10", CLIENT.encode())
    assert classbell("config", "check", cwd=folder.path).code == 0
    again = setup(folder.path, "--answer", f"client_id={CLIENT}")
    assert (again.code, again.out) == (0, "conf.d/example.toml has these ids already.\n")


def test_the_file_keeps_its_mode_and_its_place_behind_a_link(folder: Folder) -> None:
    link = folder.path / "conf.d" / "example.toml"
    real = folder.path / "real.toml"
    link.rename(real)
    link.symlink_to(real)
    real.chmod(0o640)
    assert setup(folder.path, "--answer", f"application_object_id={OBJECT}").code == 0
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert OBJECT in real.read_text()


@pytest.mark.parametrize("answer", ["client_id=abc", "nothing.txt", "colour=red", "-"])
def test_an_answer_that_cannot_be_used_changes_nothing(folder: Folder, answer: str) -> None:
    before = (folder.path / "conf.d" / "example.toml").read_bytes()
    ended = setup(folder.path, "--answer", answer)
    assert (ended.code, ended.err.split()[0]) == (2, "E-SETUP-ANSWER")
    assert (folder.path / "conf.d" / "example.toml").read_bytes() == before


def test_an_id_that_the_environment_overrules_is_told_so(folder: Folder) -> None:
    variable = "CLASSBELL_INSTITUTIONS__EXAMPLE__TENANT__CLIENT_ID"
    answer = (
        "setup",
        "--answer",
        f"client_id={CLIENT}",
        "--answer",
        f"application_object_id={OBJECT}",
        "--yes",
    )
    ended = classbell(*answer, cwd=folder.path, env={variable: OBJECT})
    assert (ended.code, "W-SETUP-ENV  " in ended.err) == (0, True)
    assert f"The environment variable {variable} overrules client_id of the file." in ended.err
    assert "APPLICATION_OBJECT_ID" not in ended.err
    # What it says already is no contradiction.
    same = classbell(*answer, cwd=folder.path, env={variable: CLIENT})
    assert "W-SETUP-ENV" not in same.err


def test_a_whole_form_may_be_given_as_it_is(folder: Folder) -> None:
    form = f"# {'for the timetables ' * 30}\napplication_object_id = {OBJECT}\n"
    assert setup(folder.path, "--answer", form).code == 0
    assert OBJECT in (folder.path / "conf.d" / "example.toml").read_text()


@pytest.mark.parametrize(
    "also", [("--write", "out"), ("--handover", "out"), ("--only", "portal"), ("--scope", "x@y")]
)
def test_taking_ids_in_goes_with_nothing_else(folder: Folder, also: tuple[str, str]) -> None:
    ended = setup(folder.path, "--answer", f"client_id={CLIENT}", *also)
    assert (ended.code, ended.err.split()[0]) == (2, "E-USAGE")
    assert CLIENT not in (folder.path / "conf.d" / "example.toml").read_text()


def test_two_folders_are_one_too_many(certified: Path) -> None:
    assert setup(certified, "--write", "a", "--handover", "b").err.startswith("E-USAGE")


def test_of_several_institutions_one_must_be_named(first: Path) -> None:
    classbell("init", "-i", "second", cwd=first)
    assert setup(first).err.startswith("E-CFG-INSTITUTION")
    assert "classbell cert new -i second" in setup(first, "-i", "second").out
