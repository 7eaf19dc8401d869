"""
A ledger that mailboxes have overtaken: events stand there that another ledger of this installation has made.

That is how an older copy of the database is noticed which was put back together with its older witness, as with a
whole machine; and a second installation under the same id.
"""

from collections.abc import Iterable

from classbell.deliver.settle import SEND_WITHIN
from classbell.errors import HeldError
from classbell.ledger import Doubt, InstitutionLedger
from classbell.model import Change, Mailbox
from classbell.outlook.dialect import FoundEvent
from classbell.outlook.mark import Mark

HELD = "an event of a newer ledger stands there; nothing is written there until it is rebuilt"


async def overtaken(
    ledger: InstitutionLedger,
    owner: Mailbox,
    strangers: Iterable[FoundEvent],
    asked_for: Change | None = None,
) -> bool:
    """
    Hold a mailbox in which an event of another ledger stands; whether one does.

    Such a one names a revision that this ledger has not reached; or it was made for a change before this ledger has
    asked for that the first time.

    Args:
        strangers: the events there that the ledger does not know, though they bear our marks.
        asked_for: the create that they are of, if they were looked for because of one.

    Raises:
        HeldError: E-LEDGER-OLD, it is not the only such mailbox: all are held.
    """
    marks = [mark for event in strangers if event.mark and (mark := Mark.parse(event.mark)) is not None]
    if not marks:
        return False
    newest = max(mark.revision for mark in marks)
    first = 0.0 if asked_for is None else await ledger.rebuilding.first_sent_until(asked_for)
    # By what both say of the service's time.
    before = any(mark.intent_at < first - 2 * SEND_WITHIN for mark in marks)
    doubt = await ledger.rebuilding.overtaken(owner.id, newest, surely=before)
    if doubt is Doubt.LEDGER:
        raise HeldError(
            "E-LEDGER-OLD",
            "Events stand in calendars that another ledger of this installation has made.",
            why="an older copy of the database was restored with its witness, or another installation uses the same id",
            do="if another one is at work, end it; then: classbell ledger rebuild",
            effect="every mailbox is held until it is rebuilt; delivering now could write events a second time",
        )
    return doubt is Doubt.MAILBOX
