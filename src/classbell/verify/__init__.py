"""
Reading mailboxes back: what is not as the ledger has it, and a lost ledger rebuilt from the marks.

Nothing here writes to a mailbox. Every look asks for our own marks, so that nobody's other events ever reach us.
"""

from classbell.verify.findings import Owner
from classbell.verify.reading import Unread
from classbell.verify.verification import Verdict, Verification

__all__ = ["Owner", "Unread", "Verdict", "Verification"]
