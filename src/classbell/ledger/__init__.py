"""
The ledger: what we have delivered, what we are about to, and what came of it.

``Ledger`` is one database of one installation; ``InstitutionLedger`` is all that one institution may see
of it. Nothing here knows where meetings come from or how events travel.
"""

from sqlalchemy import Connection, bindparam, insert, select, update

from classbell.errors import ClassbellError
from classbell.ledger.acceptance import Acceptance, Accepted, Acceptor
from classbell.ledger.calendars import Calendars, Intended, Place
from classbell.ledger.certificates import Certificates
from classbell.ledger.changes import Changes, Intent
from classbell.ledger.codes import FENCED, LOST, NEVER
from classbell.ledger.database import SCHEMA, Database, damaged, insert_one
from classbell.ledger.doubt import Doubt, doubt
from classbell.ledger.entries import Entries, NewId, full_key
from classbell.ledger.holds import Found, Holds, HoldState, StoredHold
from classbell.ledger.incarnations import times_made
from classbell.ledger.known import Knowledge, KnownMailbox, UnderWay
from classbell.ledger.leaving import AcceptedLeave, Leaving, Left, departure
from classbell.ledger.left_open import LeftOpen
from classbell.ledger.mailboxes import Mailboxes, OutMailbox
from classbell.ledger.meetings import KnownRendering, Meetings, NewRendering
from classbell.ledger.missing import Absence, Absences
from classbell.ledger.outcomes import MADE_BEFORE
from classbell.ledger.persons import Persons, Remains
from classbell.ledger.pruning import Pruning
from classbell.ledger.quarantines import InQuarantine, Quarantines
from classbell.ledger.rebuilding import Rebuilding, RebuiltMailbox, Standing
from classbell.ledger.rekeying import Rekeyed
from classbell.ledger.restoring import Deleted, Restoring
from classbell.ledger.runs import PastRun, RunChanges, Runs, SourceState
from classbell.ledger.schema import institution, ledger
from classbell.ledger.sighted import Sighted
from classbell.ledger.sightings import Extra, Sighting, Sightings, Verified
from classbell.ledger.stories import Stories, Told
from classbell.ledger.suspensions import Pause, Suspension, Suspensions
from classbell.ledger.used_plans import UsedPlans
from classbell.ledger.waiting import Waiting
from classbell.ledger.wishes import OwnersWishes


class InstitutionLedger:
    """One institution's part of the ledger. Every query in it names the institution."""

    def __init__(self, database: Database, number: int, installation: str, key: str) -> None:
        self.mailboxes = Mailboxes(database, number)
        self.calendars = Calendars(database, number)
        self.meetings = Meetings(database, number)
        self.entries = Entries(database, number)
        self.changes = Changes(database, number, installation, key)
        self.runs = Runs(database, number)
        self.certificates = Certificates(database, number)
        self.sightings = Sightings(database, number)
        self.wishes = OwnersWishes(database, number)
        self.absences = Absences(database, number)
        self.suspensions = Suspensions(database, number)
        self.leaving = Leaving(database, number)
        self.persons = Persons(database, number, installation, key)
        self.known = Knowledge(database, number)
        self.rebuilding = Rebuilding(database, number)
        self.holds = Holds(database, number)
        self.quarantine = Quarantines(database, number)
        self.restoring = Restoring(database, number)
        self.pruning = Pruning(database, number)
        self.stories = Stories(database, number)
        self.used_plans = UsedPlans(database, number)
        self.plans = Acceptor(database, number, installation, key)


