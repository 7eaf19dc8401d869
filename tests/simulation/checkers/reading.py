"""
Reading a history: records as JSON values become the lives of events, with who did what to them.

The form of records is that of ``docs/reference/sandbox.md``, that of marks what stands in a mailbox for everybody
to see: ``1/<installation>/<operation>/<JSON array>``.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import inf
from typing import Any
from urllib.parse import unquote

_REMOVED = frozenset({"delete", "purge"})
_MADE = frozenset({"create", "copy", "move", "restore"})
_MAILBOX = re.compile(r"/users/([^/?]+)")
_REFUSED = 400
# For so long a process waits for an answer; it may have connected slowly, too.
PATIENCE = 110.0
# So long after its intent a request may leave.
SEND_WITHIN = 60.0
# Stamps of the service are its times to within seconds; the mark's own are whole ones.
STAMPS = 5.0
# What became of an answer on its way, so that nobody could read it.
SPOILT = frozenset({"doubled", "cut", "empty", "html", "missing"})
_WRITING = frozenset({"POST", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Mark:
    """What an event says of its origin."""

    installation: str
    operation: str
    institution: str
    mailbox: str
    key: str
    incarnation: int
    intent_at: int


@dataclass(frozen=True)
class Step:
    """One change of one event; ``by_us`` unless somebody made it in Outlook."""

    number: int
    at: float
    action: str
    app: str
    title: str
    start: int
    end: int
    attendees: int
    live: bool
    mark: Mark | None
    show_as: str = ""
    content: str = ""
    folder: int = 0
    reminder: int | None = None
    online: bool = False

    @property
    def by_us(self) -> bool:
        return bool(self.app)


@dataclass
class Event:
    """One event and what became of it."""

    id: str
    tenant: str
    mailbox: str
    copy_of: str
    steps: list[Step] = field(default_factory=list)

    @property
    def born(self) -> Step:
        return self.steps[0]

    @property
    def is_ours(self) -> bool:
        """Whether we made it: who copies an event of ours has one of his own."""
        return self.born.by_us and self.born.action == "create"

    @property
    def live(self) -> bool:
        return self.steps[-1].live

    def gone_by(self, number: int) -> Step | None:
        """What took it out of its calendar, if it stood in none when a record was made."""
        steps = [step for step in self.steps if step.number < number]
        if not steps or steps[-1].live:
            return None
        return next(
            (step for before, step in reversed(list(pairwise(steps))) if before.live and not step.live), None
        )

    @property
    def ours(self) -> list[Step]:
        """What we did to it."""
        return [step for step in self.steps if step.by_us]

    @property
    def back_by_hand(self) -> bool:
        """Whether it stands there because somebody took it back out of Deleted Items."""
        since = max((place for place, step in enumerate(self.steps) if not step.live), default=0)
        return self.live and any(step.action == "restore" for step in self.steps[since:])


Pair = tuple[str, str, str]
"""Tenant, mailbox and meeting."""


class Case:
    """A history with the testimony beside it."""

    def __init__(self, history: list[dict[str, Any]], testimony: dict[str, Any]) -> None:
        self.history = history
        self.testimony = testimony

    @cached_property
    def institutions(self) -> dict[str, dict[str, Any]]:
        """By id."""
        return {told["id"]: told for told in self.testimony["institutions"]}

    @cached_property
    def of_tenant(self) -> dict[str, dict[str, Any]]:
        """By tenant."""
        return {told["tenant"]: told for told in self.testimony["institutions"]}

    @cached_property
    def events(self) -> dict[str, Event]:
        """Every event there ever was, by its id."""
        found: dict[str, Event] = {}
        for record in self.history:
            detail = record["detail"]
            if record["kind"] != "change" or "event" not in detail:
                continue
            event = found.get(detail["event"])
            if event is None:
                event = found[detail["event"]] = Event(
                    detail["event"], record["tenant"], record["mailbox"], detail.get("copy_of", "")
                )
            was_live = bool(event.steps) and event.live
            action = detail["action"]
            event.steps.append(
                Step(
                    number=record["number"],
                    at=record["at"],
                    action=action,
                    app=detail["cause"].removeprefix("api:") if detail["cause"].startswith("api:") else "",
                    title=detail.get("subject", ""),
                    start=detail.get("start", 0),
                    end=detail.get("end", 0),
                    attendees=detail.get("attendees", 0),
                    live=action not in _REMOVED and (action in _MADE or was_live),
                    mark=_mark(detail.get("properties", {})),
                    show_as=detail.get("show_as", ""),
                    content=detail.get("content", ""),
                    folder=detail.get("folder", 0),
                    reminder=detail.get("reminder"),
                    online=detail.get("online", False),
                )
            )
        return found

    @cached_property
    def of_pair(self) -> dict[Pair, list[Event]]:
        """The events that we made, by what they are for."""
        found: dict[Pair, list[Event]] = defaultdict(list)
        for event in self.events.values():
            if event.is_ours and event.born.mark is not None:
                found[event.tenant, event.mailbox, event.born.mark.key].append(event)
        return found

    def requests(self) -> Iterator[dict[str, Any]]:
        """The requests to mailboxes, alone or in batches, answered or not."""
        return (
            record
            for record in self.history
            if record["kind"] in {"request", "refusal"} and "/users/" in record["path"]
        )

    def waits(self, pair: Pair) -> dict[str, Any] | None:
        """What the product says of a pair that waits at the end; None if it does not."""
        return self._waiting.get(pair)

    def heard(self, step: Step) -> bool:
        """Whether the answer to a write of ours certainly came to a process that lived on to remember it."""
        records = self.history[step.number : step.number + 1]
        if not records or records[0]["kind"] != "request" or records[0]["status"] >= _REFUSED:
            return False
        if not _asked_for(records[0], self.history[step.number - 1]):
            # What came late, when its request had been given up long before, was answered to nobody.
            return False
        if records[0]["detail"].get("code") in SPOILT:
            return False
        envelope = self._envelopes.get(records[0]["detail"].get("batch", 0))
        spoilt = envelope is not None and (envelope["kind"] != "request" or "code" in envelope["detail"])
        lost = any(
            begin <= step.at <= end and self._may_ask(process, step.app)
            for begin, end, process in self.testimony["lost"]
        )
        died = any(
            step.at <= at <= step.at + PATIENCE and self._may_ask(process, step.app)
            for at, process in self.testimony["deaths"]
        )
        # Of one that ended since its ledger could not be written it is not known what it had noted before.
        unwritten = any(
            run["outcome"].startswith("E-DB")
            and run["begin"] <= step.at <= (run["end"] or inf) <= step.at + PATIENCE
            and self._may_ask(run["process"], step.app)
            for run in self.testimony["runs"]
        )
        return not (spoilt or lost or died or unwritten)

    def came_late(self, step: Step) -> bool:
        """Whether a write of ours was carried out when its request had been given up long before."""
        records = self.history[step.number : step.number + 1]
        return not records or not _asked_for(records[0], self.history[step.number - 1])

    def _may_ask(self, process: str, app: str) -> bool:
        """Whether a process has worked for the institution of an application."""
        return app in self._apps.get(process, ())

    @cached_property
    def _apps(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for run in self.testimony["runs"]:
            found[run["process"]].add(self.institutions[run["institution"]]["app"])
        return found

    @cached_property
    def _envelopes(self) -> dict[int, dict[str, Any]]:
        return {
            record["detail"].get("batch", 0): record
            for record in self.history
            if record["path"].endswith("$batch")
        }

    def was_absent(
        self, institution: str, mailbox: str, key: str, since: float, until: float, *, good: bool = False
    ) -> bool:
        """Whether a state of its source that could be read, or a *good* one, lacked a pair between two moments."""
        return any(not named for named in self._named(institution, mailbox, key, since, until, good=good))

    def was_named(self, institution: str, mailbox: str, key: str, since: float, until: float) -> bool:
        """Whether a state of its source named a pair at any time between two moments."""
        return any(self._named(institution, mailbox, key, since, until))

    def _named(
        self, institution: str, mailbox: str, key: str, since: float, until: float, *, good: bool = False
    ) -> Iterator[bool]:
        """Of each readable state of a source between two moments, whether it names a pair."""
        states = self._states[institution, key.partition(":")[0]]
        for place, state in enumerate(states):
            over = states[place + 1]["at"] if place + 1 < len(states) else inf
            if state["at"] <= until and over >= since and state["good" if good else "readable"]:
                yield any(pair["mailbox"] == mailbox and pair["key"] == key for pair in state["pairs"])

    def times_of(self, institution: str, event: Event, title: str) -> tuple[int, int] | None:
        """When a version of an event's meeting is, by what its source says."""
        assert event.born.mark is not None
        key = event.born.mark.key
        for state in self._states[institution, key.partition(":")[0]]:
            for pair in state["pairs"]:
                if pair["key"] == key and pair["title"] == title:
                    return pair["start"], pair["end"]
        return None

    @cached_property
    def _states(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for state in self.testimony["states"]:
            found[state["institution"], state["source"]].append(state)
        return found

    @cached_property
    def _waiting(self) -> dict[Pair, dict[str, Any]]:
        return {
            (self.institutions[told["institution"]]["tenant"], told["mailbox"], told["key"]): told
            for told in self.testimony["final"].get("waiting", ())
        }


def asked_mailbox(record: dict[str, Any]) -> str:
    """The mailbox that a request names."""
    found = _MAILBOX.search(record["path"])
    return unquote(found[1]) if found else ""


def writes(record: dict[str, Any]) -> bool:
    """Whether a request would change something."""
    return record["method"] in _WRITING


def _asked_for(request: dict[str, Any], change: dict[str, Any]) -> bool:
    """Whether a request is the one that changed an event, told right after the change."""
    if not writes(request) or asked_mailbox(request) != change["mailbox"]:
        return False
    return change["detail"]["action"] == "create" or change["detail"]["event"] in unquote(request["path"])


def arrived(record: dict[str, Any]) -> float:
    """When a request came."""
    return float(record["detail"].get("arrived", record["at"]))


def _mark(properties: dict[str, str]) -> Mark | None:
    for name, text in properties.items():
        if not name.endswith("Name ClassbellMark"):
            continue
        _, installation, operation, rest = text.split("/", 3)
        institution, mailbox, key, incarnation, intent_at, _ = json.loads(rest)
        return Mark(installation, operation, institution, mailbox, key, incarnation, intent_at)
    return None
