"""``classbell runs``: what was run, what it read, planned and did, and how it ended. Asks the ledger only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classbell.cli.invocation import Invocation, command, group

if TYPE_CHECKING:
    from classbell.cli.output import Output
    from classbell.ledger import InstitutionLedger, PastRun, RunChanges

Number = Annotated[int, typer.Argument(metavar="ID", help="The number that runs list shows.")]
SHOWN = 20
_FORGOTTEN = "somebody who was forgotten"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    runs = group(help="See what was run, and how it ended.", no_args_is_help=True)
    command(runs, "list")(list_runs)
    command(runs)(show)
    app.add_typer(runs, name="runs")


def list_runs(
    invocation: Invocation,
    *,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="How many, newest first.")
    ] = SHOWN,
) -> None:
    """List runs, the newest first: also those that ended before anything was planned."""
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import institutions, workplace  # noqa: PLC0415

    async def ask() -> list[dict[str, Any]]:
        async with workplace(invocation.configuration, writing=False) as place:
            found = []
            for settings in institutions(invocation):
                ledger = (await place.office(settings)).ledger
                found += await _told_of(settings.id, ledger, await ledger.runs.last(limit))
            return sorted(found, key=lambda one: -int(one["id"]))[:limit]

    found = asyncio.run(ask())
    invocation.output.answer({"runs": found})
    if not found:
        invocation.output.note("Nothing has been run yet.")
        return
    rows = [
        [
            str(one["id"]),
            one["institution"],
            what(one),
            one["started_at"],
            _how_long(one),
            *(str(one["done"].get(action, 0)) for action in ("create", "update", "delete")),
            _end(one).partition(";")[0],
        ]
        for one in found
    ]
    invocation.output.table(["run", "institution", "what", "began", "took", "+", "~", "-", "end"], rows)


def show(invocation: Invocation, number: Number) -> None:
    """
    Show one run: what it read, planned, held and did, and what became of its changes.

    Of a run whose process was ended by force, or that is still at work, it says so, and what is done of its changes.
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import institutions, workplace  # noqa: PLC0415
    from classbell.errors import ConfigurationError  # noqa: PLC0415

    async def ask() -> dict[str, Any]:
        async with workplace(invocation.configuration, writing=False) as place:
            for settings in institutions(invocation):
                ledger = (await place.office(settings)).ledger
                past = await ledger.runs.find(number)
                if past is not None:
                    changes = await ledger.runs.changes(number)
                    (told,) = await _told_of(settings.id, ledger, [past])
                    if "approved" in told:
                        told["approved"] = [await _approval(ledger, hold) for hold in told["approved"]]
                    return told | {"changes": [_change_json(one) for one in changes]}
        raise ConfigurationError(
            "E-RUN-UNKNOWN",
            f"There is no run {number}.",
            why="none has had this number, it was of another institution, or it is no longer kept",
            do="classbell runs list",
        )

    found = asyncio.run(ask())
    invocation.output.answer(found)
    _print(invocation.output, found)


async def _approval(ledger: "InstitutionLedger", number: int) -> dict[str, Any]:
    hold = await ledger.holds.find(number)
    return {"hold": number, "by": hold.decided_by if hold else ""}


async def _told_of(
    institution: str, ledger: "InstitutionLedger", runs: "Sequence[PastRun]"
) -> list[dict[str, Any]]:
    """Runs as JSON fields. What one has done that could not say so itself, the rows of its changes tell."""
    names, newest = await _names(ledger), await ledger.runs.newest()
    silent = await ledger.runs.done([past.id for past in runs if "done" not in past.summary])
    told = []
    for past in runs:
        one = as_json(institution, past, names)
        if past.id in silent:
            one["done"] = {action.name.lower(): count for action, count in silent[past.id].items()}
        # One process at a time runs anything: where another run has begun since, this one is not under way.
        told.append(one | {"cut_off": past.finished_at is None and past.id < newest})
    return told


async def _names(ledger: "InstitutionLedger") -> dict[int, str]:
    """Of each mailbox's number its key."""
    return {number: key for key, number in (await ledger.mailboxes.numbers()).items()}


def as_json(institution: str, past: "PastRun", names: dict[int, str]) -> dict[str, Any]:
    """A run as JSON fields, with mailboxes by their *names*."""
    from classbell.zones import utc_text  # noqa: PLC0415

    summary: dict[str, Any] = {"done": {}} | dict(past.summary)
    if "mailbox" in summary:
        summary["person"] = names.get(summary.pop("mailbox"), _FORGOTTEN)
    for one in summary.get("stopped", ()):
        if one.get("scope") == "mailbox":
            one["subject"] = names.get(one["subject"], _FORGOTTEN)
    return summary | {
        "id": past.id,
        "kind": past.kind,
        "institution": institution,
        "started_at": utc_text(past.started_at),
        "finished_at": utc_text(past.finished_at) if past.finished_at is not None else None,
        "took": round(past.finished_at - past.started_at, 1) if past.finished_at is not None else None,
        "exit": past.exit_code,
    }


