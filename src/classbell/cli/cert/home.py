"""Where new keys and certificates are put, and what they are called; and how they come into the configuration."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from classbell.cli.cert.saving import there
from classbell.cli.invocation import DEFAULT_CONFIG, Invocation
from classbell.errors import ConfigurationError

if TYPE_CHECKING:
    from classbell.settings.editing import InstitutionFile

_LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Home:
    """
    Where files belong.

    Attributes:
        id: the institution's; empty if none is known.
        organization: its name, where a certificate can carry it.
        folder: where new files go.
        file: the institution's file; None without a configuration.
    """

    id: str
    organization: str
    folder: Path
    file: Path | None

    @property
    def option(self) -> str:
        """The option that names the institution in further commands."""
        return f"-i {self.id}" if self.id else "-i ID"

    def stem(self, now: float, *endings: str) -> Path:
        """The beginning of the names of files that are not there yet, such as ``classbell-example-2026``."""
        year = datetime.fromtimestamp(now, UTC).year
        base = "-".join(filter(None, ("classbell", self.id, str(year))))
        stem, number = base, 1
        while any(there(self.folder / f"{stem}{ending}") for ending in endings):
            number += 1
            stem = f"{base}-{number}"
        return self.folder / stem


def home(invocation: Invocation, folder: Path | None) -> Home:
    """
    Where new files belong: beside the institution's file; without any configuration in this folder.

    The institution's file need not be complete.

    Raises:
        ConfigurationError: the configuration that is there cannot be read, or has several institutions.
    """
    from classbell.settings import is_slug, load_draft  # noqa: PLC0415 (keeps --help fast)

    named = invocation.config or os.environ.get("CLASSBELL_CONFIG")
    host = Path(named or DEFAULT_CONFIG)
    if not named and not there(host):
        name = invocation.institution_id or ""
        return Home(id=name if is_slug(name) else "", organization="", folder=folder or Path(), file=None)
    draft = load_draft(host, invocation.files, os.environ, invocation.institution_id)
    name = draft.settings.name
    return Home(
        id=draft.settings.id,
        organization=name if len(name) <= _LONGEST_NAME and name.isprintable() else "",
        folder=folder or draft.path.parent,
        file=draft.path,
    )


def document(invocation: Invocation, where: Home) -> "InstitutionFile":
    """The institution's file, for changes; without one, as if there were one in the folder."""
    from classbell.settings.editing import InstitutionFile  # noqa: PLC0415 (keeps --help fast)

    return InstitutionFile(where.file or where.folder / "example.toml", invocation.files)


def demand_file(where: Home) -> None:
    """
    Let pass where there is a file to write into.

    Raises:
        ConfigurationError: ``E-CERT-CONFIGURE``.
    """
    if where.file is None:
        raise ConfigurationError(
            "E-CERT-CONFIGURE",
            "There is no configuration to write into.",
            why=f"there is no {DEFAULT_CONFIG} here, and --config names none.",
            effect="nothing was written.",
            do="begin with: classbell init; or leave --configure out.",
        )
