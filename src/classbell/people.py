"""
Persons to mailboxes; who receives what, and why.

A person is the address of a mailbox. An audience without further rules is everybody whom its sources
attach; the first audience that serves a person from a source decides the profile.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classbell.errors import ConfigurationError
from classbell.model import Remark, Snapshot
from classbell.settings import AudienceSettings

# One @, no blank, a dot in the domain: enough to tell an address from a student number. Whether the mailbox
# exists only the service can say.
_ADDRESS = re.compile(r"[^\s@/\\<>\"]+@[^\s@/\\<>\"]+\.[^\s@/\\<>\"]+")


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Those whom one audience serves from one snapshot; ``people`` is a mask over ``snapshot.people``."""

    audience: str
    profile: str
    snapshot: Snapshot
    people: NDArray[np.bool_]


def mailbox_key(person: str) -> str:
    """
    The stable key of a person's mailbox: the address in small letters.

    Not case-folded: that would make one mailbox of groß@... and gross@..., which may be two people.
    """
    return person.strip().lower()


def is_address(person: str) -> bool:
    """Whether a person is named by something that can be an address, and by nothing that nobody can see."""
    address = person.strip()
    return _ADDRESS.fullmatch(address) is not None and address.isprintable()


def unknown(person: str, *, forgotten: bool) -> ConfigurationError:
    """E-PERSON-UNKNOWN, of somebody whom no source names, or whom nobody may look for any more."""
    if forgotten:
        return ConfigurationError(
            "E-PERSON-UNKNOWN",
            f"{person} was forgotten: nothing is delivered there, whatever timetables say.",
            why="classbell forget has erased all that was known, but for a digest of the address",
            do=f"nothing; to deliver there again, as to somebody new: classbell resume {person}",
            effect="no calendar was changed",
        )
    return ConfigurationError(
        "E-PERSON-UNKNOWN",
        f"Nobody called {person} is in a timetable or has received one.",
        why="no source names this address, and the ledger does not know it",
        do="check the address; at the source it must be written as the mailbox is",
        effect="no calendar was changed",
    )


def receipts(
    audiences: Sequence[AudienceSettings], snapshots: Sequence[Snapshot]
) -> tuple[list[Receipt], list[Remark]]:
    """
    Who receives what: per audience and source, in the order of the configuration.

    A person that is no address receives nothing and is named in a remark: nobody rather than the wrong one.
    """
    result: list[Receipt] = []
    remarks: list[Remark] = []
    for snapshot in snapshots:
        addressable = np.fromiter((is_address(person) for person in snapshot.people), dtype=np.bool_)
        if not addressable.all():
            remarks.append(_not_addressable(snapshot, addressable))
        unserved = addressable
        read = False
        for audience in audiences:
            # Once even for nobody: a source that attaches nobody any more has been read all the same.
            if snapshot.source in audience.gets and (unserved.any() or not read):
                read = True
                result.append(
                    Receipt(
                        audience=audience.name,
                        profile=audience.profile,
                        snapshot=snapshot,
                        people=unserved,
                    )
                )
                unserved = np.zeros_like(unserved)
    return result, remarks


def without(
    served: Sequence[Receipt], forgotten: Collection[str], digest: Callable[[str], str]
) -> list[Receipt]:
    """
    The same without persons who were forgotten: as if no source named them.

    Args:
        forgotten: the digests of their mailbox keys, which *digest* makes.
    """
    if not forgotten:
        return list(served)

    def known(person: str) -> bool:
        return digest(mailbox_key(person)) not in forgotten

    result = []
    for receipt in served:
        snapshot = receipt.snapshot
        people = receipt.people & np.fromiter((known(person) for person in snapshot.people), dtype=np.bool_)
        coverage = replace(
            snapshot.coverage,
            unread=frozenset(person for person in snapshot.coverage.unread if known(person)),
        )
        result.append(replace(receipt, people=people, snapshot=replace(snapshot, coverage=coverage)))
    return result


def _not_addressable(snapshot: Snapshot, addressable: NDArray[np.bool_]) -> Remark:
    names = [snapshot.people[index] for index in np.flatnonzero(~addressable)]
    shown = ", ".join(repr(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")  # noqa: PLR2004
    return Remark(
        code="E-PERSON-ADDRESS",
        text=f"Source {snapshot.source!r}: {len(names)} of {len(snapshot.people)} persons are no mail address"
        f" ({shown}) and receive nothing. Give the address of the mailbox at the source.",
    )
