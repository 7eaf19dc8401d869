"""
Certificates and their private keys, read from PEM files as OpenSSL makes them, and checked before use.

Entra ID checks none of this for us in a way an administrator could understand (a key that does not
belong to its certificate is "an invalid signature"), so everything that can be known here is said here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID

from classbell.errors import ClassbellError, ConfigurationError, RefusedError
from classbell.ports import Files
from classbell.settings import CertificateSettings
from classbell.zones import utc_text

SMALLEST_KEY = 2048
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Credential:
    """
    A certificate with its private key, both checked.

    Attributes:
        name: the certificate's file, for messages.
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
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, not a proof

    @property
    def sha256(self) -> str:
        """The SHA-256 thumbprint in hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex().upper()

    def days_left(self, now: float) -> int:
        """Whole days until it expires; negative afterwards."""
        return int((self.not_after - now) // _DAY)


class KeyPair(NamedTuple):
    """A private key and its certificate, each as PEM."""

    key: bytes
    certificate: bytes


def load_credential(
    settings: CertificateSettings, files: Files, environ: Mapping[str, str], now: float | None
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

    Raises:
        ConfigurationError: ``E-CERT-FILE`` a file is missing or holds nothing of the kind,
            ``E-CERT-PASSWORD`` the key cannot be opened, ``E-CERT-MATCH`` key and certificate do not
            belong together, ``E-CERT-KIND`` a key that Entra ID does not take; and those of ``Secret``.
        RefusedError: ``E-CERT-EXPIRED``, ``E-CERT-NOT-YET``.
    """
    path = settings.certificate.file
    try:
        content = files.read(path)
    except OSError as error:
        raise ConfigurationError(
            "E-CERT-FILE",
            f"The certificate file {path} cannot be read.",
            why=error.strerror or type(error).__name__,
            do="check the path under [[tenant.certificates]], and that Classbell's account may read the file.",
        ) from error
    certificates = _certificates(content, str(path))
    password = settings.key_password.reveal(files, environ) if settings.key_password else None
    place = str(settings.private_key.file or f"environment variable {settings.private_key.env}")
    key = _rsa(_key(settings.private_key.reveal(files, environ), place, password), place)
    certificate = next((each for each in certificates if _belongs(each, key)), None)
    if certificate is None:
        raise ConfigurationError(
            "E-CERT-MATCH",
            f"The private key ({place}) does not belong to the certificate {path}.",
            why="they were made at different times, or one of the two files was exchanged.",
            do="put the key and the certificate that were made together side by side in the configuration.",
        )
    credential = Credential(
        name=str(path),
        key=key,
        certificate=certificate,
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
    )
    if now is not None:
        demand_valid(credential, now)
    return credential


def load_credentials(
    settings: Sequence[CertificateSettings], files: Files, environ: Mapping[str, str], now: float
) -> tuple[list[Credential], list[ClassbellError]]:
    """
    Read several certificates; what can be used, and what is wrong with the others.

    Raises:
        ClassbellError: none can be used; the first one's error. See ``load_credential``.
    """
    usable: list[Credential] = []
    troubles: list[ClassbellError] = []
    for each in settings:
        try:
            usable.append(load_credential(each, files, environ, now))
        except ClassbellError as trouble:
            troubles.append(trouble)
    if not usable:
        raise troubles[0]
    return usable, troubles


