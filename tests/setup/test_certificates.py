"""What leaves the server of a certificate: its public part, whatever stands beside it in the file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from classbell.errors import ConfigurationError
from classbell.identity.certificates import new_self_signed
from classbell.life import LocalFiles
from classbell.settings import CertificateSettings, FileReference, PrivateFile, Secret
from classbell.setup import PublicCertificate, public_certificates

NOW = datetime(2026, 9, 21, tzinfo=UTC).timestamp()
PAIR = new_self_signed("classbell", now=NOW - 86_400, days=30)
OVER = new_self_signed("classbell", now=NOW - 86_400 * 40, days=30)


def public(folder: Path, *contents: bytes) -> tuple[PublicCertificate, ...]:
    settings = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.pem"
        path.write_bytes(content)
        settings.append(
            CertificateSettings(
                certificate=FileReference(file=path), private_key=Secret(file=folder / "key.pem")
            )
        )
    return public_certificates("example", settings, LocalFiles(), {}, NOW)


def test_a_key_in_the_same_file_stays_behind(tmp_path: Path) -> None:
    (found,) = public(tmp_path, PAIR.key + PAIR.certificate)
    assert found.pem == PAIR.certificate
    certificate = x509.load_pem_x509_certificate(found.pem)
    assert found.sha1 == certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 (its name)
    assert found.sha256 == certificate.fingerprint(hashes.SHA256()).hex().upper()
    assert (found.until, found.until_instant, found.expired) == ("2026-10-20", "2026-10-20T00:00:00Z", False)
    assert found.file == f"classbell-example-{found.sha1[:8].lower()}.pem"


def test_a_binary_certificate_becomes_text(tmp_path: Path) -> None:
    der = x509.load_pem_x509_certificate(PAIR.certificate).public_bytes(serialization.Encoding.DER)
    assert public(tmp_path, der)[0].pem == PAIR.certificate


def test_several_certificates_have_files_of_their_own_and_expired_ones_are_of_no_use(tmp_path: Path) -> None:
    other = new_self_signed("classbell", now=NOW)
    found = public(tmp_path, PAIR.certificate, OVER.certificate, other.certificate, PAIR.certificate)
    assert [each.pem for each in found] == [PAIR.certificate, other.certificate]
    assert len({each.file for each in found} | {each.resource for each in found}) == 4
    (expired,) = public(tmp_path, OVER.certificate)
    assert (expired.expired, expired.until) == (True, "2026-09-11")


def test_a_keystore_is_opened_for_its_certificate_alone(tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(PAIR.key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(PAIR.certificate)
    sealed = serialization.BestAvailableEncryption(b"hunter2")
    for name, content in {
        "store.p12": serialize_key_and_certificates(b"classbell", key, certificate, None, sealed),
        "password": b"hunter2\n",
    }.items():
        LocalFiles().write_durably(tmp_path / name, content, private=True)
    settings = CertificateSettings(
        keystore=PrivateFile(file=tmp_path / "store.p12"), store_password=Secret(file=tmp_path / "password")
    )
    (found,) = public_certificates("example", [settings], LocalFiles(), {}, NOW)
    assert found.pem == PAIR.certificate
    (tmp_path / "store.p12").unlink()
    assert public_certificates("example", [settings], LocalFiles(), {}, NOW)[0].pem == b""


def test_where_there_is_no_certificate_yet_a_name_stands_for_it(tmp_path: Path) -> None:
    absent = CertificateSettings(
        certificate=FileReference(file=tmp_path / "cert.pem"), private_key=Secret(file=tmp_path / "key.pem")
    )
    for settings in ((), (absent,)):
        (found,) = public_certificates("example", settings, LocalFiles(), {}, NOW)
        assert (found.file, found.pem, found.sha1) == ("classbell-example.pem", b"", "")


@pytest.mark.parametrize("content", [b"", b"nothing", PAIR.key, PAIR.certificate[:300]], ids=range(4))
def test_a_file_without_a_certificate_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError) as caught:
        public(tmp_path, content)
    assert caught.value.code == "E-CERT-FILE"
    assert b"PRIVATE" not in str(vars(caught.value)).encode()
