"""``classbell unlink`` and ``purge``: a person, or a whole institution, wants nothing of us any more."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from classbell.leaving import Departed, Departure, Farewell
    from classbell.model import LeaveMode
    from classbell.run import Office
    from classbell.settings import InstitutionSettings

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needs --deletes N where any go.")]
Deletes = Annotated[
    int | None,
    typer.Option(
        "--deletes", metavar="N", min=0, help="With --yes: how many events you expect to be deleted."
    ),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for whoever looks later.")]
# The names of ``LeaveMode``, which comes with too much to be loaded for --help.
Mode = Literal["UNLINK_ONLY", "DELETE_FUTURE_EVENTS", "DELETE_ALL_EVENTS", "CLEANUP"]
SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(unlink)
    command(app)(purge)


def unlink(
    invocation: Invocation,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The address of the person.")],
    *,
    mode: Annotated[Mode, typer.Option("--mode", help="What becomes of the events there.")],
    reason: Reason = "",
    yes: Yes = False,
    deletes: Deletes = None,
) -> int:
    """
    Deliver nothing to a person any more, and remove what stands there as far as the mode says.

    UNLINK_ONLY leaves all events; DELETE_FUTURE_EVENTS removes those that start in the future; DELETE_ALL_EVENTS all
    that the ledger knows; CLEANUP reads the mailbox first and removes all that this installation ever made there.
    Deleted events go to Deleted Items. To link the person again: classbell resume PERSON.
    """
    from classbell.model import LeaveMode  # noqa: PLC0415 (keeps --help fast)

    return _Leaving(invocation, LeaveMode(mode), person, reason, yes=yes, deletes=deletes).run()


def purge(invocation: Invocation, *, reason: Reason = "", yes: Yes = False, deletes: Deletes = None) -> int:
    """
    Remove everything that this installation ever made in the mailboxes of one institution, and pause it.

    Reads all its mailboxes first. To deliver again: classbell resume -i ID.
    """
    if invocation.institution_id is None:
        from classbell.errors import ConfigurationError  # noqa: PLC0415 (keeps --help fast)

        raise ConfigurationError(
            "E-INSTITUTION",
            "Which institution is to be purged must be said.",
            why="it empties the calendars of everybody there",
            do="name it: classbell purge --institution ID",
            effect="nothing was done",
        )
    from classbell.model import LeaveMode  # noqa: PLC0415 (keeps --help fast)

    return _Leaving(invocation, LeaveMode.CLEANUP, None, reason, yes=yes, deletes=deletes).run()


class _Leaving:
    def __init__(
        self,
        invocation: Invocation,
        mode: "LeaveMode",
        person: str | None,
        reason: str,
        *,
        yes: bool,
        deletes: int | None,
    ) -> None:
        self._invocation = invocation
        self._output = invocation.output
        self._mode = mode
        self._person = person
        self._reason = reason or ("purged" if person is None else f"unlinked ({mode})")
        self._yes = yes
        self._deletes = deletes
        self._departure: Departure | None = None

    def run(self) -> int:
        """Count, show, ask, and do it; the exit code."""
        from classbell.cli.assembly import run_until_interrupted  # noqa: PLC0415 (keeps --help fast)

        self._invocation.open_log()
        self._output.start()
        return run_until_interrupted(self._leave(), self._stop, self._output.note)

    def _stop(self) -> bool:
        return self._departure is not None and self._departure.stop()

    async def _leave(self) -> int:
        from classbell.cli.assembly import interruptible, workplace  # noqa: PLC0415
        from classbell.cli.following import delivering  # noqa: PLC0415
        from classbell.leaving import Departure  # noqa: PLC0415

        settings = self._invocation.chosen
        async with workplace(self._invocation.configuration, writing=True, ask=self._invocation.ask) as place:
            office = await place.office(settings)
            self._departure = Departure(office, self._mode, person=self._person)
            farewell = await self._looked(self._departure, office)
            self._show(farewell, settings)
            if farewell.rebuilt is not None and farewell.rebuilt.interrupted:
                return 130
            with interruptible():
                agreed = self._agreed(farewell)
            if not agreed:
                self._output.note("Nothing was changed.")
                return 0
            with self._output.progress("Deleting", farewell.left.deletes) as bar:
                tell = delivering(bar, place.ports.clock)
                departed = await self._departure.carry_out(farewell, self._reason, tell)
            return self._report(departed, farewell.rebuilt.unread_count if farewell.rebuilt else 0)

    async def _looked(self, departure: "Departure", office: "Office") -> "Farewell":
        from classbell.cli.following import rebuilding  # noqa: PLC0415

        if self._mode != "CLEANUP":
            return await departure.look()
        total = len(await office.ledger.mailboxes.numbers()) if self._person is None else 1
        with self._output.progress("Reading", total) as bar:
            return await departure.look(rebuilding(bar, self._output))

    def _show(self, farewell: "Farewell", settings: "InstitutionSettings") -> None:
        left, rebuilt = farewell.left, farewell.rebuilt
        who = self._person or settings.name
        boxes = "1 mailbox" if left.mailboxes == 1 else f"{left.mailboxes} mailboxes"
        self._output.line(f"{who}   {self._mode}", style="bold")
        self._output.line(
            f"  before   {left.events} events of ours in {boxes}, {left.coming} of them to come"
        )
        self._output.line(f"  delete   {left.deletes}")
        self._output.line(f"  after    {left.after}, and nothing is delivered any more")
        if self._person is None and not _known(farewell):
            self._output.note(
                f"The ledger knows no mailbox there. If it was lost, first: classbell ledger rebuild -i {settings.id}"
            )
        if left.strange:
            self._output.line(f"  stays    {_strange(left.strange)}")
        if left.uncertain:
            self._output.warning(
                "E-UNKNOWN",
                f"{left.uncertain} more may have been made: their answers are missing. "
                + (
                    "Repeat this command in a quarter of an hour."
                    if self._person is None
                    else "They are looked for by the next run; repeat this command after it."
                ),
            )
        for mailbox, sighting in rebuilt.held[:SHOWN] if rebuilt else ():
            code = "E-MARK-COPY" if sighting.kind == "copy" else "E-EVT-FOREIGN"
            self._output.warning(code, f"{mailbox.address}: not touched: {sighting.detail}")
        if rebuilt and rebuilt.held_count > SHOWN:
            self._output.line(f"  ... {rebuilt.held_count - SHOWN} more are held: classbell verify --all")
        for unread in rebuilt.unread[:SHOWN] if rebuilt else ():
            self._output.warning(
                unread.code,
                f"{unread.mailbox.address} could not be read: {unread.detail} Only what the ledger knows goes there.",
            )
        if left.doubted:
            boxes = "1 mailbox is" if left.doubted == 1 else f"{left.doubted} mailboxes are"
            self._output.warning(
                "E-LEDGER-LOST",
                f"{boxes} in doubt: nothing goes there until classbell ledger rebuild has read it.",
            )
        self._output.event(
            "leave",
            institution=settings.id,
            person=self._person,
            mode=self._mode.value,
            before=left.events,
            coming=left.coming,
            mailboxes=left.mailboxes,
            deletes=left.deletes,
            after=left.after,
            strange=left.strange,
            uncertain=left.uncertain,
            given_up=left.open,
            held=rebuilt.held_count if rebuilt else 0,
            unread=rebuilt.unread_count if rebuilt else 0,
            doubted=left.doubted,
        )

    def _agreed(self, farewell: "Farewell") -> bool:
        deletes = farewell.left.deletes
        flag = f"--yes --deletes {deletes}"
        if self._yes:
            if (self._deletes or 0) == deletes:
                return True
            from classbell.errors import ConfigurationError  # noqa: PLC0415

            raise ConfigurationError(
                "E-LEAVE-COUNT",
                f"{deletes} events would be deleted, not {self._deletes or 0}.",
                why="--yes approves exactly the number that --deletes gives",
                do=f"if {deletes} is right, repeat the command with {flag}",
                effect="nothing was changed",
            )
        if not deletes:
            return self._output.confirm("Deliver nothing there any more?", flag=flag)
        return self._output.ask_number("Type the number of events to delete", flag=flag) == deletes

    def _report(self, departed: "Departed", unread: int) -> int:
        from classbell.cli.errors import warn  # noqa: PLC0415
        from classbell.model import Action  # noqa: PLC0415

        after = departed.after
        deleted = departed.tally.done[Action.DELETE]
        remain = f"Deleted {deleted} events; {after.events} of ours remain."
        if after.strange:
            remain += f" {_strange(after.strange)}."
        self._output.line(remain)
        rest = after.deletes + after.uncertain
        whole = f"purge --institution {self._invocation.chosen.id}"
        again = (
            f"later, again: classbell {f'unlink {self._person} --mode CLEANUP' if self._person else whole}"
        )
        if departed.barred is not None:
            warn(departed.barred, self._output)
        if rest:
            # A purge pauses the institution, so that no run goes on with what it left.
            more = "each later run goes on with them: classbell apply" if self._person else again
            self._output.note(f"{rest} wait; {more}")
        if unread:
            boxes = "1 mailbox" if unread == 1 else f"{unread} mailboxes"
            self._output.note(f"{boxes} could not be read; {again}")
        self._output.event(
            "left",
            deleted=deleted,
            remain=after.events,
            strange=after.strange,
            waiting=after.deletes,
            uncertain=after.uncertain,
            unread=unread,
        )
        if departed.tally.interrupted:
            return 130
        return 3 if rest or unread else 0


def _known(farewell: "Farewell") -> int:
    """How many mailboxes were looked into, or should have been."""
    rebuilt = farewell.rebuilt
    return farewell.left.mailboxes + (rebuilt.mailboxes + rebuilt.unread_count if rebuilt else 0)


def _strange(count: int) -> str:
    """What stays because nobody can prove that it is ours."""
    which = "1 event bears our mark and stays" if count == 1 else f"{count} events bear our mark and stay"
    return f"{which}: not provably ours, perhaps copies by their owners; to list them: classbell verify"
