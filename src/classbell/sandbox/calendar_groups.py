"""
Calendar groups of a mailbox: list, read, create, rename, delete.

Source: Graph page "calendarGroup resource type" and its methods.
"""

from typing import Any

from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import Reply
from classbell.sandbox.ids import CALENDARS, parse
from classbell.sandbox.personal import CalendarGroup
from classbell.sandbox.refusals import (
    Refusal,
    body_unreadable,
    id_malformed,
    invalid_request,
    not_found,
    property_refused,
)


def find(asked: Asked, item: str) -> CalendarGroup:
    """
    The group of an id.

    Raises:
        Refusal: 400 malformed, or 404: not here, or of another mailbox.
    """
    parsed = parse(item)
    if parsed is None or parsed.folder != CALENDARS:
        raise id_malformed()
    group = asked.store.personal.groups.get(parsed.number)
    if group is None or parsed.replica != asked.owner.ids.replica:
        raise not_found()
    return group


def collection(asked: Asked) -> Reply:
    """The groups themselves: GET and POST."""
    return asked.by_method(GET=lambda: _list(asked), POST=lambda: _create(asked))


def single(asked: Asked, item: str) -> Reply:
    """One group: GET, PATCH, DELETE."""
    return asked.by_method(
        GET=lambda: asked.reply(200, _whole(asked, find(asked, item))),
        PATCH=lambda: _update(asked, find(asked, item)),
        DELETE=lambda: _delete(asked, find(asked, item)),
    )


def _list(asked: Asked) -> Reply:
    found = [_json(asked, group) for group in asked.store.personal.groups.values()]
    return asked.reply(200, {"@odata.context": asked.context("calendarGroups"), "value": found})


def _create(asked: Asked) -> Reply:
    name = _name(asked)
    _check_name(asked, name, None)
    group = CalendarGroup(
        asked.store.next_folder(), name, asked.store.next_version(), "00000000-0000-0000-0000-000000000000"
    )
    asked.store.personal.groups[group.number] = group
    asked.store.note("create-group", name, cause=asked.cause)
    return asked.reply(201, _whole(asked, group))


def _update(asked: Asked, group: CalendarGroup) -> Reply:
    name = _name(asked)
    _check_name(asked, name, group)
    group.name, group.version = name, asked.store.next_version()
    asked.store.note("rename-group", name, cause=asked.cause)
    return asked.reply(200, _whole(asked, group))


def _delete(asked: Asked, group: CalendarGroup) -> Reply:
    if group.is_default:
        raise invalid_request("Your request can't be completed. A default calendar group cannot be deleted.")
    if any(calendar.group == group.number for calendar in asked.store.calendars.values()):
        raise invalid_request("Your request can't be completed. The calendar group is not empty.")
    del asked.store.personal.groups[group.number]
    asked.store.note("delete-group", group.name, cause=asked.cause)
    return asked.reply(204)


def _name(asked: Asked) -> str:
    name = None
    for key, value in asked.body().items():
        if "@" in key:
            continue
        if key != "name":
            raise body_unreadable(
                f"The property '{key}' does not exist on type 'microsoft.graph.calendarGroup' or cannot be set."
            )
        name = value
    if not isinstance(name, str) or not name.strip():
        raise property_refused()
    return name


def _check_name(asked: Asked, name: str, group: CalendarGroup | None) -> None:
    for known in asked.store.personal.groups.values():
        if known is not group and known.name.casefold() == name.casefold():
            raise Refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")


def _json(asked: Asked, group: CalendarGroup) -> dict[str, Any]:
    ids = asked.owner.ids
    return {
        "id": ids.mutable(CALENDARS, group.number),
        "name": group.name,
        "classId": group.class_id,
        "changeKey": ids.change_key(group.version),
    }


def _whole(asked: Asked, group: CalendarGroup) -> dict[str, Any]:
    return {"@odata.context": asked.context("calendarGroups/$entity")} | _json(asked, group)
