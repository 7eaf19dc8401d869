"""
New keys and certificates: signed by themselves, or by an authority of the institution upon our request.

What Entra ID asks of them is on its page "Create a self-signed public certificate": RSA, SHA-256. The rest is a
clean profile, so that no scanner of policies takes one for an authority's: CA:FALSE, signatures only, client sign-in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from classbell.errors import ConfigurationError
from classbell.identity import faults, jks, keystores, pem, pkcs12
from classbell.identity.material import Form, KeyEntry, Passwords, belongs, chain_of, load_certificate
from classbell.ports import Files, Ids

KEY_SIZES = (2048, 3072, 4096)
# keytool makes no keystore with a shorter password, and cannot change one in it.
SHORTEST_JAVA_PASSWORD = 6
ALIAS = "classbell"
# New certificates are valid from a little earlier, so that clocks which differ by minutes do not matter; in seconds.
HEAD_START = 300

_HOST = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_COUNTRY = re.compile(r"[A-Za-z]{2}")
# How PKCS#7 begins, in PEM and as the object identifier of signed data.
_PKCS7 = (b"-----BEGIN PKCS7-----", b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
_LONGEST_NAME = 64
_LONGEST_DAYS = 36_500


@dataclass(frozen=True, kw_only=True)
class Subject:
    """
    Whom a certificate names.

    Attributes:
        common_name: at most 64 letters.
        organization: the institution's name, at most 64 letters; empty for none.
        country: the two letters of ISO 3166; empty for none.
        host: a DNS name for the alternative name; empty for none.
    """

    common_name: str
    organization: str = ""
    country: str = ""
    host: str = ""


def subject_of(certificate: x509.Certificate) -> Subject:
    """Whom a certificate names, as far as one that is made here can name the same."""

    def said(kind: x509.ObjectIdentifier) -> str:
        named = certificate.subject.get_attributes_for_oid(kind)
        text = str(named[0].value) if named else ""
        return text if len(text) <= _LONGEST_NAME and text.isprintable() else ""

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        hosts = extension.value.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        hosts = []  # it has none, or none that can be read
    country = said(NameOID.COUNTRY_NAME)
    return Subject(
        common_name=said(NameOID.COMMON_NAME).strip() or ALIAS,
        organization=said(NameOID.ORGANIZATION_NAME),
        country=country if _COUNTRY.fullmatch(country) else "",
        host=next(filter(_HOST.fullmatch, hosts), ""),
    )


class KeyPair(NamedTuple):
    """A private key and its certificate, each as PEM."""

    key: bytes
    certificate: bytes


def new_key(bits: int = KEY_SIZES[0]) -> rsa.RSAPrivateKey:
    """
    A new RSA key; 4096 bits take seconds.

    Raises:
        ConfigurationError: ``E-CERT-NEW``, not a size of ``KEY_SIZES``.
    """
    if bits not in KEY_SIZES:
        raise _impossible(
            f"A key of {bits} bits is not made here.", f"choose one of {', '.join(map(str, KEY_SIZES))}."
        )
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def self_signed(key: rsa.RSAPrivateKey, subject: Subject, *, now: float, days: int = 365) -> KeyEntry:
    """
    A certificate of a key, signed by itself.

    Args:
        key: the key.
        subject: whom the certificate names.
        now: from when it is valid, in seconds since 1970.
        days: for how long.

    Raises:
        ConfigurationError: ``E-CERT-NEW``, a name or the number of days cannot be.
    """
    if not 0 < days <= _LONGEST_DAYS:
        raise _impossible(f"A certificate cannot be valid for {days} days.", "choose 365 or 730.")
    name = _name(subject)
    begin = datetime.fromtimestamp(int(now), UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension, critical in _extensions(subject):
        builder = builder.add_extension(extension, critical)
    return KeyEntry(alias=ALIAS, key=key, certificate=builder.sign(key, hashes.SHA256()))


def new_self_signed(common_name: str, *, now: float, days: int = 365, password: bytes = b"") -> KeyPair:
    """
    Make an RSA key and a certificate signed by itself, both as PEM.

    Args:
        common_name: whom the certificate names.
        now: from when it is valid, in seconds since 1970.
        days: for how long.
        password: encrypts the key; the key stays plain if it is empty.
    """
    entry = self_signed(new_key(), Subject(common_name=common_name), now=now, days=days)
    return KeyPair(key=pem.write_key(entry, password), certificate=pem.write_certificates(entry))


def request(key: rsa.RSAPrivateKey, subject: Subject) -> bytes:
    """
    A request (CSR, PKCS#10 in PEM) to an authority for a certificate of a key.

    Raises:
        ConfigurationError: ``E-CERT-NEW``, a name cannot be.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(subject))
    for extension, critical in _extensions(subject):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def answered(answers: Sequence[tuple[bytes, str]], key: rsa.RSAPrivateKey, *, alias: str = ALIAS) -> KeyEntry:
    """
    The key with the certificate that an authority made for it, and with as much of the chain as was given.

    Args:
        answers: content and place of what the authority sent: PEM, DER or PKCS#7, one file or several, any order.
        key: the key that the request was signed with.
        alias: the entry's name.

    Raises:
        ConfigurationError: ``E-CERT-FILE`` no certificates in it, ``E-CERT-MATCH`` none of them is of this key.
    """
    found = [one for content, place in answers for one in certificates(content, place)]
    certificate = next((one for one in found if belongs(one, key)), None)
    if certificate is None:
        raise faults.mismatch(" and ".join(place for _, place in answers))
    return KeyEntry(alias=alias, key=key, certificate=certificate, chain=chain_of(certificate, found))


