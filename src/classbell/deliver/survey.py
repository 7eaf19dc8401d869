"""What a complete look through one mailbox has found."""

from dataclasses import dataclass

from classbell.model import Mailbox
from classbell.outlook.answers import Diagnosis
from classbell.outlook.dialect import FoundCalendar, FoundEvent


@dataclass(kw_only=True)
class Survey:
    """
    A complete look through one mailbox: its calendars, and the events whose mark begins with ``prefix``.

    Without a ``prefix`` only the calendars are listed. ``failure`` is set if any part of it failed; then
    nothing may be concluded from what is missing. ``service_time`` is the service's time at its beginning;
    0.0 if the service did not say.
    """

    mailbox: Mailbox
    prefix: str = ""
    calendars: tuple[FoundCalendar, ...] = ()
    events: tuple[FoundEvent, ...] = ()
    service_time: float = 0.0
    failure: Diagnosis | None = None

    @property
    def searched(self) -> list[FoundCalendar]:
        """The calendars in which an event of ours can stand: those that can be written to."""
        return [calendar for calendar in self.calendars if calendar.editable] if self.prefix else []

    def calendar(self, name: str) -> FoundCalendar | None:
        """The calendar of a name, which Outlook compares without regard to case."""
        wanted = name.casefold()
        found = [c for c in self.calendars if c.editable and c.name.casefold() == wanted]
        return next((c for c in found if c.name == name), found[0] if found else None)
