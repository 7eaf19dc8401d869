"""The exit codes: what a script may conclude from the end of a command."""

from enum import IntEnum


class Exit(IntEnum):
    """A script treats a code it does not know as a failure: new ones may come."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    HELD = 4
    TEMPORARY = 5
    REFUSED = 6
    LEASE = 7
    PENDING = 10
    STALE = 11
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.DONE: "done, or nothing to do",
    Exit.FAILED: "failed, and no other code fits",
    Exit.USAGE: "the command line or the configuration is wrong",
    Exit.PARTLY: "partly done; the rest is tried again by the next run",
    Exit.HELD: "held: a person must decide",
    Exit.TEMPORARY: "something is unreachable or busy for now; nothing is lost",
    Exit.REFUSED: "a credential or a permission was refused",
    Exit.LEASE: "another process works on this institution",
    Exit.PENDING: "changes are pending (plan --detailed-exitcode only)",
    Exit.STALE: "a saved plan is stale: plan again",
    Exit.INTERRUPTED: "interrupted; what was done is remembered",
}

EPILOG = "\n".join(["Exit codes:", *(f"{code.value:>5}  {code.meaning}" for code in Exit)])
