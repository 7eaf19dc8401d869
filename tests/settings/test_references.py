import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.settings.folder import INSTITUTION, Folder
from tests.unit.files import Drawer

from classbell.errors import ConfigurationError
from classbell.life import LocalFiles
from classbell.settings import FileReference, PrivateFile, Secret, absences


def private(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2", b"hunter2"),
        (b"hunter2\n", b"hunter2"),
        (b"hunter2\r\n", b"hunter2"),
        (b" x \n\n", b" x \n"),
    ],
)
def test_a_secret_loses_one_line_end_and_nothing_else(tmp_path: Path, content: bytes, secret: bytes) -> None:
    path = private(tmp_path / "secret", content)
    assert Secret(file=path).reveal(LocalFiles(), {}) == secret
    assert Secret(env="WORD").reveal(LocalFiles(), {"WORD": content.decode()}) == secret


def test_a_secret_is_read_afresh_each_time(tmp_path: Path) -> None:
    secret = Secret(file=private(tmp_path / "secret", b"old"))
    assert secret.reveal(LocalFiles(), {}) == b"old"
    private(tmp_path / "secret", b"new")
    assert secret.reveal(LocalFiles(), {}) == b"new"


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_secret_file_open_to_everybody_is_refused_with_the_command_to_run(
    tmp_path: Path, mode: int
) -> None:
    path = private(tmp_path / "secret", b"hunter2", mode)
    with pytest.raises(ConfigurationError) as caught:
        Secret(file=path).reveal(LocalFiles(), {})
    assert caught.value.code == "E-SECRET-MODE"
    command = caught.value.do.removeprefix("run: ")
    assert command.startswith("chmod ")
    subprocess.run(command, shell=True, check=True)  # noqa: S602 - it is ours, and what is tested
    assert Secret(file=path).reveal(LocalFiles(), {}) == b"hunter2"
    assert "hunter2" not in f"{caught.value.what} {caught.value.why}"


ROOT, OWN = 0, 1000


@pytest.mark.parametrize(
    ("owner", "mode", "command"),
    [
        (OWN, 0o600, None),
        (OWN, 0o400, None),
        (OWN, 0o640, "chmod go-rwx secret"),
        (OWN, 0o660, "chmod go-rwx secret"),
        (ROOT, 0o600, None),
        (ROOT, 0o640, None),
        (ROOT, 0o440, None),
        (ROOT, 0o660, "chmod o-rwx,g-w secret"),
        (ROOT, 0o644, "chmod o-rwx,g-w secret"),
    ],
)
def test_a_group_may_read_what_belongs_to_root_and_nothing_else(
    owner: int, mode: int, command: str | None
) -> None:
    drawer = Drawer()
    path = Path("secret")
    drawer.content[path], drawer.modes[path], drawer.owners[path] = b"hunter2", mode, owner
    if command is None:
        assert Secret(file=path).reveal(drawer, {}) == b"hunter2"
        return
    with pytest.raises(ConfigurationError) as caught:
        Secret(file=path).reveal(drawer, {})
    assert (caught.value.code, caught.value.do) == ("E-SECRET-MODE", f"run: {command}")


def test_a_credential_of_systemd_is_read_from_the_folder_that_systemd_names(tmp_path: Path) -> None:
    private(tmp_path / "key-password", b"hunter2\n", 0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert Secret(credential="key-password").reveal(LocalFiles(), environ) == b"hunter2"
    assert PrivateFile(credential="key-password").read(LocalFiles(), environ) == b"hunter2\n"
    for surroundings, why in (({}, "not started as one"), (environ, "No such file")):
        with pytest.raises(ConfigurationError) as caught:
            Secret(credential="store").reveal(LocalFiles(), surroundings)
        assert caught.value.code == "E-SECRET-CREDENTIAL"
        assert why in caught.value.why
        assert "LoadCredential=store:" in caught.value.do


@pytest.mark.parametrize("name", ["../key", ".key", "a/b", ""])
def test_a_credential_cannot_lead_out_of_its_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        Secret(credential=name)


def test_a_secret_may_be_asked_for_where_somebody_can_be_asked() -> None:
    asked: list[str] = []

    def ask(words: str) -> bytes:
        asked.append(words)
        return b"hunter2"

    secret = Secret(prompt=True)
    assert secret.reveal(LocalFiles(), {}, ask, what="the password of key.pem") == b"hunter2"
    assert asked == ["the password of key.pem"]
    with pytest.raises(ConfigurationError) as caught:
        secret.reveal(LocalFiles(), {})
    assert caught.value.code == "E-SECRET-PROMPT"
    assert "file" in caught.value.do


@pytest.mark.parametrize(
    "given", [{}, {"prompt": False}, {"file": "a", "env": "B"}, {"file": "a", "prompt": True}]
)
def test_a_secret_has_exactly_one_place(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        Secret.model_validate(given)


def test_a_certificate_may_be_readable_by_everybody(tmp_path: Path) -> None:
    path = private(tmp_path / "cert.pem", b"public\n", 0o644)
    assert FileReference(file=path).read(LocalFiles()) == b"public\n"


def test_a_missing_file_and_a_missing_variable_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as no_file:
        Secret(file=tmp_path / "none").reveal(LocalFiles(), {})
    with pytest.raises(ConfigurationError) as no_variable:
        Secret(env="NOT_SET").reveal(LocalFiles(), {"OTHER": "x"})
    assert (no_file.value.code, no_variable.value.code) == ("E-SECRET-FILE", "E-SECRET-ENV")
    assert str(tmp_path / "none") in no_file.value.what
    assert "NOT_SET" in no_variable.value.what


def test_the_files_a_configuration_names_are_looked_for_at_the_lines_that_name_them(folder: Folder) -> None:
    configuration = folder.load(
        example=INSTITUTION.replace('"key.pem" }', '"key.pem" }\nkey_password = { env = "P" }')
    )
    conf = folder.path / "conf.d"
    (conf / "cert.pem").write_bytes(b"x")
    private(conf / "key.pem", b"x", 0o644)
    (conf / "attendance.csv").write_bytes(b"")
    found = absences(configuration, LocalFiles(), {})
    assert [(problem.code, str(problem.origin)) for problem in found] == [
        ("E-SECRET-MODE", "conf.d/example.toml:11"),
        ("E-SECRET-ENV", "conf.d/example.toml:12"),
        ("E-CFG-FILE", "conf.d/example.toml:17"),
    ]
    private(conf / "key.pem", b"x")
    (conf / "meetings.csv").write_bytes(b"")
    assert absences(configuration, LocalFiles(), {"P": "x"}) == []
