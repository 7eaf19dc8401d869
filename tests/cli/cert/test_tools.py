"""What the commands write is read by the real openssl and keytool; and openssl is the institution's authority."""

from pathlib import Path

import pytest
from tests.cli.cert.commands import OTHER, PASSWORD, good
from tests.cli.conftest import put
from tests.identity.tools import keytool, run

pytestmark = pytest.mark.prove

AUTHORITY = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")


def openssl(*arguments: str | Path, cwd: Path) -> str:
    return run("openssl", *arguments, cwd=cwd)


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A pair whose certificate the institution's authority has made: openssl, on our request."""
    put(tmp_path, "password", f"{PASSWORD}\n".encode())
    put(tmp_path, "other", OTHER.encode())
    good(
        *("new", "--csr", "--password-file", "password", "--organization", "Example University"),
        *("--country", "NL", "--host", "timetable.example.edu"),
        cwd=tmp_path,
    )
    request = next(tmp_path.glob("*.csr"))
    shown = openssl("req", "-in", request, "-noout", "-verify", "-text", cwd=tmp_path)
    assert "verify OK" in shown
    assert "DNS:timetable.example.edu" in shown
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Example Root"),
        *(*AUTHORITY, "-keyout", "root.key.pem", "-out", "root.pem"),
        cwd=tmp_path,
    )
    openssl(
        *("x509", "-req", "-in", request, "-CA", "root.pem", "-CAkey", "root.key.pem", "-CAcreateserial"),
        *("-days", "20", "-copy_extensions", "copy", "-out", "signed.pem"),
        cwd=tmp_path,
    )
    openssl(
        *("crl2pkcs7", "-nocrl", "-certfile", "root.pem", "-certfile", "signed.pem", "-out", "answer.p7b"),
        cwd=tmp_path,
    )
    good("import", "answer.p7b", "--password-file", "password", cwd=tmp_path)
    return request.with_suffix("")


def test_openssl_reads_the_pair_and_verifies_the_chain(tmp_path: Path, signed: Path) -> None:
    key, public = signed.with_suffix(".key"), signed.with_suffix(".crt")
    chain = signed.with_name(f"{signed.name}-chain.crt")
    assert "Key is valid" in openssl(
        "pkey", "-in", key, "-passin", "file:password", "-check", "-noout", cwd=tmp_path
    )
    assert "OK" in openssl("verify", "-CAfile", chain, public, cwd=tmp_path)
    for digest in ("sha1", "sha256"):
        told = openssl("x509", "-in", public, "-noout", "-fingerprint", f"-{digest}", cwd=tmp_path)
        thumbprint = told.strip().partition("=")[2].replace(":", "")
        assert thumbprint in good("show", public, cwd=tmp_path).out


@pytest.mark.parametrize("legacy", [(), ("--legacy",)])
def test_openssl_and_keytool_read_our_pkcs12(tmp_path: Path, signed: Path, legacy: tuple[str, ...]) -> None:
    good(
        *("convert", signed.with_suffix(".key"), signed.with_suffix(".crt"), "--to", "pkcs12"),
        *("--out", "made.p12", "--password-file", "password", "--new-password-file", "other"),
        *legacy,
        cwd=tmp_path,
    )
    options = ["-legacy"] if legacy else []
    assert "friendlyName: classbell" in openssl(
        "pkcs12", *options, "-in", "made.p12", "-passin", "file:other", "-nodes", "-nokeys", cwd=tmp_path
    )
    listed = keytool(
        "list", "-v", "-keystore", "made.p12", "-storetype", "PKCS12", "-storepass", OTHER, cwd=tmp_path
    )
    assert "Entry type: PrivateKeyEntry" in listed
    assert "O=Example University" in listed


def test_keytool_reads_and_converts_our_java_keystore(tmp_path: Path, signed: Path) -> None:
    chain = signed.with_name(f"{signed.name}-chain.crt")
    good(
        *("convert", signed.with_suffix(".key"), signed.with_suffix(".crt"), chain, "--to", "jks"),
        *("--out", "made.jks", "--password-file", "password", "--new-password-file", "other"),
        cwd=tmp_path,
    )
    listed = keytool("list", "-v", "-keystore", "made.jks", "-storepass", OTHER, cwd=tmp_path)
    assert "Keystore type: JKS" in listed
    assert "Alias name: classbell" in listed
    assert "Certificate chain length: 2" in listed
    keytool(
        "importkeystore",
        *("-srckeystore", "made.jks", "-srcstorepass", OTHER, "-destkeystore", "theirs.jks"),
        *("-deststorepass", OTHER),
        cwd=tmp_path,
    )
    # What keytool writes by default is PKCS#12, whatever its name.
    (tmp_path / "theirs.jks").chmod(0o600)
    shown = good("show", "theirs.jks", "--password-file", "other", cwd=tmp_path)
    assert shown.out.startswith("theirs.jks   PKCS#12\n")
    assert "classbell: opens with this password" in shown.out


def test_what_the_older_guides_made_becomes_anything(tmp_path: Path) -> None:
    put(tmp_path, "password", f"{PASSWORD}\n".encode())
    put(tmp_path, "other", OTHER.encode())
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-keyout", "key.pem", "-out", "cert.pem", "-days", "3650"),
        *("-subj", "/CN=old", "-passout", "file:password"),
        cwd=tmp_path,
    )
    openssl(
        *("pkcs12", "-export", "-in", "cert.pem", "-inkey", "key.pem", "-out", "cert.pfx"),
        *("-passin", f"pass:{PASSWORD}", "-passout", f"pass:{PASSWORD}"),
        cwd=tmp_path,
    )
    keytool(
        "importkeystore",
        *("-srckeystore", "cert.pfx", "-srcstoretype", "pkcs12", "-srcstorepass", PASSWORD),
        *("-destkeystore", "cert.jks", "-deststoretype", "JKS", "-deststorepass", OTHER),
        cwd=tmp_path,
    )
    for name in ("key.pem", "cert.pfx", "cert.jks"):
        (tmp_path / name).chmod(0o600)
    for number, (sources, passwords) in enumerate(
        [
            (("key.pem", "cert.pem"), ("--password-file", "password")),
            (("cert.pfx",), ("--password-file", "password")),
            # keytool has kept the password of the file that it converted for the key.
            (("cert.jks",), ("--password-file", "other", "--key-password-file", "password")),
        ]
    ):
        good(
            *("convert", *sources, "--to", "pem", "--out", f"{number}.pem", *passwords),
            *("--new-password-file", "other"),
            cwd=tmp_path,
        )
        subject = openssl("x509", "-in", f"{number}.pem", "-noout", "-subject", cwd=tmp_path)
        assert subject.strip() == "subject=CN = old"
        assert "Key is valid" in openssl(
            "pkey", "-in", f"{number}.pem", "-passin", "file:other", "-check", "-noout", cwd=tmp_path
        )
