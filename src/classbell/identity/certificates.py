"""
Certificates and their private keys, read from where the configuration keeps them, and checked before use.

Entra ID checks none of this for us in a way an administrator could understand (a key that does not
belong to its certificate is "an invalid signature"), so everything that can be known here is said here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from classbell.errors import RefusedError
from classbell.identity import faults, keystores, material
from classbell.identity.making import KeyPair, new_self_signed
from classbell.identity.material import Form, KeyEntry, Keystore, Passwords
from classbell.ports import Files
from classbell.settings import Ask, CertificateSettings, FileReference, Secret
from classbell.zones import utc_text

__all__ = [
    "Credential",
    "KeyPair",
    "demand_valid",
    "load_credential",
    "load_entry",
    "new_self_signed",
]


@dataclass(frozen=True, kw_only=True)
class Credential:
    """
    A certificate with its private key, both checked.

    Attributes:
        name: where the certificate is kept, for messages.
        key: the private key; never shown.
        certificate: the public part, as it is registered in Entra ID.
        not_before: from when it is valid, in seconds since 1970.
        not_after: until when.
    """

    name: str
    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    not_before: float
    not_after: float

    @property
    def sha1(self) -> str:
        """The SHA-1 thumbprint in hexadecimal, as the Entra admin center shows it."""
        return material.shown(material.sha1(self.certificate))

    @property
    def sha256(self) -> str:
        """The SHA-256 thumbprint in hexadecimal."""
        return material.shown(material.sha256(self.certificate))

    def days_left(self, now: float) -> int:
        """Whole days until it expires; negative afterwards."""
        return material.days_left(self.not_after, now)


def load_credential(
    settings: CertificateSettings,
    files: Files,
    environ: Mapping[str, str],
    now: float | None,
    ask: Ask | None = None,
) -> Credential:
    """
    Read a certificate with its key and check both.

    Certificate and key may stand in one file or in two, in any order, with other certificates of the
    chain around them; the certificate meant is the one that belongs to the key.

    Args:
        settings: where certificate, key and password are kept.
        files: the files they are read from.
        environ: the environment, for secrets kept there.
        now: seconds since 1970; None to take a certificate whatever its dates.
        ask: the way to a person for passwords that are typed in; None where there is none.

    Raises:
        ConfigurationError: ``E-CERT-FILE`` a file is missing or holds nothing of the kind, ``E-CERT-FORM`` it is of
            a form that is not read, ``E-CERT-PASSWORD`` the key cannot be opened, ``E-CERT-ALIAS`` it is not clear
            which key is meant, ``E-CERT-MATCH`` key and certificate do not belong together, ``E-CERT-KIND`` a key
            that Entra ID does not take; and those of ``Secret``.
        RefusedError: ``E-CERT-EXPIRED``, ``E-CERT-NOT-YET``.
    """
    entry = load_entry(settings, files, environ, ask)
    certificate = entry.certificate
    credential = Credential(
        name=settings.place,
        key=entry.key,
        certificate=certificate,
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
    )
    if now is not None:
        demand_valid(credential, now)
    return credential


def load_entry(
    settings: CertificateSettings, files: Files, environ: Mapping[str, str], ask: Ask | None = None
) -> KeyEntry:
    """
    The key that a configuration means, open, with its certificate and chain, whatever its dates.

    Raises:
        ConfigurationError: as ``load_credential``.
    """

    def password(secret: Secret | None, what: str) -> bytes | None:
        return secret.reveal(files, environ, ask, what=f"{what} of {settings.place}") if secret else None

    key_password = partial(password, settings.key_password, "the key password")
    if settings.keystore is not None:
        content = settings.keystore.read(files, environ)
        opening = Passwords(store=password(settings.store_password, "the store password"), key=key_password())
        return keystores.choose(
            keystores.read(content, settings.keystore.place, opening), settings.alias, opening
        )
    if settings.certificate is None or settings.private_key is None:
        raise AssertionError("settings hold a pair or a keystore")
    public = _pem(
        _certificate_file(settings.certificate, files), str(settings.certificate.file), "certificate"
    )
    if not public.certificates:
        raise faults.no_certificate(public.place)
    private = _pem(settings.private_key.reveal(files, environ), settings.private_key.place, "private_key")
    if not private.keys:
        raise faults.unread_key(private.place)
    pair = replace(public, place=private.place, keys=private.keys)
    return keystores.choose(pair, passwords=Passwords(key=key_password()))


def _certificate_file(reference: FileReference, files: Files) -> bytes:
    try:
        return files.read(reference.file)
    except OSError as error:
        raise faults.unreadable(reference.file, error) from error


def _pem(content: bytes, place: str, setting: str) -> Keystore:
    form = keystores.form_of(content, place)
    if form in {Form.PKCS12, Form.JKS}:
        raise faults.keystore_as_file(place, form.label, setting)
    return keystores.read(content, place)


def demand_valid(credential: Credential, now: float) -> None:
    """
    Let a certificate pass that is inside its dates.

    Raises:
        RefusedError: ``E-CERT-EXPIRED``, ``E-CERT-NOT-YET``.
    """
    if now >= credential.not_after:
        raise RefusedError(
            "E-CERT-EXPIRED",
            f"The certificate {credential.name} has expired (thumbprint {credential.sha1}).",
            why=f"it was valid until {utc_text(credential.not_after)}; it is {utc_text(now)} here.",
            do="make a new one and register it in Entra ID: classbell cert new -i ID",
            effect="Calendars stay as they are until this is repaired.",
        )
    if now < credential.not_before:
        raise RefusedError(
            "E-CERT-NOT-YET",
            f"The certificate {credential.name} is not valid yet (thumbprint {credential.sha1}).",
            why=f"it is valid from {utc_text(credential.not_before)}; it is {utc_text(now)} here.",
            do="check this computer's clock, or wait, or use another certificate until then.",
            effect="Calendars stay as they are until this is repaired.",
        )
