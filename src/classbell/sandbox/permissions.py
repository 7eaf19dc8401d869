"""
Which application permissions a request needs.

Source: the tables of permissions on the page of each method in the Graph API reference v1.0.
"""

from collections.abc import Sequence

_CALENDARS = "Calendars.Read", "Calendars.ReadWrite"
_SETTINGS = "MailboxSettings.Read", "MailboxSettings.ReadWrite"
_USERS = frozenset({"User.Read.All", "User.ReadWrite.All"})


def wanted(segments: Sequence[str], method: str) -> frozenset[str]:
    """
    The permissions of which any suffices.

    Args:
        segments: the path after ``users/{id}``.
        method: GET needs less than all others.
    """
    match [segment.casefold() for segment in segments[:2]]:
        case ["translateexchangeids", *_]:
            return _USERS
        case ["outlook", zones] if zones.startswith("supportedtimezones"):
            return _USERS
        case ["outlook" | "mailboxsettings", *_]:
            names = _SETTINGS
        case _:
            names = _CALENDARS
    return frozenset(names if method == "GET" else names[1:])
