"""New keys, certificates and requests have a clean profile; files with keys are new, private and whole."""

import stat
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.identity.entries import KEY, NOW, STORE, chained, entry, foreign, read
from tests.unit.files import Drawer

from classbell.errors import ConfigurationError
from classbell.identity import jks, making, pem, pkcs12
from classbell.identity.facts import all_facts, facts
from classbell.identity.making import Subject
from classbell.identity.material import Form, Passwords
from classbell.life import LocalFiles, SystemIds

SUBJECT = Subject(
    common_name="Classbell", organization="Université d'Exemple", country="nl", host="timetable.example.edu"
)
DAY = 86_400


def test_a_certificate_is_made_for_signing_in_as_a_client_and_for_nothing_else() -> None:
    made = making.self_signed(entry().key, SUBJECT, now=1_800_000_000, days=730).certificate
    request = x509.load_pem_x509_csr(making.request(entry().key, SUBJECT))
    assert request.is_signature_valid
    assert request.subject == made.subject
    for extensions in (made.extensions, request.extensions):
        constraints = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage)
        assert (constraints.critical, constraints.value.ca, usage.critical) == (True, False, True)
        assert usage.value.digital_signature
        assert not usage.value.key_cert_sign
        extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH]
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["timetable.example.edu"]
    shown = facts(made, 1_800_000_000)
    assert shown.subject == "CN=Classbell,O=Université d'Exemple,C=NL"
    assert (shown.not_before, shown.days_left, shown.bits, shown.self_signed) == (1.8e9, 730, 2048, True)
    assert isinstance(made.signature_hash_algorithm, hashes.SHA256)


@pytest.mark.parametrize(
    "subject",
    [
        Subject(common_name=""),
        Subject(common_name=" "),
        Subject(common_name="x" * 65),
        Subject(common_name="two\nlines"),
        Subject(common_name="x", organization="y" * 65),
        Subject(common_name="x", country="NLD"),
        Subject(common_name="x", country="1!"),
        Subject(common_name="x", host="not a host"),
        Subject(common_name="x", host="-a.example"),
    ],
)
def test_names_that_no_certificate_can_have_are_refused(subject: Subject) -> None:
    for make in (making.request, lambda key, one: making.self_signed(key, one, now=NOW)):
        with pytest.raises(ConfigurationError) as caught:
            make(entry().key, subject)
        assert caught.value.code == "E-CERT-NEW"


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_a_number_of_days_out_of_reason_is_refused(days: int) -> None:
    with pytest.raises(ConfigurationError, match="E-CERT-NEW"):
        making.self_signed(entry().key, SUBJECT, now=NOW, days=days)


def test_sizes_of_keys_are_those_that_entra_takes() -> None:
    with pytest.raises(ConfigurationError, match="1024 bits"):
        making.new_key(1024)
    assert making.new_key(3072).key_size == 3072


def test_the_answer_of_an_authority_is_put_together_with_its_chain_in_order() -> None:
    one = chained()
    root_first = b"".join(making.public(each) for each in (*reversed(one.chain), one.certificate))
    apart = [
        (making.public(each, Form.DER), f"file {n}") for n, each in enumerate((*one.chain, one.certificate))
    ]
    for answers in ([(root_first, "answer.pem")], apart):
        found = making.answered(answers, one.key, alias="leaf")
        assert (found.certificate, found.chain) == (one.certificate, one.chain)


def test_the_answer_to_the_request_of_another_key_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        making.answered([(making.public(chained().certificate), "answer.pem")], entry().key)
    assert caught.value.code == "E-CERT-MATCH"
    assert "answer.pem" in caught.value.what


