"""What takes long to make, made once for many simulations: a certificate with its key, and an empty ledger."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from classbell.identity.certificates import Credential, load_credential, new_self_signed
from classbell.ledger import Ledger
from classbell.life import LocalFiles
from classbell.settings import CertificateSettings

INSTALLATION = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"
MONDAY = datetime(2026, 9, 21, 6, 0, tzinfo=UTC)
# Where there is memory that looks like a disk, commits cost next to nothing.
_MEMORY = Path("/dev/shm")  # noqa: S108 - only looked at


@dataclass(frozen=True, kw_only=True)
class Equipment:
    """
    A folder for files, a ledger with nothing in it, and how the installation proves itself.

    ``engines`` are those of SQLAlchemy that nobody uses: they know how statements are written, and in the course of
    a schedule hold its database open.
    """

    folder: Path
    ledger: Path
    pem: bytes
    certificate: CertificateSettings
    credentials: Sequence[Credential]
    engines: list[Engine] = field(default_factory=list)

    def let_go(self) -> None:
        """Close the database, which no process uses: somebody copies, replaces or removes its file."""
        for engine in self.engines:
            engine.dispose()


@contextmanager
def equipment() -> Iterator[Equipment]:
    """Made for the block."""
    with TemporaryDirectory(prefix="simulation-", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        folder = Path(name)
        pair = new_self_signed("classbell", now=MONDAY.timestamp() - 86_400)
        (folder / "cert.pem").write_bytes(pair.certificate)
        (folder / "key.pem").write_bytes(pair.key)
        (folder / "key.pem").chmod(0o600)
        settings = CertificateSettings.model_validate(
            {"certificate": {"file": folder / "cert.pem"}, "private_key": {"file": folder / "key.pem"}}
        )
        credentials = [load_credential(settings, LocalFiles(), {}, MONDAY.timestamp())]
        ledger = folder / "empty.db"
        asyncio.run(_made(ledger))
        yield Equipment(
            folder=folder,
            ledger=ledger,
            pem=pair.certificate,
            certificate=settings,
            credentials=credentials,
        )


async def _made(ledger: Path) -> None:
    (await Ledger.open(f"sqlite:///{ledger}", INSTALLATION)).close()
