"""
The lease: one process at a time plans and delivers for a ledger.

It only spreads work and saves requests; safety never rests on it, but on intents, marks and ``If-Match``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from classbell.errors import LeaseHeld


@contextmanager
def lease(path: Path) -> Iterator[None]:
    """
    Hold the lease of a ledger while the body runs. It ends with the process, however that ends.

    Raises:
        LeaseHeld: E-LEASE, another process holds it.
    """
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LeaseHeld(
            "E-LEASE",
            "Another Classbell process is at work on this ledger.",
            why=f"it holds {path}",
            do="wait until it has ended, or end it; then run this command again",
            effect="no calendar was changed by this command",
        ) from error
    try:
        yield
    finally:
        lock.release()
