"""Sources that could not be read when last somebody tried, and whether a person has to do something about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from classbell.cli.exits import Exit

if TYPE_CHECKING:
    from classbell.cli.output import Output
    from classbell.ledger import InstitutionLedger

# Runs that read nothing may be newer: a rebuild, a departure, a saved plan.
_LOOKED_AT = 50


async def unread_sources(ledger: "InstitutionLedger") -> list[dict[str, Any]]:
    """What the newest run that read sources could not read, as JSON fields."""
    from classbell.model import RunKind  # noqa: PLC0415 (keeps --help fast)

    for past in await ledger.runs.last(_LOOKED_AT):
        from_file = "plan" in past.summary
        if past.kind in {RunKind.SYNC, RunKind.APPLY} and "read" in past.summary and not from_file:
            summary: dict[str, Any] = dict(past.summary)
            return list(summary.get("unread", ()))
    return []


def needs_mending(unread: Sequence[dict[str, Any]]) -> bool:
    """Whether one of these sources answered with what is no timetable, which no waiting helps against."""
    return any(one.get("exit") == Exit.HELD for one in unread)


def print_unread(output: "Output", unread: Sequence[dict[str, Any]], *, institution: str = "") -> None:
    """One line each."""
    from classbell.cli.runs import told  # noqa: PLC0415

    where = f"{institution}  " if institution else "  "
    for one in unread:
        output.line(f"{where}source {one['source']}   not read: {told(one)}")
