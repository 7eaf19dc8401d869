"""``classbell cert new``: an administrator who has never used OpenSSL gets a pair that works."""

import re
import tomllib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.cli.cert.commands import PASSWORD, Installed, cert, good
from tests.cli.classbell import COMMAND, classbell
from tests.cli.conftest import put
from tests.identity.terminal import typed

NO_TERMINAL = """\
E-CERT-NO-PASSWORD  A password for the new private key is needed.
  Why:    there is no terminal to ask at, or --json or --no-input was given.
  Effect: nothing was written.
  Do:     give --password-file FILE or --password-env NAME, or --no-password if none is wanted.
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_pair_is_made_without_any_configuration_its_key_encrypted_and_closed_to_others(
    tmp_path: Path,
) -> None:
    ended = good("new", "--password-env", "PW", cwd=tmp_path, env={"PW": PASSWORD})
    (key,), (public,) = tmp_path.glob("classbell-????.key"), tmp_path.glob("classbell-????.crt")
    assert names(tmp_path) == {key.name, public.name}
    assert key.stat().st_mode & 0o777 == 0o600
    made = certificate(public)
    opened = load_pem_private_key(key.read_bytes(), PASSWORD.encode())
    assert opened.public_key() == made.public_key()
    assert made.fingerprint(hashes.SHA1()).hex().upper() in ended.out  # noqa: S303 - a name
    assert f"Upload       {public.name}" in ended.out
    assert 'key_password = { env = "PW" }' in ended.out
    # As every other command counts them: whole days from now on.
    assert "364 days left" in ended.out


def test_what_is_asked_for_stands_in_the_certificate(tmp_path: Path) -> None:
    good(
        *("new", "--password-file", "pw", "--name", "timetables", "--organisation", "Example University"),
        *("--country", "nl", "--host", "timetable.example.edu", "--days", "100", "--bits", "3072"),
        cwd=tmp_path,
    )
    made = certificate(next(tmp_path.glob("*.crt")))
    assert made.subject.rfc4514_string() == "CN=timetables,O=Example University,C=NL"
    names_ = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names_.get_values_for_type(x509.DNSName) == ["timetable.example.edu"]
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 100
    assert made.public_key().key_size == 3072  # type: ignore[union-attr]


def test_a_password_file_that_is_not_there_is_made_and_never_shown(tmp_path: Path) -> None:
    ended = good("new", "--password-file", "pw", cwd=tmp_path)
    password = (tmp_path / "pw").read_bytes().strip()
    assert len(password) >= 24
    assert (tmp_path / "pw").stat().st_mode & 0o777 == 0o600
    assert password.decode() not in ended.out + ended.err
    load_pem_private_key(next(tmp_path.glob("*.key")).read_bytes(), password)


def test_a_password_file_that_is_there_is_used_and_stays(tmp_path: Path) -> None:
    put(tmp_path, "pw", f"{PASSWORD}\n".encode())
    good("new", "--password-file", "pw", cwd=tmp_path)
    load_pem_private_key(next(tmp_path.glob("*.key")).read_bytes(), PASSWORD.encode())
    assert (tmp_path / "pw").read_text() == f"{PASSWORD}\n"


def test_nothing_is_written_over_a_second_pair_gets_other_names(tmp_path: Path) -> None:
    good("new", "--password-file", "pw", cwd=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    good("new", "--password-file", "pw", cwd=tmp_path)
    assert {path: path.read_bytes() for path in before} == before
    assert len(list(tmp_path.glob("*-2.key"))) == len(list(tmp_path.glob("*-2.crt"))) == 1


def test_nobody_to_ask_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    ended = cert("new", cwd=tmp_path)
    assert (ended.code, ended.out, ended.err) == (2, "", NO_TERMINAL)
    assert names(tmp_path) == set()


def test_an_empty_password_is_refused_and_none_at_all_is_warned_of(tmp_path: Path) -> None:
    empty = cert("new", "--password-env", "PW", cwd=tmp_path, env={"PW": ""})
    assert (empty.code, names(tmp_path)) == (2, set())
    assert empty.err.startswith("E-CERT-NO-PASSWORD  The password of the new private key is empty.")
    ended = classbell("cert", "new", "--no-password", cwd=tmp_path)
    assert ended.code == 0
    assert ended.err.startswith("W-CERT-PLAIN  The private key is not encrypted")
    assert "key_password" not in ended.out
    load_pem_private_key(next(tmp_path.glob("*.key")).read_bytes(), None)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--password-env", PASSWORD),
        ("--password-env", "PW", "--password-file", "pw"),
        ("--no-password", "--password-file", "pw"),
        ("--csr", "--configure"),
        ("--csr", "--days", "10"),
        ("--password", PASSWORD),
    ],
)
def test_options_that_make_no_sense_are_refused_and_a_password_among_them_is_not_repeated(
    tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    ended = cert("new", *wrong, cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("E-USAGE")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    "wrong", [("--country", "Netherlands"), ("--bits", "1024"), ("--host", "no host"), ("--name", "x" * 65)]
)
def test_what_no_certificate_can_hold_is_refused(tmp_path: Path, wrong: tuple[str, str]) -> None:
    ended = cert("new", "--password-file", "pw", *wrong, cwd=tmp_path)
    assert (ended.code, names(tmp_path)) == (2, set())
    assert ended.err.startswith("E-CERT-NEW")


def test_configure_takes_the_place_of_what_init_has_written(tmp_path: Path) -> None:
    assert classbell("init", cwd=tmp_path).code == 0
    file = tmp_path / "conf.d" / "example.toml"
    before = file.read_text()
    ended = good(
        "new", "-i", "example", "--configure", "--password-file", "conf.d/key-password", cwd=tmp_path
    )
    (named,) = tomllib.loads(file.read_text())["tenant"]["certificates"]
    assert set(named) == {"certificate", "private_key", "key_password"}
    assert all((tmp_path / "conf.d" / each["file"]).is_file() for each in named.values())
    assert re.fullmatch(r"classbell-example-\d{4}\.crt", named["certificate"]["file"])
    unchanged = before[: before.index("[[tenant.certificates]]")]
    assert file.read_text().startswith(unchanged)
    assert before[before.index("\n# Where timetables") :] in file.read_text()
    assert "Configured   conf.d/example.toml names it." in ended.out
    # All that is left to say of the file is what nobody else can know.
    found = classbell("config", "check", cwd=tmp_path).err
    assert "certificates" not in found


def test_configure_names_a_further_one_behind_those_there_are(example: Installed) -> None:
    before = example.file.read_text()
    example.good("new", "--configure", "--password-file", example.conf / "pw")
    listed = tomllib.loads(example.file.read_text())["tenant"]["certificates"]
    assert listed[0]["certificate"]["file"] == "old-cert.pem"
    assert len(listed) == 2
    assert listed[1]["key_password"] == {"file": "pw"}
    at = before.index("\n# Where timetables")
    assert example.file.read_text().startswith(before[:at])
    assert example.file.read_text().endswith(before[at:])


def test_configure_names_the_first_one_in_a_file_that_has_none(example: Installed) -> None:
    text = example.file.read_text()
    begin, end = text.index("[[tenant.certificates]]"), text.index("\n# Where timetables")
    example.file.write_text(text[:begin].rstrip() + "\n" + text[end:])
    example.good("new", "--configure", "--password-file", example.conf / "pw")
    data = tomllib.loads(example.file.read_text())
    assert len(data["tenant"]["certificates"]) == 1
    assert [each["name"] for each in data["sources"]] == ["timetable"]
    assert classbell("config", "check", cwd=example.folder).code == 0


def test_configure_without_a_configuration_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    ended = cert("new", "--configure", "--password-file", "pw", cwd=tmp_path)
    assert (ended.code, names(tmp_path)) == (2, set())
    assert ended.err.startswith("E-CERT-CONFIGURE")


def test_json_says_what_was_written_and_what_to_upload(tmp_path: Path) -> None:
    (answer,) = good("new", "--json", "--password-file", "pw", cwd=tmp_path).json
    public = next(tmp_path.glob("*.crt"))
    assert set(answer["written"]) == {"pw", public.name, public.with_suffix(".key").name}
    assert answer["upload"] == public.name
    assert answer["certificate"]["sha256"] == certificate(public).fingerprint(hashes.SHA256()).hex().upper()
    (block,) = tomllib.loads(answer["toml"])["tenant"]["certificates"]
    assert block["private_key"] == {"file": public.with_suffix(".key").name}


def test_at_a_terminal_the_password_is_typed_in_twice_and_not_shown(tmp_path: Path) -> None:
    question = "A password for the new private key: "
    shown = typed([*COMMAND, "cert", "new"], [(question, PASSWORD), ("The same again: ", PASSWORD)], tmp_path)
    assert PASSWORD not in shown
    assert "key_password = { prompt = true }" in shown
    load_pem_private_key(next(tmp_path.glob("*.key")).read_bytes(), PASSWORD.encode())


@pytest.mark.prove
def test_two_different_passwords_are_refused(tmp_path: Path) -> None:
    shown = typed(
        ["sh", "-c", f"{COMMAND[0]} cert new; test $? = 2"],
        [("private key: ", PASSWORD), ("The same again: ", "hunter3")],
        tmp_path,
    )
    assert "E-CERT-RETYPE" in shown
    assert names(tmp_path) == set()


def test_the_json_form_is_one_document_that_has_the_warnings_too(tmp_path: Path) -> None:
    (answer,) = classbell("cert", "new", "--no-password", "--json", cwd=tmp_path).json
    assert [one["code"] for one in answer["warnings"]] == ["W-CERT-PLAIN"]
    assert len(answer["written"]) == 2


def test_the_way_on_from_a_request_names_its_folder(tmp_path: Path) -> None:
    ended = classbell("cert", "new", "--csr", "--no-password", "--dir", "keys", "-i", "north", cwd=tmp_path)
    assert "classbell cert import ANSWER -i north --dir keys --configure" in ended.err
