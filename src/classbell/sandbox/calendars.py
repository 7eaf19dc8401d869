"""
Calendars of a mailbox: list, read, create, change, delete.

Source: Graph API reference v1.0, "calendar resource type" and its methods.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from classbell.sandbox import queries
from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import VERSION, Reply
from classbell.sandbox.ids import CALENDARS, MY_CALENDARS, parse
from classbell.sandbox.refusals import (
    Refusal,
    body_unreadable,
    filter_refused,
    id_malformed,
    not_found,
    not_reproduced,
    property_refused,
)
from classbell.sandbox.represent import calendar_json, chosen
from classbell.sandbox.store import Calendar

_COLORS = {
    name.casefold(): name
    for name in (
        "auto",
        "lightBlue",
        "lightGreen",
        "lightOrange",
        "lightGray",
        "lightYellow",
        "lightTeal",
        "lightPink",
        "lightBrown",
        "lightRed",
        "maxColor",
    )
}
_WRITABLE = frozenset({"name", "color", "isDefaultCalendar"})
_NAME_FILTER = re.compile(
    r"\s*(?:(?P<function>startswith)\(name,|name\s+eq\s+)'(?P<name>(?:[^']|'')*)'\)?\s*\Z"
)


def find(asked: Asked, item: str) -> Calendar:
    """
    The calendar of an id.

    Raises:
        Refusal: 400 malformed, or 404: not here, or of another mailbox.
    """
    parsed = parse(item)
    if parsed is None or parsed.folder != CALENDARS:
        raise id_malformed()
    calendar = asked.store.calendars.get(parsed.number)
    if calendar is None or parsed.replica != asked.owner.ids.replica:
        raise not_found()
    return calendar


def list_all(asked: Asked, group: int | None = None) -> Reply:
    """GET calendars, the default one first; all, or those of a group."""
    raw = {name.casefold(): value for name, value in parse_qsl(asked.request.query, keep_blank_values=True)}
    found = [
        calendar for calendar in asked.store.calendars.values() if group is None or calendar.group == group
    ]
    if "$filter" in raw:
        found = _filtered(found, raw["$filter"])
    paging = "&".join(f"{name}={raw[name]}" for name in ("$top", "$skip") if name in raw)
    options = queries.parse(paging, asked.owner.ids, top_clamp=asked.switches.top_clamp)
    page, following = queries.page_of(found, options)
    body: dict[str, Any] = {
        "@odata.context": asked.context("calendars"),
        "value": [chosen(calendar_json(calendar, asked.owner), _selection(asked)) for calendar in page],
    }
    if following is not None:
        body["@odata.nextLink"] = queries.next_link(asked.url, asked.request.query, following)
    return asked.reply(200, body)


def count(asked: Asked) -> Reply:
    """GET calendars/$count: a number as plain text."""
    return asked.reply(200, str(len(asked.store.calendars)), **{"Content-Type": "text/plain"})


def show(asked: Asked, calendar: Calendar) -> Reply:
    """GET one calendar."""
    return asked.reply(200, _told(asked, chosen(calendar_json(calendar, asked.owner), _selection(asked))))


def create(asked: Asked, group: int = MY_CALENDARS) -> Reply:
    """POST a calendar, into a group: 201, or 409 if its name is taken."""
    name, color = _read(asked, name="", color="auto")
    if not name.strip():
        raise property_refused()
    if any(known.name.casefold() == name.casefold() for known in asked.store.calendars.values()):
        raise _name_taken()
    calendar = asked.store.create_calendar(name, color, cause=asked.cause, group=group)
    body = _told(asked, calendar_json(calendar, asked.owner))
    location = f"{asked.request.base}/{VERSION}/users('{asked.user}')/calendars('{body['id']}')"
    return asked.reply(201, body, Location=location)


def update(asked: Asked, calendar: Calendar) -> Reply:
    """PATCH name or colour: 200."""
    name, color = _read(asked, name=calendar.name, color=calendar.color)
    if any(
        known.name.casefold() == name.casefold() and known is not calendar
        for known in asked.store.calendars.values()
    ):
        raise _name_taken()
    asked.store.update_calendar(calendar, name, color, cause=asked.cause)
    return asked.reply(200, _told(asked, calendar_json(calendar, asked.owner)))


def delete(asked: Asked, calendar: Calendar, *, for_good: bool = False) -> Reply:
    """DELETE a calendar with its events, or permanentDelete it: 204; the default one stays."""
    if calendar.is_default:
        raise Refusal(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    asked.store.delete_calendar(calendar, cause=asked.cause, for_good=for_good)
    return asked.reply(204)


def _told(asked: Asked, whole: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.context": asked.context("calendars/$entity")} | whole


def _name_taken() -> Refusal:
    return Refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")


def _read(asked: Asked, *, name: str, color: str) -> tuple[str, str]:
    for key, value in asked.body().items():
        if "@" in key:
            continue
        if key not in _WRITABLE:
            raise body_unreadable(
                f"The property '{key}' does not exist on type 'microsoft.graph.calendar' or cannot be set."
            )
        if key == "isDefaultCalendar":
            if value is True:
                raise not_reproduced("another default calendar")
            continue
        if not isinstance(value, str):
            raise body_unreadable(f"Cannot convert the value of property '{key}' to the expected type.")
        if key == "name":
            name = value
        elif value.casefold() not in _COLORS:
            raise body_unreadable(f"Requested value '{value}' was not found.")
        else:
            color = _COLORS[value.casefold()]
    return name, color


def _selection(asked: Asked) -> list[str] | None:
    raw = dict(parse_qsl(asked.request.query))
    names = raw.get("$select")
    return None if names is None else [name.strip() for name in names.split(",")]


def _filtered(calendars: list[Calendar], text: str) -> list[Calendar]:
    found = _NAME_FILTER.match(text)
    if found is None:
        raise filter_refused()
    wanted = found["name"].replace("''", "'").casefold()
    if found["function"]:
        return [calendar for calendar in calendars if calendar.name.casefold().startswith(wanted)]
    return [calendar for calendar in calendars if calendar.name.casefold() == wanted]
