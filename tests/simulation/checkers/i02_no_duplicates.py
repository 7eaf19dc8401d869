"""
I2: once everything has come to rest, a meeting stands once in a mailbox, whatever went wrong on the way.

What somebody took back out of Deleted Items stands there because of them. Where the service itself made two
events of one request, the product may leave the choice to a person, and must say so.
"""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case, Event, Pair

# What says that a person is to choose; the second after a rebuild, the third of events that came late.
_ASKED = frozenset({"E-MARK-SEVERAL", "E-EVT-FOREIGN", "E-MARK-COPY"})


def violations(case: Case) -> Iterator[str]:
    """Pairs with more than one live event of ours."""
    for pair, events in case.of_pair.items():
        live = [event for event in events if event.live and not event.back_by_hand]
        if len(live) > 1 and not _a_person_is_asked(case, pair, live):
            made = ", ".join(f"record {event.born.number}" for event in live)
            yield f"{pair[2]} stands {len(live)} times in {pair[1]}: {made}"


def _a_person_is_asked(case: Case, pair: Pair, live: list[Event]) -> bool:
    """Whether the service made several of one request, and the product says so; after a rebuild by another code."""
    waiting = case.waits(pair)
    one_request = len({event.born.mark for event in live}) == 1
    if waiting is None or not one_request:
        return False
    # Behind a pause nothing is read: what became of a create is looked for, and told, when it ends.
    paused = (waiting["state"], waiting["code"]) == ("unknown", "E-PAUSED")
    return paused or waiting["code"] in _ASKED
