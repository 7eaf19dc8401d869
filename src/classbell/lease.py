"""
The lease: one process at a time plans and delivers for a ledger.

It only spreads work and saves requests; safety never rests on it, but on intents, marks and ``If-Match``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from classbell.errors import ClassbellError, LeaseHeld


@contextmanager
def lease(path: Path, what: str = "this ledger") -> Iterator[None]:
    """
    Hold a lease while the body runs: that of a ledger, or of *what* else. It ends with the process, however that ends.

    Raises:
        LeaseHeld: E-LEASE, another process holds it.
        ClassbellError: E-DB-OPEN, the file cannot be written.
    """
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LeaseHeld(
            "E-LEASE",
            f"Another Classbell process is at work on {what}.",
            why=f"it holds {path}",
            do="wait until it has ended, or end it; then run this command again",
            effect="no calendar was changed by this command",
        ) from error
    except OSError as error:
        raise ClassbellError(
            "E-DB-OPEN",
            f"The file {path} beside the ledger database cannot be written.",
            why=error.strerror or "unknown",
            do="check the rights of this file and of its folder, and the free space; then run the command again",
            effect="no calendar was changed",
        ) from error
    try:
        yield
    finally:
        lock.release()