def new_self_signed(common_name: str, *, now: float, days: int = 365, password: bytes = b"") -> KeyPair:
    """
    Make an RSA key and a certificate signed by itself.

    Args:
        common_name: whom the certificate names.
        now: from when it is valid, in seconds since 1970.
        days: for how long.
        password: encrypts the key; the key stays plain if it is empty.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=SMALLEST_KEY)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    begin = datetime.fromtimestamp(int(now), UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return KeyPair(
        key=key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption),
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
    )


def _certificates(content: bytes, place: str) -> list[x509.Certificate]:
    _demand_bytes_of_text(content, place)
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_certificates(content)
        # What the Entra admin center and Windows call .cer may be the same certificate in binary form.
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        raise ConfigurationError(
            "E-CERT-FILE",
            f"The file {place} holds no readable certificate.",
            why="it has no whole CERTIFICATE block in PEM form.",
            do='give the certificate as PEM, the form that begins with "-----BEGIN CERTIFICATE-----".',
        ) from None


def _key(content: bytes, place: str, password: bytes | None) -> PrivateKeyTypes:
    _demand_bytes_of_text(content, place)
    encrypted = b"ENCRYPTED" in content
    if encrypted and not password:
        raise ConfigurationError(
            "E-CERT-PASSWORD",
            f"The private key ({place}) is encrypted, and no password for it is given.",
            why="key_password is missing in the configuration, or what it names is empty.",
            do='add key_password = { file = "..." } beside private_key.',
        )
    try:
        # A password for a key that is not encrypted does no harm and is not used.
        return serialization.load_pem_private_key(content, password if encrypted else None)
    except UnsupportedAlgorithm:
        raise _unknown_encryption(place) from None
    except ValueError as error:
        if "unknown" in str(error).lower():
            raise _unknown_encryption(place) from None
    except TypeError:
        pass  # what kind of wrong it is follows from the content below
    if encrypted:
        raise ConfigurationError(
            "E-CERT-PASSWORD",
            f"The password does not open the private key ({place}).",
            why="key_password is wrong, or the key file is damaged.",
            do="check the password: openssl pkey -noout -in KEYFILE asks for it and says whether it fits.",
        )
    raise ConfigurationError(
        "E-CERT-FILE",
        f"There is no readable private key ({place}).",
        why="it has no whole PRIVATE KEY block in PEM form.",
        do='give the key as PEM, the form that begins with "-----BEGIN".',
    )


def _unknown_encryption(place: str) -> ConfigurationError:
    return ConfigurationError(
        "E-CERT-KIND",
        f"The private key ({place}) is encrypted in a way that is no longer in use.",
        why="only ciphers that are still safe can be read.",
        do="encrypt it anew: openssl pkey -in OLD -aes256 -out NEW",
    )


def _demand_bytes_of_text(content: bytes, place: str) -> None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError(
            "E-CERT-FILE",
            f"The file {place} is saved as UTF-16.",
            why="Windows PowerShell's > writes files in this form.",
            do="save it as plain text (ASCII or UTF-8), for instance with: ... | Out-File -Encoding ascii FILE",
        )


def _rsa(key: PrivateKeyTypes, place: str) -> rsa.RSAPrivateKey:
    if not isinstance(key, rsa.RSAPrivateKey):
        # The portal accepts such a certificate; signing in with it then fails (certificate credentials page).
        raise ConfigurationError(
            "E-CERT-KIND",
            f"The private key ({place}) is not an RSA key.",
            why="Microsoft Entra ID takes RSA keys only.",
            do=_MAKE_ANOTHER,
        )
    if key.key_size < SMALLEST_KEY:
        raise ConfigurationError(
            "E-CERT-KIND",
            f"The private key ({place}) has {key.key_size} bits; {SMALLEST_KEY} are the least.",
            why="shorter RSA keys are no longer safe.",
            do=_MAKE_ANOTHER,
        )
    return key


_MAKE_ANOTHER = (
    "make a new pair and register its certificate:"
    " openssl req -x509 -newkey rsa:2048 -keyout key.pem -out cert.pem -days 365"
)


def _belongs(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bool:
    try:
        return certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False  # a key of a kind that cannot be read is not ours


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
            do="make a new pair, register its certificate in Entra ID, and name it in the configuration.",
            effect="Calendars stay as they are until then.",
        )
    if now < credential.not_before:
        raise RefusedError(
            "E-CERT-NOT-YET",
            f"The certificate {credential.name} is not valid yet (thumbprint {credential.sha1}).",
            why=f"it is valid from {utc_text(credential.not_before)}; it is {utc_text(now)} here.",
            do="check this computer's clock, or wait, or use another certificate until then.",
            effect="Calendars stay as they are until then.",
        )
