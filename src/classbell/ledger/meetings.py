"""Meetings that one institution's ledger knows, and the renderings it keeps of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select

from classbell.ledger.bits import signed, unsigned
from classbell.ledger.database import Database, parts_of
from classbell.ledger.schema import meeting, rendering
from classbell.model import Ids, Rendering


@dataclass(frozen=True, kw_only=True)
class KnownRendering:
    """That a meeting in a profile was rendered before: its fingerprint, and by which normaliser."""

    fingerprint: int
    normaliser: int


@dataclass(frozen=True, kw_only=True)
class NewRendering:
    """A rendering to keep, by the digests of its meeting and profile."""

    meeting_digest: bytes
    profile_digest: bytes
    normaliser: int
    rendering: Rendering


class Meetings:
    """The institution's meetings and renderings."""

    def __init__(self, database: Database, institution_id: int) -> None:
        self._database = database
        self._institution_id = institution_id

    async def numbers(self) -> dict[tuple[str, str], int]:
        """The number of every known (source, key)."""
        query = select(meeting.c.source, meeting.c.key, meeting.c.id).where(
            meeting.c.institution_id == self._institution_id
        )
        return await self._database.read(
            lambda c: {(source, key): number for source, key, number in c.execute(query)}
        )

    async def known_renderings(self) -> dict[tuple[bytes, bytes], KnownRendering]:
        """What has been rendered before, by (meeting digest, profile digest)."""
        query = select(
            rendering.c.meeting_digest,
            rendering.c.profile_digest,
            rendering.c.fingerprint,
            rendering.c.normaliser,
        ).where(rendering.c.institution_id == self._institution_id)

        def read(connection: Connection) -> dict[tuple[bytes, bytes], KnownRendering]:
            return {
                (meeting_digest, profile_digest): KnownRendering(
                    fingerprint=unsigned(fingerprint), normaliser=normaliser
                )
                for meeting_digest, profile_digest, fingerprint, normaliser in connection.execute(query)
            }

        return await self._database.read(read)

    async def bodies(self, fingerprints: Iterable[int]) -> dict[int, bytes]:
        """The bytes of renderings, by fingerprint."""
        wanted = sorted({signed(fingerprint) for fingerprint in fingerprints})

        def read(connection: Connection) -> dict[int, bytes]:
            found: dict[int, bytes] = {}
            for part in parts_of(wanted):
                query = select(rendering.c.fingerprint, rendering.c.body).where(
                    rendering.c.institution_id == self._institution_id, rendering.c.fingerprint.in_(part)
                )
                found.update((unsigned(stored), body) for stored, body in connection.execute(query))
            return found

        return await self._database.read(read)


def keep_meetings(connection: Connection, institution_id: int, fresh: Sequence[tuple[str, str]]) -> Ids:
    """Enter new meetings; their lasting numbers, in the same order."""
    if not fresh:
        return np.empty(0, dtype=np.int64)
    connection.execute(
        insert(meeting),
        [{"institution_id": institution_id, "source": source, "key": key} for source, key in fresh],
    )
    given: dict[tuple[str, str], int] = {}
    of_source: dict[str, list[str]] = {}
    for source, key in fresh:
        of_source.setdefault(source, []).append(key)
    for source, keys in of_source.items():
        query = select(meeting.c.key, meeting.c.id).where(
            meeting.c.institution_id == institution_id, meeting.c.source == source
        )
        for part in parts_of(keys):
            found = connection.execute(query.where(meeting.c.key.in_(part)))
            given.update(((source, key), number) for key, number in found)
    return np.array([given[pair] for pair in fresh], dtype=np.int64)


def keep_renderings(connection: Connection, institution_id: int, fresh: Sequence[NewRendering]) -> None:
    """Keep new renderings; one of the same digests takes the place of what an older normaliser made."""
    if not fresh:
        return
    rows = [
        {
            "institution_id": institution_id,
            "meeting_digest": new.meeting_digest,
            "profile_digest": new.profile_digest,
            "normaliser": new.normaliser,
            "fingerprint": signed(new.rendering.fingerprint),
            "body": new.rendering.body,
        }
        for new in fresh
    ]
    connection.execute(
        delete(rendering).where(
            rendering.c.institution_id == bindparam("of_institution"),
            rendering.c.meeting_digest == bindparam("of_meeting"),
            rendering.c.profile_digest == bindparam("of_profile"),
        ),
        [
            {
                "of_institution": institution_id,
                "of_meeting": new.meeting_digest,
                "of_profile": new.profile_digest,
            }
            for new in fresh
        ],
    )
    connection.execute(insert(rendering), rows)
