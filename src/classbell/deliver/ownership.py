"""
Whether an event is ours to change: the one place that says so.

An update or delete needs an entry of the ledger, and a mark that agrees with it wherever one is read. A mark alone
proves nothing, since Outlook copies it with a copied event. What is refused here is logged, and counted by the tally.
"""

from classbell.model import Action, Became, Change, Entry, Outcome
from classbell.outlook.mark import Mark
from classbell.telemetry import logger

FOREIGN = "E-EVT-FOREIGN"

_log = logger("deliver")


def bears_its_mark(mark: str | None, entry: Entry) -> bool:
    """Whether the mark that an event was read with is the one that its entry gave it."""
    read = Mark.parse(mark) if mark else None
    return read is not None and read.operation == entry.operation


def refused(outcome: Outcome) -> bool:
    """Whether an outcome says that an event was not ours to change."""
    return outcome.became is Became.HELD and outcome.code == FOREIGN


def without_entry(change: Change) -> Outcome | None:
    """The refusal of a change to an event of which the ledger has no entry; None for one that may go on."""
    if change.action is Action.CREATE or change.entry is not None:
        return None
    return Outcome(
        change=change,
        became=Became.HELD,
        code=FOREIGN,
        detail="the ledger has no entry of the event; it is left alone",
    )


def tell(outcome: Outcome) -> None:
    """Log a refusal."""
    change = outcome.change
    _log.warning(
        "refused to write to an event that is not provably ours",
        action=change.action.name.lower(),
        mailbox=change.mailbox.address,
        meeting=change.meeting_key,
        why=outcome.detail,
        request_id=outcome.request_id,
    )
