"""``classbell holds``: what waits for a person, in full, and their decision about it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation, command, group

if TYPE_CHECKING:
    from classbell.cli.output import Output
    from classbell.ledger import StoredHold
    from classbell.run import Office

Number = Annotated[int, typer.Argument(metavar="ID", help="The number that list and status show.")]
SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    holds = group(help="See and decide what waits for a person.", no_args_is_help=True)
    command(holds, "list")(list_holds)
    command(holds)(show)
    command(holds)(approve)
    command(holds)(reject)
    app.add_typer(holds, name="holds")


def list_holds(
    invocation: Invocation,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that are over or were used, the newest first.")
    ] = False,
) -> None:
    """
    List what is held, with the command that shows each and the one that lets it pass.

    Sources that could not be read are listed as well: nothing of them is applied, and there is nothing to approve.
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import institutions, workplace  # noqa: PLC0415
    from classbell.cli.unread import print_unread, unread_sources  # noqa: PLC0415

    async def ask() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        async with workplace(invocation.configuration, writing=False) as place:
            found, unread = [], []
            for settings in institutions(invocation):
                ledger = (await place.office(settings)).ledger
                stored = await (ledger.holds.newest(100) if everything else ledger.holds.live())
                now = place.ports.clock.now()
                found += [{"institution": settings.id, **as_json(one, now)} for one in stored]
                unread += [{"institution": settings.id, **one} for one in await unread_sources(ledger)]
            return found, unread

    found, unread = asyncio.run(ask())
    output = invocation.output
    output.answer({"holds": found, "unread": unread})
    if not (found or unread):
        output.note("Nothing is held.")
    for one in found:
        print_hold(output, one, institution=one["institution"])
    for one in unread:
        print_unread(output, [one], institution=one["institution"])
    if unread:
        output.note(
            "Of a source that is not read nothing is applied: mend it, and the next run goes on by itself."
        )


def show(
    invocation: Invocation,
    number: Number,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Show every change that is held.")] = False,
) -> None:
    """Show one hold with the changes that it stops."""
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import workplace  # noqa: PLC0415

    async def ask() -> dict[str, Any]:
        async with workplace(invocation.configuration, writing=False) as place:
            office, hold = await _found(invocation, place, number)
            return as_json(hold, place.ports.clock.now()) | {"stopped": await _stopped(office, hold)}

    told = asyncio.run(ask())
    output = invocation.output
    output.answer(told)
    print_hold(output, told)
    stopped = told["stopped"]
    shown = stopped if everything else stopped[:SHOWN]
    output.table(
        ["", "when", "meeting", "mailbox"],
        [[one["action"], one["local"], one["title"] or one["meeting"], one["mailbox"]] for one in shown],
    )
    if len(shown) < len(stopped):
        output.line(f"  ... {len(stopped) - len(shown)} more: --all, or --json")
    if len(stopped) < told["changes"]:
        output.line(
            f"  {told['changes'] - len(stopped)} more have no entry in the ledger yet: classbell plan --all"
        )


