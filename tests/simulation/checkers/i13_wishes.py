"""
I13: what people want holds through every fault.

Nothing is written for who is paused, has left or was forgotten, and of who has left goes what their mode says. What an owner has
deleted stays so where that is respected, what they have changed where that is kept, and where a deleted calendar is to
stop us none is made again.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.simulation.checkers.absences import Absences, Bad
from tests.simulation.checkers.decisions import Span, asked, departures, in_doubt, losses, spans
from tests.simulation.checkers.i04_no_mass_deletion import of_a_run
from tests.simulation.checkers.reading import Case, Event, Step, arrived, asked_mailbox, writes

# So long an intent lets its request leave, and so long the slowest connection takes.
_STILL_LEAVING = 60.0 + 60.0

Cost = defaultdict[Bad, list[str]]
"""What each bad state has cost."""


def violations(case: Case) -> Iterator[str]:
    """Writes against the wish of somebody."""
    yield from _written_in_spite(case)
    yield from _too_much_gone(case)
    absences, cost = Absences(case), Cost(list)
    for pair, events in case.of_pair.items():
        policies = case.of_tenant[pair[0]]["policies"]
        events.sort(key=lambda event: event.born.number)
        if policies.get("on_user_delete") == "respect":
            yield from _made_again(case, events, absences, cost)
        if policies.get("on_user_edit") == "keep":
            for event in events:
                yield from _overwritten(case, event)
    yield from _calendars_made_again(case)
    for bad, texts in cost.items():
        # With the meeting that is taken for removed goes the wish: as many as may be deleted because of one (I4).
        if len(texts) > of_a_run(case, bad[0], bad[2]) * absences.readers(bad):
            yield f"{len(texts)} wishes were forgotten because of one bad state of {bad[0]}; first {texts[0]}"


def _written_in_spite(case: Case) -> Iterator[str]:
    """Requests that write to who is paused or forgotten; and others than deletes to who has left."""
    stops = [(span, frozenset[str]()) for what in ("pause", "forget") for span in spans(case, what)]
    stops += [(span, frozenset({"DELETE"})) for span in spans(case, "unlink")]
    if not stops:
        return
    for record in case.requests():
        told = case.of_tenant.get(record["tenant"])
        if told is None or not writes(record) or record["path"].endswith("$batch"):
            continue
        mailbox, at = asked_mailbox(record), arrived(record)
        for span, allowed in stops:
            inside = span.begin + _STILL_LEAVING < at < span.end and span.covers(told["id"], mailbox)
            leaves = span.told["what"] != "forget" and _goes_in_leaving(case, record, told, at)
            if inside and record["method"] not in allowed and not leaves:
                yield (
                    f"record {record['number']}: {record['method']} to {mailbox}, for whom {span.told['what']}"
                    f" was decided {at - span.begin:.0f} s before"
                )


def _goes_in_leaving(case: Case, record: dict[str, Any], told: dict[str, Any], at: float) -> bool:
    """Whether it deletes what belongs to somebody who has left and not come back, perhaps while they were paused."""
    return record["method"] == "DELETE" and any(
        span.begin <= at < span.end + _STILL_LEAVING and span.covers(told["id"], asked_mailbox(record))
        for span in asked(case, "unlink")
    )


def _too_much_gone(case: Case) -> Iterator[str]:
    """Of who has left more than their mode says, or more than was approved."""
    for span in asked(case, "unlink"):
        if span.told["mode"] == "UNLINK_ONLY" and span.told["events"]:
            yield f"{len(span.told['events'])} events were to go with UNLINK_ONLY of {span.mailbox}"
        if len(span.told["events"]) != span.told["deletes"]:
            yield f"{len(span.told['events'])} events were to go, and {span.told['deletes']} were counted"
    for span in spans(case, "unlink"):
        gone: dict[tuple[str, str], list[tuple[Event, Step]]] = defaultdict(list)
        for event, removal in _our_deletions(case):
            late = span.begin + case.testimony["bound"] + _STILL_LEAVING < removal.at < span.end
            if late and span.covers(case.of_tenant[event.tenant]["id"], event.mailbox):
                assert event.born.mark is not None
                gone[event.mailbox, event.born.mark.key].append((event, removal))
        for (mailbox, key), removals in gone.items():
            yield from _beyond(case, span, mailbox, key, removals)


def _beyond(
    case: Case, span: Span, mailbox: str, key: str, removals: list[tuple[Event, Step]]
) -> Iterator[str]:
    """Deletions of one pair that no departure has approved which still held good when the span began."""
    event, removal = removals[-1]
    approving = [
        one for one in departures(case, span.institution, mailbox, key, removal.at) if one.end >= span.begin
    ]
    if len(removals) > len(approving):
        yield (
            f"record {removal.number}: {removal.title} of {mailbox} was deleted after {span.told['mode']} of"
            f" {span.mailbox or span.institution}, and {len(approving)} of {len(removals)} deletions were approved"
        )
    modes = {one.told["mode"] for one in approving}
    begins = [one.begin - case.testimony["bound"] for one in approving]
    if modes == {"DELETE_FUTURE_EVENTS"} and max(step.start for step in event.ours) <= min(begins):
        yield f"record {removal.number}: {removal.title} had begun when {mailbox} left"


def _our_deletions(case: Case) -> Iterator[tuple[Event, Step]]:
    for event in case.events.values():
        removal = next((step for step in event.steps if step.by_us and not step.live), None)
        if removal is not None and event.is_ours and event.born.mark is not None:
            yield event, removal


def _made_again(case: Case, events: list[Event], absences: Absences, cost: Cost) -> Iterator[str]:
    """The same version of a meeting made again after its owner had deleted it, but for what bad states may have cost."""
    for earlier, event in pairwise(events):
        removal = earlier.gone_by(event.born.number)
        if removal is None or removal.by_us or earlier.born.mark is None or event.born.mark is None:
            continue
        if _went_with_its_calendar(case, earlier, removal):
            # Whether a calendar is made again another policy says, and with it all that belongs there.
            continue
        last = next(step for step in reversed(earlier.ours) if step.number < removal.number)
        if not last.live:
            # They took back what we had removed, and removed it again: of that nobody is told.
            continue
        # Under one mark it is one operation, of whose first attempt nothing was heard.
        same = last.title == event.born.title
        if not same or earlier.born.mark.operation == event.born.mark.operation:
            continue
        # What was never heard of may not have been what they deleted.
        if not case.heard(last) or _excused(case, event, last.at, removal.at):
            continue
        text = (
            f"record {event.born.number}: {event.born.title} was made again for {event.mailbox}, who had deleted it"
            f" (record {removal.number})"
        )
        bad = absences.accepted(earlier, removal.at, event.born.at)
        if bad is None:
            yield text
        else:
            cost[bad].append(text)


def _went_with_its_calendar(case: Case, event: Event, removal: Step) -> bool:
    return case.of_tenant[event.tenant]["policies"].get("on_calendar_delete") != "stop" and any(
        record["detail"].get("action") == "delete-calendar"
        and (record["tenant"], record["mailbox"], record["at"]) == (event.tenant, event.mailbox, removal.at)
        for record in case.history
    )


def _excused(case: Case, event: Event, since: float, deleted: float) -> bool:
    """Whether what its owner had wanted was forgotten rightly between *since* and now."""
    told, at = case.of_tenant[event.tenant], event.born.at
    if in_doubt(case, told["id"], event.mailbox, deleted) or any(
        since <= lost <= at for lost in losses(case, told["id"], event.mailbox)
    ):
        return True
    if any(since <= reset["begin"] <= at for reset in _resets(case, told["id"], event.mailbox)):
        return True
    if any(
        span.covers(told["id"], event.mailbox) and since <= span.begin <= at
        for what in ("unlink", "restore")
        for span in asked(case, what)
    ):
        return True
    assert event.born.mark is not None
    key = event.born.mark.key
    gone = case.was_absent(told["id"], event.mailbox, key, since, at, good=True)
    return gone or _agreed_to_go(case, told["id"], [event.mailbox, key], since, at)


def _agreed_to_go(case: Case, institution: str, pair: list[str], since: float, until: float) -> bool:
    """Whether somebody has agreed between two moments that an event goes, though its source was read badly."""
    return any(
        run["institution"] == institution
        and since <= run["begin"] <= until
        and pair in (run.get("agreed") or ())
        for run in case.testimony["runs"]
    ) or any(
        span.institution == institution and since <= span.begin <= until and pair in span.told["deletes"]
        for span in asked(case, "approval")
    )


def _resets(case: Case, institution: str, mailbox: str) -> Iterator[dict[str, Any]]:
    for run in case.testimony["runs"]:
        if run.get("reset") and (run["institution"], run["person"]) == (institution, mailbox):
            yield run


def _overwritten(case: Case, event: Event) -> Iterator[str]:
    """What its owner had changed in a kept event, and we wrote although the meeting's own value was as before."""
    told = case.of_tenant[event.tenant]
    resets = list(_resets(case, told["id"], event.mailbox))
    lost = losses(case, told["id"], event.mailbox)
    for place, step in enumerate(event.steps):
        before = event.steps[place - 1]
        if not step.by_us or step.action != "update":
            continue
        ours = [one for one in event.steps[:place] if one.by_us]
        # Since we wrote last a ledger was lost that knew what stood there, or all was to be put back; what a reset has
        # written and not heard of, it writes again.
        since, heard = ours[-1].at, max((one.at for one in ours if case.heard(one)), default=0.0)
        if any(since <= at <= step.at for at in lost) or any(
            heard <= reset["begin"] <= step.at for reset in resets
        ):
            continue
        # Of what was sent before, the last may not have been heard of: then its version is not what is known.
        known = [one for one in ours if one.title != step.title][-2:]
        if step.show_as != before.show_as:
            yield f"record {step.number}: {step.title} shows as {step.show_as}, and {event.mailbox} wanted {before.show_as}"
        theirs = (before.start, before.end) != (ours[-1].start, ours[-1].end)
        if theirs and (step.start, step.end) != (before.start, before.end) and known:
            times = {case.times_of(told["id"], event, one.title) for one in (*known, step)}
            if len(times) == 1:
                yield f"record {step.number}: {step.title} was put back to its time, and {event.mailbox} wanted another"


