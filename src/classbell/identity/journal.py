"""
What renewing certificates must remember and can ask nobody: a small file beside the keys, without secrets.

Which of our certificates are registered, and which sign in, is asked of Microsoft. What Microsoft does not tell
an application is the id by which it takes a certificate away again; it says it once, when one is added.
"""

from pathlib import Path

import msgspec

from classbell.errors import ConfigurationError
from classbell.ports import Files


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """
    A certificate on its way in: its two files, and how far it has come; times in seconds since 1970.

    Attributes:
        sha256: its thumbprint; empty until its files are durable.
        asked_at: when its registration was last asked for; 0.0 if it was not, or was refused.
    """

    certificate: str
    private_key: str
    sha256: str = ""
    asked_at: float = 0.0


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """
    A certificate on its way out.

    Attributes:
        name: its file, as messages name it.
        sha1: its thumbprint as the Entra admin center shows it.
        sha256: its thumbprint; empty if its files cannot be read.
        destroy: the file of its private key, if nothing else is kept there.
        removed: whether it signs in no more.
    """

    name: str
    sha1: str
    sha256: str
    destroy: str = ""
    removed: bool = False


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """
    All of it.

    Attributes:
        key_ids: by SHA-256 thumbprint, the ids that Entra ID has given the certificate.
        rotated: the certificate that was brought in last, and ``rotated_at`` when.
        retired: the one that was taken out last, and ``retired_at`` when.
    """

    version: int = 1
    key_ids: dict[str, tuple[str, ...]] = {}
    coming: Coming | None = None
    leaving: Leaving | None = None
    rotated: str = ""
    rotated_at: float = 0.0
    retired: Leaving | None = None
    retired_at: float = 0.0


def read(path: Path, files: Files) -> Journal:
    """
    The journal; an empty one if there is no file.

    Raises:
        ConfigurationError: ``E-CERT-JOURNAL``, it cannot be read.
    """
    try:
        return msgspec.json.decode(files.read(path), type=Journal)
    except FileNotFoundError:
        return Journal()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not what Classbell has written."
        raise ConfigurationError(
            "E-CERT-JOURNAL",
            f"The file {path} cannot be read.",
            why=str(reason),
            do="check its permissions; if it is damaged, remove it: ids of certificates are then to be given with"
            " --key-id.",
            effect="the certificates in use stay as they are.",
        ) from error


def write(path: Path, journal: Journal, files: Files) -> None:
    """
    Keep the journal durably.

    Raises:
        OSError: it could not be written.
    """
    files.write_durably(path, msgspec.json.format(msgspec.json.encode(journal)) + b"\n", private=True)
