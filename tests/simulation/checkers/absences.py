"""What sources asked for by leaving it out, and what of that somebody agreed to."""

from collections import defaultdict
from collections.abc import Iterator
from math import inf
from typing import Any

from tests.simulation.checkers.decisions import asked as decided
from tests.simulation.checkers.reading import Case, Event, Step

Bad = tuple[str, str, float]
"""A bad state: its institution, its source, and when it began."""

# How runs end that hold nothing: such a one has taken back whatever was accepted before and is wanted no more.
_WHOLE = frozenset({"0", "3"})
_DECIDES_NOTHING = frozenset({"verify", "explain", "rebuild"})


class Absences:
    """What the states of the sources asked for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._states: dict[tuple[str, str], list[tuple[dict[str, Any], set[tuple[str, str]]]]] = defaultdict(
            list
        )
        for state in case.testimony["states"]:
            pairs = {(pair["mailbox"], pair["key"]) for pair in state["pairs"]}
            self._states[state["institution"], state["source"]].append((state, pairs))

    def judge(self, event: Event, removal: Step) -> str | Bad | None:
        """
        ``asked for``; the bad state that did; None if none did.

        Of several bad ones it is the last that a run can have read: what comes and goes unread asks for nothing.
        """
        suspect: Bad | None = None
        for state, until, named in self._of(event):
            if state["at"] > removal.at or until < event.born.at or named:
                continue
            if self._withdrawn(event, removal, until):
                continue
            if state["good"] or self.agreed(event, removal):
                return "asked for"
            bad = (state["institution"], state["source"], state["at"])
            if state["readable"] and (suspect is None or self.readers(bad)):
                suspect = bad
        return suspect

    def _withdrawn(self, event: Event, removal: Step, until: float) -> bool:
        """Whether a whole run has read since a moment that the event is wanted, before anybody asked for its deletion."""
        return self._taken_back(event, until, self.first_asked(event, removal))

    def readers(self, bad: Bad) -> int:
        """How many runs may have read a state of a source."""
        institution, source, at = bad
        later = (state["at"] for state, _ in self._states[institution, source] if state["at"] > at)
        until = min(later, default=inf)
        return sum(
            run["institution"] == institution
            and run["kind"] not in _DECIDES_NOTHING
            and run["begin"] <= until
            and (run["end"] is None or run["end"] >= at)
            for run in self._case.testimony["runs"]
        )

    def left_out(self, event: Event, begin: float, end: float) -> bool:
        """Whether at some time between the two its source did not name it."""
        return event.born.at <= end and any(
            state["at"] <= end and until >= begin and not named for state, until, named in self._of(event)
        )

    def accepted(self, event: Event, since: float, until: float) -> Bad | None:
        """The bad state that left an event out when a whole run began, between two moments, that held nothing."""
        for state, over, named in self._of(event):
            if (
                state["readable"]
                and not state["good"]
                and not named
                and any(
                    run["kind"] == "sync"
                    and run["outcome"] in _WHOLE
                    # What more than the limits was let go, somebody saw before.
                    and not run["approved"]
                    and max(since, state["at"]) <= run["begin"] <= min(over, until)
                    for run in self._runs(event)
                )
            ):
                return state["institution"], state["source"], state["at"]
        return None

    def agreed(self, event: Event, removal: Step) -> bool:
        """
        Whether a run that somebody let delete this very event has asked for it, and none has taken that back.

        What was accepted goes on though the run died, or the mailbox was away; it ends when a whole run has read that
        the source names the event again. That it does so proves nothing as long as nobody has read it, nor where the
        answer to a first request was lost: that one is repeated, whatever is wanted since.
        """
        return any(
            self._in_set(event, removal, run)
            and not self._taken_back(event, run["begin"], self.first_asked(event, removal, run["begin"]))
            for run in self._runs(event)
            if run["approved"] and run["begin"] <= removal.at
        )

    def first_asked(self, event: Event, removal: Step, since: float = 0.0) -> float:
        """When somebody may have asked for a deletion first, not before a moment."""
        asked = [
            at for at, url in self._case.testimony["deletes"] if since <= at <= removal.at and event.id in url
        ]
        # What died may have been about to ask.
        asked += [
            run["end"]
            for run in self._case.testimony["runs"]
            if run["end"] is not None
            and since <= run["end"]
            and not run["outcome"]
            and self.left_out(event, run["begin"], run["end"])
        ]
        return float(min([removal.at, *asked]))

    def _in_set(self, event: Event, removal: Step, run: dict[str, Any]) -> bool:
        """Whether a deletion was in what a run showed to who agreed; if that is not known, whether it can have been."""
        end = removal.at if run["end"] is None else min(run["end"], removal.at)
        if run.get("agreed") is None:
            return self.left_out(event, run["begin"], end)
        assert event.born.mark is not None
        return event.born.at <= end and [event.mailbox, event.born.mark.key] in run["agreed"]

    def _taken_back(self, event: Event, since: float, until: float) -> bool:
        """Whether a whole run between two moments has read nothing but that the event is wanted."""
        return any(
            run["kind"] == "sync"
            and run["outcome"] in _WHOLE
            and since < run["begin"]
            and run["end"] <= until
            and self._named_throughout(event, run["begin"], run["end"])
            and not self._paused(run)
            for run in self._runs(event)
        )

    def _named_throughout(self, event: Event, begin: float, end: float) -> bool:
        met = [
            named and state["good"]
            for state, until, named in self._of(event)
            if state["at"] <= end and until >= begin
        ]
        return bool(met) and all(met)

    def _paused(self, run: dict[str, Any]) -> bool:
        """Whether nothing was accepted because the whole institution was paused."""
        return any(
            span.institution == run["institution"]
            and not span.mailbox
            and span.begin <= run["end"]
            and span.end >= run["begin"]
            for span in decided(self._case, "pause")
        )

    def _runs(self, event: Event) -> Iterator[dict[str, Any]]:
        """The runs that were about the mailbox of an event."""
        assert event.born.mark is not None
        for run in self._case.testimony["runs"]:
            if run["institution"] == event.born.mark.institution and run["person"] in {"", event.mailbox}:
                yield run

    def _of(self, event: Event) -> Iterator[tuple[dict[str, Any], float, bool]]:
        """The states of an event's source, each with its end, and whether it names the event."""
        assert event.born.mark is not None
        key = event.born.mark.key
        states = self._states[event.born.mark.institution, key.partition(":")[0]]
        ends = [state["at"] for state, _ in states[1:]] + [inf]
        for (state, pairs), until in zip(states, ends, strict=False):
            yield state, until, (event.mailbox, key) in pairs
