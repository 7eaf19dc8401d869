"""
I12: what we have deleted can be put back, with equal content, and stays until a timetable or a person says otherwise.

At the end of some schedules all that runs have deleted is put back, and a run follows.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from tests.simulation.checkers.decisions import asked, departures, losses, spans
from tests.simulation.checkers.i01_only_our_events import doubles_of, taken_for_the_original
from tests.simulation.checkers.reading import Case, Event, Pair, Step

_MAYBE_DONE = 500


def violations(case: Case) -> Iterator[str]:
    """What could not be put back, came back otherwise, or went again unasked."""
    restored = case.testimony["final"].get("restored")
    if restored is not None:
        yield from _missing(case, restored["begin"], _stopped(case, restored["waiting"]))
    yield from _gone_again(case)
    for event in case.events.values():
        for before, step in pairwise(event.steps):
            if step.by_us and step.action == "purge" and before.live:
                yield f"record {step.number}: {step.title} was removed from {event.mailbox} for good"


def _stopped(case: Case, waiting: Iterable[dict[str, Any]]) -> set[Pair]:
    """What waits, once all was to be put back, since its owner has deleted the calendar in which it stood."""
    deleted = {
        (record["tenant"], record["mailbox"])
        for record in case.history
        if record["detail"].get("action") == "delete-calendar" and not record["app"]
    }
    pairs = {
        (case.institutions[told["institution"]]["tenant"], told["mailbox"], told["key"])
        for told in waiting
        if told["code"] == "E-CAL-STOPPED"
    }
    return {pair for pair in pairs if pair[:2] in deleted}


def _missing(case: Case, begin: int, stopped: Collection[Pair]) -> Iterator[str]:
    """What we had deleted before record *begin*, and does not stand there as it did."""
    unheard_of = {(told["institution"], told["mailbox"]) for told in case.testimony["final"]["suspended"]}
    for pair, events in case.of_pair.items():
        name = (case.of_tenant[pair[0]]["id"], pair[1])
        if name in unheard_of or pair in stopped or case.waits(pair) is not None:
            continue
        before = [(step, event) for event in events for step in event.steps if step.number <= begin]
        deleted = _deleted_last(before)
        # What a ledger has deleted that was lost, or of somebody who was forgotten, nobody knows any more.
        if deleted is None or any(lost >= deleted[1].born.at for lost in losses(case, *name)):
            continue
        removal, event = deleted
        if _given_up_unheard(case, name, removal):
            continue
        live = [one for one in events if one.live]
        if live and not any(_equal(case, event, removal, one) for one in live):
            yield f"{removal.title} came back to {pair[1]} otherwise than record {removal.number} deleted it"
        if not live and not _stands_by_a_double(case, pair, begin):
            yield f"record {removal.number}: {removal.title} in {pair[1]} was deleted, and is not back"


def _given_up_unheard(case: Case, name: tuple[str, str], removal: Step) -> bool:
    """Whether nobody had heard of a deletion when its owner left their events where they are, so that it was no run's."""
    left = (one for one in asked(case, "unlink") if one.covers(*name) and one.told["mode"] == "UNLINK_ONLY")
    return not case.heard(removal) and any(one.begin >= removal.at for one in left)


def _stands_by_a_double(case: Case, pair: Pair, begin: int) -> bool:
    """Whether a copy stood there, when all was put back, that nobody could tell from what we had deleted."""
    return any(one.live and taken_for_the_original(case, one, begin) for one in doubles_of(case, pair))


def _deleted_last(steps: list[tuple[Step, Event]]) -> tuple[Step, Event] | None:
    """Our last deletion of a pair of which nothing stands there."""
    if not steps or any(_stood(event, steps) for event in {id(event): event for _, event in steps}.values()):
        return None
    ours = [(step, event) for step, event in steps if step.by_us and not step.live and _was_live(event, step)]
    last = max(ours, key=lambda found: found[0].number, default=None)
    # What was made since its owner has removed, and that is theirs to say.
    made_since = last and any(event.born.number > last[0].number for _, event in steps)
    return None if made_since else last


def _stood(event: Event, steps: list[tuple[Step, Event]]) -> bool:
    return [step for step, one in steps if one is event][-1].live


