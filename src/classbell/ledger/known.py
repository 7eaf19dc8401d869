"""All that the ledger knows of one mailbox, for comparing it with what stands there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from classbell.ledger.bits import unsigned
from classbell.ledger.changes import IS_OPEN
from classbell.ledger.database import Database, parts_of
from classbell.ledger.entries import Entries, full_key
from classbell.ledger.incarnations import remembered
from classbell.ledger.outcomes import CREATING
from classbell.ledger.schema import change, entry, meeting, rekeyed, rendering
from classbell.ledger.sightings import Sighting, Sightings
from classbell.model import Action, ChangeState, Entry, Mailbox

_UNSETTLED = (ChangeState.SENT, ChangeState.UNKNOWN, ChangeState.HELD)


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """
    What a create or update asks for that may have been sent until ``send_until``; ``body`` is empty if it is not kept.

    ``meeting_key`` is the key in full.
    """

    meeting_key: str
    send_until: float
    fingerprint: int
    body: bytes
    starts_at: int
    ends_at: int


@dataclass(frozen=True, kw_only=True)
class KnownMailbox:
    """
    A mailbox as the ledger has it.

    Attributes:
        entries: the events delivered there; ``delivered_at`` says of each meeting when it was last written.
        bodies: the renderings delivered, by fingerprint; without those that are not kept.
        past: the highest incarnation that is over, by meeting.
        unsettled: the meetings whose last request is not settled.
        under_way: what creates ask for that may have been sent, by operation.
        updates: what updates ask for that may have been sent, by meeting.
        seen: what was last seen there and still holds.
    """

    mailbox: Mailbox
    entries: Sequence[Entry]
    delivered_at: Mapping[int, float]
    bodies: Mapping[int, bytes]
    past: Mapping[int, int]
    unsettled: Collection[int]
    under_way: Mapping[str, UnderWay]
    updates: Mapping[int, UnderWay]
    seen: Sequence[Sighting]


def _under_way(row: Row[Any]) -> UnderWay:
    return UnderWay(
        meeting_key=full_key(row.source, row.meeting_key),
        send_until=row.send_until,
        fingerprint=unsigned(row.fingerprint),
        body=row.body or b"",
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


class Knowledge:
    """Gives what is known of the institution's mailboxes."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id
        self._entries = Entries(database, institution_id)
        self._sightings = Sightings(database, institution_id)

    async def of(self, owner: Mailbox) -> KnownMailbox:
        """All that is known of one mailbox."""
        delivered = await self._entries.of_mailbox(owner)
        sightings = await self._sightings.of_mailbox(owner.id)

        def read(connection: Connection) -> KnownMailbox:
            times = select(entry.c.meeting_id, entry.c.delivered_at).where(entry.c.mailbox_id == owner.id)
            query = (
                select(change, rendering.c.body, meeting.c.source, meeting.c.key.label("meeting_key"))
                .join(meeting, meeting.c.id == change.c.meeting_id)
                .outerjoin(
                    rendering,
                    (rendering.c.institution_id == change.c.institution_id)
                    & (rendering.c.fingerprint == change.c.fingerprint),
                )
                .where(
                    change.c.institution_id == self._institution_id,
                    change.c.mailbox_id == owner.id,
                    IS_OPEN,
                    change.c.state.in_(_UNSETTLED),
                )
            )
            open_ = connection.execute(query).all()
            return KnownMailbox(
                mailbox=owner,
                entries=[known for known, _ in delivered],
                delivered_at=dict(connection.execute(times).all()),
                bodies={known.fingerprint: body for known, body in delivered if body},
                past=remembered(connection, owner.id),
                unsettled={row.meeting_id for row in open_},
                under_way={row.operation: _under_way(row) for row in open_ if row.action in CREATING},
                updates={row.meeting_id: _under_way(row) for row in open_ if row.action == Action.UPDATE},
                seen=sightings,
            )

        return await self._database.read(read)

    async def sent_until(self, numbers: Sequence[int]) -> float:
        """
        Until when, by the service's clock, requests may have left to these mailboxes whose outcome is not known.

        0.0 if there are none.
        """
        query = select(func.max(change.c.send_until)).where(
            change.c.institution_id == self._institution_id,
            IS_OPEN,
            change.c.state.in_(_UNSETTLED),
        )

        def read(connection: Connection) -> float:
            parts = (query.where(change.c.mailbox_id.in_(part)) for part in parts_of(numbers))
            return max((connection.execute(part).scalar() or 0.0 for part in parts), default=0.0)

        return await self._database.read(read)

    async def renamed(self) -> dict[str, str]:
        """Full keys that meetings once had, and that none has now: with the full keys that these have now."""
        other = meeting.alias()
        query = (
            select(meeting.c.source, rekeyed.c.old_key, meeting.c.key)
            .join(meeting, meeting.c.id == rekeyed.c.meeting_id)
            .outerjoin(
                other,
                (other.c.institution_id == meeting.c.institution_id)
                & (other.c.source == meeting.c.source)
                & (other.c.key == rekeyed.c.old_key),
            )
            .where(meeting.c.institution_id == self._institution_id, other.c.id.is_(None))
            .order_by(rekeyed.c.id)
        )
        return await self._database.read(
            lambda c: {full_key(source, old): full_key(source, new) for source, old, new in c.execute(query)}
        )

    async def numbers(self, keys: Collection[str]) -> dict[str, int]:
        """The numbers of meetings by their full keys, also by those of before; without those that are not known."""
        found = await self._numbers(keys)
        if len(found) < len(set(keys)):
            now = await self.renamed()
            old = {key: now[key] for key in set(keys) - found.keys() if key in now}
            again = await self._numbers(set(old.values()))
            found |= {key: again[new] for key, new in old.items() if new in again}
        return found

    async def _numbers(self, keys: Collection[str]) -> dict[str, int]:
        parts: dict[str, list[str]] = {}
        for key in keys:
            source, _, rest = key.partition(":")
            parts.setdefault(source, []).append(rest)

        def read(connection: Connection) -> dict[str, int]:
            found: dict[str, int] = {}
            for source, rests in parts.items():
                query = select(meeting.c.key, meeting.c.id).where(
                    meeting.c.institution_id == self._institution_id, meeting.c.source == source
                )
                for part in parts_of(sorted(rests)):
                    rows = connection.execute(query.where(meeting.c.key.in_(part)))
                    found.update((full_key(source, key), number) for key, number in rows)
            return found

        return await self._database.read(read)
