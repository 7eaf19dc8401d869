"""``classbell pause``, ``resume`` and ``forget``: persons and institutions for whom nothing is written."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from classbell.run import Office
    from classbell.settings import InstitutionSettings

Work = Callable[["Office", "InstitutionSettings"], Awaitable[str]]
"""Does what was asked for one institution; what to say of it."""

Person = Annotated[str | None, typer.Argument(metavar="[PERSON]", help="The address of one person.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, needs="--reason TEXT")(pause)
    command(app)(resume)
    command(app)(forget)


def pause(
    invocation: Invocation,
    person: Person = None,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Required: why, for whoever looks later.")
    ] = "",
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", help="When it ends by itself, such as 2026-10-01 or 2026-10-01T18:00."
        ),
    ] = None,
) -> int:
    """
    Write nothing to a person's calendar, or to any of an institution (-i ID), until it is resumed.

    What is due meanwhile waits and is shown with the reason. Events that stand there stay. A run that is under way writes
    nothing more there, and goes on for everybody else.
    """

    async def work(office: "Office", settings: "InstitutionSettings") -> str:
        from classbell.model import Suspended  # noqa: PLC0415 (keeps --help fast)
        from classbell.zones import utc_text  # noqa: PLC0415

        now = office.ports.clock.now()
        end = _moment(until, settings.window.timezone, now)
        if person is None:
            _named(invocation, "paused", "pause")
            _given(reason)
            held = await office.ledger.suspensions.pause_all(reason, now, end)
            if held.until != end:
                invocation.output.note(f"It was paused without an end before, and stays so: {held.reason}")
            end = held.until
        else:
            key = _key(person)
            known = await office.ledger.suspensions.of(key)
            if known is not None and known.kind is not Suspended.PAUSED:
                raise _already(person, known.kind)
            new = await office.ledger.mailboxes.find(key) is None
            if new and await office.ledger.persons.was_forgotten(key):
                raise _already(person, "forgotten")
            _given(reason)
            await office.ledger.suspensions.suspend(key, Suspended.PAUSED, reason, now, end)
            if new:
                invocation.output.note(
                    f"Nothing was ever delivered to {person}: check the address, unless that is meant to stay so."
                )
        when = f" until {utc_text(end)}" if end else ""
        return f"{person or settings.name} is paused{when}. To go on: classbell resume {person or '-i ' + settings.id}"

    # Whoever must stop a run cannot wait until it has ended: nothing is sent for whom it concerns from now on.
    return _run(invocation, work, "paused", person, alone=False)


def resume(invocation: Invocation, person: Person = None) -> int:
    """
    Write to a person's calendar again, or to those of an institution (-i ID); the next run catches up.

    Also links a person again who was unlinked or forgotten, and an institution that was purged.
    """

    async def work(office: "Office", settings: "InstitutionSettings") -> str:
        from classbell.errors import ConfigurationError  # noqa: PLC0415

        ledger = office.ledger
        if person is None:
            _named(invocation, "resumed", "resume")
            await ledger.suspensions.resume_all()
            return f"{settings.name} is resumed. To catch up now: classbell apply -i {settings.id}"
        key = _key(person)
        known = await ledger.suspensions.of(key)
        if known is not None:
            _possible(person, known.kind, settings)
            await ledger.suspensions.lift(known.mailbox.id)
        if not await ledger.persons.recall(key) and known is None:
            raise ConfigurationError(
                "E-PERSON-ACTIVE",
                f"{person} is neither paused nor unlinked.",
                why="the address may be misspelled, or somebody else has resumed it",
                do="see who is: classbell status",
                effect="nothing was changed",
            )
        return f"{person} is resumed. To catch up now: classbell sync {person}"

    return _run(invocation, work, "resumed", person)


def forget(
    invocation: Invocation,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The address of the person.")],
    *,
    leave_events: Annotated[
        bool,
        typer.Option("--leave-events", help="Even if events of ours stand there, which stay then for good."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """
    Erase a person's data from the ledger. Changes no calendar; first unlink, so that no event remains.

    A digest that names nobody stays, so that nothing is delivered to them again, even if a timetable still names
    them; classbell resume PERSON takes it away, and then they are like somebody new.
    """

    async def work(office: "Office", _: "InstitutionSettings") -> str:
        from classbell.cli import kept_plans  # noqa: PLC0415
        from classbell.cli.assembly import interruptible, ledger_place  # noqa: PLC0415
        from classbell.forgetting import forget, forgettable  # noqa: PLC0415

        _key(person)
        found = await forgettable(office, person, leave_events=leave_events)
        events = found.remains.events
        with interruptible():
            if not yes and not invocation.output.confirm(
                f"Erase all data of {person}?" + (f" {events} events stay there for good." if events else ""),
                flag="--yes",
            ):
                return "Nothing was changed."
        await forget(office, found)
        kept_plans.forget(office.ports.files, ledger_place(invocation.configuration), found.mailbox.key)
        return f"All data of {person} is erased from the ledger. Backups, logs and saved plans are yours to delete."

    return _run(invocation, work, "forgotten", person)


def _run(invocation: Invocation, work: Work, done: str, person: str | None, *, alone: bool = True) -> int:
    import asyncio  # noqa: PLC0415 (keeps --help fast)

    from classbell.cli.assembly import workplace  # noqa: PLC0415

    async def all_of_it() -> None:
        settings = invocation.chosen
        async with workplace(invocation.configuration, writing=alone) as place:
            told = await work(await place.office(settings), settings)
        invocation.output.line(told)
        invocation.output.answer({"institution": settings.id, "person": person, "done": done})

    asyncio.run(all_of_it())
    return 0


def _named(invocation: Invocation, done: str, name: str) -> None:
    """Whole institutions are named: nobody means all of them by leaving a word out."""
    if invocation.institution_id is None:
        from classbell.errors import ConfigurationError  # noqa: PLC0415

        raise ConfigurationError(
            "E-INSTITUTION",
            f"Who is to be {done} must be said.",
            why="without a person it is a whole institution",
            do=f"name one: classbell {name} PERSON, or classbell {name} -i ID",
            effect="nothing was changed",
        )


def _given(reason: str) -> None:
    if not reason.strip():
        from classbell.errors import ConfigurationError  # noqa: PLC0415

        raise ConfigurationError(
            "E-USAGE",
            "Why it is paused must be said.",
            why="status and explain show the reason to whoever looks later",
            do="add --reason TEXT",
            effect="nothing was changed",
        )


def _key(person: str) -> str:
    from classbell.errors import ConfigurationError  # noqa: PLC0415
    from classbell.people import is_address, mailbox_key  # noqa: PLC0415

    if not is_address(person):
        raise ConfigurationError(
            "E-PERSON-UNKNOWN",
            f"{person} is no address of a mailbox.",
            why="persons are named by the address of their mailbox",
            do="check the address; at the source it must be written as the mailbox is",
            effect="nothing was changed",
        )
    return mailbox_key(person)


def _possible(person: str, kind: str, settings: "InstitutionSettings") -> None:
    """Refuse to resume where the next run would stop again, since it would find the calendar as deleted as before."""
    from classbell.errors import ConfigurationError  # noqa: PLC0415
    from classbell.wishes import stopping_calendars  # noqa: PLC0415

    if kind == "calendar" and stopping_calendars(settings.profiles):
        raise ConfigurationError(
            "E-CAL-STOPPED",
            f"{person} has deleted the calendar to which we delivered, and that stops each run there.",
            why='a profile says on_calendar_delete = "stop"',
            do=f"to make the calendar again: classbell sync {person} --reset",
            effect="nothing was changed",
        )


def _already(person: str, kind: str) -> Exception:
    from classbell.cli.suspended import WORDS  # noqa: PLC0415
    from classbell.errors import ConfigurationError  # noqa: PLC0415

    stopped = kind == "calendar"
    again = f"classbell sync {person} --reset" if stopped else f"classbell resume {person}"
    return ConfigurationError(
        "E-PERSON-SUSPENDED",
        f"Nothing is delivered to {person} anyway: {WORDS.get(kind, kind)}.",
        why="their calendar was deleted by its owner, and the profile says to stop then"
        if stopped
        else "who was unlinked or forgotten gets nothing until they are linked again",
        do=f"nothing; to deliver again: {again}",
        effect="nothing was changed",
    )


def _moment(text: str | None, timezone: str, now: float) -> float | None:
    """The instant that is meant, in the institution's zone unless it names another."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from classbell.errors import ConfigurationError  # noqa: PLC0415

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        end = (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))).timestamp()
    except ValueError:
        end = 0.0
    if end <= now:
        raise ConfigurationError(
            "E-UNTIL",
            f"--until {text} is no time to come.",
            why="a pause ends in the future, or by classbell resume",
            do="give a date or a time such as 2026-10-01 or 2026-10-01T18:00",
            effect="nothing was changed",
        )
    return end
