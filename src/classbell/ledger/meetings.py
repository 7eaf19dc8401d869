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
        self._mine = {"mine": institution_id}

    async def numbers(self) -> dict[tuple[str, str], int]:
        """The number of every known (source, key)."""
        return await self._database.read(
            lambda c: {(source, key): number for source, key, number in c.execute(_NUMBERS, self._mine)}
        )

    async def known_renderings(self) -> dict[tuple[bytes, bytes], KnownRendering]:
        """What has been rendered before, by (meeting digest, profile digest)."""

        def read(connection: Connection) -> dict[tuple[bytes, bytes], KnownRendering]:
            return {
                (meeting_digest, profile_digest): KnownRendering(
                    fingerprint=unsigned(fingerprint), normaliser=normaliser
                )
                for meeting_digest, profile_digest, fingerprint, normaliser in connection.execute(
                    _KNOWN, self._mine
                )
            }

        return await self._database.read(read)

    async def bodies(self, fingerprints: Iterable[int]) -> dict[int, bytes]:
        """The bytes of renderings, by fingerprint."""
        wanted = sorted({signed(fingerprint) for fingerprint in fingerprints})

        def read(connection: Connection) -> dict[int, bytes]:
            found: dict[int, bytes] = {}
            for part in parts_of(wanted):
                rows = connection.execute(_BODIES, {**self._mine, "fingerprints": part})
                found.update((unsigned(stored), body) for stored, body in rows)
            return found

        return await self._database.read(read)


def keep_meetings(connection: Connection, institution_id: int, fresh: Sequence[tuple[str, str]]) -> Ids:
    """Enter new meetings; their lasting numbers, in the same order."""
    if not fresh:
        return np.empty(0, dtype=np.int64)
    connection.execute(
        _ENTER,
        [{"institution_id": institution_id, "source": source, "key": key} for source, key in fresh],
    )
    given: dict[tuple[str, str], int] = {}
    of_source: dict[str, list[str]] = {}
    for source, key in fresh:
        of_source.setdefault(source, []).append(key)
    for source, keys in of_source.items():
        for part in parts_of(keys):
            wanted = {"mine": institution_id, "of": source, "names": part}
            found = connection.execute(OF_KEYS, wanted)
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
    before = [
        {"mine": institution_id, "of_meeting": new.meeting_digest, "of_profile": new.profile_digest}
        for new in fresh
    ]
    connection.execute(_FORGET_RENDERING, before)
    connection.execute(_KEEP_RENDERING, rows)


_MINE = meeting.c.institution_id == bindparam("mine")
_NUMBERS = select(meeting.c.source, meeting.c.key, meeting.c.id).where(_MINE)
_ENTER = insert(meeting)
OF_KEYS = select(meeting.c.key, meeting.c.id).where(
    _MINE, meeting.c.source == bindparam("of"), meeting.c.key.in_(bindparam("names", expanding=True))
)
"""The numbers of meetings by their keys at one source."""

_OUR_RENDERINGS = rendering.c.institution_id == bindparam("mine")
_KNOWN = select(
    rendering.c.meeting_digest, rendering.c.profile_digest, rendering.c.fingerprint, rendering.c.normaliser
).where(_OUR_RENDERINGS)
_BODIES = select(rendering.c.fingerprint, rendering.c.body).where(
    _OUR_RENDERINGS, rendering.c.fingerprint.in_(bindparam("fingerprints", expanding=True))
)
_FORGET_RENDERING = delete(rendering).where(
    _OUR_RENDERINGS,
    rendering.c.meeting_digest == bindparam("of_meeting"),
    rendering.c.profile_digest == bindparam("of_profile"),
)
_KEEP_RENDERING = insert(rendering)