def certificates(content: bytes, place: str) -> tuple[x509.Certificate, ...]:
    """
    The certificates in a file that holds nothing secret: PEM, DER, or PKCS#7 (.p7b) in either.

    Raises:
        ConfigurationError: ``E-CERT-FILE``, there are none.
    """
    if any(sign in content[:4096] for sign in _PKCS7):
        return _pkcs7(content, place)
    found = keystores.read(content, place).certificates
    if not found:
        raise faults.no_certificate(place)
    return found


def _pkcs7(content: bytes, place: str) -> tuple[x509.Certificate, ...]:
    # Not by cryptography, which warns of a set that is out of order: so OpenSSL and Windows write it.
    try:
        der = pem.unarmored(content) if pem.looks_like(content) else content
        signed = cms.ContentInfo.load(der, strict=True)["content"]
        return tuple(load_certificate(one.chosen.dump()) for one in signed["certificates"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise faults.damaged(place, "PKCS#7 file") from None


def write(
    entry: KeyEntry, form: Form, passwords: Passwords, *, ids: Ids, now: float, legacy: bool = False
) -> bytes:
    """
    A key with its certificate and chain as a file of one form.

    Args:
        entry: what to write.
        form: PEM (all in one file), PKCS#12 or JKS.
        passwords: of the new file: ``key`` for PEM, ``store`` for the others; for JKS also ``key`` if it is to differ.
        ids: randomness.
        now: seconds since 1970.
        legacy: PKCS#12 for old programs, see ``pkcs12.write``.

    Raises:
        ConfigurationError: ``E-CERT-PASSWORD``, a keystore without a password; ``E-CERT-NEW``, a form for no keys.
    """
    if form is Form.PEM:
        return pem.write(entry, passwords.key or passwords.store or b"")
    if form is Form.DER:
        raise _impossible("DER is a form for the public certificate alone.", "choose PEM, PKCS#12 or JKS.")
    if not passwords.store:
        raise faults.no_password("the new keystore", "the password")
    if form is Form.JKS:
        return jks.write([entry], passwords.store, passwords.key, ids=ids, now=now)
    return pkcs12.write(entry, passwords.store, legacy=legacy)


def public(certificate: x509.Certificate, form: Form = Form.PEM) -> bytes:
    """The public certificate alone, as it is uploaded to Entra ID: PEM, or else DER."""
    encoding = serialization.Encoding.PEM if form is Form.PEM else serialization.Encoding.DER
    return certificate.public_bytes(encoding)


def password_concerns(password: bytes, form: Form) -> tuple[str, ...]:
    """What may make trouble with a password elsewhere, each as a sentence; never the password."""
    found = []
    if not password.isascii():
        found.append("The password has letters beyond ASCII: other programs may read them differently.")
    if form is Form.JKS and len(password.decode(errors="replace")) < SHORTEST_JAVA_PASSWORD:
        found.append(
            f"The password has less than {SHORTEST_JAVA_PASSWORD} characters: keytool reads such a keystore,"
            " but cannot change it."
        )
    return tuple(found)


def save_private(path: Path, content: bytes, files: Files) -> None:
    """
    Write a file with a private key: new, mode 0600 from its first byte on, durably, and never over another.

    Raises:
        ConfigurationError: ``E-CERT-EXISTS`` there is such a file, ``E-CERT-WRITE`` it cannot be written.
    """
    try:
        files.create_private(path, content)
    except FileExistsError:
        raise ConfigurationError(
            "E-CERT-EXISTS",
            f"There is a file {path} already.",
            why="keys are never written over: the old one may be the only one that is registered.",
            do="choose another name, or move the old file away.",
            effect="nothing was written.",
        ) from None
    except OSError as error:
        raise ConfigurationError(
            "E-CERT-WRITE",
            f"The file {path} cannot be written.",
            why=error.strerror or type(error).__name__,
            do="check that its folder is there and that this account may write to it.",
            effect="nothing was written.",
        ) from error


def _name(subject: Subject) -> x509.Name:
    _demand_text("common name", subject.common_name, needed=True)
    _demand_text("organisation", subject.organization, needed=False)
    if subject.country and not _COUNTRY.fullmatch(subject.country):
        raise _impossible(
            f'"{subject.country}" is no country.', "give the two letters of ISO 3166, such as NL."
        )
    if subject.host and not _HOST.fullmatch(subject.host):
        raise _impossible(
            f'"{subject.host}" is no host name.', "give a DNS name, such as timetable.example.edu."
        )
    parts = [
        (NameOID.COUNTRY_NAME, subject.country.upper()),
        (NameOID.ORGANIZATION_NAME, subject.organization),
        (NameOID.COMMON_NAME, subject.common_name),
    ]
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts if text])


def _demand_text(what: str, text: str, *, needed: bool) -> None:
    # The bounds are those of RFC 5280, appendix A.1 (ub-common-name, ub-organization-name).
    if (needed and not text.strip()) or len(text) > _LONGEST_NAME or not (text.isprintable() or not text):
        raise _impossible(
            f"The {what} cannot be written into a certificate.",
            f"give one line of 1 to {_LONGEST_NAME} letters.",
        )


def _extensions(subject: Subject) -> list[tuple[x509.ExtensionType, bool]]:
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ]
    if subject.host:
        found.append((x509.SubjectAlternativeName([x509.DNSName(subject.host)]), False))
    return found


def _impossible(what: str, do: str) -> ConfigurationError:
    return ConfigurationError(
        "E-CERT-NEW", what, why="no certificate can be made so.", do=do, effect="nothing was made."
    )
