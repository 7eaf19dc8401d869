from pathlib import Path

import pytest
from tests.settings.folder import INSTITUTION, Folder

from classbell.errors import ConfigurationError
from classbell.life import LocalFiles
from classbell.settings import FileReference, Secret, absences


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
    assert caught.value.do == f"run: chmod o-rwx {path}"
    assert "hunter2" not in f"{caught.value.what} {caught.value.why}"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_secret_file_for_its_owner_or_group_is_used(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "secret", b"hunter2", mode)
    assert Secret(file=path).reveal(LocalFiles(), {}) == b"hunter2"


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
