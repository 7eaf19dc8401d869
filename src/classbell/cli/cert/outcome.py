"""What comes after a certificate is there: comparing it, uploading it, and naming it in the configuration."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classbell.cli.cert import words
from classbell.cli.cert.home import Home, document
from classbell.cli.invocation import Invocation
from classbell.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography import x509

UPLOAD = (
    "in the Entra admin center, App registrations > your application >",
    "Certificates & secrets > Certificates > Upload certificate",
)


@dataclass(frozen=True, kw_only=True)
class KeyFiles:
    """
    The files of a new pair, and where the key's password is kept, as a configuration names it.

    ``kept`` is None if the key has no password.
    """

    certificate: Path
    private_key: Path
    kept: dict[str, object] | None

    @property
    def typed_in(self) -> bool:
        """Whether the password is kept nowhere but in somebody's head."""
        return self.kept is not None and "prompt" in self.kept


def tell(
    invocation: Invocation,
    where: Home,
    key_files: KeyFiles,
    certificate: "x509.Certificate",
    *,
    now: float,
    configure: bool,
) -> dict[str, Any]:
    """
    Show a new certificate and the way from here; with *configure*, name it in the institution's file.

    Raises:
        ConfigurationError: ``E-CFG-EDIT``, ``E-CERT-WRITE``.
    """
    from classbell.identity.facts import facts  # noqa: PLC0415 (keeps --help fast)

    output, found = invocation.output, facts(certificate, now)
    output.line()
    for line in words.lines(found):
        output.line(line)
    output.line()
    output.line(words.line("Upload", str(key_files.certificate)), style="bold")
    for line in UPLOAD:
        output.line(words.line("", line))
    output.line(words.line("", "The thumbprint there must be the one above. The key is never uploaded."))
    block = document(invocation, where).block(
        key_files.certificate.absolute(), key_files.private_key.absolute(), key_files.kept
    )
    if configure:
        _configure(invocation, where, key_files)
        output.line(words.line("Configured", f"{where.file} names it."))
    else:
        place = where.file or "the institution's file"
        output.line(words.line("Configure", f"in {place} (--configure does it):"))
        output.line()
        output.line(block)
    if key_files.typed_in:
        output.note(
            "The password is asked for at each run. For a service, which nobody answers, keep it in a file:"
            ' key_password = { file = "..." }, with mode 0600.'
        )
    output.note(
        f"Next: classbell setup {where.option}; after the upload: classbell cert check {where.option}"
    )
    return {
        "certificate": words.fields(found),
        "upload": str(key_files.certificate),
        "toml": block,
        "configured": str(where.file) if configure else None,
    }


def _configure(invocation: Invocation, where: Home, key_files: KeyFiles) -> None:
    from classbell.life import SystemClock  # noqa: PLC0415 (keeps --help fast)
    from classbell.zones import utc_text  # noqa: PLC0415

    today = utc_text(SystemClock().now())[:10]
    try:
        document(invocation, where).name_certificate(
            key_files.certificate.absolute(),
            key_files.private_key.absolute(),
            key_files.kept,
            note=f"made by classbell cert, {today}",
        )
    except OSError as error:
        raise ConfigurationError(
            "E-CERT-WRITE",
            f"The file {where.file} cannot be written.",
            why=error.strerror or type(error).__name__,
            do=f"name {key_files.certificate} in it yourself; the certificate itself is there.",
        ) from error
