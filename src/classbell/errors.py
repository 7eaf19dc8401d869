"""
The error tree. Each error says what happened, why, and what to do; ``cli`` prints it, logs carry it.

    ClassbellError                   about us, if nothing below fits                    exit 1
    ├── ConfigurationError           a configuration file or an argument is wrong      exit 2
    ├── HeldError                    a person must decide; nothing was changed         exit 4
    │   └── SourceUnusable           a source answered with something that is no timetable
    ├── TemporaryError               waiting will help; nothing is lost                exit 5
    │   ├── SourceUnreachable        a source could not be reached
    │   └── ServiceUnavailable       Microsoft could not be reached or is refusing everybody
    ├── RefusedError                 a credential or a permission was refused          exit 6
    ├── LeaseHeld                    another process works on this institution         exit 7
    └── StalePlan                    a saved plan no longer fits; plan again           exit 11

"No meetings" and "could not read" are different types: the first is a Snapshot, the second raises.
What goes wrong with one event or one mailbox is a value in its outcome and is never raised.
"""

from typing import ClassVar


class ClassbellError(Exception):
    """
    Base of the tree.

    Args:
        code: stable code such as ``E-SRC-EMPTY``; documented in ``docs/reference/errors.md``.
        what: one line, what happened.
        why: one line, the cause, or "unknown": never a guess.
        do: one line, the next step for a person.
        effect: what this means for calendars.
        origin: the code of the other side where there is one, such as ``AADSTS700027``.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, code: str, what: str, *, why: str = "", do: str = "", effect: str = "", origin: str = ""
    ) -> None:
        super().__init__(f"{code}: {what}")
        self.code = code
        self.what = what
        self.why = why
        self.do = do
        self.effect = effect
        self.origin = origin


def sentence(text: str) -> str:
    """A text as the beginning of a sentence; a command to be typed stays as it is typed."""
    return text if text.startswith("classbell ") else f"{text[:1].upper()}{text[1:]}"


class ConfigurationError(ClassbellError):
    """A configuration file or an argument is wrong."""

    exit_code = 2


class HeldError(ClassbellError):
    """A person must decide; nothing was changed."""

    exit_code = 4


class SourceUnusable(HeldError):
    """A source answered with something that is no timetable (empty, HTML, half a file, wrong columns)."""


class TemporaryError(ClassbellError):
    """Waiting will help; nothing is lost."""

    exit_code = 5


class SourceUnreachable(TemporaryError):
    """A source could not be reached, or answered with an error of its own."""


class ServiceUnavailable(TemporaryError):
    """Microsoft could not be reached, or refuses everybody for now."""


class RefusedError(ClassbellError):
    """A credential or a permission was refused."""

    exit_code = 6


class LeaseHeld(ClassbellError):
    """Another process works on this institution."""

    exit_code = 7


class StalePlan(ClassbellError):
    """A saved plan is not for this ledger, or not for it as it is now."""

    exit_code = 11


SourceError = SourceUnusable | SourceUnreachable
