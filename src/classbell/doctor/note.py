"""
The notes: which test events may stand in a probe mailbox, written down before anything leaves.

To a test event a note is what the ledger is to a delivered one. A mark alone never proves that an event is ours, for
Outlook copies it along; what a note names, and nothing else, is removed by a later doctor when one was killed.
"""

from pathlib import Path

import msgspec

from classbell.errors import ClassbellError
from classbell.ports import Files


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """
    A test event that was begun.

    Attributes:
        mailbox: the address of the mailbox, in small letters.
        operation: the id under which it was made, part of its mark.
        noted_at: when its intent was written down, in seconds since 1970 by Microsoft's clock.
        event_id: the event; "" until it is known.
    """

    mailbox: str
    operation: str
    noted_at: float
    event_id: str = ""


class Notebook:
    """The notes of one institution, in a file of their own."""

    def __init__(self, files: Files, path: Path) -> None:
        self._files = files
        self._path = path

    def read(self) -> tuple[Note, ...]:
        """
        What is noted.

        Raises:
            ClassbellError: E-PROBE-NOTE, it cannot be read.
        """
        try:
            return msgspec.json.decode(self._files.read(self._path), type=tuple[Note, ...])
        except FileNotFoundError:
            return ()
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Damaged: it names no event, so that none is removed for it.
            return ()
        except OSError as error:
            raise self._unusable(error) from error

    def write(self, note: Note) -> None:
        """
        Add a note durably, or replace the one of the same operation.

        Raises:
            ClassbellError: E-PROBE-NOTE, it cannot be written; nothing may be sent.
        """
        self._put((*self._others(note), note))

    def strike(self, note: Note) -> None:
        """
        Take a note out: its event is removed, or was never made.

        Raises:
            ClassbellError: E-PROBE-NOTE.
        """
        self._put(self._others(note))

    def _others(self, note: Note) -> tuple[Note, ...]:
        return tuple(one for one in self.read() if one.operation != note.operation)

    def _put(self, notes: tuple[Note, ...]) -> None:
        try:
            self._files.write_durably(self._path, msgspec.json.encode(notes), private=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> ClassbellError:
        return ClassbellError(
            "E-PROBE-NOTE",
            f"The file {self._path} beside the ledger cannot be used.",
            why=error.strerror or type(error).__name__,
            do="check the rights of this file and of its folder, and the free space.",
            effect="no test event was made: one that is not noted first could not be removed for certain.",
        )
