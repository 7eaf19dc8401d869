"""``classbell cert import``: the institution's own authority signs, and what it sends is taken in whatever its form."""

import tomllib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from tests.cli.cert.authority import Authority
from tests.cli.cert.commands import Installed, cert, good
from tests.cli.conftest import put

PEM = Encoding.PEM


@pytest.fixture(scope="session")
def root() -> Authority:
    return Authority.root()


@pytest.fixture(scope="session")
def issuing(root: Authority) -> Authority:
    return root.below()


@pytest.fixture
def requested(tmp_path: Path) -> Path:
    """The request, beside its key."""
    good("new", "--csr", "--password-file", "pw", cwd=tmp_path)
    return next(tmp_path.glob("*.csr"))


def test_a_request_is_made_with_its_key_and_shown(tmp_path: Path) -> None:
    ended = good(
        *("new", "--csr", "--password-file", "pw", "--name", "timetables", "--host", "t.example.edu"),
        cwd=tmp_path,
    )
    path = next(tmp_path.glob("*.csr"))
    request = x509.load_pem_x509_csr(path.read_bytes())
    assert request.subject.rfc4514_string() == "CN=timetables"
    assert path.with_suffix(".key").stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() in ended.out
    assert not list(tmp_path.glob("*.crt"))
    shown = good("show", path, cwd=tmp_path)
    assert "CN=timetables" in shown.out


@pytest.mark.parametrize("form", ["pem", "der", "chain", "p7b", "p7b-pem", "two files"])
def test_an_answer_of_any_form_is_taken_in(
    tmp_path: Path, requested: Path, root: Authority, issuing: Authority, form: str
) -> None:
    made = issuing.answer(requested.read_bytes())
    # In an order that helps nobody.
    whole = [root.certificate, issuing.certificate, made]
    answers = {
        "pem": [made.public_bytes(PEM)],
        "der": [made.public_bytes(Encoding.DER)],
        "chain": [b"".join(one.public_bytes(PEM) for one in whole)],
        "p7b": [pkcs7.serialize_certificates(whole, Encoding.DER)],
        "p7b-pem": [pkcs7.serialize_certificates(whole, PEM)],
        "two files": [issuing.certificate.public_bytes(PEM), made.public_bytes(Encoding.DER)],
    }[form]
    for number, content in enumerate(answers):
        (tmp_path / f"answer{number}").write_bytes(content)
    ended = good(
        "import", *(f"answer{n}" for n in range(len(answers))), "--password-file", "pw", cwd=tmp_path
    )
    public = requested.with_suffix(".crt")
    # The file that is uploaded holds the one certificate only.
    assert x509.load_pem_x509_certificates(public.read_bytes()) == [made]
    chain = requested.with_name(f"{requested.stem}-chain.crt")
    expected = {"pem": [], "der": [], "two files": [issuing.certificate]}
    assert (x509.load_pem_x509_certificates(chain.read_bytes()) if chain.exists() else []) == expected.get(
        form, [issuing.certificate, root.certificate]
    )
    assert "Issuer       CN=Example Issuing" in ended.out
    assert f'private_key = {{ file = "{requested.stem}.key" }}' in ended.out


def test_it_is_named_in_the_configuration_and_signs_in(example: Installed, root: Authority) -> None:
    example.good("new", "--csr", "--password-file", "pw")
    request = next(example.conf.glob("*.csr"))
    made = root.answer(request.read_bytes())
    (example.folder / "answer.cer").write_bytes(made.public_bytes(Encoding.DER))
    example.good("import", "answer.cer", "--password-file", "pw", "--configure")
    listed = tomllib.loads(example.file.read_text())["tenant"]["certificates"]
    assert listed[1]["key_password"] == {"file": str(example.folder / "pw")}
    example.app.add_certificate(request.with_suffix(".crt").read_bytes())
    checked = example.good("check")
    assert checked.out.count("Microsoft gives a token for it") == 2


def test_an_answer_to_another_request_is_refused(tmp_path: Path, requested: Path, root: Authority) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    good("new", "--csr", "--password-file", "pw", cwd=other)
    foreign = root.answer(next(other.glob("*.csr")).read_bytes())
    (tmp_path / "answer.pem").write_bytes(foreign.public_bytes(PEM))
    ended = cert("import", "answer.pem", "--password-file", "pw", cwd=tmp_path)
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-CERT-REQUEST")
    named = cert(
        *("import", "answer.pem", "--key", requested.with_suffix(".key"), "--password-file", "pw"),
        cwd=tmp_path,
    )
    assert (named.code, named.err.partition("  ")[0]) == (2, "E-CERT-MATCH")
    assert not list(tmp_path.glob("*.crt"))


def test_a_certificate_is_written_over_only_with_force(
    tmp_path: Path, requested: Path, root: Authority
) -> None:
    public = requested.with_suffix(".crt")
    for number in (1, 2, 3):
        made = root.answer(requested.read_bytes())
        (tmp_path / "answer.pem").write_bytes(made.public_bytes(PEM))
        force = ["--force"] if number == 3 else []
        ended = cert("import", "answer.pem", "--password-file", "pw", *force, cwd=tmp_path)
        assert ended.code == (2 if number == 2 else 0)
        assert (x509.load_pem_x509_certificate(public.read_bytes()) == made) == (number != 2)


def test_a_wrong_password_and_an_open_key_file_are_said(
    tmp_path: Path, requested: Path, root: Authority
) -> None:
    made = root.answer(requested.read_bytes())
    (tmp_path / "answer.pem").write_bytes(made.public_bytes(PEM))
    put(tmp_path, "wrong", b"hunter2-3f1c")
    ended = cert("import", "answer.pem", "--password-file", "wrong", cwd=tmp_path)
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-CERT-PASSWORD")
    key = requested.with_suffix(".key")
    key.chmod(0o644)
    ended = cert("import", "answer.pem", "--password-file", "pw", cwd=tmp_path)
    assert ended.err.startswith("E-SECRET-MODE")
    assert f"chmod go-rwx {key.name}" in ended.err or f"chmod o-rwx,g-w {key.name}" in ended.err
