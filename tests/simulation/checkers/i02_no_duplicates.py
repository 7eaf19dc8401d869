"""
I2: once everything has come to rest, a meeting stands once in a mailbox, whatever went wrong on the way.

What somebody took back out of Deleted Items stands there because of them. Where the service itself made two
events of one request, the product may leave the choice to a person, and must say so. Nor is an event made, at any time,
while we had decided that another one of the same meeting stands there, or under a mark that is of something else.
"""

from collections.abc import Iterator

from tests.simulation.checkers.places import asked_too_soon
from tests.simulation.checkers.reading import Case, Event, Pair

# What says that a person is to choose; the second after a rebuild, the third of events that came late.
_ASKED = frozenset({"E-MARK-SEVERAL", "E-EVT-FOREIGN", "E-MARK-COPY"})
_LEFT = frozenset({"unlinked", "purged", "forgotten"})


def violations(case: Case) -> Iterator[str]:
    """Pairs with more than one live event of ours."""
    for pair, events in case.of_pair.items():
        live = [event for event in events if event.live and not event.back_by_hand]
        if len(live) > 1 and not _a_person_is_asked(case, pair, live):
            made = ", ".join(f"record {event.born.number}" for event in live)
            yield f"{pair[2]} stands {len(live)} times in {pair[1]}: {made}"
        yield from _made_beside(pair, events)
    yield from _marks(case)
    yield from asked_too_soon(case)


def _made_beside(pair: Pair, events: list[Event]) -> Iterator[str]:
    """Events whose intent came when another one of the same meeting stood there, which nobody had taken back."""
    for event in events:
        assert event.born.mark is not None
        for other in events:
            stood = [step for step in other.steps if step.at < event.born.mark.intent_at]
            back = any(step.action == "restore" for step in stood)
            # A mark tells its time in whole seconds: what went in that very one did not stand there any more.
            stands = other is not event and other.gone_by(event.born.number) is None
            if stands and stood and stood[-1].live and not back:
                yield (
                    f"record {event.born.number}: {pair[2]} was made in {pair[1]}, where it stood already"
                    f" (record {other.born.number})"
                )


def _marks(case: Case) -> Iterator[str]:
    """Operations that name two things, and things of two names: one transactionId would be that of another."""
    named: dict[str, tuple[object, ...]] = {}
    for event in case.events.values():
        mark = event.born.mark
        if not event.is_ours or mark is None:
            continue
        what = (mark.institution, mark.mailbox, mark.key, mark.incarnation)
        if named.setdefault(mark.operation, what) != what:
            yield f"record {event.born.number}: the operation of {mark.key} in {mark.mailbox} is also another one's"
    if len(set(named.values())) != len(named):
        yield "two operations name one incarnation of one meeting in one mailbox"


def _a_person_is_asked(case: Case, pair: Pair, live: list[Event]) -> bool:
    """Whether the service made several of one request, and the product says so; after a rebuild by another code."""
    if len({event.born.mark for event in live}) > 1:
        return False
    # After a rebuild, which may have entered another one for the pair: it says so of each event.
    told = case.testimony["final"].get("left_to_people", ())
    if sum(event.id not in told for event in live) <= 1:
        return True
    place = (case.of_tenant[pair[0]]["id"], pair[1])
    if place in {
        (told["institution"], told["mailbox"])
        for told in case.testimony["final"].get("suspended", ())
        if told["kind"] in _LEFT
    }:
        # With who has left stays what was not certain, and was told so when they left.
        return True
    waiting = case.waits(pair)
    if waiting is None:
        return False
    # Behind a pause nothing is read: what became of a create is looked for, and told, when it ends.
    paused = (waiting["state"], waiting["code"]) == ("unknown", "E-PAUSED")
    return paused or waiting["code"] in _ASKED
