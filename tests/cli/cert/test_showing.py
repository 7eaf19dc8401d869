"""``classbell cert show``: a file of any form, as the Entra admin center would show it; never a key."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.cli.cert.commands import PASSWORD, cert, good
from tests.cli.classbell import COMMAND
from tests.cli.conftest import put
from tests.identity.terminal import typed

GOLDEN = """\
{place}   {form}

{alias}Subject      CN=classbell
Issuer       itself
Valid        {begin} UTC until {end} UTC, 364 days left
Key          RSA, 2048 bits
Serial       {serial}
Thumbprint   {sha1}   (SHA-1, as the Entra admin center shows it)
SHA-256      {sha256}
In base64    {base64}   (SHA-1, as customKeyIdentifier in the manifest)

Private key  {key}

The public part, which is what is uploaded:
{pem}"""


def expected(folder: Path, **words: str) -> str:
    """The golden text, with what openssl would say of the certificate."""
    content = (folder / "cert.pem").read_text()
    made = x509.load_pem_x509_certificate(content.encode())
    sha1 = made.fingerprint(hashes.SHA1())  # noqa: S303 - a name
    return GOLDEN.format(
        begin=made.not_valid_before_utc.strftime("%Y-%m-%d %H:%M:%S"),
        end=made.not_valid_after_utc.strftime("%Y-%m-%d %H:%M:%S"),
        serial=f"{made.serial_number:X}",
        sha1=sha1.hex().upper(),
        sha256=made.fingerprint(hashes.SHA256()).hex().upper(),
        base64=base64.b64encode(sha1).decode(),
        pem=content,
        **{"alias": "", **words},
    )


def test_a_certificate_is_shown_as_it_is_compared(files: Path) -> None:
    ended = good("show", "cert.pem", cwd=files)
    assert ended.out == expected(files, place="cert.pem", form="PEM", key="none")
    assert ended.err == ""


@pytest.mark.parametrize(
    ("to", "ending", "form"), [("pkcs12", "p12", "PKCS#12"), ("jks", "jks", "Java keystore (JKS)")]
)
def test_a_keystore_is_shown_with_its_alias(files: Path, to: str, ending: str, form: str) -> None:
    good(
        *("convert", "key.pem", "cert.pem", "--to", to, "--out", "store"),
        *("--password-file", "password", "--new-password-file", "password"),
        cwd=files,
    )
    (files / "store").rename(files / f"renamed-{ending}.pem")
    ended = good("show", f"renamed-{ending}.pem", "--password-file", "password", cwd=files)
    assert ended.out == expected(
        files,
        place=f"renamed-{ending}.pem",
        form=form,
        # PKCS#12 names keys, and not which certificate is of which key.
        alias="Alias        classbell\n" if to == "jks" else "",
        key="classbell: opens with this password",
    )


def test_a_java_keystore_can_be_looked_at_without_its_password_pkcs12_cannot(files: Path) -> None:
    for to in ("pkcs12", "jks"):
        good(
            *("convert", "key.pem", "cert.pem", "--to", to, "--out", to),
            *("--password-file", "password", "--new-password-file", "password"),
            cwd=files,
        )
    assert "Private key  classbell: encrypted" in good("show", "jks", cwd=files).out
    refused = cert("show", "pkcs12", cwd=files)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("E-CERT-NO-PASSWORD  The password of pkcs12 is needed.")


def test_a_wrong_password_is_said_behind_what_can_be_shown_without_it(files: Path) -> None:
    put(files, "wrong", b"hunter2")
    ended = cert("show", "key.pem", "cert.pem", "--password-file", "wrong", cwd=files)
    assert ended.code == 2
    assert "Private key  1: cannot be used (E-CERT-PASSWORD)" in ended.out
    assert ended.err.startswith("E-CERT-PASSWORD  The password does not open the private key in key.pem")


@pytest.mark.prove
def test_at_a_terminal_the_password_is_asked_for_and_may_be_left_out(files: Path) -> None:
    command = [*COMMAND, "cert", "show", "key.pem", "cert.pem"]
    question = "The password of key.pem: "
    shown = typed(command, [(question, PASSWORD)], files)
    assert "1: opens with this password" in shown
    assert PASSWORD not in shown
    assert "1: encrypted" in typed(command, [(question, "")], files)


def test_json_has_the_same_and_the_public_part(files: Path) -> None:
    (answer,) = good("show", "cert.pem", "key.pem", "--json", "--password-file", "password", cwd=files).json
    assert answer["public"] == (files / "cert.pem").read_text()
    assert answer["keys"] == [{"alias": "1", "state": "opens with this password"}]
    assert answer["certificates"][0]["sha1"] in expected(files, place="", form="", key="")


def test_a_key_that_others_can_read_is_refused_with_the_command_that_closes_it(files: Path) -> None:
    (files / "key.pem").chmod(0o644)
    ended = cert("show", "key.pem", cwd=files)
    assert ended.code == 2
    assert ended.err.startswith("E-SECRET-MODE")
    assert "chmod" in ended.err


def test_what_entra_id_does_not_take_is_said_and_a_name_cannot_command_the_terminal(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "\x1b[2Jclear")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=2)).sign(
        key, hashes.SHA256()
    )
    (tmp_path / "ec.cer").write_bytes(made.public_bytes(Encoding.DER))
    ended = good("show", "ec.cer", cwd=tmp_path)
    assert "\x1b" not in ended.out
    assert "[2Jclear" in ended.out
    assert ended.err.startswith("E-CERT-KIND  Microsoft Entra ID takes RSA keys only.")


@pytest.mark.parametrize(
    "content", [b"", b"nothing of the kind", b"\x30\x82\x01", b"-----BEGIN CERTIFICATE REQUEST-----"]
)
def test_what_is_no_certificate_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    ended = cert("show", "file", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("E-CERT-F")
    missing = cert("show", "none", cwd=tmp_path)
    assert missing.err.startswith("E-SECRET-FILE")
