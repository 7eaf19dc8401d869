"""
I1: nothing is written to an event that we did not create, and no answer carries one to us.

A copy of ours is its owner's, and so is whatever bears a forged mark. But for what nobody can tell: a double that was made
within the bound of its original, of which nobody had heard, or of which a lost ledger knew, before its owner removed it.
What we write to an event is what it was made for, and only where it stands in a calendar.
"""

from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote

from tests.simulation.checkers.days import noticed
from tests.simulation.checkers.decisions import losses
from tests.simulation.checkers.reading import SEND_WITHIN, STAMPS, Case, Event, Pair, Step


def violations(case: Case) -> Iterator[str]:
    """Writes to events and calendars of others, and answers that carried what bears no mark of ours."""
    for event in case.events.values():
        for step in event.steps[1:]:
            if step.by_us and not event.is_ours and not taken_for_the_original(case, event, step.number):
                what = "a copy" if event.copy_of else "an event of others"
                yield f"record {step.number}: {step.action} of {what}, {step.title} in {event.mailbox}"
            if step.by_us and event.is_ours and step.app != event.born.app:
                yield f"record {step.number}: {step.action} of an event that another application made"
        yield from _of_another_meeting(case, event)
        yield from _out_of_calendars(case, event)
    yield from _calendars(case)
    yield from _read(case)
    yield from _looked_at_more(case)


def _of_another_meeting(case: Case, event: Event) -> Iterator[str]:
    """
    What was written to an event that was made for another meeting: titles name it.

    Of what a lost ledger had delivered nobody knows what it shows: under another key, a meeting of the very same time and
    people may be the same.
    """
    if event.born.mark is None:
        return
    lost = losses(case, event.born.mark.institution, event.mailbox)
    key = event.born.mark.key.partition(":")[2]
    for before, step in pairwise([event.born, *event.steps]):
        named = step.title.rpartition(" v")[0]
        if named == key or not (step.live and step.by_us):
            continue
        if any(at < step.at for at in lost) and (before.start, before.end) == (step.start, step.end):
            key = named
        else:
            yield f"record {step.number}: {step.title} was written to the event of {key} in {event.mailbox}"


def _out_of_calendars(case: Case, event: Event) -> Iterator[str]:
    for before, step in pairwise(event.steps):
        if step.by_us and not before.live and not _could_not_know(case, event, step):
            yield f"record {step.number}: {step.action} of {step.title} in {event.mailbox}, which stood in no calendar"


def _could_not_know(case: Case, event: Event, step: Step) -> bool:
    """Whether the service obeys no condition of a delete, and its owner came before us, or it came to that late or twice."""
    gone = event.gone_by(step.number)
    theirs, twice = gone is not None and not gone.by_us, gone is not None and gone.number == step.number - 1
    first = theirs or twice or case.came_late(step)
    return bool(case.testimony.get("unconditional_deletes")) and first


def doubles_of(case: Case, pair: Pair) -> list[Event]:
    """The events of others that bear a mark of ours for a pair."""
    return [
        event
        for event in case.events.values()
        if not event.is_ours
        and (event.tenant, event.mailbox) == pair[:2]
        and event.born.mark is not None
        and event.born.mark.key == pair[2]
    ]


def taken_for_the_original(case: Case, double: Event, number: int) -> bool:
    """
    Whether this is what ``docs/explanation/safety.md`` assumes that nobody does, by the record of a number.

    A rebuild knows marks alone.
    """
    mark = double.born.mark
    if mark is None or double.born.at > mark.intent_at + SEND_WITHIN + case.testimony["bound"] + STAMPS:
        return False
    originals = [
        event
        for event in case.of_pair.get((double.tenant, double.mailbox, mark.key), ())
        if event.born.mark is not None and event.born.mark.operation == mark.operation
    ]
    return bool(originals) and all(_only_ever_removed(case, event, number) for event in originals)


def _only_ever_removed(case: Case, original: Event, number: int) -> bool:
    """Whether its owner had removed it before a record, and we made it and knew no more of it, or rebuilt after that."""
    gone = next((s for s in original.steps if not s.live), None)
    if gone is None or gone.number >= number:
        return False
    unheard_of = original.ours == [original.born] and not gone.by_us and not case.heard(original.born)
    return unheard_of or _rebuilt(case, original, gone.at, case.history[number - 1]["at"])


def _rebuilt(case: Case, event: Event, begin: float, end: float) -> bool:
    """
    Whether between two moments the ledger of its mailbox may have been made again from the marks.

    By one that knew the event no more: since it was lost, or since it was known by then that its owner had removed it.
    """
    assert event.born.mark is not None
    lost = losses(case, event.born.mark.institution, event.mailbox)
    return any(
        run["kind"] in {"rebuild", "unlink"}
        and run["institution"] == event.born.mark.institution
        and run["person"] in {"", event.mailbox}
        and run["begin"] <= end
        and (run["end"] is None or run["end"] >= begin)
        and (
            any(event.born.at <= at <= run["begin"] for at in lost)
            or noticed(case, event, begin, run["begin"])
        )
        for run in case.testimony["runs"]
    )


def _calendars(case: Case) -> Iterator[str]:
    for record in case.history:
        action = record["detail"].get("action", "")
        if action.endswith("-calendar") and action != "create-calendar" and record["app"]:
            yield f"record {record['number']}: {action} in {record['mailbox']}"


def _looked_at_more(case: Case) -> Iterator[str]:
    """Questions for events that name neither one of them nor our mark, whatever was answered."""
    for record in case.requests():
        what = unquote(record["path"]).partition("?")
        events = what[0].rpartition("/")[2] in {"events", "calendarView"}
        # Of who is refused at the door, without a token that holds good, the record has no more than the path.
        if record["app"] and record["method"] == "GET" and events and "ClassbellMark" not in what[2]:
            yield f"record {record['number']}: somebody's events were asked for: {record['path'][:80]}"


def _read(case: Case) -> Iterator[str]:
    installation = case.testimony["installation"]
    for record in case.requests():
        for name in record["detail"].get("events", ()):
            event = case.events[name]
            marks = [step.mark for step in event.steps if step.number <= record["number"]]
            mark = marks[-1] if marks else None
            if not event.is_ours and (mark is None or mark.installation != installation):
                yield f"record {record['number']}: an answer carried {event.steps[-1].title} of {event.mailbox}"
