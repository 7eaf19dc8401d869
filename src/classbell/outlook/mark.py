"""
The mark: a hidden property of every event we made, written inside the create itself.

Its text is ``1/<installation>/<operation>/<JSON array>``. The front is there to be searched by prefix
(Graph compares these values without regard to case, extended properties overview page: so everything
before the array is lower case); the array is there to be read, by people too. A mark alone never proves
that an event is ours: Outlook copies hidden properties with a copied event.
"""

from typing import Self

import msgspec

from classbell.operations import operation_id

VERSION = 1

# The name every mark is kept under. It must never vary: each distinct name uses up one of a mailbox's
# finite named properties, for good (extended properties overview page, "named property").
MARK_PROPERTY = "String {7885c852-6065-4136-833e-5ef5a4c9919b} Name ClassbellMark"

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(tuple[str, str, str, int, int, int])


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """
    What an event says about its own origin.

    ``intent_at`` is the instant of the sending intent in whole seconds; ``revision`` is the ledger's
    revision of that time. The other five parts identify the operation.
    """

    version: int = VERSION
    installation: str
    institution: str
    mailbox_key: str
    meeting_key: str
    incarnation: int
    intent_at: int
    revision: int

    @property
    def operation(self) -> str:
        """The operation id; see ``operations.operation_id``."""
        return operation_id(
            self.installation, self.institution, self.mailbox_key, self.meeting_key, self.incarnation
        )

    def text(self, operation: str = "") -> str:
        """The mark as it is stored; *operation* spares deriving it again where it is known."""
        rest = _encode(
            (
                self.institution,
                self.mailbox_key,
                self.meeting_key,
                self.incarnation,
                self.intent_at,
                self.revision,
            )
        )
        return f"{self.version}/{self.installation.lower()}/{operation or self.operation}/{rest.decode()}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The mark that *text* states; None if it states none that we could have written."""
        version, _, rest = text.partition("/")
        installation, _, rest = rest.partition("/")
        operation, _, array = rest.partition("/")
        if version != str(VERSION):
            return None
        try:
            institution, mailbox_key, meeting_key, incarnation, intent_at, revision = _decoder.decode(array)
            mark = cls(
                installation=installation,
                institution=institution,
                mailbox_key=mailbox_key,
                meeting_key=meeting_key,
                incarnation=incarnation,
                intent_at=intent_at,
                revision=revision,
            )
            # Edited or shortened by another program: the parts no longer agree with one another.
            agrees = mark.operation == operation and installation == installation.lower()
        except (msgspec.DecodeError, UnicodeError):
            return None
        return mark if agrees else None


def probe_prefix(installation: str) -> str:
    """
    With what the marks of all test events of an installation begin.

    Such an event is made and removed again by a check of the set-up. Its mark is kept under the same name but states
    no version that ``Mark.parse`` knows, so that nothing takes it for a delivered event.
    """
    return f"probe/{installation.lower()}/"


def probe_text(installation: str, operation: str, intent_at: int) -> str:
    """The mark of one test event."""
    return f"{probe_prefix(installation)}{operation}/{intent_at}"


def installation_prefix(installation: str) -> str:
    """With what every mark of an installation begins."""
    return f"{VERSION}/{installation.lower()}/"


def operation_prefix(installation: str, operation: str) -> str:
    """With what every mark of one operation begins, whenever its intent was."""
    return f"{VERSION}/{installation.lower()}/{operation}/"