@pytest.mark.parametrize(
    "answer", [b"", b"thank you for your request", b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n"]
)
def test_an_answer_without_certificates_is_refused(answer: bytes) -> None:
    with pytest.raises(ConfigurationError, match="E-CERT-FILE"):
        making.answered([(answer, "answer.p7b")], entry().key)


def test_a_file_with_a_key_is_new_and_private_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    making.save_private(path, b"first", LocalFiles())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigurationError) as caught:
        making.save_private(path, b"second", LocalFiles())
    assert caught.value.code == "E-CERT-EXISTS"
    assert path.read_bytes() == b"first"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="E-CERT-EXISTS"):
        making.save_private(tmp_path / "link", b"third", LocalFiles())
    with pytest.raises(ConfigurationError, match="E-CERT-WRITE"):
        making.save_private(tmp_path / "none" / "key.pem", b"x", LocalFiles())
    assert sorted(one.name for one in tmp_path.iterdir()) == ["key.pem", "link"]


def test_a_full_disk_is_said_as_such() -> None:
    drawer = Drawer()
    drawer.full = True
    with pytest.raises(ConfigurationError) as caught:
        making.save_private(Path("key.pem"), b"x", drawer)
    assert (caught.value.code, caught.value.why) == ("E-CERT-WRITE", "No space left on device")


def test_a_keystore_is_never_written_without_a_password() -> None:
    for form in (Form.PKCS12, Form.JKS):
        with pytest.raises(ConfigurationError, match="E-CERT-PASSWORD"):
            making.write(entry(), form, Passwords(key=KEY), ids=SystemIds(), now=NOW)
    with pytest.raises(ConfigurationError, match="E-CERT-NEW"):
        making.write(entry(), Form.DER, Passwords(store=STORE), ids=SystemIds(), now=NOW)


def test_passwords_that_make_trouble_elsewhere_are_named_without_being_shown() -> None:
    assert making.password_concerns(b"long enough", Form.JKS) == ()
    assert making.password_concerns(b"short", Form.PKCS12) == ()
    (short,) = making.password_concerns(b"short", Form.JKS)
    assert "keytool" in short
    (beyond,) = making.password_concerns("clé-µ€-9d7e".encode(), Form.PEM)
    assert "ASCII" in beyond
    assert "clé" not in beyond


def test_facts_are_what_the_admin_center_and_the_manifest_show() -> None:
    shown = facts(entry().certificate, NOW + 10 * DAY)
    assert b64decode(shown.sha1_base64).hex().upper() == shown.sha1
    assert b64decode(shown.sha256_base64).hex().upper() == shown.sha256
    assert (len(shown.sha1), len(shown.sha256)) == (40, 64)
    assert shown.days_left == 354
    assert facts(entry().certificate, NOW + 400 * DAY).days_left < 0
    kinds = {facts(foreign(kind).certificate, NOW).key_kind for kind in ("ec", "short")}
    assert kinds == {"EC", "RSA"}


def test_facts_of_a_file_name_the_alias_and_show_no_key() -> None:
    content = jks.write([entry("one"), chained()], STORE, ids=SystemIds(), now=NOW)
    shown = all_facts(read(content), NOW)
    assert [(each.alias, each.subject) for each in shown] == [
        ("one", "CN=one"),
        ("leaf", "CN=leaf"),
        ("", "CN=middle"),
        ("", "CN=root"),
    ]
    for store in (read(content), read(pem.write(chained(), b"")), read(pkcs12.write(chained(), STORE))):
        text = f"{store!r} {all_facts(store, NOW)!r} {chained()!r}"
        assert "PrivateKey" not in text
        assert str(chained().key.private_numbers().d) not in text


def test_of_another_subject_as_much_is_taken_as_a_new_certificate_can_have() -> None:
    key = making.new_key()
    strange = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "one\ntwo"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example University"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "IT"),
        ]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(strange)
        .issuer_name(strange)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("*.example.edu"), x509.DNSName("a.example.edu")]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    found = making.subject_of(made)
    assert found == Subject(common_name="classbell", organization="Example University", host="a.example.edu")
    assert making.self_signed(key, found, now=0.0).certificate.subject
