"""Who gets nothing because somebody wants it so, or too much fails: in plans, in the status, in explanations."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classbell.cli.output import Output
    from classbell.ledger import InstitutionLedger
    from classbell.run import Office

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


def print_suspended(
    output: "Output", found: list[dict[str, Any]], name: str, quarantine: dict[str, Any] | None = None
) -> None:
    """One line each, the first of them; *name* is the institution's, *quarantine* that which it is in."""
    if quarantine:
        output.line(f"  {name}   {quarantine_words(quarantine)}")
    for one in found[:SHOWN]:
        until = f" until {one['until']}" if one["until"] else ""
        output.line(f"  {one['person'] or name}   {WORDS[one['kind']]}: {one['reason']}{until}")
    if len(found) > SHOWN:
        output.line(f"  ... {len(found) - SHOWN} more get nothing for now: --json")


async def quarantined(office: "Office", now: float) -> dict[str, Any] | None:
    """The institution's quarantine as JSON fields; ``probe`` is null where runs wait for none."""
    from classbell.quarantine import is_over, is_probed  # noqa: PLC0415 (keeps --help fast)
    from classbell.zones import utc_text  # noqa: PLC0415

    standing = await office.ledger.quarantine.standing()
    if standing is None:
        return None
    over = is_over(standing, office.settings.safety.quarantine, now)
    return {
        "code": standing.code,
        "detail": standing.detail,
        "since": utc_text(standing.since),
        "probe": utc_text(standing.probe_at) if is_probed(standing) and not over else None,
        "over": over,
    }


def quarantine_words(told: dict[str, Any]) -> str:
    """What has put an institution there, and what ends it."""
    from classbell.quarantine import ends_with_a_token  # noqa: PLC0415 (keeps --help fast)

    if told["over"]:
        then = "It is not tried any more: classbell apply --now"
    elif told["probe"]:
        then = f"The next probe is due {told['probe']}; to probe now: classbell apply --now"
    elif ends_with_a_token(told["code"]):
        then = "Each run asks for a token first, and goes on once it gets one."
    else:
        then = "Each run tries it again; it ends once something was delivered."
    return f"in quarantine since {told['since']}: {told['code']}  {told['detail']}  {then}"
