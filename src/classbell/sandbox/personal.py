"""
What a mailbox holds beside calendars and events: master categories, settings, calendar groups.

Made when it is first asked for: most mailboxes of a large sandbox never are.
"""

from typing import Any

import msgspec

from classbell.sandbox.ids import MY_CALENDARS, OTHER_CALENDARS

# As Outlook makes them in a new mailbox.
_CATEGORIES = {"Red": 0, "Orange": 1, "Yellow": 3, "Green": 4, "Blue": 7, "Purple": 8}
_GROUPS = {
    MY_CALENDARS: ("My Calendars", "0006f0b7-0000-0000-c000-000000000046"),
    OTHER_CALENDARS: ("Other Calendars", "0006f0b8-0000-0000-c000-000000000046"),
}
_NO_DATE = {"dateTime": "2026-01-01T00:00:00.0000000", "timeZone": "UTC"}
_SETTINGS = {
    "timeZone": "UTC",
    "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
    "dateFormat": "M/d/yyyy",
    "timeFormat": "h:mm tt",
    "userPurpose": "user",
    "automaticRepliesSetting": {
        "status": "disabled",
        "externalAudience": "all",
        "internalReplyMessage": "",
        "externalReplyMessage": "",
        "scheduledStartDateTime": _NO_DATE,
        "scheduledEndDateTime": _NO_DATE,
    },
    "language": {"locale": "en-US", "displayName": "English (United States)"},
    "workingHours": {
        "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "startTime": "08:00:00.0000000",
        "endTime": "17:00:00.0000000",
        "timeZone": {"name": "UTC"},
    },
}


class Category(msgspec.Struct):
    """A master category: a name that events may bear, with its colour."""

    id: str
    name: str
    color: str


class CalendarGroup(msgspec.Struct):
    """A group of calendars; ``class_id`` is the same in all mailboxes for those that every mailbox has."""

    number: int
    name: str
    version: int
    class_id: str

    @property
    def is_default(self) -> bool:
        """Whether every mailbox has it, so that it cannot be deleted."""
        return self.number in _GROUPS


class Personal(msgspec.Struct):
    """
    The possessions of one mailbox.

    ``settings`` are the ``mailboxSettings`` as JSON values; ``made`` counts the categories ever made.
    """

    settings: dict[str, Any]
    categories: dict[str, Category] = {}
    groups: dict[int, CalendarGroup] = {}
    made: int = 0

    @classmethod
    def of_new_mailbox(cls) -> "Personal":
        """What a mailbox has at the start."""
        personal = cls(msgspec.json.decode(msgspec.json.encode(_SETTINGS)))
        for name, color in _CATEGORIES.items():
            personal.add_category(f"{name} category", f"preset{color}")
        for number, (name, class_id) in _GROUPS.items():
            personal.groups[number] = CalendarGroup(number, name, 1, class_id)
        return personal

    def add_category(self, name: str, color: str) -> Category:
        """A further category, under an id that no other ever had."""
        self.made += 1
        category = Category(f"{self.made:08x}-0000-4000-8000-00000000c47e", name, color)
        self.categories[category.id] = category
        return category
