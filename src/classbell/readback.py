"""Reading an institution's mailboxes back, whoever asked for it: verify, and rebuild after a loss."""

from collections.abc import Callable, Sequence

from classbell.access import Access
from classbell.errors import ConfigurationError, HeldError
from classbell.ledger import Ledger
from classbell.model import Mailbox
from classbell.people import is_address, mailbox_key, unknown
from classbell.report import Review
from classbell.run import Office
from classbell.verify import Owner, Rebuild, RebuildProgress, Rebuilt, Verification, Wanted
from classbell.witness import Witness


def verification_of(
    office: Office, access: Access, tell: Callable[[int], None] = lambda _: None
) -> Verification:
    """What reads the institution's mailboxes back; *tell* hears how many were read so far."""
    return Verification(
        office.ledger,
        access,
        office.ports.clock,
        owner=owner_of(office),
        bound=office.settings.safety.outcome_bound.total_seconds(),
        timezone=office.settings.window.timezone,
        tell=tell,
    )


def rebuild_of(
    office: Office,
    access: Access,
    review: Review | None,
    tell: Callable[[RebuildProgress], None] = lambda _: None,
) -> Rebuild:
    """What rebuilds the institution's ledger; *review* says what should stand in the mailboxes, where that is known."""
    wanted = None
    if review is not None:
        wanted = Wanted(office.ledger, review.desired, review.meetings, review.mailboxes, review.renderings)
    return Rebuild(
        office.ledger,
        access,
        office.ports.clock,
        owner=owner_of(office),
        bound=office.settings.safety.outcome_bound.total_seconds(),
        timezone=office.settings.window.timezone,
        wanted=wanted,
        tell=tell,
    )


def owner_of(office: Office) -> Owner:
    """To whom the events of the institution belong."""
    return Owner(installation=office.installation, institution=office.settings.id)


async def mailboxes_of(office: Office, people: Sequence[str]) -> list[Mailbox]:
    """
    The mailboxes of some persons.

    Raises:
        ConfigurationError: E-PERSON-UNKNOWN, the ledger does not know one of them.
    """
    found = []
    for person in people:
        mailbox = await office.ledger.mailboxes.find(mailbox_key(person))
        if mailbox is None:
            raise _unknown(person, "nothing was ever delivered to this address")
        found.append(mailbox)
    return found


async def entered(office: Office, review: Review, people: Sequence[str]) -> list[Mailbox]:
    """
    The mailboxes that a rebuild has to look into, entered into the ledger where it has lost them.

    Those of *people* alone, or else all that the sources name now and all that the ledger knows; of these the
    list stays empty.

    Raises:
        ConfigurationError: E-PERSON-UNKNOWN, one of *people* is no address, or was forgotten.
    """
    for person in people:
        if not is_address(person):
            raise _unknown(person, "it is no mail address")
        if await office.ledger.persons.was_forgotten(mailbox_key(person)):
            raise unknown(person, forgotten=True)
    keys = [mailbox_key(person) for person in people] or list(review.mailboxes.fresh)
    await office.ledger.rebuilding.enter(keys)
    wanted = {mailbox_key(person) for person in people}
    found: list[Mailbox] = []
    after = -1
    while wanted and (page := await office.ledger.rebuilding.mailboxes(1000, after)):
        found += [mailbox for mailbox in page if mailbox.key in wanted]
        after = page[-1].id
    return found


async def take_into_doubt(ledger: Ledger, witness: Witness, now: float) -> HeldError | None:
    """
    If a ledger is not the newest one, hold every mailbox until it is rebuilt; then it may be used again.

    Returns:
        Why it was doubted; None if it is not.
    """
    revision = await ledger.revision()
    try:
        witness.confirm(revision)
    except HeldError as why:
        witness.bear(await ledger.doubt(witness.known(), now))
        return why
    # Also of a new ledger: it may be rebuilt, and that never be witnessed.
    witness.bear(revision)
    return None


async def go_beyond(ledger: Ledger, witness: Witness, rebuilt: Rebuilt) -> None:
    """Let the ledger's revision go on above every one that stands in a mark."""
    witness.bear(await ledger.advance(rebuilt.revision))


def _unknown(person: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        "E-PERSON-UNKNOWN",
        f"There is no mailbox of {person} to be read.",
        why=why,
        do="check the address; at the source it must be written as the mailbox is",
        effect="no calendar was changed",
    )
