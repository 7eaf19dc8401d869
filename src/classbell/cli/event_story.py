"""One event from the source to the mailbox, step by step, with times, decisions and Microsoft's request ids."""

import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from classbell.cli.decisions import Decisions
from classbell.cli.plan_view import REASONS, MeetingChange, PlanView
from classbell.cli.suspended import WORDS, quarantine_words, quarantined, suspended
from classbell.differences import seen
from classbell.errors import ConfigurationError
from classbell.ledger import Told, times_made
from classbell.model import Action, Meeting, Reason
from classbell.people import mailbox_key
from classbell.report import Review
from classbell.run import Office, Run
from classbell.zones import utc_text, wall

WIDTH = 80
_INDENT = 11


async def stories_of(
    office: Office, person: str, *, event: str | None = None, at: datetime | None = None
) -> list[dict[str, Any]]:
    """
    The stories of a person's events as JSON fields, by start.

    Args:
        event: the meeting's key, with or without its source, or Microsoft's id of the event.
        at: a wall time in the institution's zone at which the event is on; at midnight, the day.

    Raises:
        ConfigurationError: E-PERSON-UNKNOWN, E-EVENT-UNKNOWN.
    """
    review = await Run(office, person=person).look()
    view = await PlanView.of(office.settings, review, office.ledger)
    teller = _Teller(office, person, review, view)
    await teller.learn()
    found = [story for key in teller.known() if _meant(story := teller.story(key), event, at)]
    if not found:
        raise ConfigurationError(
            "E-EVENT-UNKNOWN",
            f"No such event of {person} is known.",
            why="neither a timetable nor the ledger has one there",
            do=f"see which there are: classbell explain {person} --all",
        )
    return sorted(found, key=lambda story: (story["start"], story["meeting"]))


