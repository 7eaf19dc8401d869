"""What is remembered of the institution's certificates: when each last got us a token, and when it was refused."""

from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from classbell.ledger.database import Database
from classbell.ledger.schema import certificate
from classbell.model import CertificateUse


class Certificates:
    """The institution's certificates, each by its SHA-256 thumbprint. The certificates themselves are not here."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id

    async def recall(self) -> Mapping[str, CertificateUse]:
        """All that is remembered."""
        query = select(certificate).where(certificate.c.institution_id == self._institution_id)

        def read(connection: Connection) -> dict[str, CertificateUse]:
            return {
                row.sha256: CertificateUse(
                    worked_at=row.worked_at, refused_at=row.refused_at, refusal=row.refusal
                )
                for row in connection.execute(query)
            }

        return await self._database.read(read)

    async def worked(self, sha256: str, at: float) -> None:
        """A token was had with it."""
        await self._keep(sha256, worked_at=at)

    async def refused(self, sha256: str, at: float, code: str) -> None:
        """Microsoft refused it, with this code of its own."""
        await self._keep(sha256, refused_at=at, refusal=code)

    async def _keep(self, sha256: str, **values: float | str) -> None:
        change = (
            update(certificate)
            .where(certificate.c.institution_id == self._institution_id, certificate.c.sha256 == sha256)
            .values(**values)
        )
        first = insert(certificate).values(institution_id=self._institution_id, sha256=sha256, **values)

        def write(connection: Connection) -> None:
            if not connection.execute(change).rowcount:
                connection.execute(first)

        await self._database.write(write)
