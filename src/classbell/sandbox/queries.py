"""
Query options: what a list is asked for, and its pages.

Source: Graph pages "Use query parameters", "Paging Microsoft Graph data in your app" and "List calendarView".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote_plus

from classbell.sandbox.filters import Filter, compile_filter, property_ids
from classbell.sandbox.ids import MailboxIds
from classbell.sandbox.instants import microseconds
from classbell.sandbox.properties import canonical_multiple
from classbell.sandbox.refusals import Refusal, bad_request, invalid_request, not_reproduced
from classbell.sandbox.represent import EVENT_NAMES
from classbell.sandbox.store import Event

T = TypeVar("T")

DEFAULT_PAGE = 10
LONGEST_VIEW_DAYS = 1825
_DAY = 86_400_000_000

_KNOWN = frozenset({"$select", "$top", "$skip", "$orderby", "$filter", "$expand", "$count"})
_ORDERS: dict[str, Callable[[Event], Any]] = {
    "start/datetime": lambda event: event.content.start,
    "end/datetime": lambda event: event.content.end,
    "subject": lambda event: event.content.subject.casefold(),
    "createddatetime": lambda event: event.created,
    "lastmodifieddatetime": lambda event: event.modified,
}
_EXPAND_PROPERTIES = re.compile(
    r"(?P<number>single|multi)ValueExtendedProperties\s*\(\s*\$filter\s*=\s*(?P<filter>.*)\)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_EXPAND_EXCEPTIONS = re.compile(r"exceptionOccurrences\s*(?:\(\s*\$select\s*=(?P<select>[^()]*)\)\s*)?\Z")


@dataclass(slots=True)
class Options:
    """
    The options of one request, parsed and checked.

    ``properties`` and ``multiples`` are the ids of extended properties to be expanded; ``exceptions_select`` is the
    selection inside ``$expand=exceptionOccurrences``.
    """

    select: frozenset[str] | None = None
    top: int = DEFAULT_PAGE
    skip: int = 0
    order: tuple[tuple[str, bool], ...] = ()
    filter: Filter | None = None
    filter_text: str = ""
    properties: tuple[str, ...] | None = None
    multiples: tuple[str, ...] = ()
    with_exceptions: bool = False
    exceptions_select: frozenset[str] | None = None
    with_calendar: bool = False
    count: bool = False
    window: tuple[int, int] | None = None

    def sorted(self, events: list[Event]) -> list[Event]:
        """The events in the order asked for; stable."""
        for path, descending in reversed(self.order):
            events.sort(key=_ORDERS[path], reverse=descending)
        return events


def parse(query: str, ids: MailboxIds, *, top_clamp: int, page: int | None = None) -> Options:
    """
    Parse the options of a request for events.

    Args:
        query: what followed the question mark.
        ids: the ids of the mailbox asked, for filters on ids.
        top_clamp: the largest page.
        page: the page size of ``Prefer: odata.maxpagesize``, if given.

    Raises:
        Refusal: an option is unknown, malformed or not supported.
    """
    options = Options(top=min(page or DEFAULT_PAGE, top_clamp))
    if not query:
        return options
    raw = {name.casefold(): value for name, value in parse_qsl(query, keep_blank_values=True)}
    for name in raw:
        if name == "$search":
            raise bad_request("The query parameter '$search' is not supported on this resource.")
        if name.startswith("$") and name not in _KNOWN:
            raise bad_request(f"The query parameter '{name}' is not supported.")
    if "$select" in raw:
        options.select = _selection(raw["$select"])
    if "$top" in raw:
        options.top = min(_number(raw["$top"], "$top", least=1), top_clamp)
    if "$skip" in raw:
        options.skip = _number(raw["$skip"], "$skip", least=0)
    if "$expand" in raw:
        _expand(raw["$expand"], options)
    options.count = raw.get("$count", "").casefold() == "true"
    options.order = _order(raw.get("$orderby", ""))
    if "$filter" in raw:
        options.filter_text = raw["$filter"]
        options.filter = compile_filter(raw["$filter"], ids)
        _check_order(options)
    return options


def window(query: str) -> tuple[int, int]:
    """
    The window of a calendarView, in microseconds.

    Raises:
        Refusal: it is missing, malformed or too long.
    """
    raw = {name.casefold(): value for name, value in parse_qsl(query, keep_blank_values=True)}
    begin, end = raw.get("startdatetime"), raw.get("enddatetime")
    if not begin or not end:
        raise Refusal(
            400,
            "ErrorInvalidParameter",
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime.",
        )
    found = (_instant(begin, "StartDateTime"), _instant(end, "EndDateTime"))
    if found[1] - found[0] > LONGEST_VIEW_DAYS * _DAY:
        raise invalid_request(
            "Your request can't be completed. The range between the start and end dates is greater than the "
            f"allowed range. Maximum number of days: {LONGEST_VIEW_DAYS}"
        )
    return found


def next_link(url: str, query: str, skip: int) -> str:
    """The same URL with everything repeated and another ``$skip``."""
    kept = [part for part in query.split("&") if part and unquote_plus(part).partition("=")[0] != "$skip"]
    encoded = [quote(part, safe="%=&'()$,:/+-._~") for part in kept]
    return f"{url}?{'&'.join([*encoded, f'$skip={skip}'])}"


def page_of(items: Sequence[T], options: Options) -> tuple[Sequence[T], int | None]:
    """One page, and where the next begins, if there is one."""
    end = options.skip + options.top
    return items[options.skip : end], end if end < len(items) else None


def _instant(text: str, name: str) -> int:
    found = microseconds(text, UTC)
    if found is None:
        raise Refusal(400, "ErrorInvalidParameter", f"The value '{text}' of parameter {name} is invalid.")
    return found


def _number(text: str, name: str, *, least: int) -> int:
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise bad_request(
            f"Invalid value '{text}' for {name} query option found. The {name} query option requires a "
            "non-negative integer value.",
            "RequestBroker--ParseUri",
        )
    return int(text)


def _selection(text: str) -> frozenset[str] | None:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if "*" in names:
        return None
    for name in names:
        if name not in EVENT_NAMES:
            raise bad_request(
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                "'microsoft.graph.event'.",
                "RequestBroker--ParseUri",
            )
    return frozenset(names)


def _split(text: str) -> list[str]:
    """Split at commas outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == "," and depth == 0:
                parts.append(text[start:place])
                start = place + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def _expand(text: str, options: Options) -> None:
    for part in _split(text):
        found = _EXPAND_PROPERTIES.match(part)
        exceptions = _EXPAND_EXCEPTIONS.match(part)
        name = part.partition("(")[0].strip()
        if found and found["number"].casefold() == "single":
            options.properties = (*(options.properties or ()), *property_ids(found["filter"]))
        elif found:
            options.multiples += tuple(property_ids(found["filter"], canonical_multiple))
        elif name.casefold() in {"singlevalueextendedproperties", "multivalueextendedproperties"}:
            raise bad_request(f"Expanding {name} requires a $filter on their ids.")
        elif exceptions:
            options.with_exceptions = True
            inner = exceptions["select"]
            options.exceptions_select = None if inner is None else _selection(inner)
        elif name == "calendar":
            options.with_calendar = True
        elif name == "instances":
            # The metadata marks them as not expandable.
            raise bad_request("The navigation property 'instances' cannot be expanded.")
        elif name in {"extensions", "attachments"}:
            raise not_reproduced(f"$expand={name}")
        else:
            raise bad_request(
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                "'microsoft.graph.event'.",
                "RequestBroker--ParseUri",
            )


def _order(text: str) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in text.split(","):
        words = part.split()
        if not words:
            continue
        path = words[0].casefold()
        direction = words[1].casefold() if len(words) > 1 else "asc"
        if path not in _ORDERS or direction not in {"asc", "desc"}:
            raise bad_request(f"The property '{words[0]}' does not support sorting.", "ErrorInvalidUrlQuery")
        order.append((path, direction == "desc"))
    return tuple(order)


def _check_order(options: Options) -> None:
    asked = tuple(path for path, _ in options.order)
    if options.filter is not None and asked != options.filter.paths[: len(asked)]:
        raise Refusal(
            400,
            "InefficientFilter",
            "The restriction or sort order is too complex for this operation.",
        )
