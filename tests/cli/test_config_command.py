from pathlib import Path

from tests.cli.classbell import classbell
from tests.cli.conftest import put
from tests.settings.folder import INSTITUTION, Folder, another

from classbell.identity.certificates import KeyPair


def test_a_good_configuration_is_called_good(folder: Folder) -> None:
    ended = classbell("config", "check", cwd=folder.path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "ok   example   Example University\n"


def test_a_problem_is_told_on_stderr_with_its_line_and_ends_with_2(folder: Folder) -> None:
    folder.write(example=INSTITUTION + "[safety]\nmax_delete = 3\n")
    ended = classbell("config", "check", cwd=folder.path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        'E-CFG-KEY  conf.d/example.toml:31: unknown key "max_delete" in [safety].   Did you mean "max_deletes"?',
        "  Do:     correct it, then: classbell config check",
    ]


def test_with_json_each_problem_is_a_diagnostic_on_stdout(folder: Folder) -> None:
    folder.write(example=INSTITUTION + "[safety]\nmax_delete = 3\nmax_deletes.count = -1\n")
    ended = classbell("config", "check", "--json", cwd=folder.path)
    assert (ended.code, ended.err) == (2, "")
    assert [(line["type"], line["code"], line["file"], line["line"]) for line in ended.json] == [
        ("diagnostic", "E-CFG-KEY", "conf.d/example.toml", 31),
        ("diagnostic", "E-CFG-VALUE", "conf.d/example.toml", 32),
    ]


def test_missing_and_open_files_are_found_before_a_run_finds_them(folder: Folder) -> None:
    (folder.path / "conf.d" / "key.pem").chmod(0o644)
    (folder.path / "conf.d" / "meetings.csv").unlink()
    ended = classbell("config", "check", cwd=folder.path)
    assert ended.code == 2
    assert "E-SECRET-MODE  conf.d/example.toml:11:" in ended.err
    assert "E-CFG-FILE  conf.d/example.toml:16:" in ended.err


def test_keys_that_cannot_sign_in_are_found_at_their_lines(folder: Folder, locked_pair: KeyPair) -> None:
    put(folder.path / "conf.d", "key.pem", locked_pair.key)
    found = classbell("config", "check", cwd=folder.path)
    assert found.code == 2
    assert found.err.startswith("E-CERT-PASSWORD  conf.d/example.toml:9: The private key")
    put(folder.path / "conf.d", "cert.pem", locked_pair.certificate)
    put(folder.path / "conf.d", "password", b"wrong")
    wrong = INSTITUTION.replace('"key.pem" }', '"key.pem" }\nkey_password = { file = "password" }')
    folder.write(example=wrong)
    assert "The password does not open the private key" in classbell("config", "check", cwd=folder.path).err


def test_an_expired_certificate_is_a_problem_alone_and_a_warning_beside_a_good_one(
    folder: Folder, expired: KeyPair, pair: KeyPair
) -> None:
    put(folder.path / "conf.d", "cert.pem", expired.certificate)
    put(folder.path / "conf.d", "key.pem", expired.key)
    alone = classbell("config", "check", cwd=folder.path)
    assert (alone.code, alone.err[:42]) == (2, "E-CERT-EXPIRED  conf.d/example.toml:9: The")
    put(folder.path / "conf.d", "new.pem", pair.certificate + pair.key)
    both = '[[tenant.certificates]]\ncertificate = { file = "new.pem" }\nprivate_key = { file = "new.pem" }\n'
    folder.write(example=INSTITUTION.replace("[[sources]]", f"{both}\n[[sources]]"))
    beside = classbell("config", "check", cwd=folder.path)
    assert (beside.code, beside.err[:42]) == (0, "E-CERT-EXPIRED  conf.d/example.toml:9: The")


def test_templates_that_are_no_templates_are_found_at_their_profiles(folder: Folder) -> None:
    folder.write(example=INSTITUTION.replace('name = "standard"', 'name = "standard"\nsubject = "{{ title"'))
    found = classbell("config", "check", cwd=folder.path)
    assert found.code == 2
    assert found.err.startswith("E-TEMPLATE  conf.d/example.toml:25: The subject template")


def test_warnings_are_printed_beside_a_good_result(folder: Folder) -> None:
    folder.write(example=INSTITUTION + '[[profiles]]\nname = "unused"\n')
    text = classbell("config", "check", cwd=folder.path)
    assert (text.code, text.err) == (
        0,
        'W-CFG-UNUSED  conf.d/example.toml:31: no audience has the profile "unused".\n',
    )
    warning, answer = classbell("config", "check", "--json", cwd=folder.path).json
    assert (warning["type"], warning["severity"], warning["code"]) == (
        "diagnostic",
        "warning",
        "W-CFG-UNUSED",
    )
    assert answer == {"ok": True, "institutions": ["example"]}


def test_without_a_configuration_the_next_step_is_told(tmp_path: Path) -> None:
    ended = classbell("config", "check", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "E-CFG-NONE  There is no configuration to be read at classbell.toml.",
        "  Why:    No such file or directory.",
        "  Effect: nothing was changed.",
        "  Do:     classbell init writes a first one, --config names another; classbell demo needs none.",
    ]


def test_show_proves_the_order_flag_environment_file_default(folder: Folder) -> None:
    folder.write(example=INSTITUTION + 'past = "3d"\n')
    env = {"CLASSBELL_INSTITUTIONS__EXAMPLE__WINDOW__FUTURE": "90d"}
    ended = classbell("config", "show", "--origin", cwd=folder.path, env=env)
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in ended.out.splitlines()}
    assert rows["setting"].split() == ["value", "origin"]
    assert rows["institutions.example.window.past"].split() == ['"3d"', "conf.d/example.toml:30"]
    assert rows["institutions.example.window.future"].split() == [
        '"90d"',
        "environment",
        "CLASSBELL_INSTITUTIONS__EXAMPLE__WINDOW__FUTURE",
    ]
    assert rows["institutions.example.mode"].split() == ['"observe"', "default"]