class _Teller:
    def __init__(self, office: Office, person: str, review: Review, view: PlanView) -> None:
        self._office = office
        self._person = person
        self._key = mailbox_key(person)
        self._review = review
        self._zone = office.settings.window.timezone
        self._pending = {f"{one.source}:{one.key}": one for one in view.changes}
        self._meetings = {
            f"{s.source}:{meeting.key}": meeting for s in review.snapshots for meeting in s.meetings
        }
        self._attended = set(self._attended_keys())
        self._entries: dict[str, tuple[Any, bytes]] = {}
        self._bodies: dict[int, bytes] = {}
        self._written: dict[str, float] = {}
        self._told: dict[str, list[Told]] = {}
        self._deleted: set[str] = set()
        self._seen: dict[str, str] = {}
        self._read: dict[str, float] = {}
        self._suspended: list[dict[str, Any]] = []
        self._quarantine: dict[str, Any] | None = None
        self._decisions = Decisions(mailbox=self._key, now=review.now, live=(), used=())

    async def learn(self) -> None:
        """Ask the ledger."""
        ledger = self._office.ledger
        self._read = {name: state.read_at for name, state in (await ledger.runs.sources()).items()}
        self._suspended = await suspended(ledger, self._key)
        self._quarantine = await quarantined(self._office, self._review.now)
        self._decisions = await Decisions.of(ledger, self._key, self._review.now)
        mailbox = await ledger.mailboxes.find(self._key)
        if mailbox is None:
            return
        for entry, body in await ledger.entries.of_mailbox(mailbox):
            self._entries[entry.meeting_key] = (entry, body)
        for told in await ledger.stories.of_mailbox(mailbox.id):
            self._told.setdefault(told.meeting_key, []).append(told)
        last = {told[-1].fingerprint for told in self._told.values()}
        self._bodies = await ledger.meetings.bodies(last)
        self._written = await ledger.stories.written_at(mailbox.id)
        self._deleted = set(await ledger.wishes.of_mailbox(mailbox.id))
        self._seen = {one.event_id: one.detail for one in await ledger.sightings.of_mailbox(mailbox.id)}

    def known(self) -> list[str]:
        """Everything that was ever this person's, as far as anybody knows."""
        return sorted(self._attended | self._entries.keys() | self._told.keys() | self._pending.keys())

    def story(self, key: str) -> dict[str, Any]:
        """One of them."""
        source = key.partition(":")[0]
        at_source = self._at_source(key)
        entry, body = self._entries.get(key, (None, b""))
        last = self._told[key][-1] if key in self._told else None
        event = seen(body or (self._bodies.get(last.fingerprint, b"") if last else b""), self._zone)
        pending = self._pending.get(key)
        shown = event or (pending.event if pending else None)
        start = shown.start if shown else at_source["start"] if at_source else None
        end = shown.end if shown else at_source["end"] if at_source else None
        hold = self._decisions.hold(*_change_of(pending)) if pending else None
        times = entry or last
        if start is None and times is not None:
            start, end = wall(times.starts_at, self._zone), wall(times.ends_at, self._zone)
        return {
            "person": self._person,
            "institution": self._office.settings.id,
            "meeting": key,
            "title": shown.subject if shown else at_source["title"] if at_source else key,
            "start": start.isoformat() if start else "",
            "end": end.isoformat() if end else "",
            "source": self._source(source, at_source),
            "audience": self._audience(source),
            "suspended": self._suspended,
            "quarantine": self._quarantine,
            "plan": None
            if pending is None
            else {
                "action": pending.action.name.lower(),
                "reason": REASONS[pending.reason],
                "differences": [[d.field, d.old, d.new] for d in pending.differences],
                "held": hold["stops"] if hold else pending.held,
                "hold": hold,
            },
            "deleted_by_owner": key in self._deleted,
            "history": [self._past(told) for told in self._told.get(key, ())],
            "event": None
            if entry is None
            else {
                "id": entry.event_id,
                "incarnation": entry.incarnation,
                "written_at": utc_text(self._written.get(entry.event_id, 0.0)),
                "seen": self._seen.get(entry.event_id, ""),
            },
        }

    def _past(self, told: Told) -> dict[str, Any]:
        source, _, key = told.meeting_key.partition(":")
        approved = self._decisions.approval((source, key), told.action, told.fingerprint, told.planned_at)
        return _past(told) | {"approved": approved}

    def _source(self, name: str, found: dict[str, Any] | None) -> dict[str, Any]:
        failed = dict(zip(self._review.failed, self._review.failures, strict=True)).get(name)
        accepted = self._read.get(name)
        return {
            "name": name,
            "accepted_at": utc_text(accepted) if accepted else None,
            "unread": f"{failed.code}  {failed.what}" if failed else None,
            "withdrawn": name in self._review.withdrawn,
            "names_it": found is not None,
            "attends": found is not None and found["attends"],
            "cancelled": found is not None and found["cancelled"],
            "start": found["start"].isoformat() if found else None,
            "end": found["end"].isoformat() if found else None,
            "place": found["place"] if found else None,
            "in_window": found is None or self._in_window(found["meeting"]),
        }

    def _in_window(self, meeting: Meeting) -> bool:
        window, now = self._office.settings.window, self._review.now
        return now - window.past.total_seconds() <= meeting.starts_at < now + window.future.total_seconds()

    def _at_source(self, key: str) -> dict[str, Any] | None:
        meeting = self._meetings.get(key)
        if meeting is None:
            return None
        return {
            "meeting": meeting,
            "title": meeting.fields.get("title", ""),
            "place": meeting.fields.get("location", ""),
            "start": wall(meeting.starts_at, self._zone),
            "end": wall(meeting.ends_at, self._zone),
            "cancelled": meeting.cancelled,
            "attends": key in self._attended,
        }

    def _attended_keys(self) -> Iterator[str]:
        for snapshot in self._review.snapshots:
            places = [i for i, name in enumerate(snapshot.people) if mailbox_key(name) == self._key]
            rows = np.isin(snapshot.attendance[:, 0], places)
            for index in snapshot.attendance[rows, 1].tolist():
                yield f"{snapshot.source}:{snapshot.meetings[index].key}"

    def _audience(self, source: str) -> dict[str, str] | None:
        found = next((one for one in self._office.settings.audience if source in one.gets), None)
        return {"name": found.name, "profile": found.profile} if found else None


def _meant(story: dict[str, Any], event: str | None, at: datetime | None) -> bool:
    names = {story["meeting"], story["meeting"].partition(":")[2]}
    if story["event"]:
        names.add(story["event"]["id"])
    if event is not None and event not in names:
        return False
    if at is None:
        return True
    if not story["start"]:
        return False
    start, end = datetime.fromisoformat(story["start"]), datetime.fromisoformat(story["end"])
    if (at.hour, at.minute) == (0, 0):
        return start < at + timedelta(days=1) and end > at
    return start <= at < max(end, start + timedelta(minutes=1))


def _change_of(pending: MeetingChange) -> tuple[tuple[str, str], Action, int]:
    return (pending.source, pending.key), pending.action, pending.fingerprint


def _past(told: Told) -> dict[str, Any]:
    return {
        "run": told.run_id,
        "planned_at": utc_text(told.planned_at),
        "action": told.action.name.lower(),
        "reason": REASONS[Reason(told.reason)],
        "state": told.state.value,
        "incarnation": told.incarnation,
        "attempts": told.attempts,
        "sent_at": utc_text(told.sent_at) if told.sent_at else None,
        "finished_at": utc_text(told.finished_at) if told.finished_at else None,
        "due_at": utc_text(told.due_at) if told.due_at else None,
        "code": told.code,
        "detail": told.detail,
        "request_id": told.request_id,
    }


