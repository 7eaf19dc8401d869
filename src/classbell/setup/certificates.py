"""The public part of the certificates that an institution signs in with: nothing else ever leaves the server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from classbell.identity import faults, keystores, making, material
from classbell.identity.certificates import load_entry
from classbell.ports import Files
from classbell.settings import Ask, CertificateSettings

_DAY = "%Y-%m-%d"


@dataclass(frozen=True, kw_only=True)
class PublicCertificate:
    """
    A certificate as scripts name it.

    Attributes:
        file: the name of the file that holds the public part alone.
        pem: that file's content; empty as long as there is no certificate.
        sha1: the thumbprint in hexadecimal, as the Entra admin center shows it; empty likewise.
        sha256: the other thumbprint.
        until: the day until which it is valid, as ``2027-11-20``.
        until_instant: the same to the second, in UTC.
        expired: whether that is over.
        own: the configured file, where it holds certificates alone and can be uploaded as it is; else empty.
    """

    file: str
    pem: bytes = b""
    sha1: str = ""
    sha256: str = ""
    until: str = ""
    until_instant: str = "UNTIL"
    expired: bool = False
    own: str = ""

    @property
    def resource(self) -> str:
        """A name for it in Terraform's language."""
        return f"certificate_{self.sha1[:8].lower()}" if self.sha1 else "certificate"


def public_certificates(
    institution: str,
    settings: Sequence[CertificateSettings],
    files: Files,
    environ: Mapping[str, str],
    now: float,
    ask: Ask | None = None,
) -> tuple[PublicCertificate, ...]:
    """
    The public part of each certificate that is there; if none is, one without content stands for it.

    Those that have expired are left out, unless there is no other: they are of no use to anybody.

    Of a certificate file only the certificate is read, and no password; a keystore has to be opened.

    Args:
        institution: its id, part of the files' names.
        settings: where the certificates are.
        files: the files they are read from.
        environ: the environment, for a keystore's password.
        now: seconds since 1970.
        ask: the way to a person for a keystore's password that is typed in.

    Raises:
        ConfigurationError: ``E-CERT-FILE``, a file is there and holds no certificate; of a keystore, those of
            ``load_entry``.
    """
    found = {}
    for each in settings:
        certificate = _certificate(each, files, environ, ask)
        if certificate is not None:
            one = _public(institution, certificate, now, _alone(each, files))
            found[one.sha256] = one
    usable = tuple(one for one in found.values() if not one.expired)
    return usable or tuple(found.values()) or (PublicCertificate(file=f"classbell-{institution}.pem"),)


def _certificate(
    settings: CertificateSettings, files: Files, environ: Mapping[str, str], ask: Ask | None
) -> x509.Certificate | None:
    reference = settings.certificate or settings.keystore
    path = reference.file if reference else None
    if path is not None:
        try:
            files.mode(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise faults.unreadable(path, error) from error
    if settings.certificate is None:
        return load_entry(settings, files, environ, ask).certificate
    place = settings.certificate.file
    try:
        found = keystores.read(files.read(place), str(place)).certificates
    except OSError as error:
        raise faults.unreadable(place, error) from error
    if not found:
        raise faults.no_certificate(str(place))
    return material.issuing_none(found)


def _alone(settings: CertificateSettings, files: Files) -> str:
    """The configured file, if there is no key in it."""
    if settings.certificate is None:
        return ""
    place = settings.certificate.file
    return "" if keystores.may_hold_key(files.read(place)) else str(place)


def _public(institution: str, certificate: x509.Certificate, now: float, own: str) -> PublicCertificate:
    sha1 = material.shown(material.sha1(certificate))
    end = certificate.not_valid_after_utc
    return PublicCertificate(
        file=f"classbell-{institution}-{sha1[:8].lower()}.pem",
        pem=making.public(certificate),
        sha1=sha1,
        sha256=material.shown(material.sha256(certificate)),
        until=end.strftime(_DAY),
        until_instant=end.strftime(f"{_DAY}T%H:%M:%SZ"),
        expired=end <= datetime.fromtimestamp(now, UTC),
        own=own,
    )
