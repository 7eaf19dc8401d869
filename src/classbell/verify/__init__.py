"""
Reading mailboxes back: what is not as the ledger has it, and a lost ledger rebuilt from the marks.

Nothing here writes to a mailbox. Every look asks for our own marks, so that nobody's other events ever reach us.
"""

from classbell.verify.findings import Owner
from classbell.verify.reading import Unread
from classbell.verify.rebuild import Rebuild, RebuildProgress, Rebuilt, rebuild_mailboxes
from classbell.verify.verification import Verdict, Verification
from classbell.verify.wanted import Wanted

__all__ = [
    "Owner",
    "Rebuild",
    "RebuildProgress",
    "Rebuilt",
    "Unread",
    "Verdict",
    "Verification",
    "Wanted",
    "rebuild_mailboxes",
]
