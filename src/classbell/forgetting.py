"""
Forgetting: all that the ledger knows of a person is erased.

No calendar is changed by it, and nothing of ours should stand there then: nobody could tell any more that it is ours.
"""

from dataclasses import dataclass

from classbell.errors import ConfigurationError, HeldError
from classbell.ledger import Remains
from classbell.model import Mailbox
from classbell.people import mailbox_key
from classbell.run import Office


@dataclass(frozen=True, kw_only=True)
class Forgettable:
    """Somebody who can be forgotten, and what stays in their calendar then."""

    mailbox: Mailbox
    remains: Remains


async def forgettable(office: Office, person: str, *, leave_events: bool) -> Forgettable:
    """
    See whether somebody can be forgotten.

    Args:
        leave_events: whether events of ours may stay there, for good.

    Raises:
        ConfigurationError: E-PERSON-UNKNOWN, the ledger does not know the person.
        HeldError: E-FORGET-EVENTS, events of ours stand there, or may do.
    """
    mailbox = await office.ledger.mailboxes.find(mailbox_key(person))
    if mailbox is None:
        raise ConfigurationError(
            "E-PERSON-UNKNOWN",
            f"The ledger knows nobody called {person}.",
            why="nothing was ever delivered to this address, or it was forgotten already",
            do="check the address",
            effect="nothing was changed",
        )
    remains = await office.ledger.persons.remains(mailbox.id, _settled(office))
    if not remains.may_stay or ((remains.events or remains.in_doubt) and not leave_events):
        raise _refused(person, remains)
    return Forgettable(mailbox=mailbox, remains=remains)


async def forget(office: Office, found: Forgettable) -> None:
    """
    Erase all that the ledger knows of somebody.

    Raises:
        HeldError: E-LEAVE-CHANGED, another process has worked on the calendar meanwhile; nothing is erased.
        HeldError: E-LEDGER-WITNESS, it is erased, but that the ledger has changed cannot be written down beside it.
    """
    revision = await office.ledger.persons.forget(
        found.mailbox.id, found.mailbox.key, found.remains, office.ports.clock.now(), _settled(office)
    )
    office.witness.bear(revision)


def _settled(office: Office) -> float:
    """What was written before this moment is found by whoever looks."""
    return office.ports.clock.now() - office.settings.safety.outcome_bound.total_seconds()


def _refused(person: str, remains: Remains) -> HeldError:
    events = "1 event of ours stands" if remains.events == 1 else f"{remains.events} events of ours stand"
    first, do = f"classbell unlink {person} --mode DELETE_ALL_EVENTS", "and then again; or --leave-events"
    if remains.lost:
        first, do = "classbell ledger rebuild", "and then again: nobody knows now what stands there"
    elif remains.in_doubt:
        first = f"classbell unlink {person} --mode CLEANUP"
    elif remains.unsettled:
        do += ", in a quarter of an hour, when it is certain what stands there"
    return HeldError(
        "E-FORGET-EVENTS",
        f"{events} in the calendar of {person}"
        + (", and perhaps more." if remains.in_doubt or not remains.may_stay else "."),
        why="without the ledger nobody could tell any more that they are ours",
        do=f"{first}, {do}",
        effect="nothing was changed",
    )
