"""
The witness: the ledger's revision, kept in a file outside the database.

It is written when a ledger is opened to be used, and after each accepted plan before any request of it.
So a database that is older than its witness has been restored from a backup, or lost: what it says of
mailboxes is no longer true.
"""

from contextlib import suppress
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
        self._installation = installation.lower()

    def confirm(self, revision: int) -> None:
        """
        Check that the ledger is not older than what was witnessed.

        Raises:
            HeldError: E-LEDGER-OLD, E-LEDGER-WITNESS.
        """
        try:
            statement = self._statement()
        except FileNotFoundError as error:
            if revision == 0:
                return
            raise self._unproven("it is missing") from error
        except (OSError, msgspec.DecodeError) as error:
            # Also beside a new database: something was witnessed here, and nobody can say what.
            raise self._unproven("it is damaged, or may not be read") from error
        if statement.installation.lower() != self._installation:
            raise self._unproven(f"it belongs to installation {statement.installation}")
        if statement.revision > revision:
            raise HeldError(
                "E-LEDGER-OLD",
                f"The ledger is at revision {revision}, but revision {statement.revision} has been used.",
                why="an older copy of the database was restored, or the database was deleted",
                do=f"put back the newest copy of the database that belongs to {self._path.name}; if there is none:"
                " classbell ledger rebuild",
                effect="no calendar was changed; delivering now could write events a second time",
            )

    def bear(self, revision: int) -> None:
        """
        Write down that a revision is about to be used. What was witnessed never goes back.

        Raises:
            HeldError: E-LEDGER-WITNESS, it cannot be written; nothing may be sent.
        """
        with suppress(OSError, msgspec.DecodeError):
            known = self._statement()
            if known.installation.lower() == self._installation:
                revision = max(revision, known.revision)
        statement = _Statement(installation=self._installation, revision=revision)
        try:
            self._files.write_durably(self._path, msgspec.json.encode(statement), private=True)
        except OSError as error:
            raise HeldError(
                "E-LEDGER-WITNESS",
                f"The witness file {self._path} cannot be written.",
                why=error.strerror or "unknown",
                do="check the rights of this file and of its folder, and the free space; then run the command again",
                effect="nothing is sent that could not be written down first",
            ) from error

    def known(self) -> int:
        """The highest revision that was witnessed; 0 where the file says nothing."""
        with suppress(OSError, msgspec.DecodeError):
            return self._statement().revision
        return 0

    def _statement(self) -> _Statement:
        return msgspec.json.decode(self._files.read(self._path), type=_Statement)

    def _unproven(self, why: str) -> HeldError:
        return HeldError(
            "E-LEDGER-WITNESS",
            f"The witness file {self._path} says nothing about this ledger.",
            why=f"{why}; without it nobody can say whether this ledger is the newest one",
            do="if this database is the newest there ever was, put its witness back beside it; if it comes from a"
            " backup, or you are not certain: classbell ledger rebuild",
            effect="no calendar was changed",
        )
