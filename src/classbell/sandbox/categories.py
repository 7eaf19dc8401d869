"""
Master categories of a mailbox.

Source: Graph pages "outlookCategory resource type", "List Outlook categories" and their methods.
"""

from typing import Any

from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import Reply
from classbell.sandbox.personal import Category
from classbell.sandbox.refusals import Refusal, body_unreadable, not_found, property_refused, segment_unknown

NAME_LENGTH = 255
_COLORS = frozenset({"none", *(f"preset{number}" for number in range(25))})


def answer(asked: Asked, rest: list[str]) -> Reply:
    """Do what is asked of ``outlook/masterCategories`` and what follows it."""
    match rest:
        case []:
            return asked.by_method(GET=lambda: _list(asked), POST=lambda: _create(asked))
        case ["$count"]:
            number = len(asked.store.personal.categories)
            return asked.by_method(
                GET=lambda: asked.reply(200, str(number), **{"Content-Type": "text/plain"})
            )
        case [item]:
            return asked.by_method(
                GET=lambda: asked.reply(200, _whole(asked, _find(asked, item))),
                PATCH=lambda: _update(asked, _find(asked, item)),
                DELETE=lambda: _delete(asked, _find(asked, item)),
            )
        case _:
            raise segment_unknown(rest[-1])


def _list(asked: Asked) -> Reply:
    found = [_json(category) for category in asked.store.personal.categories.values()]
    return asked.reply(200, {"@odata.context": asked.context("outlook/masterCategories"), "value": found})


def _create(asked: Asked) -> Reply:
    told = _read(asked)
    name, color = told.get("displayName"), told.get("color") or "none"
    if name is None or not name.strip() or len(name) > NAME_LENGTH:
        raise property_refused()
    personal = asked.store.personal
    if any(known.name.casefold() == name.casefold() for known in personal.categories.values()):
        raise Refusal(
            409,
            asked.switches.duplicate_category_code,
            "A category with the specified name already exists.",
        )
    category = personal.add_category(name, color)
    asked.store.note("create-category", category.name, cause=asked.cause)
    return asked.reply(201, _whole(asked, category))


def _update(asked: Asked, category: Category) -> Reply:
    told = _read(asked)
    if told.get("displayName") not in (None, category.name):
        raise property_refused()  # a name once given stays
    category.color = told.get("color") or category.color
    asked.store.note("update-category", category.name, cause=asked.cause)
    return asked.reply(200, _whole(asked, category))


def _delete(asked: Asked, category: Category) -> Reply:
    del asked.store.personal.categories[category.id]
    asked.store.note("delete-category", category.name, cause=asked.cause)
    return asked.reply(204)


def _find(asked: Asked, item: str) -> Category:
    category = asked.store.personal.categories.get(item.lower())
    if category is None:
        raise not_found()
    return category


def _read(asked: Asked) -> dict[str, str]:
    told: dict[str, str] = {}
    for key, value in asked.body().items():
        if "@" in key:
            continue
        if key not in {"displayName", "color"}:
            raise body_unreadable(
                f"The property '{key}' does not exist on type 'microsoft.graph.outlookCategory' or cannot be set."
            )
        if value is None:
            continue
        if not isinstance(value, str):
            raise body_unreadable(f"Cannot convert the value of property '{key}' to the expected type.")
        if key == "color":
            value = value.casefold()  # noqa: PLW2901 - choices are taken in any case
            if value not in _COLORS:
                raise body_unreadable(f"Requested value '{value}' was not found.")
        told[key] = value
    return told


def _json(category: Category) -> dict[str, Any]:
    return {"id": category.id, "displayName": category.name, "color": category.color}


def _whole(asked: Asked, category: Category) -> dict[str, Any]:
    return {"@odata.context": asked.context("outlook/masterCategories/$entity")} | _json(category)
