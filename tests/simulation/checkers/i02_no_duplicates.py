"""
I2: once everything has come to rest, a meeting stands once in a mailbox, whatever went wrong on the way.

What somebody took back out of Deleted Items stands there because of them. Where the service itself made two
events of one request, the product may leave the choice to a person, and must say so.
"""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case


def violations(case: Case) -> Iterator[str]:
    """Pairs with more than one live event of ours."""
    for pair, events in case.of_pair.items():
        live = [event for event in events if event.live and not event.back_by_hand]
        waiting = case.waits(pair)
        if len(live) > 1 and not (waiting and waiting["code"] == "E-MARK-SEVERAL"):
            made = ", ".join(f"record {event.born.number}" for event in live)
            yield f"{pair[2]} stands {len(live)} times in {pair[1]}: {made}"
