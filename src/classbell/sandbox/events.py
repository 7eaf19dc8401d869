"""
Events: list, view, read, create, change, delete.

Source: Graph API reference v1.0, "event resource type" and its methods.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from classbell.sandbox import accept, queries, series
from classbell.sandbox.asked import Asked
from classbell.sandbox.exchange import VERSION, Reply
from classbell.sandbox.filters import UNSUPPORTED_FILTER
from classbell.sandbox.ids import CALENDARS, DEFAULT_CALENDAR, DELETED_ITEMS, parse
from classbell.sandbox.lag import is_settled
from classbell.sandbox.properties import merged
from classbell.sandbox.refusals import (
    Refusal,
    bad_request,
    conflict,
    id_malformed,
    internal_error,
    invalid_request,
    not_found,
)
from classbell.sandbox.represent import (
    calendar_json,
    chosen,
    etag,
    event_id,
    event_json,
    multiples_json,
    properties_json,
    series_id,
)
from classbell.sandbox.store import PURGED, Calendar, Event

# A multiplicative shuffle (Knuth): the order of an unsorted list is fixed, and tells nothing.
_SHUFFLE, _MASK = 2_654_435_761, 0xFFFF_FFFF


def find(asked: Asked, item: str, calendar: Calendar | None) -> Event:
    """
    The event of an id of either kind.

    Raises:
        Refusal: 400 malformed, or 404: not here, moved since, deleted, or of another mailbox.
    """
    parsed = parse(item)
    if parsed is None or parsed.folder == CALENDARS:
        raise id_malformed()
    event = asked.store.events.get(parsed.number)
    if event is None or parsed.replica != asked.owner.ids.replica:
        raise not_found()
    if parsed.folder is None:
        hidden = asked.switches.items_in_deleted_items_by_immutable_id != 200  # noqa: PLR2004 - a status
        if event.folder == DELETED_ITEMS and hidden:
            raise not_found()
    elif parsed.folder != event.folder:
        raise not_found()
    elsewhere = calendar is not None and calendar.number != event.folder
    if elsewhere and asked.switches.scoped_path_checks_calendar:
        raise not_found()
    return event if parsed.day is None else series.find(asked.store, event, parsed.day, asked.switches)


def list_all(asked: Asked, calendar: Calendar | None) -> Reply:
    """GET events: single instances and series in no particular order unless asked."""
    options = _options(asked)
    folder = _listed_folder(asked, calendar)
    found = [event for event in asked.store.live(folder) if _is_listed(event, asked, options)]
    found.sort(key=lambda event: event.number * _SHUFFLE & _MASK)
    return _page(asked, options.sorted(found), options, "events")


def view(asked: Asked, calendar: Calendar | None) -> Reply:
    """GET calendarView: what overlaps the window, by start; of a series, its occurrences."""
    found, options = _viewed(asked, calendar)
    return _page(asked, options.sorted(found), options, "calendarView")


def count_view(asked: Asked, calendar: Calendar | None) -> Reply:
    """GET calendarView/$count: a number as plain text."""
    return _counted(asked, len(_viewed(asked, calendar)[0]))


def instances(asked: Asked, event: Event) -> Reply:
    """GET the instances of a series that overlap the window, by start."""
    found, options = _instances(asked, event)
    shown_id = series_id(event, asked.owner, immutable=asked.preferences.view.immutable)
    return _page(asked, options.sorted(found), options, f"events('{shown_id}')/instances")


def count_instances(asked: Asked, event: Event) -> Reply:
    """GET instances/$count: a number as plain text."""
    return _counted(asked, len(_instances(asked, event)[0]))


def count(asked: Asked, calendar: Calendar | None) -> Reply:
    """GET events/$count: a number as plain text."""
    options = _options(asked)
    folder = _listed_folder(asked, calendar)
    number = sum(_is_listed(event, asked, options) for event in asked.store.live(folder))
    return _counted(asked, number)


def show(asked: Asked, event: Event) -> Reply:
    """GET one event."""
    options = _options(asked)
    body = {"@odata.context": asked.context("events/$entity")} | _told(asked, event, options)
    body |= _of_series(asked, event, options)
    reply = asked.reply(200, body, ETag=body["@odata.etag"])
    reply.returned = (event.number,)
    return reply


def create(asked: Asked, calendar: Calendar | None) -> Reply:
    """POST an event: 201, also for a repeated create that is recognised by its transactionId."""
    draft = accept.read(asked.body(), asked.switches, creating=True)
    content = draft.content(None)
    hidden = merged((), draft.properties)
    if asked.mailbox.state == "full":
        raise Refusal(
            asked.switches.full_mailbox_status, "ErrorQuotaExceeded", "Mailbox has exceeded its quota."
        )
    event = _known(asked, draft.transaction, (content, hidden)) if draft.transaction else None
    if event is None:
        folder = DEFAULT_CALENDAR if calendar is None else calendar.number
        event = asked.store.create(folder, content, hidden, draft.transaction or "", cause=asked.cause)
    body = _written(asked, event)
    location = f"{asked.request.base}/{VERSION}/users('{asked.user}')/events('{body['id']}')"
    return asked.reply(201, body, Location=location, ETag=body["@odata.etag"])


def update(asked: Asked, event: Event) -> Reply:
    """PATCH an event: 200 with the whole of it."""
    _check_version(asked, event)
    draft = accept.read(asked.body(), asked.switches, creating=False)
    content = draft.content(event.content)
    hidden = merged(event.properties, draft.properties)
    series.update(asked.store, event, content, hidden, switches=asked.switches, cause=asked.cause)
    if event.on_day is not None:
        event = series.find(asked.store, asked.store.events[event.number], event.on_day, asked.switches)
    body = _written(asked, event)
    return asked.reply(200, body, ETag=body["@odata.etag"])


def delete(asked: Asked, event: Event) -> Reply:
    """DELETE an event, into Deleted Items: 204."""
    if asked.switches.if_match_on_delete:
        _check_version(asked, event)
    series.delete(asked.store, event, cause=asked.cause)
    return asked.reply(204)


def cancel(asked: Asked, event: Event) -> Reply:
    """POST cancel: 202, a mail to all attendees, and the meeting in Deleted Items."""
    comment = {name.casefold(): value for name, value in asked.optional_body().items()}.get("comment")
    if comment is not None and not isinstance(comment, str):
        raise bad_request("Cannot convert the value of 'Comment' to the expected type 'Edm.String'.")
    if not event.content.attendees:
        raise invalid_request(
            "Your request can't be completed. You need to be an organizer to cancel a meeting."
        )
    series.delete(asked.store, event, cause=asked.cause)
    return asked.reply(202)


def purge(asked: Asked, event: Event) -> Reply:
    """POST permanentDelete: 204, and nothing is left that a client could see."""
    _check_version(asked, event)
    series.delete(asked.store, event, cause=asked.cause, for_good=True)
    return asked.reply(204)


def _viewed(asked: Asked, calendar: Calendar | None) -> tuple[list[Event], queries.Options]:
    folder = DEFAULT_CALENDAR if calendar is None else calendar.number
    first, last = queries.window(asked.request.query)
    options = _view_options(asked)
    inherits = asked.switches.occurrences_inherit_properties
    filtered = options.filter is not None
    found = (
        event
        for event in series.expanded(asked.store, folder, first, last, inherits=inherits)
        if is_settled(event, asked.switches, asked.now, filtered=filtered)
    )
    return _by_start(asked, found, options), options


def _instances(asked: Asked, event: Event) -> tuple[list[Event], queries.Options]:
    first, last = queries.window(asked.request.query)
    options = _view_options(asked)
    inherits = asked.switches.occurrences_inherit_properties
    found = series.shown(asked.store, series.require_series(event), first, last, inherits=inherits)
    return _by_start(asked, found, options), options


def _view_options(asked: Asked) -> queries.Options:
    try:
        options = _options(asked)
    except Refusal as refusal:
        if refusal.code in UNSUPPORTED_FILTER and asked.switches.unsupported_view_filter_status == 500:  # noqa: PLR2004 - a status
            raise internal_error() from None
        raise
    if options.filter is not None and options.filter.by_property:
        raise internal_error()  # sdk-dotnet issue 2375
    return options


def _by_start(asked: Asked, events: Iterable[Event], options: queries.Options) -> list[Event]:
    found = [event for event in events if _is_listed(event, asked, options)]
    found.sort(key=lambda event: event.content.start)
    return found


def _counted(asked: Asked, number: int) -> Reply:
    return asked.reply(200, str(number), **{"Content-Type": "text/plain"})


def _options(asked: Asked) -> queries.Options:
    return queries.parse(
        asked.request.query,
        asked.owner.ids,
        top_clamp=asked.switches.top_clamp,
        page=asked.preferences.page,
    )


def _listed_folder(asked: Asked, calendar: Calendar | None) -> int | None:
    if calendar is not None:
        return calendar.number
    return None if asked.switches.unscoped_events_span_calendars else DEFAULT_CALENDAR


def _is_listed(event: Event, asked: Asked, options: queries.Options) -> bool:
    filtered = options.filter is not None
    if not is_settled(event, asked.switches, asked.now, filtered=filtered):
        return False
    return options.filter is None or options.filter.matches(event)


def _page(asked: Asked, found: list[Event], options: queries.Options, name: str) -> Reply:
    page, following = queries.page_of(found, options)
    context = asked.context(name)
    if options.select is not None:
        context += f"({','.join(sorted(options.select))})"
    body: dict[str, Any] = {"@odata.context": context}
    if options.count:
        body["@odata.count"] = len(found)
    body["value"] = [_told(asked, event, options) for event in page]
    if following is not None:
        body["@odata.nextLink"] = queries.next_link(asked.url, asked.request.query, following)
    reply = asked.reply(200, body)
    reply.returned = tuple(dict.fromkeys(event.number for event in page))
    return reply


def _told(asked: Asked, event: Event, options: queries.Options) -> dict[str, Any]:
    told = chosen(event_json(event, asked.owner, asked.preferences.view), options.select)
    if options.properties is not None:
        hidden = properties_json(event, options.properties)
        if hidden:
            told["singleValueExtendedProperties"] = hidden
    if options.multiples:
        several = multiples_json(event, options.multiples)
        if several:
            told["multiValueExtendedProperties"] = several
    if options.with_calendar and event.folder in asked.store.calendars:
        told["calendar"] = calendar_json(asked.store.calendars[event.folder], asked.owner)
    return told


def _of_series(asked: Asked, event: Event, options: queries.Options) -> dict[str, Any]:
    """What of a series only comes when one asks for it by ``$select``, and for exceptions by ``$expand`` too."""
    told: dict[str, Any] = {}
    if event.kind != "seriesMaster" or options.select is None:
        return told
    view = asked.preferences.view
    if "cancelledOccurrences" in options.select:
        shown_id = series_id(event, asked.owner, immutable=view.immutable)
        told["cancelledOccurrences"] = series.cancelled_ids(asked.store, event, shown_id)
    if "exceptionOccurrences" in options.select and options.with_exceptions:
        told["exceptionOccurrences"] = [
            chosen(event_json(occurrence, asked.owner, view), options.exceptions_select)
            for occurrence in series.exceptions(asked.store, event)
        ]
    return told


def _written(asked: Asked, event: Event) -> dict[str, Any]:
    """The answer to a write; hidden properties are never in it."""
    view = asked.preferences.view
    if asked.switches.post_echo_zone == "request" and not asked.preferences.named_zone:
        view = view._replace(echo=True)
    context = {"@odata.context": asked.context("events/$entity")}
    return context | event_json(event, asked.owner, view)


def _known(asked: Asked, transaction: str, posted: Sequence[Any]) -> Event | None:
    """The event of an earlier create with this transactionId, if it is still remembered."""
    event = asked.store.transactions.get(transaction)
    if event is None or asked.now - event.created >= asked.switches.transaction_memory:
        return None
    if event.folder in (DELETED_ITEMS, PURGED):
        if asked.switches.transaction_of_deleted == "forgotten":
            return None
        same = asked.switches.transaction_of_deleted == "existing"
    else:
        same = True
    if same and posted == (event.posted, event.posted_properties):
        return event
    existing = event_id(event, asked.owner, immutable=asked.preferences.view.immutable)
    raise Refusal(
        asked.switches.duplicate_transaction_status,
        "ErrorDuplicateTransactionId",
        "Your request can't be completed. The TransactionId specified in the request has already been used to "
        "create a different event.",
        annotations={"@event.existingEventId": existing},
    )


def _check_version(asked: Asked, event: Event) -> None:
    wanted = asked.request.headers.get("if-match")
    if wanted is None or wanted.strip() == "*":
        return
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in wanted.split(",")}
    if not all(tags):
        raise bad_request("The If-Match header is malformed.")
    if etag(event.version, asked.owner).removeprefix("W/").strip('"') not in tags:
        raise conflict()