class Ledger:
    """
    The ledger of one installation.

    Args:
        installation: the installation's id; a database that belongs to another one is refused.
    """

    def __init__(self, database: Database, installation: str) -> None:
        self._database = database
        self._installation = installation

    @classmethod
    async def open(cls, url: str, installation: str) -> "Ledger":
        """
        Open the ledger at a database URL, creating it at first use.

        Raises:
            ClassbellError: E-DB-OPEN, E-DB-BROKEN, E-DB-NEWER, E-DB-FOREIGN.
        """
        opened = cls(Database.open(url), installation.lower())
        try:
            await opened._claim()
        except BaseException:
            opened.close()
            raise
        return opened

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    async def institution(self, key: str) -> InstitutionLedger:
        """The part of one institution, made at first use."""
        wanted = {"name": key}
        number: int | None = await self._database.read(lambda c: c.execute(_NUMBER, wanted).scalar())
        if number is None:

            def write(connection: Connection) -> int:
                found: int | None = connection.execute(_NUMBER, wanted).scalar()
                if found is not None:
                    return found
                return insert_one(connection, _ENTER, {"key": key})

            number = await self._database.write(write)
        return InstitutionLedger(self._database, number, self._installation, key)

    async def revision(self) -> int:
        """How many plans this ledger has accepted."""
        return await self._database.read(lambda c: int(c.execute(_REVISION).scalar_one()))

    async def doubt(self, beyond: int, now: float) -> int:
        """
        Hold every mailbox until it is rebuilt, and go on from behind a revision; the new one.

        Args:
            beyond: the highest revision that is known to have been used.
        """

        def write(connection: Connection) -> int:
            doubt(connection)
            connection.execute(_DOUBTED, {"doubted_at": now})
            return _advance(connection, beyond)

        return await self._database.write(write)

    async def advance(self, beyond: int) -> int:
        """Go on from behind a revision that was seen to have been used; the revision after that."""
        return await self._database.write(lambda connection: _advance(connection, beyond))

    async def prove_writable(self) -> None:
        """
        Write what is there already, durably.

        Raises:
            TemporaryError: E-DB-BUSY. ClassbellError: E-DB-BROKEN.
        """
        await self._database.write(lambda c: c.execute(_SAME_AGAIN))

    async def prove_sound(self) -> None:
        """
        Let the database check its own files.

        Raises:
            ClassbellError: E-DB-BROKEN.
        """
        found = await self._database.faults()
        if found:
            raise damaged(found[0])

    async def _claim(self) -> None:
        """Write our id into a new database; refuse one that bears another."""

        def claim(connection: Connection) -> str:
            # Asked again under the write lock: another process may have opened the new database as well.
            found = connection.execute(_INSTALLATION).scalar()
            if found is None:
                connection.execute(insert(ledger).values(installation=self._installation, revision=0))
            return found or self._installation

        found = await self._database.read(lambda c: c.execute(_INSTALLATION).scalar())
        if found is None:
            found = await self._database.write(claim)
        if found != self._installation:
            raise ClassbellError(
                "E-DB-FOREIGN",
                f"The ledger database belongs to installation {found}, not to {self._installation}.",
                why="[database] url or installation in the host file was changed",
                do="put back the installation id that this ledger was made with, or name another database",
                effect="no calendar was changed",
            )


def _advance(connection: Connection, beyond: int) -> int:
    revision = int(connection.execute(_REVISION).scalar_one())
    if revision <= beyond:
        revision = beyond + 1
        connection.execute(_ADVANCE, {"revision": revision})
    return revision


_NUMBER = select(institution.c.id).where(institution.c.key == bindparam("name"))
_ENTER = insert(institution)
_INSTALLATION = select(ledger.c.installation)
_REVISION = select(ledger.c.revision)
_ADVANCE = _DOUBTED = update(ledger)
_SAME_AGAIN = update(ledger).values(revision=ledger.c.revision)


__all__ = [
    "FENCED",
    "LOST",
    "MADE_BEFORE",
    "NEVER",
    "SCHEMA",
    "Absence",
    "Absences",
    "Acceptance",
    "Accepted",
    "AcceptedLeave",
    "Deleted",
    "Doubt",
    "Extra",
    "Found",
    "HoldState",
    "InQuarantine",
    "InstitutionLedger",
    "Intended",
    "Intent",
    "KnownMailbox",
    "KnownRendering",
    "Ledger",
    "Left",
    "LeftOpen",
    "NewId",
    "NewRendering",
    "OutMailbox",
    "OwnersWishes",
    "PastRun",
    "Pause",
    "Place",
    "RebuiltMailbox",
    "Rekeyed",
    "Remains",
    "RunChanges",
    "Sighted",
    "Sighting",
    "SourceState",
    "Standing",
    "StoredHold",
    "Suspension",
    "Told",
    "UnderWay",
    "Verified",
    "Waiting",
    "departure",
    "full_key",
    "times_made",
]
