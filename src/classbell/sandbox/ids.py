"""
Shapes of ids, change keys and iCalUIds.

Decoded from public samples: base64 with ``/`` as ``-`` and ``+`` as ``_``. A mutable id carries the mailbox
and the folder, so it changes when an item moves; an immutable id carries neither.
Source: Graph page "Get immutable identifiers for Outlook resources".
"""

import base64
import binascii
import hashlib
from datetime import date
from typing import NamedTuple
from uuid import UUID

# Folder counters as seen in samples: calendars themselves, and the items of the default calendar.
CALENDARS = 0x0106
DEFAULT_CALENDAR = 0x010D
DELETED_ITEMS = 0x010A
# The groups that every mailbox has.
MY_CALENDARS = 0x0110
OTHER_CALENDARS = 0x0111

_PROVIDER = UUID("c07d7c8d-5b1e-4d8a-9b0e-3f7b6f1a2c44").bytes_le
_IMMUTABLE = base64.b64decode("AAkALgAAAAAAHYQDEapmEc2byACqAC/EWg0A")
_MUTABLE_BYTES = 113
_ENTRY_BYTES = 70
_IMMUTABLE_BYTES = 51
_OCCURRENCE_BYTES = 124
_IMMUTABLE_OCCURRENCE_BYTES = 60
_PAD = b"\0\0"
# An occurrence's id wraps that of its series: 08, the ticks of its day, 46, and 10 at the end.
_OPENS, _GOES_ON, _CLOSES = b"\x08", b"\x46", b"\x10"
_DAY_TICKS = 864_000_000_000
_GLOBAL_OBJECT = bytes.fromhex("040000008200E00074C5B7101A82E008")
_FILETIME_EPOCH = 11_644_473_600
_TO_GRAPH = str.maketrans("/+", "-_")
_FROM_GRAPH = str.maketrans("-_", "/+")


class ItemId(NamedTuple):
    """A decoded id; ``folder`` is None in an immutable id, ``day`` an ordinal in that of an occurrence."""

    replica: bytes
    folder: int | None
    number: int
    day: int | None = None


class MailboxIds(NamedTuple):
    """The two GUIDs that the ids of one mailbox are made from."""

    prefix: bytes
    replica: bytes

    @classmethod
    def of(cls, mailbox: UUID, replica: UUID) -> "MailboxIds":
        """Those of a mailbox."""
        prefix = b"\0\x03\x24\0" + str(mailbox).encode() + b"\0\x46\0" + b"\0\0\0\0" + _PROVIDER + b"\x07\0"
        return cls(prefix + replica.bytes_le, replica.bytes_le)

    def mutable(self, folder: int, number: int) -> str:
        """The default id of an item, 152 characters."""
        raw = b"".join(
            (self.prefix, folder.to_bytes(6), _PAD, self.replica, number.to_bytes(6), _PAD),
        )
        return base64.b64encode(raw).decode().translate(_TO_GRAPH)

    def immutable(self, number: int) -> str:
        """The immutable id of an item, 68 characters."""
        raw = b"".join((_IMMUTABLE, self.replica, number.to_bytes(6), _PAD))
        return base64.b64encode(raw).decode().translate(_TO_GRAPH)

    def occurrence(self, folder: int, number: int, day: int) -> str:
        """The default id of an occurrence, 168 characters, computed from its series and its day."""
        whole = b"".join((self.prefix, folder.to_bytes(6), _PAD, self.replica, number.to_bytes(6), _PAD))
        head, entry = whole[:-_ENTRY_BYTES], whole[-_ENTRY_BYTES:]
        raw = b"".join(
            (head[:-3], b"\x01\x51\0", _OPENS, _ticks(day), _GOES_ON, entry, _CLOSES),
        )
        return base64.b64encode(raw).decode().translate(_TO_GRAPH)

    def immutable_occurrence(self, number: int, day: int) -> str:
        """The immutable id of an occurrence; longer than that of an event, its true shape is not known."""
        raw = b"".join((_IMMUTABLE, self.replica, number.to_bytes(6), _PAD, _ticks(day), _CLOSES))
        return base64.b64encode(raw).decode().translate(_TO_GRAPH)

    def change_key(self, version: int) -> str:
        """A change key, 32 characters of plain base64."""
        return base64.b64encode(self.replica + version.to_bytes(6)).decode()

    def ical_uid(self, number: int, created: float, day: int | None = None) -> str:
        """The iCalUId of an event: a GlobalObjectId of 56 bytes in hex, with the date of an occurrence in it."""
        filetime = int((created + _FILETIME_EPOCH) * 10_000_000)
        unique = hashlib.blake2b(self.replica + number.to_bytes(6), digest_size=16).digest()
        when = bytes(4)
        if day is not None:
            instance = date.fromordinal(day)
            when = instance.year.to_bytes(2) + bytes((instance.month, instance.day))
        raw = _GLOBAL_OBJECT + when + filetime.to_bytes(8, "little") + bytes(8) + b"\x10\0\0\0" + unique
        return raw.hex().upper()


def parse(text: str) -> ItemId | None:
    """The parts of an id of either kind, or None if it is malformed."""
    try:
        raw = base64.b64decode(text.translate(_FROM_GRAPH), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) == _IMMUTABLE_BYTES and raw.startswith(_IMMUTABLE):
        return ItemId(raw[27:43], None, int.from_bytes(raw[43:49]))
    if len(raw) == _MUTABLE_BYTES and raw.startswith(b"\0\x03\x24\0"):
        return ItemId(raw[89:105], int.from_bytes(raw[81:87]), int.from_bytes(raw[105:111]))
    return _parse_occurrence(raw)


def _parse_occurrence(raw: bytes) -> ItemId | None:
    found = None
    if len(raw) == _IMMUTABLE_OCCURRENCE_BYTES and raw.startswith(_IMMUTABLE):
        found = ItemId(raw[27:43], None, int.from_bytes(raw[43:49]), _day(raw[51:59]))
    elif len(raw) == _OCCURRENCE_BYTES and raw.startswith(b"\0\x03\x24\0") and raw[43:44] == _OPENS:
        # Nine bytes and the 46 stand before the entry id of the series.
        found = ItemId(
            raw[99:115], int.from_bytes(raw[91:97]), int.from_bytes(raw[115:121]), _day(raw[44:52])
        )
    return found if found is not None and found.day else None


def _ticks(day: int) -> bytes:
    # .NET counts the days from 0001-01-01 as 0, Python as 1.
    return ((day - 1) * _DAY_TICKS).to_bytes(8)


def _day(ticks: bytes) -> int:
    days, rest = divmod(int.from_bytes(ticks), _DAY_TICKS)
    return 0 if rest or days >= date.max.toordinal() else days + 1
