"""
Numbers for keys: the ledger's short ids of mailboxes and meetings, as planning needs them.

Planning writes nothing, so a key that the ledger does not know yet gets a provisional number from
``PROVISIONAL`` upwards; accepting the plan gives it a lasting one.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

import numpy as np

from classbell.model import Ids

K = TypeVar("K", bound=Hashable)

# A pair is planned as one number, mailbox * 2**32 + meeting, so both must stay below 2**31.
PROVISIONAL = 2**30


class Numbering(Generic[K]):
    """Known numbers of keys, and provisional ones for new keys (``fresh``, in the order met)."""

    def __init__(self, known: Mapping[K, int]) -> None:
        self._known = known
        self.fresh: dict[K, int] = {}

    def number(self, key: K) -> int:
        """The number of a key, made if need be."""
        found = self._known.get(key)
        if found is None:
            found = self.fresh.setdefault(key, PROVISIONAL + len(self.fresh))
        return found

    def known(self, key: K) -> int | None:
        """The number of a key, if it has one, provisional or not."""
        found = self._known.get(key)
        return found if found is not None else self.fresh.get(key)

    def keys(self) -> dict[int, K]:
        """The key of every number, provisional ones too."""
        return {number: key for keys in (self._known, self.fresh) for key, number in keys.items()}

    def numbers(self, keys: Iterable[K]) -> Ids:
        """The numbers of many keys, in their order."""
        return np.fromiter((self.number(key) for key in keys), dtype=np.int64)


def lasting(numbers: Ids, given: Ids) -> Ids:
    """Replace provisional numbers by the lasting ones that were given to them, in order of their making."""
    result = numbers.copy()
    provisional = numbers >= PROVISIONAL
    result[provisional] = given[numbers[provisional] - PROVISIONAL]
    return result