def approve(
    invocation: Invocation,
    number: Number,
    *,
    deletes: Annotated[
        int | None,
        typer.Option("--deletes", metavar="N", min=0, help="The number of deletions, instead of typing it."),
    ] = None,
) -> int:
    """
    Let exactly what is held pass the next run, once, within 24 hours.

    If by then more is held than you have approved, nothing of it passes, and you are told.
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import workplace  # noqa: PLC0415
    from classbell.cli.holding import account, agreed_to  # noqa: PLC0415
    from classbell.zones import utc_text  # noqa: PLC0415

    output = invocation.output

    async def decide() -> int:
        async with workplace(invocation.configuration, writing=False) as place:
            office, hold = await _found(invocation, place, number, live=True)
            if deletes is None:
                print_hold(output, as_json(hold, place.ports.clock.now()))
            agreed = agreed_to(output, hold) if deletes is None else deletes == hold.deletes
            if not agreed and deletes is None:
                output.note("Nothing was approved.")
                return Exit.HELD
            if not agreed:
                raise _other_number(hold, deletes or 0)
            done = await office.ledger.holds.approve(
                number,
                account(),
                place.ports.clock.now(),
                digest=hold.digest,
                needed=office.settings.safety.approvals,
            )
            if done is None:
                raise _decided_meanwhile(number)
            output.answer(as_json(done, place.ports.clock.now()))
            if done.expires_at is None:
                output.line(f"Hold {number}: {done.note}; another account has to approve it, too.")
            else:
                output.line(
                    f"Hold {number}: {done.changes} changes, of them {done.deletes} deletions, may pass until"
                    f" {utc_text(done.expires_at)} (set {done.digest})."
                )
                output.note(f"Next: classbell apply -i {office.settings.id}")
            return Exit.DONE

    return asyncio.run(decide())


def reject(invocation: Invocation, number: Number) -> None:
    """Keep the events: what is held stays held until its cause has gone."""
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import workplace  # noqa: PLC0415
    from classbell.cli.holding import account  # noqa: PLC0415

    async def decide() -> None:
        async with workplace(invocation.configuration, writing=False) as place:
            office, _ = await _found(invocation, place, number, live=True)
            now = place.ports.clock.now()
            done = await office.ledger.holds.reject(number, account(), now)
            if done is None:
                raise _decided_meanwhile(number)
            invocation.output.answer(as_json(done, now))
            invocation.output.line(f"Hold {number}: rejected. Calendars keep their events.")

    asyncio.run(decide())


def as_json(hold: "StoredHold", now: float) -> dict[str, Any]:
    """A hold as JSON fields."""
    from classbell.zones import utc_text  # noqa: PLC0415

    expired = hold.state == "approved" and not hold.approved_at(now)
    return {
        "id": hold.id,
        "code": hold.code,
        "scope": hold.scope,
        "subject": hold.subject,
        "state": "open" if expired else hold.state.value,
        "text": hold.text,
        "note": f"the approval by {hold.decided_by} has expired" if expired else hold.note,
        "changes": hold.changes,
        "deletes": hold.deletes,
        "set": hold.digest,
        "raised_at": utc_text(hold.raised_at),
        "seen_at": utc_text(hold.seen_at),
        "decided_by": hold.decided_by or None,
        "decided_at": utc_text(hold.decided_at) if hold.decided_at else None,
        "expires_at": utc_text(hold.expires_at) if hold.expires_at else None,
    }


def print_hold(output: "Output", told: dict[str, Any], *, institution: str = "") -> None:
    """A hold in words, with the commands that lead on."""
    where = f"{institution}  " if institution else ""
    subject = f"{told['subject']}: " if told["scope"] == "mailbox" else ""
    output.line(f"{where}HELD {told['id']}  {told['code']}  {subject}{told['text']}", style="bold")
    output.line(
        f"  {told['changes']} changes, of them {told['deletes']} deletions   set {told['set']}   since"
        f" {told['raised_at']}   {standing(told)}"
    )
    if told["state"] in {"open", "rejected"}:
        output.line(
            f"  See: classbell holds show {told['id']}     If right: classbell holds approve {told['id']}"
            f" --deletes {told['deletes']}     If wrong: mend its cause, and it releases itself"
        )


def standing(told: dict[str, Any]) -> str:
    """Where a hold stands, of its JSON fields."""
    words = {
        "open": "waits for a decision",
        "rejected": f"rejected by {told['decided_by']}: events are kept",
        "approved": f"approved by {told['decided_by']} until {told['expires_at']}: passes in the next run",
        "used": f"approved by {told['decided_by']}, and passed",
        "over": "over",
    }
    note = f" ({told['note']})" if told["note"] else ""
    return f"{words[told['state']]}{note}"


async def _found(
    invocation: Invocation, place: Any, number: int, *, live: bool = False
) -> "tuple[Office, StoredHold]":
    """The hold of this number with the office whose it is; numbers are unique over all institutions."""
    from classbell.cli.assembly import institutions  # noqa: PLC0415
    from classbell.errors import ConfigurationError  # noqa: PLC0415

    for settings in institutions(invocation):
        office: Office = await place.office(settings)
        hold = await office.ledger.holds.find(number)
        if hold is not None and (not live or hold.state in {"open", "rejected", "approved"}):
            return office, hold
        if hold is not None:
            raise _decided_meanwhile(number)
    raise ConfigurationError(
        "E-HOLD-UNKNOWN",
        f"There is no hold {number}.",
        why="no institution that was asked for has one of this number",
        do="see what is held: classbell holds list",
        effect="nothing was changed",
    )


async def _stopped(office: "Office", hold: "StoredHold") -> list[dict[str, Any]]:
    """The changes that a hold stops, as far as the ledger can name them."""
    import numpy as np  # noqa: PLC0415

    from classbell.differences import seen  # noqa: PLC0415
    from classbell.model import Action  # noqa: PLC0415
    from classbell.zones import utc_text, wall  # noqa: PLC0415

    ledger, zone = office.ledger, office.settings.window.timezone
    mailboxes = {number: key for key, number in (await ledger.mailboxes.numbers()).items()}
    meetings = {number: key for key, number in (await ledger.meetings.numbers()).items()}
    prints = hold.listed[:, 3].view(np.uint64).tolist()
    bodies = await ledger.meetings.bodies(set(prints))
    titles = {}
    for one, body in bodies.items():
        event = seen(body, zone)
        titles[one] = event.subject if event else ""
    return [
        {
            "action": Action(action).name.lower(),
            "mailbox": mailboxes.get(box, ""),
            "source": meetings.get(of, ("", ""))[0],
            "meeting": meetings.get(of, ("", ""))[1],
            "title": titles.get(fingerprint, ""),
            "start": utc_text(start),
            "local": wall(start, zone).isoformat(" ")[:16],
        }
        for (box, of, action, _, start), fingerprint in zip(hold.listed.tolist(), prints, strict=True)
    ]


def _other_number(hold: "StoredHold", given: int) -> Exception:
    from classbell.errors import ConfigurationError  # noqa: PLC0415

    return ConfigurationError(
        "E-HOLD-COUNT",
        f"Hold {hold.id} stops {hold.deletes} deletions, not {given}.",
        why="the number must be that of the set you have looked at",
        do=f"look at it: classbell holds show {hold.id}",
        effect="nothing was approved",
    )


def _decided_meanwhile(number: int) -> Exception:
    from classbell.errors import HeldError  # noqa: PLC0415

    return HeldError(
        "E-HOLD-OVER",
        f"Hold {number} is not there any more as it was, or stops something else by now.",
        why="its cause has gone, or a run has found more or less of it",
        do="see what is held: classbell holds list",
        effect="nothing was changed",
    )
