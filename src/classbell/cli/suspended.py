"""Who gets nothing because somebody wants it so: in plans, in the status, in explanations."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classbell.cli.output import Output
    from classbell.ledger import InstitutionLedger

SHOWN = 10

WORDS = {
    "paused": "paused",
    "unlinked": "unlinked",
    "purged": "purged",
    "calendar": "stopped",
}


async def suspended(ledger: "InstitutionLedger", key: str | None = None) -> list[dict[str, Any]]:
    """
    The institution itself, if it is paused, then persons by address, as JSON fields.

    Args:
        key: if given, of persons only the one with this mailbox key.
    """
    from classbell.zones import utc_text  # noqa: PLC0415 (keeps --help fast)

    found: list[tuple[str | None, str, str, float, float | None]] = []
    pause = await ledger.suspensions.pause()
    if pause is not None:
        found.append((None, "paused", pause.reason, pause.since, pause.until))
    found += [
        (one.mailbox.address, one.kind.value, one.reason, one.since, one.until)
        for one in await ledger.suspensions.all()
        if key is None or one.mailbox.key == key
    ]
    return [
        {
            "person": person,
            "kind": kind,
            "reason": reason,
            "since": utc_text(since),
            "until": utc_text(until) if until else None,
        }
        for person, kind, reason, since, until in found
    ]


def print_suspended(output: "Output", found: list[dict[str, Any]], name: str) -> None:
    """One line each, the first of them; *name* is the institution's."""
    for one in found[:SHOWN]:
        until = f" until {one['until']}" if one["until"] else ""
        output.line(f"  {one['person'] or name}   {WORDS[one['kind']]}: {one['reason']}{until}")
    if len(found) > SHOWN:
        output.line(f"  ... {len(found) - SHOWN} more get nothing for now: --json")
