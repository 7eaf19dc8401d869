"""``classbell explain``: why one person's calendar is as it is, from the source to the mailbox."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from datetime import datetime

    from classbell.cli.plan_view import PlanView
    from classbell.ledger import InstitutionLedger
    from classbell.report import Review
    from classbell.run import Office
    from classbell.settings import InstitutionSettings

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(explain)


def explain(
    invocation: Invocation,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The address of the person.")],
    *,
    event: Annotated[
        str | None,
        typer.Option("--event", metavar="ID", help="One event: its key at the source, or Microsoft's id."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="The events at 2026-09-21T09:30, or of the day 2026-09-21."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show all events, not the next ones only.")
    ] = False,
) -> None:
    """
    Say step by step what a person should have and why, what the calendar holds, and what is under way.

    With --event or --at: the whole way of these events from the source to the mailbox, with times, decisions and
    Microsoft's request ids. Reads the timetables and the ledger; changes nothing.
    """
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import workplace  # noqa: PLC0415

    if event is not None or at is not None:
        _tell(invocation, person, event, _moment(at))
        return

    async def ask() -> dict[str, Any]:
        async with workplace(invocation.configuration, writing=False) as place:
            return await _explanation(await place.office(invocation.chosen), invocation.chosen, person)

    found = asyncio.run(ask())
    _print(invocation, found, everything=everything)
    invocation.output.answer(found)


def _moment(text: str | None) -> "datetime | None":
    from datetime import datetime  # noqa: PLC0415

    try:
        return datetime.fromisoformat(text).replace(tzinfo=None) if text is not None else None
    except ValueError:
        raise typer.BadParameter(
            "--at takes a local time such as 2026-09-21T09:30, or a day such as 2026-09-21."
        ) from None


def _tell(invocation: Invocation, person: str, event: str | None, at: "datetime | None") -> None:
    """The stories of the events that are meant."""
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import workplace  # noqa: PLC0415
    from classbell.cli.event_story import lines_of, stories_of  # noqa: PLC0415

    async def ask() -> list[dict[str, Any]]:
        async with workplace(invocation.configuration, writing=False) as place:
            return await stories_of(await place.office(invocation.chosen), person, event=event, at=at)

    stories = asyncio.run(ask())
    invocation.output.answer({"person": person, "events": stories})
    for index, story in enumerate(stories):
        if index:
            invocation.output.line()
        for line in lines_of(story):
            invocation.output.line(line)


async def _explanation(office: "Office", settings: "InstitutionSettings", person: str) -> dict[str, Any]:
    from classbell.cli.plan_view import PlanView  # noqa: PLC0415
    from classbell.cli.suspended import quarantined, suspended  # noqa: PLC0415
    from classbell.people import mailbox_key  # noqa: PLC0415
    from classbell.run import Run  # noqa: PLC0415

    review = await Run(office, person=person).look()
    view = await PlanView.of(settings, review, office.ledger)
    mailbox = await office.ledger.mailboxes.find(mailbox_key(person))
    out = [o for o in await office.ledger.mailboxes.out() if o.mailbox.key == mailbox_key(person)]
    delivered = await office.ledger.entries.of_mailbox(mailbox) if mailbox else []
    history = await office.ledger.changes.of_mailbox(mailbox.id) if mailbox else []
    plan = view.as_json()
    holds = await _decided(view, plan, office.ledger, mailbox_key(person))
    return {
        "person": person,
        "institution": settings.id,
        "sources": _attachments(review, settings, person),
        "failures": plan["failures"],
        "mailbox": {
            "address": mailbox.address,
            "contacted": mailbox.contacted,
            "out": [{"code": o.code, "detail": o.detail} for o in out],
        }
        if mailbox
        else None,
        "suspended": await suspended(office.ledger, mailbox_key(person)),
        "quarantine": await quarantined(office, review.now),
        "deleted_by_owner": await office.ledger.wishes.of_mailbox(mailbox.id) if mailbox else [],
        "delivered": [_event(entry, body, settings.window.timezone, review.now) for entry, body in delivered],
        "not_provably_ours": await _strange(office, mailbox.id, settings.window.timezone) if mailbox else [],
        "pending": plan["changes"],
        "holds": holds,
        "history": [_past(*past) for past in history],
    }


async def _decided(
    view: "PlanView", plan: dict[str, Any], ledger: "InstitutionLedger", key: str
) -> list[dict[str, Any]]:
    """What stops some of these changes, also in runs for everybody only; which, is noted in the changes."""
    from classbell.cli.decisions import Decisions  # noqa: PLC0415

    decisions = await Decisions.of(ledger, key, view.review.now)
    found: dict[int, dict[str, Any]] = {}
    for one, told in zip(view.changes, plan["changes"], strict=True):
        hold = decisions.hold((one.source, one.key), one.action, one.fingerprint)
        told["hold"] = hold["id"] if hold else None
        if hold:
            told["held"] = hold["stops"]
            found[hold["id"]] = hold
    return [hold for hold in plan["holds"] if hold["id"] not in found] + list(found.values())


async def _strange(office: "Office", mailbox: int, zone: str) -> list[dict[str, Any]]:
    """Events beside which none is made, because they bear our mark and nobody can say whose they are."""
    from classbell.ledger import Sighted  # noqa: PLC0415
    from classbell.zones import wall  # noqa: PLC0415

    found = [one for one in await office.ledger.sightings.of_mailbox(mailbox) if one.kind is Sighted.EXTRA]
    return [
        {
            "event_id": one.event_id,
            "start": wall(one.starts_at, zone).isoformat() if one.starts_at else None,
            "detail": one.detail,
        }
        for one in found
    ]


def _attachments(review: "Review", settings: "InstitutionSettings", person: str) -> list[dict[str, Any]]:
    """Which sources name the person, and through which audience and profile that is delivered."""
    from classbell.people import mailbox_key  # noqa: PLC0415

    found = []
    for snapshot in review.snapshots:
        places = [i for i, name in enumerate(snapshot.people) if mailbox_key(name) == mailbox_key(person)]
        audience = next((a for a in settings.audience if snapshot.source in a.gets), None)
        attends = sum(int((snapshot.attendance[:, 0] == place).sum()) for place in places)
        found.append(
            {
                "source": snapshot.source,
                "attends": attends,
                "audience": audience.name if audience and attends else None,
                "profile": audience.profile if audience and attends else None,
            }
        )
    return found


def _event(entry: Any, body: bytes, zone: str, now: float) -> dict[str, Any]:
    from classbell.differences import seen  # noqa: PLC0415
    from classbell.zones import wall  # noqa: PLC0415

    event = seen(body, zone)
    return {
        "meeting": entry.meeting_key,
        "event_id": entry.event_id,
        "title": event.subject if event else "",
        "location": event.location if event else "",
        "start": (event.start if event else wall(entry.starts_at, zone)).isoformat(),
        "past": entry.ends_at <= now,
        "incarnation": entry.incarnation,
    }


def _past(change: Any, detail: str, finished_at: float | None, request_id: str) -> dict[str, Any]:
    from classbell.zones import utc_text  # noqa: PLC0415

    return {
        "meeting": change.meeting_key,
        "action": change.action.name.lower(),
        "reason": change.reason.name.lower(),
        "state": change.state.value,
        "code": change.code,
        "detail": detail,
        "attempts": change.attempts,
        "sent_at": utc_text(change.sent_at) if change.sent_at else None,
        "finished_at": utc_text(finished_at) if finished_at else None,
        "due_at": utc_text(change.due_at) if change.due_at else None,
        "request_id": request_id,
    }


def _print(invocation: Invocation, found: dict[str, Any], *, everything: bool) -> None:
    from classbell.cli.plan_view import REASONS  # noqa: PLC0415
    from classbell.cli.suspended import print_suspended  # noqa: PLC0415
    from classbell.model import Reason  # noqa: PLC0415

    output = invocation.output
    output.line(f"{found['person']}   ({found['institution']})", style="bold")
    for failure in found["failures"]:
        output.line(f"  1 source    not read: {failure['code']}  {failure['what']}")
    for source in found["sources"]:
        output.line(f"  1 source    {source['source']}: attends {_counted(source['attends'], 'meeting')}")
        if source["audience"]:
            output.line(f"  2 audience  {source['audience']}, delivered in profile {source['profile']}")
    mailbox = found["mailbox"]
    output.line(f"  3 mailbox   {mailbox['address'] if mailbox else 'nothing was ever delivered there'}")
    for out in mailbox["out"] if mailbox else ():
        output.line(f"              {out['code']}  {out['detail']}")
    print_suspended(output, found["suspended"], found["institution"], found["quarantine"])
    for meeting in found["deleted_by_owner"]:
        output.line(f"              {meeting}: deleted by its owner")
    stopped = found["suspended"] or found["quarantine"] or (mailbox and mailbox["out"])
    when = "if nothing stood in the way" if stopped and found["pending"] else "now"
    output.line(f"  4 plan      {_counted(len(found['pending']), 'change')} would be made {when}")
    shown = found["pending"] if everything else found["pending"][:SHOWN]
    for change in shown:
        what = "; ".join(f"{d['field']} {d['old']} -> {d['new']}" for d in change["differences"])
        held = "   held" if change["held"] else "   approved" if change["hold"] else ""
        why = what or REASONS[Reason[change["reason"].upper()]]
        start = change["start"].replace("T", " ")[:16]
        output.line(f"              {change['action']} {start} {change['title']}   {why}{held}")
    if len(shown) < len(found["pending"]):
        output.line(f"              ... {len(found['pending']) - len(shown)} more: --all")
    for hold in found["holds"]:
        number = f"hold {hold['id']}  " if hold["id"] else ""
        stands = f" ({hold['standing']})" if "standing" in hold else ""
        output.line(f"              {number}{hold['code']}  {hold['text']}{stands}")
    _print_events(invocation, found, everything=everything)
    _print_strange(invocation, found, everything=everything)
    open_ = [h for h in found["history"] if h["state"] not in {"done", "superseded"}]
    for change in open_ if everything else open_[:SHOWN]:
        output.line(
            f"  6 waiting   {change['action']} {change['meeting']}: {change['state']} {change['code']}"
            f" {change['detail']}"
        )
    output.note("The way of one event: --event ID or --at TIME. Everything: --json")


def _print_strange(invocation: Invocation, found: dict[str, Any], *, everything: bool) -> None:
    strange = found["not_provably_ours"]
    shown = strange if everything else strange[:SHOWN]
    for one in shown:
        start = one["start"].replace("T", " ")[:16] if one["start"] else "at some time"
        invocation.output.line(
            f"              not provably ours, so that none is made beside it: {start}  {one['detail']}"
        )
    if len(shown) < len(strange):
        invocation.output.line(f"              ... {len(strange) - len(shown)} more: --all")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_events(invocation: Invocation, found: dict[str, Any], *, everything: bool) -> None:
    events = found["delivered"] if everything else [e for e in found["delivered"] if not e["past"]]
    invocation.output.line(
        f"  5 calendar  {_counted(len(found['delivered']), 'event')} of ours, {len([e for e in events if not e['past']])} to come"
    )
    shown = events if everything else events[:SHOWN]
    if not shown:
        return
    invocation.output.table(
        ["start", "title", "place"],
        [[event["start"].replace("T", " ")[:16], event["title"], event["location"]] for event in shown],
    )
    if len(shown) < len(events):
        invocation.output.line(f"  ... {len(events) - len(shown)} more: --all")
