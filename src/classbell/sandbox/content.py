"""What an event says, apart from whose it is: one frozen value that many events may share."""

import hashlib

import msgspec

from classbell.sandbox.recurrence import Recurrence


class Location(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A place as it was sent; ``extra`` is the JSON of address and coordinates where given."""

    name: str = ""
    email: str = ""
    uri: str = ""
    extra: bytes = b""


class Attendee(msgspec.Struct, frozen=True, gc=False):
    """Somebody invited; ``kind`` is required, optional or resource."""

    address: str
    name: str = ""
    kind: str = "required"


class Content(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    The stored content of an event; the defaults are those of the service.

    ``start`` and ``end`` are instants in microseconds since 1970, the zones are named as they were sent.
    ``online`` is the meeting provider, empty for no online meeting; ``recurrence`` makes it a series.
    """

    subject: str = ""
    body: str = ""
    body_type: str = "html"
    start: int = 0
    end: int = 0
    start_zone: str = "UTC"
    end_zone: str = "UTC"
    all_day: bool = False
    locations: tuple[Location, ...] = ()
    categories: tuple[str, ...] = ()
    importance: str = "normal"
    sensitivity: str = "normal"
    show_as: str = "busy"
    reminder_on: bool = True
    reminder_minutes: int = 15
    response_requested: bool = True
    new_time_proposals: bool = True
    hide_attendees: bool = False
    attendees: tuple[Attendee, ...] = ()
    online: str = ""
    recurrence: Recurrence | None = None

    def digest(self) -> str:
        """Equal for equal content, 16 hexadecimal digits."""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=8).hexdigest()
