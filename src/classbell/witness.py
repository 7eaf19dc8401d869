"""
The witness: the ledger's revision, kept in a file outside the database.

It is written after each accepted plan and before any request of it, so a database that is older than
its witness has been restored from a backup, or lost: what it says of mailboxes is no longer true.
"""

from pathlib import Path

import msgspec

from classbell.errors import HeldError
from classbell.ports import Files


class _Statement(msgspec.Struct, frozen=True):
    installation: str
    revision: int


class Witness:
    """The witness of one ledger."""

    def __init__(self, files: Files, path: Path, installation: str) -> None:
        self._files = files
        self._path = path
        self._installation = installation

    def confirm(self, revision: int) -> None:
        """
        Check that the ledger is not older than what was witnessed.

        Raises:
            HeldError: E-LEDGER-OLD, E-LEDGER-WITNESS.
        """
        try:
            statement = msgspec.json.decode(self._files.read(self._path), type=_Statement)
        except (OSError, msgspec.DecodeError) as error:
            if revision == 0:
                return
            raise HeldError(
                "E-LEDGER-WITNESS",
                f"The witness file {self._path} of the ledger cannot be read.",
                why="it is missing or damaged; without it nobody can say whether this ledger is the newest one",
                do="put the file back from where it was kept; it belongs into the same folder and the same backup",
                effect="no calendar was changed",
            ) from error
        if statement.installation != self._installation or statement.revision > revision:
            raise HeldError(
                "E-LEDGER-OLD",
                f"The ledger is at revision {revision}, but revision {statement.revision} has been used.",
                why="an older copy of the database was restored, or the database was deleted",
                do=f"put back the newest copy of the database that belongs to {self._path.name}",
                effect="no calendar was changed; delivering now could write events a second time",
            )

    def bear(self, revision: int) -> None:
        """Write down that a revision is about to be used."""
        statement = _Statement(installation=self._installation, revision=revision)
        self._files.write_durably(self._path, msgspec.json.encode(statement))