def _calendars_made_again(case: Case) -> Iterator[str]:
    """A calendar made where its owner has deleted one with events of ours, and that was to stop us."""
    gone: dict[tuple[str, str], dict[str, Any]] = {}
    for record in case.history:
        action, key = record["detail"].get("action", ""), (record["tenant"], record["mailbox"])
        told = case.of_tenant.get(record["tenant"])
        if told is None or told["policies"].get("on_calendar_delete") != "stop":
            continue
        if action == "delete-calendar" and not record["app"] and _held_ours(case, record):
            gone[key] = record
        if action != "create-calendar" or not record["app"] or key not in gone:
            continue
        since, at = gone[key]["at"], record["at"]
        # A reset makes again what is deleted before its end; what it leaves to later runs makes nothing again.
        lifted = [
            at if reset["end"] is None else min(at, reset["end"])
            for reset in _resets(case, told["id"], record["mailbox"])
            if reset["begin"] <= at
        ]
        lifted += losses(case, told["id"], record["mailbox"])
        lifted += [
            span.begin
            for what in ("resume", "unlink")
            for span in asked(case, what)
            if span.covers(told["id"], record["mailbox"])
        ]
        doubt = in_doubt(case, told["id"], record["mailbox"], since) or _not_known_again(case, gone[key])
        if not doubt and not any(since <= moment <= at for moment in lifted):
            yield f"record {record['number']}: a calendar was made for {record['mailbox']}, who had deleted ours"


