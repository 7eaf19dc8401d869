"""The page of the history: newest first, filtered, a page at a time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import unquote, urlencode

from classbell.sandbox.history import Kind, Record
from classbell.sandbox.pages import words
from classbell.sandbox.pages.paging import whole

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

PER_PAGE = 100
# So many records are looked at for one page, so that a rare filter does not keep clients waiting.
_EXAMINED = 50_000
_LONGEST = 200
_KINDS = {
    "request": "requests",
    "refusal": "refusals",
    "change": "changes",
    "administration": "administration",
}


def shown(box: "Sandbox", asked: Mapping[str, str]) -> dict[str, Any]:
    """What the page says of the records before a number that are wanted."""
    kind, app = asked.get("kind", ""), asked.get("app", "")
    mailbox = asked.get("mailbox", "").strip()
    kind = kind if kind in get_args(Kind) else ""
    names = words.apps(box)
    history = box.history
    newest = len(history)
    begin = min(newest, whole(asked.get("before", ""), 0) - 1) if asked.get("before") else newest
    rows: list[dict[str, Any]] = []
    place = begin
    while place > max(0, begin - _EXAMINED) and len(rows) < PER_PAGE:
        place -= 1
        record = history[place]
        if _is_wanted(record, kind, app, mailbox.casefold()):
            rows.append(_row(record, names))
    filters = {"kind": kind, "app": app, "mailbox": mailbox}
    return {
        "rows": rows,
        "filters": filters,
        "kinds": _KINDS,
        "apps": names,
        "newest": newest,
        "examined": max(0, begin - place),
        "older": f"?{urlencode(filters | {'before': place + 1})}" if place > 0 else "",
        "latest": f"?{urlencode(filters)}" if begin < newest else "",
    }


def _is_wanted(record: Record, kind: str, app: str, mailbox: str) -> bool:
    return (
        kind in {"", record.kind}
        and app in {"", record.app}
        and (not mailbox or mailbox == record.mailbox.casefold())
    )


def _row(record: Record, names: Mapping[str, str]) -> dict[str, Any]:
    detail = record.detail
    if "action" in detail:
        what = f"{thing}: " if (thing := words.thing(detail)) else ""
        what += f"{words.deed(detail)}, by {words.who(detail['cause'], names)}"
    else:
        path = unquote(record.path)
        what = f"{record.method} {path if len(path) <= _LONGEST else path[:_LONGEST] + ' …'}"
    return {
        "number": record.number,
        "at": record.at,
        "kind": record.kind,
        "what": what,
        "status": _status(record, detail),
        "mailbox": record.mailbox,
        "app": names.get(record.app, record.app),
        "batch": detail.get("batch", 0),
    }


def _status(record: Record, detail: Mapping[str, Any]) -> str:
    if "action" in detail:
        return ""
    said = str(record.status) if record.status else "no answer"
    code = detail.get("code", "")
    wait = f", Retry-After {detail['retry_after']}" if detail.get("retry_after") else ""
    return f"{said} {code}{wait}".strip()
