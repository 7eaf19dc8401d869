"""
I3: once everything has come to rest, mailboxes hold what the timetables say, or the product says what waits and why.

What people did in Outlook since we last wrote is theirs: what they changed or removed counts as delivered.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import inf
from typing import Any

from tests.simulation.checkers.decisions import Span, asked, losses, spans
from tests.simulation.checkers.i01_only_our_events import doubles_of, taken_for_the_original
from tests.simulation.checkers.places import misplaced
from tests.simulation.checkers.reading import Case, Event, Pair

_LEFT = frozenset({"unlinked", "purged", "forgotten"})
# Behind the gate of somebody's wish a change stays as it is.
_SHUT_OUT = frozenset({"E-PAUSED", "E-UNLINKED", "E-CAL-STOPPED"})
# All that may be waited for when nothing goes wrong any more: somebody's word.
_FOR_A_PERSON = _SHUT_OUT | {"E-EVT-FOREIGN", "E-MARK-COPY", "E-MARK-SEVERAL"}


def violations(case: Case) -> Iterator[str]:
    """Pairs that are wrong although nothing is said to wait."""
    final = case.testimony["final"]
    if "at" not in final:
        return
    wanted = _wanted(case)
    left = {(told["institution"], told["mailbox"]) for told in final["suspended"] if told["kind"] in _LEFT}
    # Of these mailboxes status says that a ledger was lost: what stood there is not looked at before a rebuild.
    lost = {
        (told["institution"], told["mailbox"])
        for told in final.get("lost", ())
        if losses(case, told["institution"], told["mailbox"])
    }
    for pair, told in wanted.items():
        # What lies behind is outside of the window, sooner or later; who has left gets nothing.
        if told["start"] <= final["at"] or (case.of_tenant[pair[0]]["id"], pair[1]) in left:
            continue
        keeps = case.of_tenant[pair[0]]["policies"].get("on_user_edit") == "keep"
        events = case.of_pair.get(pair, []) + _doubles(case, pair)
        if _waits(case, pair) or _stands_in_its_place(case, pair, told, wanted):
            continue
        if not _delivered(events, told, keeps=keeps):
            yield f"{told['title']} was never delivered to {pair[1]}, and nothing waits"
    for pair, events in case.of_pair.items():
        theirs = (case.of_tenant[pair[0]]["id"], pair[1]) in left | lost or _known_to_nobody(
            case, pair, wanted
        )
        if pair not in wanted and not _waits(case, pair) and not theirs:
            yield from _left_over(pair, events, final["at"])
    yield from _stayed(case)
    yield from misplaced(case)
    yield from _not_put_right(case, wanted, left)
    for told in final["waiting"]:
        doubted = told["code"] == "E-LEDGER-LOST" and losses(case, told["institution"], told["mailbox"])
        if told["state"] == "sent" or not (doubted or told["code"] in _FOR_A_PERSON):
            yield f"{told['key']} for {told['mailbox']} waits ({told['state']} {told['code']}) without a reason that only a person can end"


def _known_to_nobody(case: Case, pair: Pair, wanted: dict[Pair, Any]) -> bool:
    """
    Whether no timetable names a person whom the ledger in use has never known: a rebuild must be told of them.

    It was deleted, or an old copy was put in its place that was made before anything was written to them; or they were
    forgotten although something of ours stood there.
    """
    named = {(tenant, mailbox) for tenant, mailbox, _ in wanted}
    written = [
        step.at
        for event in case.events.values()
        if (event.tenant, event.mailbox) == pair[:2]
        for step in event.ours
    ]
    if pair[:2] in named or not written:
        return False
    forgotten = any(
        told["asked"] > max(written)
        for told in case.testimony["decisions"]
        if told["what"] == "forget"
        and told["left"]
        and (told["institution"], told["mailbox"]) == (case.of_tenant[pair[0]]["id"], pair[1])
    )
    return forgotten or any(
        told["asked"] > max(written) and (not told["old"] or told["of"] < min(written))
        for told in case.testimony["decisions"]
        if told["what"] == "loss"
    )


def _stayed(case: Case) -> Iterator[str]:
    """What was to go with somebody who left and has not come back, and stands there still."""
    # Of whom all was forgotten although something stood there, it may stay for good.
    kept = {
        (told["institution"], told["mailbox"])
        for told in case.testimony["decisions"]
        if told["what"] == "forget" and told["left"]
    }
    for span in spans(case, "unlink"):
        if span.end < inf:
            continue
        tenant = case.institutions[span.institution]["tenant"]
        # Who leaves once more is told what goes and what stays then, and agrees to that, even if the process dies then.
        again = [one for one in asked(case, "unlink") if one.begin > span.begin]
        for pair, events in case.of_pair.items():
            if pair[0] != tenant or not span.covers(span.institution, pair[1]) or _waits(case, pair):
                continue
            once_more = any(one.covers(span.institution, pair[1]) for one in again)
            if once_more or (span.institution, pair[1]) in kept:
                continue
            # Where a mailbox cannot be read, only what the ledger knows goes, and that is said.
            read = span.told["mode"] == "CLEANUP" and pair[1] not in span.told.get("unread", ())
            told = read or list(pair[1:]) in span.told["events"]
            for event in events:
                stood = event.born.at < span.told["asked"] and not any(
                    step.action == "restore" for step in event.steps
                )
                # Of what may have been made, and nobody has heard, is told with the numbers: it does not go with them.
                known = case.heard(event.born) and not _still_at_work(case, span, event)
                if told and stood and event.live and known and not _held_and_forgotten(case, span, event):
                    yield f"{event.ours[-1].title} stands in {pair[1]} in spite of {span.told['mode']}"


def _held_and_forgotten(case: Case, span: Span, event: Event) -> bool:
    """Whether nobody could tell an event from its copies when a ledger was lost, and all was forgotten that was said of it."""
    forgotten = any(
        told["what"] == "forget" and told["asked"] >= span.begin
        for told in case.testimony["decisions"]
        if (told["institution"], told["mailbox"]) == (span.institution, event.mailbox)
    )
    copied = any(other.copy_of == event.id and other.born.at < span.begin for other in case.events.values())
    return forgotten and copied and any(at < span.begin for at in losses(case))


def _still_at_work(case: Case, span: Span, event: Event) -> bool:
    """Whether the process that made an event may have heard of it only after somebody was told what goes."""
    return any(
        run["institution"] == span.institution
        and run["begin"] <= event.born.at
        and (run["end"] is None or run["end"] >= span.told["asked"])
        for run in case.testimony["runs"]
    )


def _not_put_right(
    case: Case, wanted: dict[Pair, dict[str, Any]], left: set[tuple[str, str]]
) -> Iterator[str]:
    """What is not as it was delivered though all was read back, and by the profiles all is to be put right."""
    final = case.testimony["final"]
    if "read_back" not in final:
        return
    suspended = {(told["institution"], told["mailbox"]) for told in final["suspended"]}
    for pair, told in wanted.items():
        name = (case.of_tenant[pair[0]]["id"], pair[1])
        rights = set(case.of_tenant[pair[0]]["policies"].values())
        # What begins before the last runs nobody needs to put right.
        if name in suspended | left or rights != {"restore"} or told["start"] <= final["at"]:
            continue
        if _waits(case, pair) or _stands_in_its_place(case, pair, told, wanted):
            continue
        if _may_be_a_copy(case, pair):
            continue
        events = case.of_pair.get(pair, []) + _doubles(case, pair)
        shown = [(e.steps[-1], e.ours[-1]) for e in events if e.live and e.ours]
        if not any(
            (now.title, now.start, now.end, now.show_as)
            == (told["title"], told["start"], told["end"], written.show_as)
            for now, written in shown
        ):
            yield f"{told['title']} of {pair[1]} was read back, and is not as it was delivered"


def _waits(case: Case, pair: Pair) -> bool:
    """
    Whether the product says what a pair waits for.

    A hold is an answer only for who is suspended. In the end every plan is approved but the last one: what that
    holds of somebody else should have been carried out before.
    """
    if case.waits(pair) is not None:
        return True
    name = (case.of_tenant[pair[0]]["id"], pair[1])
    final = case.testimony["final"]
    suspended = any((told["institution"], told["mailbox"]) == name for told in final["suspended"])
    return suspended and any(
        (told["institution"], told["mailbox"], told["key"]) == (*name, pair[2]) for told in final["stopped"]
    )


def _may_be_a_copy(case: Case, pair: Pair) -> bool:
    """Whether the product says that it cannot tell an event from its copies, and one of those stands there."""
    said = {"institution": case.of_tenant[pair[0]]["id"], "mailbox": pair[1], "key": pair[2]}
    ours = {event.id for event in case.of_pair.get(pair, [])}
    return said in case.testimony["final"].get("astray", ()) and any(
        event.live and event.copy_of in ours for event in case.events.values()
    )


def _stands_in_its_place(case: Case, pair: Pair, told: dict[str, Any], wanted: dict[Pair, Any]) -> bool:
    """
    Whether the product says that an event stands at that very time which may be this one under an earlier key.

    It may be that only where no timetable names its key any more.
    """
    named = {(tenant, key) for tenant, _, key in wanted}
    return any(
        (one["institution"], one["mailbox"]) == (case.of_tenant[pair[0]]["id"], pair[1])
        and (one["start"], one["end"]) == (told["start"], told["end"])
        and (pair[0], one["key"]) not in named
        for one in case.testimony["final"]["beside"]
    )


def _wanted(case: Case) -> dict[Pair, dict[str, Any]]:
    """What the last state of each source asks for."""
    last = {(state["institution"], state["source"]): state for state in case.testimony["states"]}
    return {
        (case.institutions[institution]["tenant"], pair["mailbox"], pair["key"]): pair
        for (institution, _), state in last.items()
        for pair in state["pairs"]
    }


def _doubles(case: Case, pair: Pair) -> list[Event]:
    """The events that nobody could tell from ours of a pair, and that we took for them, or may have at the end."""
    return [
        event
        for event in doubles_of(case, pair)
        if all(
            taken_for_the_original(case, event, number)
            for number in [step.number for step in event.ours] or [len(case.history)]
        )
    ]


def _delivered(events: list[Event], told: dict[str, Any], *, keeps: bool) -> bool:
    """Whether what we wrote last is what is wanted, and nobody but people removed it or, if kept, changed it."""
    ours = [(step, event) for event in events for step in event.ours]
    if not ours:
        return False
    last, event = max(ours, key=lambda found: found[0].number)
    if last.action in {"delete", "purge"}:
        # What somebody took back out of Deleted Items may be taken for ours again, like a double.
        taken = [one for one in events if not one.is_ours or (one is event and one.back_by_hand)]
        return any(one.live and _shows(one, told) for one in taken)
    removal = next((step for step in reversed(event.steps) if not step.live), None)
    by_people = event.live or (removal is not None and not removal.by_us)
    moved = keeps and any(
        (before.start, before.end) != (step.start, step.end)
        for before, step in pairwise(event.steps)
        if not step.by_us
    )
    in_time = moved or (last.start, last.end) == (told["start"], told["end"])
    return by_people and last.title == told["title"] and in_time


def _shows(event: Event, told: dict[str, Any]) -> bool:
    now = event.steps[-1]
    return (now.title, now.start, now.end) == (told["title"], told["start"], told["end"])


def _left_over(pair: Pair, events: list[Event], now: float) -> Iterator[str]:
    for event in events:
        # What has ended is never removed; what people took back is theirs.
        if event.live and not event.back_by_hand and event.ours[-1].end > now:
            yield f"{event.ours[-1].title} still stands in {pair[1]}, and nothing waits"
