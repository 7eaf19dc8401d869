"""``classbell restore``: put back what a run deleted."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classbell.cli.apply import Yes
from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from classbell.cli.assembly import Workplace
    from classbell.restoration import Restorable, Restoration
    from classbell.run import Office

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(restore)


def restore(
    invocation: Invocation,
    *,
    run: Annotated[int, typer.Option("--run", metavar="ID", help="The run; classbell runs list has them.")],
    person: Annotated[
        str | None, typer.Option("--person", metavar="PERSON", help="Only in this person's calendar.")
    ] = None,
    yes: Yes = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every event.")] = False,
) -> int:
    """
    Put back what a run deleted, up to 30 days ago, as it looked; nobody is notified.

    What is put back stays, even if no timetable names it: the next run asks before it deletes it again
    (E-HOLD-RESTORED). Notes that owners had added to the events are not restored. Ctrl-C is safe.
    """
    return _Restoring(invocation, run, person, yes=yes, everything=everything).run()


class _Restoring:
    def __init__(
        self, invocation: Invocation, run: int, person: str | None, *, yes: bool, everything: bool
    ) -> None:
        self._invocation = invocation
        self._output = invocation.output
        self._number = run
        self._person = person
        self._yes = yes
        self._everything = everything
        self._restoration: Restoration | None = None

    def run(self) -> int:
        from classbell.cli.assembly import run_until_interrupted  # noqa: PLC0415 (keeps --help fast)

        self._invocation.open_log()
        self._output.start()
        return run_until_interrupted(self._restore(), self._stop, self._output.note)

    def _stop(self) -> bool:
        return self._restoration is not None and self._restoration.stop()

    async def _restore(self) -> int:
        from classbell.cli.assembly import interruptible, workplace  # noqa: PLC0415
        from classbell.restoration import Restoration  # noqa: PLC0415

        invocation = self._invocation
        async with workplace(invocation.configuration, writing=True, ask=invocation.ask) as place:
            office = await self._office(place)
            restoration = self._restoration = Restoration(office, self._number, self._person)
            found = await restoration.look()
            self._show(office, found)
            if not found.events and not found.open:
                self._output.note("Nothing is left to put back.")
                return Exit.DONE
            kept = f", and keep {len(found.open)} that it was to delete" if found.open else ""
            question = f"Put back {_many(len(found.events), 'event')} in {office.settings.name}{kept}?"
            if not self._yes:
                with interruptible():
                    if not self._output.confirm(question, flag="--yes"):
                        self._output.note("Nothing was changed.")
                        return Exit.DONE
            return await self._carry_out(restoration, found, office)

    async def _carry_out(self, restoration: "Restoration", found: "Restorable", office: "Office") -> int:
        from classbell.cli.errors import warn  # noqa: PLC0415
        from classbell.cli.following import delivering  # noqa: PLC0415
        from classbell.cli.running import told_waiting, waiting_json  # noqa: PLC0415

        with self._output.progress("Restoring", len(found.events)) as bar:
            done = await restoration.carry_out(found, delivering(bar, office.ports.clock))
        self._output.line(
            f"Put back {done.created} of {_many(len(found.events), 'event')}, in run {done.run_id}."
            f" Of ours there were {found.before} in these calendars, now {found.before + done.created}."
        )
        for waiting in done.waiting:
            warn(told_waiting(waiting), self._output)
        self._output.event(
            "restored",
            run=done.run_id,
            of=found.run_id,
            created=done.created,
            before=found.before,
            after=found.before + done.created,
            waiting=[waiting_json(one) for one in done.waiting],
            exit=done.exit_code,
        )
        return done.exit_code

    async def _office(self, place: "Workplace") -> "Office":
        """That of the institution whose run it was."""
        from classbell.cli.assembly import institutions  # noqa: PLC0415

        chosen = institutions(self._invocation)
        for settings in chosen:
            office = await place.office(settings)
            if await office.ledger.runs.find(self._number) is not None:
                return office
        return await place.office(chosen[0])

    def _show(self, office: "Office", found: "Restorable") -> None:
        from classbell.differences import seen  # noqa: PLC0415

        output, zone = self._output, office.settings.window.timezone
        owners: dict[tuple[int, int], list[str]] = {}
        for one in found.events:
            owners.setdefault((one.meeting_id, one.fingerprint), []).append(one.address)
        rows: list[dict[str, Any]] = []
        for (_, fingerprint), addresses in owners.items():
            event = seen(found.bodies[fingerprint], zone)
            if event is not None:
                rows.append(
                    {"start": event.start.isoformat(), "title": event.subject, "mailboxes": addresses}
                )
        rows.sort(key=lambda row: (row["start"], row["title"]))
        people = Counter(one.address for one in found.events)
        output.line(
            f"Run {found.run_id} of {office.settings.name} deleted {_many(len(found.events), 'event')} in"
            f" {_many(len(people), 'mailbox')} that can be put back.",
            style="bold",
        )
        if found.lost:
            output.line(f"  {_many(found.lost, 'more')}: what they looked like is no longer kept")
        if found.left:
            output.line(f"  {_many(found.left, 'more')}: of persons who get nothing any more")
        if found.open:
            output.line(f"  {_many(len(found.open), 'more')}: not deleted yet, or nobody knows; they stay")
        counts = {"open": len(found.open), "lost": found.lost, "left": found.left}
        output.event("restorable", run=found.run_id, events=rows, **counts)
        shown = rows if self._everything else rows[:SHOWN]
        if shown:
            table = [
                [
                    row["start"].replace("T", " ")[:16],
                    row["title"],
                    row["mailboxes"][0] if len(row["mailboxes"]) == 1 else str(len(row["mailboxes"])),
                ]
                for row in shown
            ]
            output.table(["when", "meeting", "mailboxes"], table)
        if len(shown) < len(rows):
            output.line(f"  ... {len(rows) - len(shown)} more: --all")


def _many(number: int, noun: str) -> str:
    plural = {"mailbox": "mailboxes", "more": "more"}.get(noun, f"{noun}s")
    return f"{number} {noun if number == 1 else plural}"
