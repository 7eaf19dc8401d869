"""Sources that could not be read when last somebody tried, and whether a person has to do something about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from classbell.cli.exits import Exit

if TYPE_CHECKING:
    from classbell.cli.output import Output
    from classbell.ledger import InstitutionLedger, PastRun

# Runs that read nothing may be newer: a rebuild, a departure, a saved plan.
_LOOKED_AT = 50


async def unread_sources(ledger: "InstitutionLedger") -> list[dict[str, Any]]:
    """What the newest run that read sources could not read, as JSON fields."""
    for past in await ledger.runs.last(_LOOKED_AT):
        if _has_read(past):
            summary: dict[str, Any] = dict(past.summary)
            return list(summary.get("unread", ()))
    return []


async def compared_at(ledger: "InstitutionLedger") -> float:
    """When last all timetables were read, and what they ask of everybody was begun; 0.0 if that is not known."""
    partly = {"unread", "mailbox", "error", "paused"}
    for past in await ledger.runs.last(_LOOKED_AT):
        if _has_read(past) and not any(past.summary.get(word) for word in partly):
            return past.started_at
    return 0.0


def _has_read(past: "PastRun") -> bool:
    from classbell.model import RunKind  # noqa: PLC0415 (keeps --help fast)

    from_file = "plan" in past.summary
    return past.kind in {RunKind.SYNC, RunKind.APPLY} and "read" in past.summary and not from_file


def needs_mending(unread: Sequence[dict[str, Any]]) -> bool:
    """Whether one of these sources answered with what is no timetable, which no waiting helps against."""
    return any(one.get("exit") == Exit.HELD for one in unread)


def print_unread(output: "Output", unread: Sequence[dict[str, Any]], *, institution: str = "") -> None:
    """One line each."""
    from classbell.cli.runs import told  # noqa: PLC0415

    where = f"{institution}  " if institution else "  "
    for one in unread:
        output.line(f"{where}source {one['source']}   not read: {told(one)}")
