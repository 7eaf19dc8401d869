import re
import tomllib
from pathlib import Path

import pytest
from tests.cli.classbell import classbell
from tests.cli.conftest import PASSWORD, put

from classbell.identity.certificates import KeyPair

FILLED_IN = {
    "TENANT-GUID": "example.ac.uk",
    "CLIENT-GUID": "0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10",
    "REGION/CITY": "Europe/London",
}


def test_the_first_configuration_lacks_only_what_nobody_else_can_know(
    first: Path, locked_pair: KeyPair
) -> None:
    unfilled = classbell("config", "check", cwd=first)
    assert unfilled.code == 2
    assert len(re.findall("^E-CFG-VALUE ", unfilled.err, re.MULTILINE)) == len(FILLED_IN)
    path = first / "conf.d" / "example.toml"
    text = path.read_text(encoding="utf-8")
    for word, value in FILLED_IN.items():
        text = text.replace(f'"{word}"', f'"{value}"')
    path.write_text(text, encoding="utf-8")
    for name in ("meetings.csv", "attendance.csv"):
        (first / "conf.d" / name).touch()
    put(first / "conf.d", "cert.pem", locked_pair.certificate)
    put(first / "conf.d", "key.pem", locked_pair.key)
    put(first / "conf.d", "key-password", f"{PASSWORD}\n".encode())
    filled = classbell("config", "check", cwd=first)
    assert (filled.code, filled.err) == (0, "")


def test_each_installation_has_an_id_of_its_own(tmp_path: Path) -> None:
    ids = set()
    for name in ("a", "b"):
        assert classbell("init", name, cwd=tmp_path).code == 0
        ids.add(tomllib.loads((tmp_path / name / "classbell.toml").read_text())["installation"])
    assert len(ids) == 2


def test_what_was_written_is_told_on_stdout_and_the_next_step_on_stderr(tmp_path: Path) -> None:
    ended = classbell("init", "etc", cwd=tmp_path)
    assert ended.out == "wrote etc/classbell.toml\nwrote etc/conf.d/example.toml\n"
    assert ended.err == (
        "Next: fill in etc/conf.d/example.toml; classbell -c etc/classbell.toml cert new -i example --configure;"
        " then classbell -c etc/classbell.toml setup -i example; then classbell -c etc/classbell.toml config check\n"
    )
    (answer,) = classbell("init", "other", "--json", cwd=tmp_path).json
    assert answer == {"written": ["other/classbell.toml", "other/conf.d/example.toml"]}


def test_a_further_institution_waits_for_its_name_too(first: Path) -> None:
    assert classbell("init", "-i", "north", cwd=first).code == 0
    unfilled = classbell("config", "check", "-i", "north", cwd=first)
    assert "name: not filled in yet; it is what people call the institution." in unfilled.err
    assert "NAME OF THE INSTITUTION" not in classbell("setup", "-i", "north", cwd=first).out


@pytest.mark.parametrize("name", ["classbell.toml", "conf.d/example.toml"])
def test_a_file_that_is_there_is_never_overwritten_and_nothing_else_is_written(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    ended = classbell("init", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith(f"E-INIT-EXISTS  {name} is there already.")
    assert (tmp_path / name).read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before


def test_another_institution_can_be_added_to_what_is_there(first: Path) -> None:
    before = (first / "classbell.toml").read_bytes()
    ended = classbell("init", "-i", "second", cwd=first)
    assert (ended.code, ended.out) == (0, "wrote conf.d/second.toml\n")
    assert (first / "classbell.toml").read_bytes() == before
    assert tomllib.loads((first / "conf.d" / "second.toml").read_text())["id"] == "second"


@pytest.mark.parametrize("name", ["Second", "../x", "", "a b"])
def test_an_institution_s_id_must_be_one_that_files_and_marks_can_carry(first: Path, name: str) -> None:
    ended = classbell("init", "-i", name, cwd=first)
    assert ended.code == 2
    assert ended.err.startswith(("E-INIT-ID", "E-INIT-EXISTS"))
    assert len(list(first.rglob("*.toml"))) == 2


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = classbell("init", "file/below", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("E-INIT-WRITE  file/below/classbell.toml cannot be written.")