def _not_known_again(case: Case, deletion: dict[str, Any]) -> bool:
    """
    Whether nobody can have known that a calendar was ours: its owner had given it another name when the ledger was deleted.

    Events of ours that stand in a calendar of another name may have been moved there: what is known again is one that
    bears the name of the profile's, or that something is made in from then on.
    """
    place = (case.of_tenant[deletion["tenant"]]["id"], deletion["mailbox"])
    others = {told["asked"] for told in case.testimony["decisions"] if _is_other_name(told, place)}
    return any(
        told["what"] == "loss"
        and not told["old"]
        and told["asked"] < deletion["at"]
        and _last_renamed(case, deletion, told["asked"]) in others
        and not any(
            event.is_ours
            and (event.tenant, event.mailbox) == (deletion["tenant"], deletion["mailbox"])
            and told["asked"] < event.born.at < deletion["at"]
            for event in case.events.values()
        )
        for told in case.testimony["decisions"]
    )


def _is_other_name(told: dict[str, Any], place: tuple[str, str]) -> bool:
    return told["what"] == "other name" and (told["institution"], told["mailbox"]) == place


def _last_renamed(case: Case, deletion: dict[str, Any], before: float) -> float | None:
    """When its owner last renamed a calendar before a moment, if they did."""
    return max(
        (
            record["at"]
            for record in case.history
            if record["detail"].get("action") == "rename-calendar"
            and record["at"] < before
            and record["mailbox"] == deletion["mailbox"]
            and record["detail"]["calendar"] == deletion["detail"]["calendar"]
        ),
        default=None,
    )


def _held_ours(case: Case, deletion: dict[str, Any]) -> bool:
    """Whether events of ours went with a calendar."""
    return any(
        event.is_ours and event.mailbox == deletion["mailbox"] and event.tenant == deletion["tenant"]
        for event in case.events.values()
        for step in event.steps
        if step.at == deletion["at"] and not step.live and not step.by_us
    )
