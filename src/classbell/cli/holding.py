"""Deciding about what is held: whose yes it is, and what must be typed for it."""

import getpass
import os

from classbell.cli.output import Output
from classbell.ledger import StoredHold


def account() -> str:
    """The account of whoever runs this; under ``sudo`` that of the person who called it."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        # An account that the system has no name for, as in some containers.
        return f"uid {os.getuid()}"


def agreed_to(output: Output, hold: StoredHold) -> bool:
    """
    Ask for a yes to a hold's exact set: where events would go, their number must be typed.

    Raises:
        ConfigurationError: E-ASK, nobody can be asked.
    """
    flag = f"--deletes {hold.deletes}"
    what = f"Approve exactly these {hold.changes} changes (set {hold.digest})"
    if not hold.deletes:
        return output.confirm(f"{what}?", flag=flag)
    asked = f"{what}: type the number of deletions among them"
    return output.ask_number(asked, flag=flag) == hold.deletes
