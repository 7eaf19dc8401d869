"""The append-only record of what was asked and of what changed; checkers judge from it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any, Literal, overload

import msgspec

from classbell.sandbox.content import Content
from classbell.sandbox.ids import MailboxIds

Kind = Literal["request", "refusal", "change", "administration"]


# Without gc: millions of these live as long as the sandbox and never take part in a cycle.
class Change(msgspec.Struct, frozen=True, gc=False):
    """
    A committed change of one event or calendar.

    ``action`` is create, update, touch, delete, purge, move, copy or restore for events, update-occurrence or
    delete-occurrence for one ``day`` (an ordinal) of a series, and
    create-calendar, rename-calendar or delete-calendar for calendars; for what a mailbox holds beside them,
    create-, update- or delete-category, update-settings, create-, rename- or delete-group, told by ``name``; ``cause`` is ``api:<client id>`` or
    ``user``. ``content`` and ``properties`` are those after the change; ``source`` is the number of the event
    that a copy was made from.
    """

    action: str
    cause: str
    ids: MailboxIds
    number: int
    folder: int
    content: Content | None = None
    properties: tuple[tuple[str, str], ...] = ()
    source: int = 0
    day: int = 0
    name: str = ""

    def described(self) -> dict[str, Any]:
        """The change as JSON values."""
        told: dict[str, Any] = {"action": self.action, "cause": self.cause}
        if self.action.endswith("-calendar"):
            # What its events say of their place.
            told |= {"calendar": self.ids.mutable(self.folder, self.number), "folder": self.number}
            return told | {"name": self.name}
        if self.name:
            return told | {"name": self.name}
        told |= {"event": self.ids.immutable(self.number), "folder": self.folder}
        if self.content is not None:
            told |= {
                "subject": self.content.subject,
                "start": self.content.start // 1_000_000,
                "end": self.content.end // 1_000_000,
                "content": self.content.digest(),
                "show_as": self.content.show_as,
                "reminder": self.content.reminder_minutes if self.content.reminder_on else None,
                "online": bool(self.content.online),
                "attendees": len(self.content.attendees),
            }
        if self.properties:
            told["properties"] = dict(self.properties)
        if self.day:
            told["occurrence"] = date.fromordinal(self.day).isoformat()
        if self.source:
            told["copy_of"] = self.ids.immutable(self.source)
        return told


class Particulars(msgspec.Struct, frozen=True, gc=False):
    """
    What is to be said of some answers beyond their status.

    ``returned`` are the numbers of the events that a reading answer carried, of the mailbox of ``ids``.
    """

    code: str = ""
    retry_after: str = ""
    returned: tuple[int, ...] = ()
    ids: MailboxIds | None = None

    def described(self) -> dict[str, Any]:
        """The particulars as JSON values."""
        told: dict[str, Any] = {}
        if self.code:
            told["code"] = self.code
        if self.retry_after:
            told["retry_after"] = self.retry_after
        if self.ids is not None:
            told["events"] = [self.ids.immutable(number) for number in self.returned]
        return told


class Told(msgspec.Struct, frozen=True):
    """The particulars of a record that was read back from where it was kept."""

    detail: dict[str, Any]

    def described(self) -> dict[str, Any]:
        """The particulars as JSON values."""
        return self.detail


class Record(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """
    One line of the history.

    ``number`` counts from 1; ``at`` is the sandbox's time in seconds. ``kind`` is ``request`` (answered),
    ``refusal`` (answered with a status of 400 or more, or not at all: status 0), ``change`` or
    ``administration`` (something was done to the sandbox itself). ``tenant`` and ``app`` are ids, ``mailbox`` the address as the directory has it, ``path`` the path with its query as
    it was asked; a batch has a record and so has each of its members, with its own path and status. ``arrived`` is
    when a request came, 0.0 if that is hardly before ``at``, when its answer was made.
    """

    number: int
    at: float
    kind: Kind
    tenant: str = ""
    app: str = ""
    mailbox: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    batch: int = 0
    arrived: float = 0.0
    more: Change | Particulars | Told | None = None

    @property
    def change(self) -> Change | None:
        """The change, if it is one."""
        return self.more if isinstance(self.more, Change) else None

    @property
    def detail(self) -> dict[str, Any]:
        """
        What else is to be said, as JSON values.

        Of a change: action, cause, event and its content. Of an answer: ``code``, ``retry_after``, the
        ``events`` it carried, the number of its ``batch``, and when it had ``arrived``, if that was earlier.
        """
        told = {} if self.more is None else self.more.described()
        if self.arrived:
            told = told | {"arrived": self.arrived}
        return told | {"batch": self.batch} if self.batch else told

    def told(self) -> dict[str, Any]:
        """The whole record as JSON values."""
        return {
            "number": self.number,
            "at": self.at,
            "kind": self.kind,
            "tenant": self.tenant,
            "app": self.app,
            "mailbox": self.mailbox,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "detail": self.detail,
        }


class History(Sequence[Record]):
    """The records in order. Only the sandbox appends; nothing is ever taken away."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._earlier: Sequence[Record] = ()
        self._records: list[Record] = []
        # The number of a record is its place, whichever thread appends.
        self._lock = Lock()

    def add(self, kind: Kind, **values: Any) -> Record:
        """Append a record with the next number and the present time."""
        with self._lock:
            record = Record(number=len(self) + 1, at=self._now(), kind=kind, **values)
            self._records.append(record)
        return record

    def continue_from(self, earlier: Sequence[Record]) -> None:
        """Go on behind the records of earlier runs; only before the first of this one."""
        if self._records:
            raise ValueError("this history has begun")
        self._earlier = earlier

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        before = len(self._earlier)
        if isinstance(index, slice):
            begin, end, step = index.indices(len(self))
            if begin >= before and step == 1:
                return self._records[begin - before : end - before]
            return [self[place] for place in range(begin, end, step)]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._earlier[index] if index < before else self._records[index - before]

    def __len__(self) -> int:
        return len(self._earlier) + len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return chain(self._earlier, self._records)

    def export(self, path: Path) -> None:
        """Write all records as JSON lines, one record a line."""
        encoder = msgspec.json.Encoder()
        with path.open("wb") as file:
            file.writelines(encoder.encode(record.told()) + b"\n" for record in self[:])
