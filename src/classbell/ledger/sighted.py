"""What can be seen in a mailbox that is not as the ledger has it."""

from enum import StrEnum


class Sighted(StrEnum):
    """
    What was seen.

    drifted: an event of ours in which somebody has changed what we set. missing: an event of ours stands in no
    calendar any more. extra: it bears the mark of an operation that the ledger does not know. copy: it bears the
    mark of one that the ledger knows by another event, or knows to be over. forged: what it bears is no mark that
    we can have made for this mailbox.
    """

    DRIFTED = "drifted"
    MISSING = "missing"
    EXTRA = "extra"
    COPY = "copy"
    FORGED = "forged"
