"""
Rebuilding: what stands in a mailbox takes the place of what the ledger had of it, in one transaction.

Nothing here decides what is ours; ``verify`` does, from the marks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, update

from classbell.ledger.bits import signed, unsigned
from classbell.ledger.changes import IS_OPEN
from classbell.ledger.codes import LOST
from classbell.ledger.database import Database, parts_of
from classbell.ledger.doubt import OVERTAKEN, Doubt, doubt
from classbell.ledger.entries import mark_stale
from classbell.ledger.gate import UNLINKED
from classbell.ledger.incarnations import begin_anew, remember
from classbell.ledger.inheriting import inherit
from classbell.ledger.mailboxes import mailbox_of
from classbell.ledger.meetings import keep_meetings
from classbell.ledger.outcomes import CREATING, MADE_BEFORE
from classbell.ledger.schema import change, entry, ledger, mailbox, meeting
from classbell.ledger.sightings import Sighting, replace_sightings
from classbell.ledger.wishes import Removed, keep_wishes
from classbell.ledger.words import among
from classbell.model import Action, Change, ChangeState, Entry, Mailbox, Reason

ABSENT = "E-UNKNOWN-ABSENT"

_ABSENT = "looked for by a rebuild and not found; it is sent again if it is still wanted"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """
    An event that stands in a mailbox and is ours.

    ``meeting_key`` is the key in full. ``fingerprint`` is 0 where nobody can say which rendering it shows.
    """

    meeting_key: str
    event_id: str
    etag: str
    fingerprint: int
    starts_at: int
    ends_at: int
    incarnation: int
    operation: str
    created_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RebuiltMailbox:
    """
    A mailbox as a complete look has shown it.

    Args:
        known: what the ledger had of it when that was worked out: the etags of events by their ids.
        standing: all events there that are ours.
        left: ids of events whose entries stay as they are.
        sightings: what is not ours to touch, each with the full key of the meeting that it names, if any.
        incarnations: the highest incarnation that was seen, by the full keys of meetings.
        moved: entries of other mailboxes whose events are among those that stand in this one.
        decides_until: by the service's time; what could be sent until then, and has not been seen, was never made or is gone.
    """

    mailbox: Mailbox
    known: Mapping[str, str]
    standing: Sequence[Standing]
    left: Collection[str] = ()
    sightings: Sequence[tuple[Sighting, str]] = ()
    incarnations: Mapping[str, int]
    moved: Sequence[Entry] = ()
    decides_until: float = 0.0


class Rebuilding:
    """Writes rebuilt mailboxes of the institution."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id

    @property
    def _mine(self) -> ColumnElement[bool]:
        return mailbox.c.institution_id == self._institution_id

    async def enter(self, keys: Iterable[str]) -> None:
        """Enter mailboxes that the ledger does not know yet, by their addresses."""
        wanted = list(dict.fromkeys(keys))

        def write(connection: Connection) -> None:
            known = set(connection.execute(select(mailbox.c.key).where(self._mine)).scalars())
            rows = [
                {"institution_id": self._institution_id, "key": key, "address": key}
                for key in wanted
                if key not in known
            ]
            if rows:
                connection.execute(insert(mailbox), rows)

        await self._database.write(write)

    async def mailboxes(self, limit: int, after: int = -1) -> list[Mailbox]:
        """All mailboxes by their numbers, from behind number *after*; ``contacted`` only where none is in doubt."""
        query = select(mailbox).where(self._mine, mailbox.c.id > after).order_by(mailbox.c.id).limit(limit)

        def read(connection: Connection) -> list[Mailbox]:
            return [
                structs.replace(
                    mailbox_of(row), contacted=row.contacted_at is not None and row.out_code != LOST
                )
                for row in connection.execute(query)
            ]

        return await self._database.read(read)

    async def doubted_at(self) -> float:
        """When this ledger was last found not to be the newest one; 0.0 if it never was."""
        return await self._database.read(lambda c: float(c.execute(select(ledger.c.doubted_at)).scalar_one()))

    async def overtaken(self, number: int, revision: int, *, surely: bool = False) -> Doubt:
        """
        Doubt this ledger where a mark names a revision that it has not reached yet; how much it is doubted by that.

        An older copy together with an older witness looks sound. One mailbox is held alone at first, for anybody may
        write a mark into their own; the second one holds all.

        Args:
            number: of the mailbox in which that mark stands, on an event that this ledger does not know.
            revision: what it names.
            surely: whether it is known otherwise that another ledger has made the event.
        """

        def reached(connection: Connection) -> bool:
            return not surely and revision <= int(connection.execute(select(ledger.c.revision)).scalar_one())

        def write(connection: Connection) -> Doubt:
            if reached(connection):
                return Doubt.NONE
            others = select(mailbox.c.id).where(mailbox.c.out_detail == OVERTAKEN, mailbox.c.id != number)
            if connection.execute(others.limit(1)).first() is None:
                doubt(connection, OVERTAKEN, self._mine & (mailbox.c.id == number))
                return Doubt.MAILBOX
            doubt(connection)
            return Doubt.LEDGER

        # Nearly always: no need to keep others from writing.
        return Doubt.NONE if await self._database.read(reached) else await self._database.write(write)

    async def first_sent_until(self, of: Change) -> float:
        """
        Until when, by the service's time, this ledger's first request for what a create is to make could leave.

        That may have been for an earlier change of the same content, which a rebuild has given up. 0.0 if it is not known.
        """
        query = select(change.c.send_until, change.c.attempts).where(
            change.c.institution_id == self._institution_id,
            change.c.mailbox_id == of.mailbox.id,
            change.c.operation == of.operation,
            change.c.fingerprint == signed(of.fingerprint),
            change.c.send_until > 0,
        )
        asked = await self._database.read(lambda connection: connection.execute(query).all())
        # Of one that was sent again only the last time is known.
        first = all(row.attempts == 1 for row in asked)
        return min((row.send_until for row in asked), default=0.0) if first else 0.0

    async def keep(self, rebuilt: Sequence[RebuiltMailbox], now: float) -> set[int]:
        """
        Let what stands in mailboxes take the place of what was known of them; the numbers of those where it does not.

        Where another process has recorded something since, all of that would be taken for gone: it must be looked at again.

        Open changes there are superseded, since they rest on what was known before; the next plan asks anew for
        what is still wanted. What was approved as somebody left goes on, and so does what may have been made before and
        is not there. First contact is made with this, and what was lost is found.
        """
        return await self._database.write(lambda connection: self._keep(connection, rebuilt, now))

    def _keep(self, connection: Connection, rebuilt: Sequence[RebuiltMailbox], now: float) -> set[int]:
        ours: set[int] = set()
        for part in parts_of([one.mailbox.id for one in rebuilt]):
            query = select(mailbox.c.id).where(self._mine, mailbox.c.id.in_(part))
            ours.update(connection.execute(query).scalars())
        rebuilt = [one for one in rebuilt if one.mailbox.id in ours]
        changed = {one.mailbox.id for one in rebuilt if _known(connection, one.mailbox.id) != one.known}
        rebuilt = [one for one in rebuilt if one.mailbox.id not in changed]
        if self._lost(connection, rebuilt):
            begin_anew(connection, self._institution_id, now)
        numbers = self._meetings(connection, rebuilt)
        mark_stale(connection, self._institution_id, ours - changed)
        for one in rebuilt:
            self._replace(connection, one, numbers, now)
        return changed

    def _lost(self, connection: Connection, rebuilt: Sequence[RebuiltMailbox]) -> bool:
        """Whether another ledger has made events there: where this one was never, or is known to be behind."""
        marked = {one.mailbox.id for one in rebuilt if one.incarnations}
        for part in parts_of([one.mailbox.id for one in rebuilt]):
            query = select(mailbox.c.id, mailbox.c.out_code).where(
                self._mine,
                mailbox.c.id.in_(part),
                or_(mailbox.c.contacted_at.is_(None), mailbox.c.out_code == LOST),
            )
            if any(code == LOST or number in marked for number, code in connection.execute(query)):
                return True
        return False

    def _replace(
        self, connection: Connection, one: RebuiltMailbox, numbers: Mapping[str, int], now: float
    ) -> None:
        box = one.mailbox.id
        before = connection.execute(select(entry).where(entry.c.mailbox_id == box)).all()
        gone = [row.meeting_id for row in before if row.event_id not in one.left]
        for part in parts_of(gone):
            connection.execute(delete(entry).where(entry.c.mailbox_id == box, entry.c.meeting_id.in_(part)))
        rows = [
            {
                "mailbox_id": box,
                "meeting_id": numbers[event.meeting_key],
                "event_id": event.event_id,
                "etag": event.etag,
                "fingerprint": signed(event.fingerprint),
                "starts_at": event.starts_at,
                "ends_at": event.ends_at,
                "incarnation": event.incarnation,
                "operation": event.operation,
                "delivered_at": now,
                "created_at": event.created_at or None,
            }
            for event in one.standing
        ]
        if rows:
            connection.execute(insert(entry), rows)
        if one.moved:
            inherit(connection, self._institution_id, box, one.moved)
        highest = {row.meeting_id: row.incarnation for row in before}
        for key, incarnation in one.incarnations.items():
            highest[numbers[key]] = max(incarnation, highest.get(numbers[key], 0))
        remember(connection, box, highest)
        here = {numbers[event.meeting_key] for event in one.standing}
        missed = [row for row in before if row.event_id not in one.left and row.meeting_id not in here]
        ours = self._deleted(connection, box, [row.meeting_id for row in missed], now)
        operations = {event.operation for event in one.standing}
        operations |= {row.operation for row in before if row.event_id in one.left}
        seen = [replace(sighting, meeting_id=numbers.get(key)) for sighting, key in one.sightings]
        here |= {sighting.meeting_id for sighting in seen if sighting.meeting_id is not None}
        self._supersede(connection, box, operations, here, one.decides_until)
        self._keep_wishes(connection, box, [row for row in missed if row.meeting_id not in ours], now)
        replace_sightings(connection, box, seen, now)
        connection.execute(update(mailbox).where(mailbox.c.id == box).values(contacted_at=now))
        connection.execute(
            update(mailbox)
            .where(mailbox.c.id == box, mailbox.c.out_code == LOST)
            .values(out_code="", out_detail="", retry_at=0, quiet_until=0)
        )

    def _deleted(self, connection: Connection, box: int, missed: Sequence[int], now: float) -> set[int]:
        """Of the meetings whose events are gone those that we were deleting: it is done, and can be put back."""
        found: set[int] = set()
        for part in parts_of(missed):
            which = (
                (change.c.institution_id == self._institution_id)
                & (change.c.mailbox_id == box)
                & change.c.meeting_id.in_(part)
                & (change.c.action == Action.DELETE)
                & change.c.state.in_((ChangeState.SENT, ChangeState.UNKNOWN))
            )
            found.update(connection.execute(select(change.c.meeting_id).where(which)).scalars())
            done = {"state": ChangeState.DONE, "finished_at": now, "code": "", "detail": ""}
            connection.execute(update(change).where(which).values(done))
        return found

    def _supersede(
        self,
        connection: Connection,
        box: int,
        operations: Collection[str],
        here: Collection[int],
        decides_until: float,
    ) -> None:
        """
        Give up what is open in a mailbox, but for the deletes that were approved as its owner left.

        No plan would ask for these again. They hold good for events that stand there still, by their *operations*,
        and if the ledger was not doubted since: else that owner may long have come back.

        Args:
            here: the meetings of which anything stands there.
        """
        open_ = (change.c.institution_id == self._institution_id) & (change.c.mailbox_id == box) & IS_OPEN
        approved = select(change.c.id, change.c.operation).where(open_, change.c.reason == Reason.UNLINKED)
        sound = _is_sound(connection, box)
        if not sound:
            approved = approved.where(change.c.code != LOST)
        going = [number for number, operation in connection.execute(approved) if operation in operations]
        if sound:
            going += self._looked_for(connection, box, operations, here, decides_until)
        connection.execute(
            update(change).where(open_, change.c.id.not_in(going)).values(state=ChangeState.SUPERSEDED)
        )

    def _looked_for(
        self,
        connection: Connection,
        box: int,
        operations: Collection[str],
        here: Collection[int],
        decides_until: float,
    ) -> list[int]:
        """
        Let creates wait that may have been carried out, and whose events are not there; their numbers.

        Planned anew they would know nothing of that. What the service then says of an event made before, and removed by
        its owner, would be taken for the work of another ledger. What another process has sent since the look began
        stays as it is: it may come to light yet.
        """
        unheard = among(change.c.state, (ChangeState.SENT, ChangeState.UNKNOWN))
        # What the service knew before any attempt of ours is a lost ledger's, in a version that nobody knows.
        doubted = (change.c.doubted == 1) | unheard & (change.c.code != MADE_BEFORE)
        query = select(change.c.id, change.c.meeting_id, change.c.operation, change.c.send_until).where(
            change.c.institution_id == self._institution_id,
            change.c.mailbox_id == box,
            IS_OPEN,
            change.c.action.in_(CREATING),
            # Of who has left a create is only looked for, as it was just now.
            change.c.mailbox_id.not_in(UNLINKED),
            doubted,
        )
        rows = [row for row in connection.execute(query) if row.operation not in operations]
        # What was sent so lately may come to light beside what is held there.
        found = [row for row in rows if row.send_until > decides_until or row.meeting_id not in here]
        decided = [row.id for row in found if row.send_until <= decides_until]
        waiting = {"state": ChangeState.WAITING, "code": ABSENT, "detail": _ABSENT, "due_at": 0, "doubted": 1}
        for part in parts_of(decided):
            connection.execute(update(change).where(change.c.id.in_(part)).values(waiting))
        return [row.id for row in found]

    @staticmethod
    def _keep_wishes(connection: Connection, box: int, missed: Sequence[Row[Any]], now: float) -> None:
        """What is gone its owner has deleted; but of what a ledger in doubt knew, we may have ourselves."""
        if not _is_sound(connection, box):
            return
        removed = [Removed(box, row.meeting_id, unsigned(row.fingerprint), row.starts_at) for row in missed]
        keep_wishes(connection, removed, now)

    def _meetings(self, connection: Connection, rebuilt: Sequence[RebuiltMailbox]) -> dict[str, int]:
        """The numbers of all meetings that are named, entered where they are new."""
        named = {event.meeting_key for one in rebuilt for event in one.standing}
        named |= {key for one in rebuilt for _, key in one.sightings if key}
        named |= {key for one in rebuilt for key in one.incarnations}
        found: dict[str, int] = {}
        sources: dict[str, list[str]] = {}
        for key in sorted(named):
            source, _, rest = key.partition(":")
            sources.setdefault(source, []).append(rest)
        fresh: list[tuple[str, str]] = []
        for source, rests in sources.items():
            query = select(meeting.c.key, meeting.c.id).where(
                meeting.c.institution_id == self._institution_id, meeting.c.source == source
            )
            for part in parts_of(rests):
                rows = connection.execute(query.where(meeting.c.key.in_(part)))
                found.update((f"{source}:{key}", number) for key, number in rows)
            fresh += [(source, rest) for rest in rests if f"{source}:{rest}" not in found]
        given = keep_meetings(connection, self._institution_id, fresh).tolist()
        found.update(zip((f"{source}:{key}" for source, key in fresh), given, strict=True))
        return found


def _known(connection: Connection, box: int) -> dict[str, str]:
    """The etags of the events that the ledger has of a mailbox, by their ids."""
    query = select(entry.c.event_id, entry.c.etag).where(entry.c.mailbox_id == box)
    return {row.event_id: row.etag for row in connection.execute(query)}


def _is_sound(connection: Connection, box: int) -> bool:
    """Whether what the ledger knew of a mailbox was known for certain."""
    sound = select(mailbox.c.id).where(
        mailbox.c.id == box, mailbox.c.contacted_at.is_not(None), mailbox.c.out_code != LOST
    )
    return connection.execute(sound).first() is not None
