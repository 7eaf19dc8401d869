"""What ``ledger check`` finds: whether the database is sound and the newest one, and what waits in it."""

from collections import Counter
from typing import Any

from classbell.cli.assembly import Workplace, institutions, workplace
from classbell.cli.errors import diagnostics
from classbell.cli.errors import report as report_error
from classbell.cli.exits import Exit
from classbell.cli.invocation import Invocation
from classbell.cli.running import worst
from classbell.errors import ClassbellError, HeldError
from classbell.settings import InstitutionSettings

LOST = "E-LEDGER-LOST"


async def check_all(invocation: Invocation) -> int:
    """Check the ledger, and say what waits for a person in each institution; the exit code."""
    output = invocation.output
    codes: list[int] = []
    trouble: ClassbellError | None = None
    async with workplace(invocation.configuration, writing=False) as place:
        try:
            await place.ledger.prove_sound()
            trouble = await place.doubt()
        except ClassbellError as error:
            trouble = error
        codes += [trouble.exit_code] if trouble is not None else []
        revision = await place.ledger.revision()
        doubt = isinstance(trouble, HeldError)
        states = [await _state(place, settings, all_doubted=doubt) for settings in institutions(invocation)]
    if trouble is None:
        output.line(f"The ledger is sound and the newest one, at revision {revision}.")
    elif not output.as_json:
        report_error(trouble, output)
    for state in states:
        codes += [Exit.HELD] if state["doubted"] or state["held"] else []
        output.line(
            f"  {state['id']}: {state['events']} events in {state['mailboxes']} mailboxes;"
            f" {_to_rebuild(state['doubted'], trouble)}, {state['held']} events held"
        )
    if any(state["doubted"] for state in states):
        output.note("To rebuild from the calendars, which changes none of them: classbell ledger rebuild")
    code = worst(codes)
    output.answer(
        {
            "revision": revision,
            "sound": trouble is None,
            "trouble": next(diagnostics(trouble)) if trouble is not None else None,
            "institutions": states,
            "exit": code,
        }
    )
    return code


def _to_rebuild(count: int, trouble: ClassbellError | None) -> str:
    """How many mailboxes; of a ledger in doubt nobody knows how many the lost one had besides."""
    if not isinstance(trouble, HeldError):
        return f"{count} mailboxes to be rebuilt"
    known = f"all {count} mailboxes that it knows, and all" if count else "all mailboxes"
    return f"{known} that timetables name are to be rebuilt"


async def _state(place: Workplace, settings: InstitutionSettings, *, all_doubted: bool) -> dict[str, Any]:
    office = await place.office(settings)
    events, mailboxes = await office.ledger.entries.count()
    out = Counter(out.code for out in await office.ledger.mailboxes.out())
    if all_doubted:
        # The rebuild takes them into doubt, once somebody begins it.
        out[LOST] = len(await office.ledger.mailboxes.numbers())
    return {
        "id": settings.id,
        "events": events,
        "mailboxes": mailboxes,
        "doubted": out[LOST],
        "held": len(await office.ledger.sightings.blocking()),
    }