def test_show_never_prints_a_secret(folder: Folder) -> None:
    put(folder.path / "conf.d", "key.pem", b"hunter2")
    for form in ([], ["--json"]):
        ended = classbell("config", "show", *form, cwd=folder.path)
        assert ended.code == 0
        assert "key.pem" in ended.out
        assert "hunter2" not in ended.out + ended.err


def test_show_with_json_is_one_object_with_typed_values(folder: Folder) -> None:
    (answer,) = classbell("config", "show", "--json", cwd=folder.path).json
    settings = {row["path"]: row for row in answer["settings"]}
    assert settings["engine.in_flight"] == {
        "path": "engine.in_flight",
        "value": 64,
        "origin": {"kind": "default"},
    }
    assert settings["schema"]["origin"] == {"kind": "file", "file": "classbell.toml", "line": 1}


def test_show_of_one_institution_leaves_out_the_others(folder: Folder) -> None:
    folder.write(one=INSTITUTION, two=another("second"))
    (folder.path / "conf.d" / "example.toml").unlink()
    (answer,) = classbell("config", "show", "-i", "second", "--json", cwd=folder.path).json
    assert {row["path"].split(".")[1] for row in answer["settings"]} == {"second"}
    wrong = classbell("config", "show", "-i", "thrid", cwd=folder.path)
    assert wrong.code == 2
    assert wrong.err.startswith('E-CFG-INSTITUTION  There is no institution "thrid".')


def test_plain_output_is_never_cut_to_a_width(folder: Folder) -> None:
    long = "x" * 300
    folder.write(example=INSTITUTION.replace("Example University", long))
    assert long in classbell("config", "show", cwd=folder.path, env={"COLUMNS": "40"}).out


def test_the_schema_is_printed_for_each_kind_of_file(tmp_path: Path) -> None:
    (institution,) = classbell("config", "schema", "--json", cwd=tmp_path).json
    (host,) = classbell("config", "schema", "host", "--json", cwd=tmp_path).json
    assert "tenant" in institution["properties"]
    assert "installation" in host["properties"]


def test_a_field_that_no_source_gives_is_a_warning_with_the_nearest_name(folder: Folder) -> None:
    folder.write(
        example=INSTITUTION.replace(
            '"standard"\n\n[window]', '"standard"\nsubject = "{{ titel }}"\n\n[window]'
        )
    )
    ended = classbell("config", "check", cwd=folder.path)
    assert ended.code == 0
    assert "W-CFG-FIELD" in ended.err
    assert "{{ titel }}" in ended.err
    assert 'Did you mean "title"?' in ended.err