def _change_json(one: "RunChanges") -> dict[str, Any]:
    return {
        "action": one.action.name.lower(),
        "state": one.state.value,
        "code": one.code,
        "detail": one.detail,
        "changes": one.changes,
        "mailboxes": one.mailboxes,
    }


def _print(output: "Output", found: dict[str, Any]) -> None:
    output.line(
        f"Run {found['id']} of {found['institution']}   began {found['started_at']}   took {_how_long(found)}",
        style="bold",
    )
    output.line(f"  {'was':<9}{what(found)}".rstrip())
    _print_plan(output, found)
    if "rebuilt" in found:
        output.line(f"  rebuilt  {_rebuilt(found['rebuilt'])}")
    output.line(f"  did      {_counts(found['done'])}")
    for one in found["changes"]:
        if one["state"] != "done":
            output.line(f"  {one['state']:<9}{one['changes']} {one['action']}{_why(one)}")
    if "error" in found:
        output.line(f"  stopped  {told(found, code='error')}")
    output.line(f"  end      {_end(found)}")


def _why(one: dict[str, Any]) -> str:
    """Why changes of a run are not done."""
    if one["state"] == "sent":
        return ": no answer is recorded; the next run finds out what became of them"
    return f": {one['code']} {one['detail']}".rstrip() if one["code"] else ""


def what(one: dict[str, Any]) -> str:
    """What a run was, like the command that began it."""
    words = [one["kind"], one.get("person", ""), one.get("plan", ""), one.get("mode", "")]
    if "restores" in one:
        words.append(f"--run {one['restores']}")
    return " ".join(word for word in words if word)


def told(one: dict[str, Any], *, code: str = "code") -> str:
    """An error that was recorded, in one line."""
    why = f" Why: {one['why'].rstrip('.')}." if one.get("why") else ""
    return f"{one[code]}  {one.get('what', '')}{why}"


def _print_plan(output: "Output", found: dict[str, Any]) -> None:
    from_file = "plan" in found
    if from_file:
        output.line(f"  read     nothing: it is by the saved plan {found['plan']}")
    for one in found.get("read", ()):
        part = f", of {one['unread']} persons not in full" if one["unread"] else ""
        output.line(f"  read     {one['source']}: {one['meetings']} meetings{part}")
    for one in found.get("unread", ()):
        when = " (when the plan was made)" if from_file else ""
        output.line(f"  unread   {one['source']}{when}: {told(one)}")
    if "planned" in found:
        output.line(f"  planned  {_counts(found['planned'])}; {_counts(found['passed'])} passed the guards")
    for one in found.get("approved", ()):
        output.line(f"  agreed   to hold {one['hold']}, by {one['by'] or 'nobody knows whom'}")
    if "allowed" in found:
        by = found.get("allowed_by") or "nobody knows whom"
        output.line(f"  agreed   to {found['allowed']} deletions at most (--allow-deletes), by {by}")
    if "paused" in found:
        output.line(f"  paused   nothing was written: {found['paused']}")
    for one in found.get("stopped", ()):
        number = f"hold {one['id']}  " if one["id"] else ""
        whose = f"{one['subject']}: " if one["scope"] == "mailbox" else ""
        output.line(f"  held     {number}{one['code']}  {whose}{one['text']}")


def _rebuilt(one: dict[str, int]) -> str:
    return (
        f"{one['mailboxes']} mailboxes with {one['known'] + one['adopted']} events, {one['adopted']} found by their"
        f" marks, {one['struck']} gone, {one['held'] - one['copies']} held, {one['unread']} mailboxes not read"
    )


def _end(one: dict[str, Any]) -> str:
    from classbell.cli.exits import Exit  # noqa: PLC0415

    if one["exit"] is None:
        return unfinished(cut_off=one["cut_off"])
    codes = dict.fromkeys([one.get("error"), *one.get("failures", ()), *one.get("holds", ())])
    known = "".join(f"   {code}" for code in codes if code)
    return f"{one['exit']}  {Exit(one['exit']).meaning}{known}"


def unfinished(*, cut_off: bool) -> str:
    """What to say of a run of which no end is recorded; *cut_off* if another one has begun since."""
    if cut_off:
        return "none: its process was ended by force; a later run goes on with what was left"
    return "none yet: it is still at work, or its process was ended by force; the next run goes on with what is left"


def _how_long(one: dict[str, Any]) -> str:
    return "?" if one["took"] is None else f"{one['took']:.1f} s"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {action}" for action, count in counts.items() if count) or "nothing"
