"""
The probe: one private test event, made, read, changed and removed again in the one mailbox that is named for it.

It keeps to the rules of delivery, with notes in place of the ledger: a note is durable before the create leaves,
updates and deletes carry the etag of our own last write, what no answer proves is looked up, and an event that is not
ours for certain is told and left alone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from classbell.access import Access
from classbell.doctor.note import Note, Notebook
from classbell.model import Entry, Mailbox
from classbell.outlook.answers import Diagnosis, Meaning, classify
from classbell.outlook.dialect import Answer, FoundEvent, Kind, Request
from classbell.outlook.mark import probe_prefix, probe_text
from classbell.ports import Clock, Ids
from classbell.zones import utc_text

SUBJECT = "Classbell test event (may be deleted)"
CHANGED_SUBJECT = "Classbell test event, changed (may be deleted)"
# What an answer leaves open is asked for so often, this many seconds apart: a commit may come after its answer.
LOOKS = 4
BETWEEN_LOOKS = 3.0
# Longer than this doctor does not wait for a mailbox that is busy.
PATIENCE = 30.0
_TRIES = 3
# How long after its request the effect of a create may still come to light; as long its note is kept.
BOUND = 600.0
# By how much the service's own times may contradict each other.
_SLACK = 60.0
# permanentDelete is offered in these clouds (event: permanentDelete page).
PERMANENT_CLOUDS = frozenset({"global", "china"})
_FOR_NOW = frozenset({Meaning.BUSY, Meaning.SERVICE_BUSY, Meaning.NOT_SENT})
_NEVER_MADE = _FOR_NOW | {
    Meaning.FORBIDDEN,
    Meaning.UNAUTHORISED,
    Meaning.MAILBOX_OUT,
    Meaning.REJECTED,
    Meaning.GONE,
}


class Stuck(Exception):
    """The probe cannot go on: what failed, and what the answer meant."""

    def __init__(self, step: str, diagnosis: Diagnosis) -> None:
        super().__init__(step)
        self.step = step
        self.diagnosis = diagnosis


@dataclass(frozen=True, kw_only=True)
class Probed:
    """
    What came of a probe.

    Attributes:
        steps: what was proven, in order, such as "create".
        permanently: whether the test event was removed past Deleted Items.
        removed_earlier: how many test events of earlier, interrupted probes were removed.
        strangers: events with our test mark that nothing proves to be ours.
    """

    steps: tuple[str, ...]
    permanently: bool
    removed_earlier: int
    strangers: tuple[FoundEvent, ...]


class Probe:
    """
    One probe of one mailbox.

    Args:
        installation: the installation's id, part of the mark.
        address: the mailbox.
        permanent: whether the cloud can delete past Deleted Items.
    """

    def __init__(
        self,
        access: Access,
        clock: Clock,
        ids: Ids,
        notebook: Notebook,
        *,
        installation: str,
        address: str,
        permanent: bool,
    ) -> None:
        self._access = access
        self._clock = clock
        self._ids = ids
        self._notebook = notebook
        self._installation = installation
        self._mailbox = Mailbox(id=0, key=address.lower(), address=address)
        self._permanent = permanent and access.dialect.capabilities.permanent_delete

    async def run(self) -> Probed:
        """
        Clear up after an earlier probe, then create, read, update and delete one event.

        Raises:
            Stuck: a step failed; what may be left over is noted, and the next probe clears it up.
            ClassbellError: no token is to be had, or the note cannot be written.
        """
        earlier, strangers = await self._clear_up()
        note = Note(
            mailbox=self._mailbox.key,
            operation=str(self._ids.new_uuid()),
            noted_at=self._access.client.service_now(),
        )
        self._notebook.write(note)
        entry = await self._create(note)
        note = msgspec.structs.replace(note, event_id=entry.event_id)
        self._notebook.write(note)
        entry = await self._read(entry, "read")
        entry = await self._update(entry)
        permanently = await self._delete(entry)
        self._notebook.strike(note)
        return Probed(
            steps=("create", "read", "update", "delete"),
            permanently=permanently,
            removed_earlier=earlier,
            strangers=strangers,
        )

    async def _clear_up(self) -> tuple[int, tuple[FoundEvent, ...]]:
        """Remove what earlier probes have left and a note proves; how many, and what no note proves."""
        notes = [note for note in self._notebook.read() if note.mailbox == self._mailbox.key]
        found = await self._look("look", probe_prefix(self._installation))
        removed: list[FoundEvent] = []
        for note in notes:
            mine = next((event for event in found if _proven(event, note, found)), None)
            if mine is not None:
                await self._delete(self._entry(mine.id, mine.etag, note.operation))
                removed.append(mine)
            if mine is not None or self._access.client.service_now() - note.noted_at > BOUND:
                self._notebook.strike(note)
        return len(removed), tuple(event for event in found if event not in removed)

    async def _create(self, note: Note) -> Entry:
        intent_at = int(note.noted_at)
        mark = probe_text(self._installation, note.operation, intent_at)
        body = _body(SUBJECT, self._access.client.service_now())
        request = self._access.dialect.create(self._mailbox, body, note.operation, mark)
        answer, diagnosis = await self._asked("create", request)
        if diagnosis.meaning is Meaning.DONE:
            return self._entry(answer.event_id, answer.etag, note.operation)
        if diagnosis.meaning in {Meaning.UNKNOWN, Meaning.DUPLICATE_TRANSACTION}:
            # The id is a fresh random one: whatever bears it as the only event was made by this very request.
            for _ in range(LOOKS):
                await self._clock.sleep(BETWEEN_LOOKS)
                found = await self._look("create", f"{probe_prefix(self._installation)}{note.operation}/")
                if len(found) == 1 and found[0].etag:
                    return self._entry(found[0].id, found[0].etag, note.operation)
        if diagnosis.meaning in _NEVER_MADE:
            self._notebook.strike(note)
        raise Stuck("create", diagnosis)

    async def _read(self, entry: Entry, step: str) -> Entry:
        """The entry with a fresh etag, after proof that the event bears our mark."""
        answer, diagnosis = await self._asked(step, self._access.dialect.read(entry))
        if diagnosis.meaning is not Meaning.DONE:
            raise Stuck(step, diagnosis)
        if not (answer.mark or "").startswith(f"{probe_prefix(self._installation)}{entry.operation}/"):
            raise Stuck(step, _NOT_OURS)
        return msgspec.structs.replace(entry, etag=answer.etag)

    async def _update(self, entry: Entry) -> Entry:
        body = _body(CHANGED_SUBJECT, self._access.client.service_now())
        for _ in range(_TRIES):
            answer, diagnosis = await self._asked("update", self._access.dialect.update(entry, body))
            if diagnosis.meaning is Meaning.DONE:
                return msgspec.structs.replace(entry, etag=answer.etag)
            if diagnosis.meaning not in {Meaning.UNKNOWN, Meaning.CONFLICT}:
                break
            # Done or not: under a fresh etag a second time does no harm.
            entry = await self._read(entry, "update")
        raise Stuck("update", diagnosis)

    async def _delete(self, entry: Entry) -> bool:
        """Remove the event; whether past Deleted Items."""
        dialect = self._access.dialect
        for permanent in (True, True, False, False) if self._permanent else (False, False, False):
            request = dialect.delete_permanently(entry) if permanent else dialect.delete(entry)
            _, diagnosis = await self._asked("delete", request)
            if diagnosis.meaning in {Meaning.FORBIDDEN, Meaning.UNAUTHORISED} and not permanent:
                break
            # Also after a success: what counts is that it is no longer there.
            if await self._is_gone(entry):
                return permanent
            entry = await self._read(entry, "delete")
        raise Stuck("delete", diagnosis)

    async def _is_gone(self, entry: Entry) -> bool:
        _, diagnosis = await self._asked("delete", self._access.dialect.read(entry))
        if diagnosis.meaning is Meaning.GONE:
            return True
        if diagnosis.meaning is Meaning.DONE:
            # A plain DELETE moves it, and its id goes on being good for reading it in Deleted Items.
            rest = await self._look("delete", f"{probe_prefix(self._installation)}{entry.operation}/")
            return not rest
        raise Stuck("delete", diagnosis)

    async def _look(self, step: str, prefix: str) -> tuple[FoundEvent, ...]:
        request = self._access.dialect.look(self._mailbox, self._mailbox.calendar_id, prefix)
        answer, diagnosis = await self._asked(step, request)
        if diagnosis.meaning is Meaning.DONE:
            answer = await self._access.client.complete(answer)
            diagnosis = classify(Kind.LOOK, answer)
        if diagnosis.meaning is not Meaning.DONE:
            raise Stuck(step, diagnosis)
        # The service compares without regard to case.
        return tuple(event for event in answer.events or () if (event.mark or "").startswith(prefix))

    async def _asked(self, step: str, request: Request) -> tuple[Answer, Diagnosis]:
        """The answer; after a refusal for now, and for questions also after a loss, that of a further try."""
        for _ in range(_TRIES):
            (answer,) = await self._access.client.send([request])
            diagnosis = classify(request.kind, answer)
            if diagnosis.meaning not in _FOR_NOW:
                break
            wait = 1.0 if diagnosis.retry_after is None else diagnosis.retry_after
            if wait > PATIENCE:
                raise Stuck(step, diagnosis)
            await self._clock.sleep(wait)
        return answer, diagnosis

    def _entry(self, event_id: str, etag: str, operation: str) -> Entry:
        return Entry(
            mailbox=self._mailbox,
            meeting_id=0,
            meeting_key="probe",
            event_id=event_id,
            etag=etag,
            fingerprint=0,
            starts_at=0,
            ends_at=0,
            incarnation=1,
            operation=operation,
        )


_NOT_OURS = Diagnosis(Meaning.CONFLICT, "E-EVT-CHANGED", "The test event no longer bears our mark.")


def _proven(event: FoundEvent, note: Note, found: tuple[FoundEvent, ...]) -> bool:
    """Whether a note proves that a test event is ours: by its id, or as the only bearer of its mark."""
    if not event.etag or f"/{note.operation}/" not in (event.mark or ""):
        return False
    if note.event_id:
        return event.id == note.event_id
    # Copies bear the same mark: of several, or of one made long before or after, nothing proves which is ours.
    bearers = [one for one in found if f"/{note.operation}/" in (one.mark or "")]
    return bearers == [event] and -_SLACK <= event.created_at - note.noted_at <= BOUND


def _body(subject: str, now: float) -> bytes:
    """Tomorrow at three, for five minutes; private, free, silent, with nobody invited."""
    day = datetime.fromtimestamp(now, UTC) + timedelta(days=1)
    start = day.replace(hour=3, minute=0, second=0, microsecond=0).timestamp()
    return msgspec.json.encode(
        {
            "subject": subject,
            "body": {
                "contentType": "text",
                "content": "Made by classbell doctor to prove access to this calendar, and removed again at once."
                " If it is still here, it may be deleted.",
            },
            "start": {"dateTime": utc_text(start)[:-1], "timeZone": "UTC"},
            "end": {"dateTime": utc_text(start + 300)[:-1], "timeZone": "UTC"},
            "isAllDay": False,
            "showAs": "free",
            "sensitivity": "private",
            "isReminderOn": False,
        }
    )