def _was_live(event: Event, removal: Step) -> bool:
    before = [step for step in event.steps if step.number < removal.number]
    return bool(before) and before[-1].live


def _equal(case: Case, event: Event, removal: Step, back: Event) -> bool:
    """Whether an event shows what another one did, as we had written it and can know of."""
    written = _last_written(case, event, removal)
    now = back.steps[-1]
    if any(not step.by_us for step in event.steps if step.number < removal.number):
        # What its owner had made of it is not put back.
        same = any(now.title == step.title for step in written)
    else:
        same = any(now.content == step.content for step in written)
    asked_for_more = _asked_for_more(case, event, written[-1], removal) or _died_about_to_ask(
        case, event, written[-1], removal, now.title
    )
    return same or (asked_for_more and _version(now) > _version(written[-1]))


def _last_written(case: Case, event: Event, removal: Step) -> list[Step]:
    """What we heard of last that we had written to an event, and all that was written to it since."""
    written = [step for step in event.ours if step.number < removal.number]
    heard = max((place for place, step in enumerate(written) if case.heard(step)), default=0)
    return written[heard:]


def _asked_for_more(case: Case, event: Event, written: Step, removal: Step) -> bool:
    """Whether an update to an event was asked for after all that was written, and nobody knows whether it went through."""
    return any(
        record["method"] == "PATCH"
        and event.id in unquote(record["path"])
        and (record["status"] == 0 or record["status"] >= _MAYBE_DONE)
        for record in case.requests()
        if written.number < record["number"] < removal.number
    )


def _died_about_to_ask(case: Case, event: Event, written: Step, removal: Step, title: str) -> bool:
    """Whether a process that may have noted an update to a version died since: nobody knows whether that one left."""
    institution = case.of_tenant[event.tenant]["id"]
    return any(
        run["institution"] == institution
        and run["person"] in {"", event.mailbox}
        and not run["outcome"]
        and run["end"] is not None
        and written.at <= run["end"] <= removal.at
        and _wanted_by(case, event, title, run["end"])
        for run in case.testimony["runs"]
    )


def _wanted_by(case: Case, event: Event, title: str, until: float) -> bool:
    """Whether a source asked for a version of an event before a moment."""
    assert event.born.mark is not None
    named = (event.mailbox, event.born.mark.key, title)
    return any(
        (pair["mailbox"], pair["key"], pair["title"]) == named
        for state in case.testimony["states"]
        if state["institution"] == event.born.mark.institution and state["at"] <= until
        for pair in state["pairs"]
    )


def _version(step: Step) -> int:
    return int(step.title.rpartition(" v")[2])


def _gone_again(case: Case) -> Iterator[str]:
    """What was put back and deleted again, though no timetable has named it since and nobody has agreed."""
    for span in spans(case, "restore"):
        for mailbox, key in span.told["events"]:
            pair = (case.institutions[span.institution]["tenant"], mailbox, key)
            for event in case.of_pair.get(pair, []):
                if span.told["asked"] <= event.born.at <= span.begin:
                    yield from _unasked(case, span.institution, pair, event)


def _unasked(case: Case, institution: str, pair: Pair, event: Event) -> Iterator[str]:
    for before, step in pairwise(event.steps):
        if not step.by_us or step.live or not before.live:
            continue
        since, at = event.born.at, step.at
        named = case.was_named(institution, pair[1], pair[2], since, at)
        agreed = any(
            run["approved"]
            and run["institution"] == institution
            and run["begin"] <= at
            and (run["end"] is None or run["end"] >= since)
            and (run.get("agreed") is None or [pair[1], pair[2]] in run["agreed"])
            for run in case.testimony["runs"]
        )
        agreed = agreed or any(
            one.institution == institution and [pair[1], pair[2]] in one.told["deletes"] and one.begin <= at
            for one in asked(case, "approval")
        )
        left = any(one.end >= since for one in departures(case, institution, pair[1], pair[2], at))
        lost = any(since <= loss <= at for loss in losses(case, institution, pair[1]))
        if not (named or agreed or left or lost):
            yield f"record {step.number}: {step.title} in {pair[1]} was put back, and deleted again unasked"
