"""
How long the service takes: most requests 150 to 600 ms, a few much longer, all of them longer under load.

The figures are judgement from public reports, since nobody publishes them.
"""

from random import Random

QUICKEST, SLOWEST = 0.15, 0.6
LONGEST = 30.0
TAIL = 0.03
# Of a Pareto distribution: with 1.2, one in a hundred of the tail takes over forty times as long as its quickest.
TAIL_SHAPE = 1.2
# Requests in flight, over all mailboxes, from which on the service begins to slow down.
EASY_LOAD = 100


class Latency:
    """
    Waiting times drawn from a seed.

    Args:
        seed: the same seed draws the same times in the same order.
        scale: of all times, so that a test need not wait as long as life.
    """

    def __init__(self, seed: int = 0, *, scale: float = 1.0) -> None:
        self._random = Random(seed)  # noqa: S311 - reproducible on purpose
        self._scale = scale

    def seconds(self, in_flight: int = 0) -> float:
        """How long the next request takes while so many are in flight."""
        random = self._random
        if random.random() < TAIL:
            drawn = SLOWEST * random.paretovariate(TAIL_SHAPE)
        else:
            # Skewed towards the quick end: the mean of the body is about 0.28 s.
            drawn = QUICKEST + (SLOWEST - QUICKEST) * random.betavariate(2, 5)
        return min(LONGEST, drawn * max(1.0, in_flight / EASY_LOAD)) * self._scale
