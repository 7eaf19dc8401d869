"""
``translateExchangeIds``: ids of one form into another.

Source: Graph page "user: translateExchangeIds", with its rule for binary ids in text.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import VERSION, Reply
from classbell.sandbox.ids import CALENDARS, ItemId, parse
from classbell.sandbox.refusals import Refusal, bad_request, body_unreadable, id_malformed, not_found

MOST_IDS = 1000
_ENTRY_BYTES = 70
_EWS_TO_REST = str.maketrans("/+", "-_")
_REST_TO_EWS = str.maketrans("-_", "/+")


def answer(asked: Asked) -> Reply:
    """POST translateExchangeIds: 200, with a target or an error for each id."""
    body = asked.body()
    wanted = body.get("inputIds")
    if not isinstance(wanted, list) or not all(isinstance(text, str) for text in wanted):
        raise body_unreadable("The property 'inputIds' does not have the expected collection type.")
    if len(wanted) > MOST_IDS:
        raise bad_request(
            f"The collection 'inputIds' must not hold more than {MOST_IDS} ids.", "ErrorInvalidRequest"
        )
    source, target = (_form(body.get(name)) for name in ("sourceIdType", "targetIdType"))
    context = f"{asked.request.base}/{VERSION}/$metadata#Collection(microsoft.graph.convertIdResult)"
    told = [_translated(asked, text, source, target) for text in wanted]
    return asked.reply(200, {"@odata.context": context, "value": told})


def _form(name: Any) -> str:
    found = next((known for known in _READERS if str(name).casefold() == known.casefold()), None)
    if found is None:
        raise body_unreadable(f"Requested value '{name}' was not found.")
    return found


def _translated(asked: Asked, text: str, source: str, target: str) -> dict[str, Any]:
    try:
        return {"sourceId": text, "targetId": _target(asked, _found(asked, text, source), target)}
    except Refusal as refusal:
        return {"sourceId": text, "errorDetails": {"code": refusal.code, "message": refusal.message}}


def _found(asked: Asked, text: str, source: str) -> ItemId:
    """The item in full: its folder too, where the id does not name it."""
    item = _READERS[source](text)
    if item is None:
        raise id_malformed()
    if item.replica != asked.owner.ids.replica:
        raise not_found()
    if item.folder == CALENDARS:
        if item.number not in asked.store.calendars and item.number not in asked.store.personal.groups:
            raise not_found()
        return item
    event = asked.store.events.get(item.number)
    if event is None or item.folder not in (None, event.folder):
        raise not_found()
    return item._replace(folder=event.folder)


def _target(asked: Asked, item: ItemId, target: str) -> str:
    ids, folder = asked.owner.ids, item.folder or 0
    if target in {"restImmutableEntryId", "immutableEntryId"} and folder != CALENDARS:
        text = ids.immutable(item.number)
        if item.day is not None:
            text = ids.immutable_occurrence(item.number, item.day)
        return text if target == "restImmutableEntryId" else _bare(_binary(text))
    text = ids.mutable(folder, item.number)
    if target == "entryId":
        if item.day is not None:
            raise id_malformed()
        return _bare(_binary(text)[-_ENTRY_BYTES:])
    if item.day is not None:
        text = ids.occurrence(folder, item.number, item.day)
    # The ids of containers are constant, so that their immutable form is the usual one.
    return text.translate(_REST_TO_EWS) if target == "ewsId" else text


def _rest(text: str) -> ItemId | None:
    item = parse(text)
    return item if item is not None and item.folder is not None else None


def _immutable(text: str) -> ItemId | None:
    item = parse(text)
    return item if item is not None and item.folder in (None, CALENDARS) else None


def _ews(text: str) -> ItemId | None:
    return None if "-" in text or "_" in text else _rest(text.translate(_EWS_TO_REST))


def _entry(text: str) -> ItemId | None:
    raw = _bytes(text)
    if raw is None or len(raw) != _ENTRY_BYTES:
        return None
    return ItemId(raw[46:62], int.from_bytes(raw[38:44]), int.from_bytes(raw[62:68]))


def _immutable_entry(text: str) -> ItemId | None:
    raw = _bytes(text)
    return None if raw is None else _immutable(base64.b64encode(raw).decode().translate(_EWS_TO_REST))


def _binary(text: str) -> bytes:
    return base64.b64decode(text.translate(_REST_TO_EWS))


def _bare(raw: bytes) -> str:
    """URL-safe base64 with the number of its padding characters at the end."""
    text = base64.urlsafe_b64encode(raw).decode()
    bare = text.rstrip("=")
    return f"{bare}{len(text) - len(bare)}"


def _bytes(text: str) -> bytes | None:
    if not text or text[-1] not in "012":
        return None
    try:
        return base64.b64decode(text[:-1] + "=" * int(text[-1]), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


_READERS: dict[str, Callable[[str], ItemId | None]] = {
    "entryId": _entry,
    "ewsId": _ews,
    "immutableEntryId": _immutable_entry,
    "restId": _rest,
    "restImmutableEntryId": _immutable,
}
