"""Classbell changes certificates in an institution's file, and nothing else in it."""

import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classbell.errors import ConfigurationError
from classbell.life import LocalFiles
from classbell.settings.editing import InstitutionFile

BLOCK = """\
[[tenant.certificates]]   # {name}
certificate = {{ file = "{name}-cert.pem" }}
private_key = {{ file = "{name}-key.pem" }}
key_password = {{ env = "PASSWORD" }}   # from the vault
"""
FILE = f"""\
# Our institution.
id = "example"

[tenant]
tenant_id = "example.edu"   # the domain

# What we sign in with.
{BLOCK.format(name="first")}
{BLOCK.format(name="second")}
# What we publish.
[[sources]]
name = "timetable"
"""


def new(folder: Path, text: str) -> InstitutionFile:
    (folder / "example.toml").write_bytes(text.encode())
    return InstitutionFile(folder / "example.toml", LocalFiles())


def text(folder: Path) -> str:
    return (folder / "example.toml").read_bytes().decode()


def certificates(folder: Path) -> list[str]:
    listed = tomllib.loads(text(folder))["tenant"]["certificates"]
    return [each["certificate"]["file"] for each in listed]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_certificate_comes_in_behind_the_others_and_nothing_else_changes(
    tmp_path: Path, line_end: str
) -> None:
    before = FILE.replace("\n", line_end)
    file = new(tmp_path, before)
    file.add_certificate(tmp_path / "new-cert.pem", tmp_path / "new-key.pem", like=0, note="made today")
    added = (
        "\n[[tenant.certificates]]\n# made today\n"
        'certificate = { file = "new-cert.pem" }\n'
        'private_key = { file = "new-key.pem" }\n'
        'key_password = { env = "PASSWORD" }\n'
    ).replace("\n", line_end)
    at = before.index(f"{line_end}# What we publish.")
    assert text(tmp_path) == before[:at] + added + before[at:]


def test_naming_it_again_changes_nothing(tmp_path: Path) -> None:
    file = new(tmp_path, FILE)
    for _ in range(2):
        file.add_certificate(tmp_path / "new-cert.pem", tmp_path / "new-key.pem", like=0)
    assert certificates(tmp_path) == ["first-cert.pem", "second-cert.pem", "new-cert.pem"]


@pytest.mark.parametrize("place", [0, 1])
def test_a_certificate_goes_out_with_its_own_lines_only(tmp_path: Path, place: int) -> None:
    new(tmp_path, FILE).remove_certificate(place)
    name = ("first", "second")[place]
    assert text(tmp_path) == FILE.replace(BLOCK.format(name=name) + "\n", "", 1).replace(
        BLOCK.format(name=name), ""
    )


def test_in_and_out_again_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = new(tmp_path, FILE)
    file.add_certificate(tmp_path / "new-cert.pem", tmp_path / "new-key.pem", like=1)
    file.remove_certificate(2)
    assert text(tmp_path) == FILE


def test_a_list_in_one_value_is_changed_as_well(tmp_path: Path) -> None:
    inline = '[tenant]\ncertificates = [\n  { certificate = { file = "a" }, private_key = { file = "k" } },  # ours\n]\n'
    file = new(tmp_path, inline)
    file.add_certificate(tmp_path / "b", tmp_path / "kb", like=0)
    assert certificates(tmp_path) == ["a", "b"]
    assert "# ours" in text(tmp_path)
    file.remove_certificate(0)
    assert certificates(tmp_path) == ["b"]


def test_files_elsewhere_are_named_in_full(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    new(tmp_path / "conf.d", FILE).add_certificate(
        tmp_path / "keys" / "c.pem", tmp_path / "keys" / "k.pem", like=0
    )
    assert certificates(tmp_path / "conf.d")[-1] == str(tmp_path / "keys" / "c.pem")


@pytest.mark.parametrize(
    "text_of_file",
    [
        'id = "example"\n',
        "[tenant]\n[[tenant.certificates]]\n[tenant.certificates.certificate]\nfile = 'a'\n[tenant.certificates.private_key]\nfile = 'b'\n",
    ],
)
def test_the_only_certificate_is_not_taken_out(tmp_path: Path, text_of_file: str) -> None:
    file = new(tmp_path, text_of_file)
    with pytest.raises(ConfigurationError) as caught:
        file.remove_certificate(0)
    assert caught.value.code == "E-CFG-EDIT"
    assert text(tmp_path) == text_of_file


NAMES = st.lists(st.text("abcxyz-é ", min_size=1, max_size=12), min_size=1, max_size=4, unique=True)


@given(names=NAMES, comments=st.lists(st.text("# [=\"']ab", max_size=12), min_size=8, max_size=8))
def test_whatever_the_comments_say_what_is_named_is_what_was_asked_for(
    names: list[str], comments: list[str]
) -> None:
    lines = ["[tenant]", f"# {comments[0]}", "a = 1"]
    for at, name in enumerate(names):
        lines += [f"# {comments[at]}", "[[tenant.certificates]]", f"# {comments[at + 1]}"]
        lines += [
            f'certificate = {{ file = "{name}" }}',
            'private_key = { file = "k" }',
            f"# {comments[at + 2]}",
        ]
    whole = "\n".join([*lines, f"# {comments[7]}", "[more]", "b = 2", ""])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        file = new(folder, whole)
        file.add_certificate(folder / "added", folder / "key", like=0)
        assert certificates(folder) == [*names, "added"]
        file.remove_certificate(0)
        assert certificates(folder) == [*names[1:], "added"]
        left = text(folder)
    assert tomllib.loads(left)["more"] == {"b": 2}
    assert all(left.count(line) >= 1 for line in (f"# {comments[0]}", f"# {comments[7]}"))
