"""Reading the stage's mailboxes back, and what was seen there by person and meeting."""

from collections.abc import Callable, Sequence

from tests.deliver.stage import BOUND, INSTALLATION, INSTITUTION, Stage

from classbell.ledger import InstitutionLedger, Sighted
from classbell.model import Policy
from classbell.verify import Owner, Rebuild, Rebuilt, Verdict, Verification, Wanted

OWNER = Owner(installation=INSTALLATION, institution=INSTITUTION)


def verification(
    stage: Stage, book: InstitutionLedger, tell: Callable[[int], None] = lambda _: None
) -> Verification:
    return Verification(
        book, stage.access(), stage.clock, owner=OWNER, bound=BOUND, timezone="UTC", tell=tell
    )


async def rebuild(stage: Stage) -> Rebuilt:
    """As ``classbell ledger rebuild`` does it: of everybody whom the sources or the ledger name."""
    async with stage.ledger() as book:
        await book.rebuilding.enter(stage.address(name) for name in stage.timetable)
        _, desired, meetings, mailboxes, renderings = await stage.state(book)
        return await Rebuild(
            book,
            stage.access(),
            stage.clock,
            owner=OWNER,
            bound=BOUND,
            timezone="UTC",
            wanted=Wanted(book, desired, meetings, mailboxes, renderings),
        ).all()


async def verify(stage: Stage, *people: str, sample: int = 0) -> Verdict:
    """Read back these people, a sample, or all."""
    async with stage.ledger() as book:
        verifying = verification(stage, book)
        if people:
            boxes = [await book.mailboxes.find(stage.address(name)) for name in people]
            return await verifying.some([box for box in boxes if box is not None])
        return await (verifying.sample(sample) if sample else verifying.all())


async def seen(stage: Stage, name: str) -> list[tuple[Sighted, str]]:
    """What the ledger has of a person's mailbox as seen, with the details."""
    async with stage.ledger() as book:
        box = await book.mailboxes.find(stage.address(name))
        found: Sequence[object] = await book.sightings.of_mailbox(box.id) if box else []
        return sorted((one.kind, one.detail) for one in found)  # type: ignore[attr-defined]


async def gone(stage: Stage) -> list[tuple[str, Policy]]:
    """What the ledger has as gone, by person, with what the profile said of that."""
    async with stage.ledger() as book:
        found = await book.absences.all(0.0)
    return [(one.mailbox.address.partition("@")[0], one.policy) for one in found]