def lines_of(story: dict[str, Any]) -> Iterator[str]:
    """The story in words, in 80 columns."""
    when = _when(story["start"], story["end"]) if story["start"] else "no time is known"
    yield from _wrapped("", f"{story['title'] or story['meeting']}   {when}", hang=2)
    yield from _wrapped("source", _source_words(story))
    yield from _wrapped("person", _person_words(story))
    yield from _wrapped("plan", _plan_words(story))
    for index, past in enumerate(story["history"]):
        label = "history" if index == 0 else ""
        yield from _wrapped(
            label, f"{past['planned_at']}  run {past['run']} planned to {past['action']}: {past['reason']}"
        )
        if past["approved"]:
            by, at = past["approved"]["by"], past["approved"]["at"]
            yield from _wrapped("", f"approved by {by} {at}, as hold {past['approved']['hold']}", extra=2)
        yield from _wrapped("", _end_words(past), extra=2)
        if past["request_id"]:
            yield from _wrapped("", f"Microsoft's request id {past['request_id']}", extra=2)
    yield from _wrapped("mailbox", _mailbox_words(story))


def _source_words(story: dict[str, Any]) -> str:
    source = story["source"]
    named = f"{source['name']}: "
    if source["unread"]:
        return f"{named}cannot be read now: {source['unread']} What it said before stays."
    accepted = f" Last accepted {source['accepted_at']}." if source["accepted_at"] else ""
    if source["withdrawn"]:
        return f"{named}is no longer in the configuration, or nobody's.{accepted}"
    if not source["names_it"]:
        return f"{named}does not name it.{accepted}"
    place = f", {source['place']}" if source["place"] else ""
    cancelled = " It is cancelled." if source["cancelled"] else ""
    outside = "" if source["in_window"] else " It starts outside the window."
    return f"{named}{_when(source['start'], source['end'])}{place}.{cancelled}{outside}{accepted}"


def _person_words(story: dict[str, Any]) -> str:
    return f"{_attending(story)}{_stopped(story)}"


def _stopped(story: dict[str, Any]) -> str:
    """Why nothing is written there: what stands in the way of everything else that is told."""
    found = [
        f" Nothing is written {'there' if one['person'] else 'to anybody'} now, {WORDS[one['kind']]}: {one['reason']}."
        for one in story["suspended"]
    ]
    if story["quarantine"]:
        found.append(f" All of {story['institution']} is {quarantine_words(story['quarantine'])}")
    return "".join(found)


def _attending(story: dict[str, Any]) -> str:
    source, audience = story["source"], story["audience"]
    if source["names_it"] and not source["attends"]:
        return f"{story['person']} does not attend it."
    if not source["names_it"]:
        return f"{story['person']}"
    if audience is None:
        return f"{story['person']} attends it, and no audience gets this source."
    return f"{story['person']} attends it, by audience {audience['name']}, in profile {audience['profile']}."


def _plan_words(story: dict[str, Any]) -> str:
    plan = story["plan"]
    owner = "Its owner has deleted it. " if story["deleted_by_owner"] else ""
    if plan is None:
        return f"{owner}Nothing is to be done."
    changes = "; ".join(
        f"{name} {old or '(none)'} -> {new or '(none)'}" for name, old, new in plan["differences"]
    )
    held = " Held: a person must decide." if plan["held"] else ""
    if plan["hold"]:
        held = f" Hold {plan['hold']['id']}, {plan['hold']['code']}: {plan['hold']['standing']}."
    what = f"{changes or plan['reason']}.{held}"
    if story["suspended"] or story["quarantine"]:
        return f"{owner}Once something may be written there, a run would {plan['action']} it: {what}"
    return f"{owner}The next run would {plan['action']} it: {what}"


def _end_words(past: dict[str, Any]) -> str:
    tries = "" if past["attempts"] <= 1 else f" at attempt {past['attempts']}"
    why = f": {past['code']} {past['detail']}".rstrip() if past["code"] else ""
    if past["state"] == "done":
        return f"done {past['finished_at']}{tries}{why}"
    due = f"; tried again {past['due_at']}" if past["due_at"] and past["state"] != "superseded" else ""
    sent = f", last sent {past['sent_at']}" if past["sent_at"] else ""
    return f"{past['state']}{tries}{sent}{why}{due}"


def _mailbox_words(story: dict[str, Any]) -> str:
    event = story["event"]
    if event is None:
        return "No event of ours stands there for it."
    seen_there = f" Seen there: {event['seen']}." if event["seen"] else ""
    return (
        f"It stands there, made {_times(times_made(event['incarnation']))}, last written {event['written_at']}, id"
        f" ...{event['id'][-16:]}.{seen_there}"
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _when(start: str, end: str) -> str:
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    same_day = first.date() == last.date()
    return (
        f"{first:%a %d %b %Y %H:%M} to {last:%H:%M}"
        if same_day
        else f"{first:%a %d %b %Y} to {last:%a %d %b}"
    )


def _wrapped(label: str, text: str, *, extra: int = 0, hang: int | None = None) -> Iterator[str]:
    if hang is not None:
        yield from textwrap.wrap(text, WIDTH, subsequent_indent=" " * hang)
        return
    indent = " " * (_INDENT + extra)
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"  {label:<9}{' ' * extra}",
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
