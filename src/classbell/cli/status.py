"""``classbell status``: is it working, what is held, what next? Asks the ledger only."""

import re
from typing import TYPE_CHECKING, Any

import typer

from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation, command
from classbell.errors import sentence

if TYPE_CHECKING:
    from classbell.cli.assembly import Workplace
    from classbell.cli.output import Output
    from classbell.errors import ClassbellError
    from classbell.run import Office
    from classbell.settings import InstitutionSettings


HOLDS_SHOWN = 10
LOST = "E-LEDGER-LOST"
# What is between us and Microsoft, which the plan does not show.
_FOR_DOCTOR = re.compile("E-(APP|CERT|CLOCK|CONSENT|LOGIN|MBX-DENIED|SECRET|TENANT|TOKEN)")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(status)


def status(invocation: Invocation) -> int:
    """
    Say for each institution when it last ran, what is delivered, and what waits for what.

    Ends with 4 if something waits for a person: a hold, a source that gave no timetable, or an event that is not
    provably ours.
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import institutions, workplace  # noqa: PLC0415
    from classbell.cli.errors import tell_doubt  # noqa: PLC0415

    async def ask() -> tuple["ClassbellError | None", list[dict[str, Any]]]:
        async with workplace(invocation.configuration, writing=False, ask=invocation.ask) as place:
            doubt = await place.doubt()
            return doubt, [await _state(place, settings) for settings in institutions(invocation)]

    doubt, states = asyncio.run(ask())
    if doubt is not None:
        tell_doubt(doubt, invocation.output)
        # Whatever else is said: no run does anything.
        states = [state | {"health": "Held"} for state in states]
    for state in states:
        _print(invocation, state, "classbell ledger check" if doubt is not None else "")
    invocation.output.answer({"institutions": states})
    return Exit.HELD if any(state["health"] == "Held" for state in states) else Exit.DONE


async def _state(place: "Workplace", settings: "InstitutionSettings") -> dict[str, Any]:
    from classbell.cli.holds import as_json as hold_json  # noqa: PLC0415
    from classbell.cli.running import waiting_json, waiting_short, waiting_words  # noqa: PLC0415
    from classbell.cli.suspended import quarantined, suspended  # noqa: PLC0415
    from classbell.cli.unread import compared_at, needs_mending, unread_sources  # noqa: PLC0415
    from classbell.ledger import NEVER  # noqa: PLC0415
    from classbell.model import RunKind  # noqa: PLC0415
    from classbell.report import needs_a_person  # noqa: PLC0415
    from classbell.wishes import gone_from  # noqa: PLC0415
    from classbell.zones import utc_text  # noqa: PLC0415

    office = await place.office(settings)
    events, mailboxes = await office.ledger.entries.count()
    waiting = await office.ledger.changes.waiting()
    runs = await office.ledger.runs.last()
    sources = await office.ledger.runs.sources()
    out = await office.ledger.mailboxes.out()
    now = place.ports.clock.now()
    # What was approved waits for the next run, and for nobody.
    holds = [hold for hold in await office.ledger.holds.live() if not hold.approved_at(now)]
    lost = any(one.code == LOST for one in out)
    quarantine = await quarantined(office, now)
    over = quarantine is not None and quarantine["over"]
    unread = await unread_sources(office.ledger)
    gone = await gone_from(office.ledger, settings, now)
    in_vain = await office.ledger.absences.deleted_in_vain(await compared_at(office.ledger))
    strange = len(await office.ledger.sightings.blocking())
    held = (
        any(needs_a_person(w) for w in waiting)
        or bool(holds or strange)
        or lost
        or over
        or needs_mending(unread)
    )
    return {
        "id": settings.id,
        "name": settings.name,
        "mode": settings.mode,
        # A rebuild alone compares nothing with any timetable.
        "sync": "Unknown"
        if not runs or runs[0].kind == RunKind.REBUILD
        else "Pending"
        if waiting or gone.missing or in_vain
        else "Synced",
        "health": "Held" if held else "Degraded" if out or _failed(runs) else "Healthy",
        "last_run": {
            "kind": runs[0].kind,
            "at": utc_text(runs[0].started_at),
            "seconds_ago": round(now - runs[0].started_at),
            "exit": runs[0].exit_code,
            **runs[0].summary,
        }
        if runs
        else None,
        "holds": [hold_json(hold, now) for hold in holds],
        "quarantine": quarantine,
        "suspended": await suspended(office.ledger),
        "events": events,
        "mailboxes": mailboxes,
        "missing": len(gone.missing),
        "respected": len(gone.respected),
        "deleted_in_vain": in_vain,
        "not_provably_ours": strange,
        "waiting": [waiting_json(w) | {"text": waiting_words(w), "short": waiting_short(w)} for w in waiting],
        "out": [
            {
                "mailbox": o.mailbox.address,
                "code": o.code,
                "detail": o.detail,
                "retry": utc_text(o.retry_at) if o.retry_at < NEVER else None,
            }
            for o in out
        ],
        "sources": [
            {"name": s.name, "read_at": utc_text(s.read_at), "seconds_ago": round(now - s.read_at)}
            for s in sources.values()
        ],
        "unread": unread,
        "certificates": await _certificates(place, settings, office),
        "warnings": _warnings(runs),
    }


def _failed(runs: Any) -> bool:
    """Exit 3 counts: a feed that could not be read leaves nothing in the ledger that waits."""
    return bool(runs) and (runs[0].exit_code != 0 or bool(runs[0].summary.get("failures")))


def _warnings(runs: Any) -> list[dict[str, str]]:
    """Of the clock, as the last run has found it."""
    from classbell.identity.answers import clock_differs  # noqa: PLC0415

    ahead = runs[0].summary.get("clock_ahead") if runs else None
    return [_told(clock_differs(float(ahead)))] if ahead is not None else []


async def _certificates(
    place: "Workplace", settings: "InstitutionSettings", office: "Office"
) -> list[dict[str, Any]]:
    """How each certificate stands, without asking Microsoft; ``classbell cert status`` asks."""
    import os  # noqa: PLC0415

    from classbell.identity.standing import certificate_status  # noqa: PLC0415
    from classbell.zones import utc_text  # noqa: PLC0415

    found = await certificate_status(
        settings.tenant.certificates,
        place.ports.files,
        os.environ,
        place.ports.clock.now(),
        uses=await office.ledger.certificates.recall(),
        ask=place.ask,
    )
    return [
        {
            "place": one.place,
            "warnings": [_told(warning) for warning in one.warnings],
            **(
                {
                    "sha1": one.credential.sha1,
                    "sha256": one.credential.sha256,
                    "valid_until": utc_text(one.credential.not_after),
                    "days_left": one.days_left,
                    "in_use": one.in_use,
                    "worked_at": utc_text(one.use.worked_at) if one.use.worked_at else None,
                    "refused": one.use.refusal if one.use.refused_at > one.use.worked_at else None,
                }
                if one.credential is not None
                else {}
            ),
        }
        for one in found
    ]


def _told(error: "ClassbellError") -> dict[str, str]:
    return {"code": error.code, "what": error.what, "do": error.do}


def _print(invocation: Invocation, state: dict[str, Any], first: str) -> None:
    """One institution; *first* is the command that leads on before all that is its own."""
    from classbell.cli.holds import print_hold  # noqa: PLC0415
    from classbell.cli.suspended import print_suspended, quarantine_words  # noqa: PLC0415

    output = invocation.output
    last = state["last_run"]
    when = f"last run {last['at']} ({_ago(last['seconds_ago'])} ago)" if last else "has not run yet"
    output.line(
        f"{state['name']}  {state['sync']}  {state['health']}     {when}     "
        f"{state['events']} events in {state['mailboxes']} mailboxes",
        style="bold",
    )
    _print_end(output, last)
    if state["quarantine"]:
        output.line(f"  {quarantine_words(state['quarantine'])}")
    for hold in state["holds"][:HOLDS_SHOWN]:
        print_hold(output, hold)
    if len(state["holds"]) > HOLDS_SHOWN:
        output.line(f"  ... {len(state['holds']) - HOLDS_SHOWN} more are held: classbell holds list")
    print_suspended(output, state["suspended"], state["name"])
    for source in state["sources"]:
        output.line(f"  source {source['name']}   last accepted {_ago(source['seconds_ago'])} ago")
    _print_failures(output, state)
    named = {one["code"] for one in state["out"]}
    for waiting in state["waiting"]:
        # Where the mailboxes are named below, each with the reason, the reason stands there.
        text = waiting["short"] if waiting["code"] in named else waiting["text"]
        output.line(f"  {waiting['code'] or waiting['state']}  {text}")
    _print_gone(output, state)
    _print_strange(output, state["not_provably_ours"])
    for one in state["out"][:10]:
        again = f" Next try at {one['retry']}." if one["retry"] else ""
        output.line(f"  {one['code']}  {one['mailbox']}: {one['detail'].rstrip('.')}.{again}")
    if len(state["out"]) > 10:  # noqa: PLR2004 (a screenful)
        output.line(f"  ... {len(state['out']) - 10} more mailboxes: --json")
    _print_certificates(output, state)
    if state["sync"] != "Synced" or state["health"] != "Healthy":
        output.note(f"Next: {first or _next(state)}")


def _print_end(output: "Output", last: dict[str, Any] | None) -> None:
    """How the last run ended, unless all went well."""
    from classbell.cli.runs import unfinished  # noqa: PLC0415

    if last and last["exit"] is None:
        output.line(f"  last run has no end: {unfinished(cut_off=False).partition(': ')[2]}")
    elif last and last["exit"]:
        output.line(f"  last run ended with {last['exit']}, {Exit(last['exit']).meaning}{_codes(last)}")


def _print_gone(output: "Output", state: dict[str, Any]) -> None:
    """What is not in calendars although it was delivered."""
    if state["missing"]:
        output.line(f"  {state['missing']} missing from calendars: the next run makes good what may be")
    if state["deleted_in_vain"]:
        output.line(
            f"  {state['deleted_in_vain']} deleted by a plan that timetables had overtaken: the next run makes again what"
            " they name"
        )
    if state["respected"]:
        output.line(f"  {state['respected']} deleted by their owner, respected")


def _print_strange(output: "Output", count: int) -> None:
    """In how many places nothing is made because of what stands there."""
    if count:
        meetings = "1 meeting" if count == 1 else f"{count} meetings"
        output.line(
            f"  E-EVT-FOREIGN  Where {meetings} should stand, something bears our mark that is not provably ours;"
            " none is made beside it: classbell verify"
        )


def _next(state: dict[str, Any]) -> str:
    """The command that leads on: who looks at the plan learns nothing of a certificate that is refused."""
    if state["holds"]:
        return f"classbell holds list -i {state['id']}"
    last = state["last_run"] or {}
    codes = {last.get("error", ""), *last.get("failures", ()), *(one["code"] for one in state["waiting"])}
    wrong = [code for code in codes | {one["code"] for one in state["out"]} if code]
    if LOST in wrong:
        return f"classbell ledger rebuild -i {state['id']}"
    if state["not_provably_ours"] and not wrong:
        return f"classbell verify -i {state['id']}"
    examine = any(_FOR_DOCTOR.match(code) for code in wrong)
    return f"classbell {'doctor' if examine else 'plan'} -i {state['id']}"


def _print_failures(output: "Output", state: dict[str, Any]) -> None:
    """What the last run could not read, and what ended it."""
    from classbell.cli.runs import told  # noqa: PLC0415
    from classbell.cli.unread import print_unread  # noqa: PLC0415

    print_unread(output, state["unread"])
    if state["last_run"] and state["last_run"].get("what"):
        output.line(f"  {told(state['last_run'], code='error')}")


def _print_certificates(output: "Output", state: dict[str, Any]) -> None:
    if output.as_json:
        return  # the answer has it all, and a query is answered with one object
    for certificate in state["certificates"]:
        if "sha1" in certificate:
            used = "   in use" if certificate["in_use"] else ""
            refused = f"   last refused: {certificate['refused']}" if certificate["refused"] else ""
            output.line(
                f"  certificate {certificate['sha1']}   {certificate['days_left']} days left{used}{refused}"
            )
        for warning in certificate["warnings"]:
            output.warning(warning["code"], f"{warning['what']} {sentence(warning['do'])}")
    for warning in state["warnings"]:
        output.warning(warning["code"], f"{warning['what']} {sentence(warning['do'])}")


def _codes(last: dict[str, Any]) -> str:
    found = dict.fromkeys([last.get("error"), *last.get("failures", ()), *last.get("holds", ())])
    return "".join(f"   {code}" for code in found if code)


def _ago(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
