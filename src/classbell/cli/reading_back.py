"""Reading mailboxes back, institution after institution: what ``verify`` and ``ledger rebuild`` print."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from classbell.cli.assembly import Workplace, institutions, run_until_interrupted, workplace
from classbell.cli.errors import report as report_error
from classbell.cli.errors import warn
from classbell.cli.exits import Exit
from classbell.cli.following import rebuilding
from classbell.cli.gone import Told, gone_by
from classbell.cli.invocation import Invocation
from classbell.cli.running import worst
from classbell.cli.suspended import suspended
from classbell.errors import ClassbellError, HeldError
from classbell.ledger import Sighted, Sighting
from classbell.model import Mailbox, RunKind
from classbell.readback import (
    entered,
    go_beyond,
    mailboxes_of,
    rebuild_of,
    take_into_doubt,
    verification_of,
)
from classbell.run import Office, Run
from classbell.settings import InstitutionSettings, ProfileSettings
from classbell.verify import Rebuilt, Unread, Verdict
from classbell.zones import utc_text, wall

SHOWN = 20

_WORDS = {
    Sighted.DRIFTED: "changed in Outlook",
    Sighted.MISSING: "missing",
    Sighted.EXTRA: "not provably ours",
    Sighted.COPY: "copied by their owners",
    Sighted.FORGED: "with a mark that is not ours",
}
_SHORT = {Sighted.DRIFTED: "changed in Outlook"}


class Stoppable(Protocol):
    """Something that begins nothing new once it is asked."""

    def stop(self) -> None:
        """Begin nothing new."""


def verify_all(invocation: Invocation, *, people: Sequence[str], sample: int, everything: bool) -> int:
    """Read back mailboxes of each institution; the exit code."""
    return _Verifying(invocation, people, sample, everything=everything).run()


def rebuild_all(invocation: Invocation, *, people: Sequence[str]) -> int:
    """Rebuild the ledger of each institution; the exit code."""
    return _Rebuilding(invocation, people).run()


class _Reading:
    """Institution after institution; what goes wrong with one keeps no other from its turn."""

    trusting = True
    _place: Workplace

    def __init__(self, invocation: Invocation, people: Sequence[str]) -> None:
        self._invocation = invocation
        self._output = invocation.output
        self._people = people
        self._under_way: Stoppable | None = None
        self._interrupted = False

    def run(self) -> int:
        self._invocation.open_log()
        self._output.start()
        return run_until_interrupted(self._all(), self._stop, self._output.note)

    def _stop(self) -> bool:
        self._interrupted = True
        if self._under_way is None:
            return False
        self._under_way.stop()
        return True

    async def _all(self) -> int:
        chosen = institutions(self._invocation)
        if self._people and len(chosen) > 1:
            chosen = [self._invocation.chosen]
        codes: list[int] = []
        configuration, ask = self._invocation.configuration, self._invocation.ask
        async with workplace(configuration, writing=True, trusting=self.trusting, ask=ask) as place:
            self._place = place
            await self._begin()
            for settings in chosen:
                try:
                    codes.append(await self._one(await place.office(settings), settings))
                except ClassbellError as error:
                    codes.append(report_error(error, self._output))
                finally:
                    self._under_way = None
                if self._interrupted:
                    codes.append(Exit.INTERRUPTED)
                    break
        return worst(codes)

    async def _begin(self) -> None:
        """Before the first institution."""

    async def _one(self, office: Office, settings: InstitutionSettings) -> int:
        raise NotImplementedError

    def _tell_unread(self, unread: Sequence[Unread], count: int) -> None:
        """One cause is one message."""
        causes: dict[str, list[Unread]] = {}
        for one in unread:
            causes.setdefault(one.code, []).append(one)
        for code, alike in causes.items():
            mailboxes = "1 mailbox was" if len(alike) == 1 else f"{len(alike)} mailboxes were"
            more = f" (of {count} in all)" if count > len(unread) else ""
            warn(
                ClassbellError(
                    code,
                    f"{mailboxes} not read{more}: {_names(one.mailbox.address for one in alike)}.",
                    why=alike[0].detail,
                    do="classbell ledger rebuild" if code == "E-LEDGER-LOST" else "repeat the command later",
                    effect="nothing is concluded about these mailboxes",
                ),
                self._output,
            )


class _Verifying(_Reading):
    def __init__(
        self, invocation: Invocation, people: Sequence[str], sample: int, *, everything: bool
    ) -> None:
        super().__init__(invocation, people)
        self._sample = sample
        self._everything = everything

    async def _one(self, office: Office, settings: InstitutionSettings) -> int:
        named = await mailboxes_of(office, self._people)
        total = len(named) or self._sample or await office.ledger.sightings.count_mailboxes()
        access = await office.access()
        with self._output.progress("Reading", total) as bar:

            def tell(read: int) -> None:
                bar.advance(max(read - bar.done, 0))

            verifying = verification_of(office, access, tell)
            self._under_way = verifying
            if named:
                verdict = await verifying.some(named)
            elif self._sample:
                verdict = await verifying.sample(self._sample)
            else:
                verdict = await verifying.all()
        await self._print(office, settings, verdict)
        codes = [Exit.PARTLY] if verdict.unread_count else []
        if verdict.seen[Sighted.EXTRA] or verdict.seen[Sighted.FORGED]:
            codes.append(Exit.HELD)
        return worst(codes)

    async def _print(self, office: Office, settings: InstitutionSettings, verdict: Verdict) -> None:
        output, seen = self._output, verdict.seen
        gone = await gone_by(office, verdict)
        counts = {kind: gone.missing if kind is Sighted.MISSING else seen[kind] for kind in Sighted}
        words = [f"{count} {_WORDS[kind]}" for kind, count in counts.items() if count]
        words += [f"{gone.respected} deleted by their owner, respected"] if gone.respected else []
        young = f", but {verdict.young} too new to be judged" if verdict.young else ""
        output.line(
            f"{settings.name}: {_counted(verdict.read, 'mailbox')} read back,"
            f" {', '.join(words) or 'all as it should be'}{young}."
        )
        found = [
            (one.mailbox, sighting)
            for one in verdict.examples
            for sighting in one.sightings
            if sighting.kind is not Sighted.MISSING or (one.mailbox.id, sighting.meeting_id) not in gone.pairs
        ]
        found += gone.sightings
        names = await _meetings_of(office) if found else {}
        zone = settings.window.timezone
        _print_sightings(self._invocation, found, names, zone, everything=self._everything)
        self._tell_unread(verdict.unread, verdict.unread_count)
        output.event(
            "verified",
            institution=settings.id,
            read=verdict.read,
            unread=verdict.unread_count,
            seen={kind.value: count for kind, count in counts.items()},
            respected=gone.respected,
            young=verdict.young,
        )
        if verdict.young:
            output.note(
                f"What is too new can be judged after {utc_text(verdict.judged_at)}: classbell verify"
            )
        if seen[Sighted.DRIFTED] or gone.missing:
            output.note(f"No calendar was changed. {_what_follows(settings.profiles, seen, gone)}")


def _what_follows(profiles: Sequence[ProfileSettings], seen: Mapping[Sighted, int], gone: Told) -> str:
    """What becomes of it, as the profiles say: which of them a mailbox has, the next plan tells."""
    ways: set[str] = {one.on_user_edit for one in profiles} if seen[Sighted.DRIFTED] else set()
    ways |= {"restore"} if gone.missing else set()
    ways |= {"respect"} if gone.respected else set()
    if ways == {"restore"}:
        return "To make good what is changed or missing: classbell apply"
    if "restore" not in ways:
        return "By the profiles it stays as its owners want it. To put one calendar back: classbell sync PERSON --reset"
    return (
        "To make good what the profiles do not leave to its owners: classbell apply."
        " To put one whole calendar back: classbell sync PERSON --reset"
    )


class _Rebuilding(_Reading):
    trusting = False
    _doubted = False

    async def _begin(self) -> None:
        why = await take_into_doubt(self._place.ledger, self._place.witness, self._place.ports.clock.now())
        if why is not None:
            self._doubted = True
            warn(
                HeldError(
                    why.code,
                    why.what,
                    why=why.why,
                    do="nothing; the rebuild has begun",
                    effect="every mailbox is held until it is rebuilt",
                ),
                self._output,
            )

    async def _one(self, office: Office, settings: InstitutionSettings) -> int:
        began = office.ports.clock.now()
        review = await Run(office).look()
        for failure in review.failures:
            warn(failure, self._output)
        named = await entered(office, review, self._people)
        total = len(named) or len(await office.ledger.mailboxes.numbers())
        access = await office.access()
        with self._output.progress("Rebuilding", total) as bar:
            rebuild = rebuild_of(office, access, review, rebuilding(bar, self._output))
            self._under_way = rebuild
            rebuilt = await (rebuild.some(named) if named else rebuild.all())
        await go_beyond(self._place.ledger, self._place.witness, rebuilt)
        await self._print(office, settings, rebuilt)
        codes = [failure.exit_code for failure in review.failures]
        codes += [Exit.PARTLY] if rebuilt.unread_count else []
        # A copy of an event that the ledger knows is its owner's: nobody has to decide anything about it.
        codes += [Exit.HELD] if rebuilt.held_count > rebuilt.copies else []
        code = Exit.INTERRUPTED if rebuilt.interrupted else worst(codes)
        summary = {"rebuilt": _rebuilt_json(rebuilt)}
        await office.ledger.runs.record(RunKind.REBUILD, code, summary, began, office.ports.clock.now())
        return code

    async def _print(self, office: Office, settings: InstitutionSettings, rebuilt: Rebuilt) -> None:
        events = rebuilt.known + rebuilt.adopted
        self._output.line(
            f"{settings.name}: {_counted(rebuilt.mailboxes, 'mailbox')} rebuilt with {_counted(events, 'event')},"
            f" {rebuilt.adopted} of them found by their marks, {rebuilt.differing} not as they should be,"
            f" {rebuilt.struck} gone, {rebuilt.held_count - rebuilt.copies} held"
            + (f", {rebuilt.copies} copied by their owners." if rebuilt.copies else ".")
        )
        names = await _meetings_of(office) if rebuilt.held else {}
        zone = settings.window.timezone
        _print_sightings(self._invocation, rebuilt.held, names, zone, everything=True)
        self._tell_unread(rebuilt.unread, rebuilt.unread_count)
        self._output.event(
            "rebuilt",
            institution=settings.id,
            **_rebuilt_json(rebuilt),
        )
        if self._doubted or rebuilt.adopted:
            self._output.warning("W-LEDGER-WISHES", await _wishes_lost(office))
        self._output.note("No calendar was changed. To see what a run would do now: classbell plan")


async def _wishes_lost(office: Office) -> str:
    """That no mark tells who wanted nothing."""
    ledger = office.ledger
    count = len(await suspended(ledger)) + len(await ledger.persons.forgotten())
    known = f"{count} alone" if count else "nobody"
    return (
        f"Of who was paused, unlinked or forgotten this ledger knows {known}: all others get everything with the next"
        " run. Pause, unlink and forget them again before it."
    )


def _rebuilt_json(rebuilt: Rebuilt) -> dict[str, int]:
    return {
        "mailboxes": rebuilt.mailboxes,
        "known": rebuilt.known,
        "adopted": rebuilt.adopted,
        "differing": rebuilt.differing,
        "struck": rebuilt.struck,
        "held": rebuilt.held_count,
        "copies": rebuilt.copies,
        "unread": rebuilt.unread_count,
    }


async def _meetings_of(office: Office) -> dict[int, str]:
    numbers = await office.ledger.meetings.numbers()
    return {number: key for (_, key), number in numbers.items()}


def _print_sightings(
    invocation: Invocation,
    found: Sequence[tuple[Mailbox, Sighting]],
    names: dict[int, str],
    zone: str,
    *,
    everything: bool,
) -> None:
    output = invocation.output
    for mailbox, sighting in found if output.as_json else ():
        output.event("seen", **_sighting_json(mailbox, sighting, names, zone))
    shown = found if everything else found[:SHOWN]
    if shown:
        output.table(
            ["mailbox", "what", "when", "meeting", "detail"],
            [
                [
                    mailbox.address,
                    _SHORT.get(one.kind, one.kind.value),
                    f"{wall(one.starts_at, zone):%a %d %b %Y %H:%M}" if one.starts_at else "",
                    names.get(one.meeting_id or 0, ""),
                    one.detail,
                ]
                for mailbox, one in shown
            ],
        )
    if len(shown) < len(found):
        output.line(f"  ... {len(found) - len(shown)} more: --all, or --json")


def _sighting_json(mailbox: Mailbox, sighting: Sighting, names: dict[int, str], zone: str) -> dict[str, Any]:
    return {
        "mailbox": mailbox.address,
        "what": sighting.kind.value,
        "meeting": names.get(sighting.meeting_id or 0),
        "event_id": sighting.event_id,
        "start": wall(sighting.starts_at, zone).isoformat() if sighting.starts_at else None,
        "detail": sighting.detail,
    }


def _names(addresses: Iterable[str]) -> str:
    every = list(addresses)
    return ", ".join(every[:3]) + (", ..." if len(every) > 3 else "")  # noqa: PLR2004 (as many as fit a line)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('x') else 's'}"
