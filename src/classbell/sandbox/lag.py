"""
Look-ups that lag: for a while a new event is there, but not in lists.

Seen as empty answers to a look-up right after a create that had succeeded.
"""

from classbell.sandbox.store import Event
from classbell.sandbox.switches import Switches

# A multiplicative shuffle (Knuth), another one than that of the order of lists.
_SPREAD, _MASK = 2_246_822_519, 0xFFFF_FFFF


def is_settled(event: Event, switches: Switches, now: float, *, filtered: bool) -> bool:
    """
    Whether a list shows an event by now.

    Args:
        event: one that the list would hold.
        switches: ``lookup_lag``, ``lookup_lag_spread`` and ``lagging_lists`` decide.
        now: the sandbox's time.
        filtered: whether the list has a ``$filter``.
    """
    lag = switches.lookup_lag
    if not lag or not (filtered or switches.lagging_lists == "all"):
        return True
    if switches.lookup_lag_spread:
        lag *= (event.number * _SPREAD & _MASK) / _MASK
    return event.created + lag <= now
