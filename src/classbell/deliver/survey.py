"""
Complete looks through mailboxes: every calendar, every page, and only events that bear our own marks.

If any part of a look fails, the whole has failed: from a part of a mailbox nothing may be concluded.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from classbell.model import Mailbox
from classbell.outlook.answers import Diagnosis, Fence, Meaning, classify
from classbell.outlook.client import OutlookClient
from classbell.outlook.dialect import Answer, Dialect, FoundCalendar, FoundEvent, Kind, Request

# How often a question is asked again that was refused for a moment, and how many seconds a moment is.
REPEATS = 3
SHORT = 10.0


@dataclass(kw_only=True)
class Survey:
    """
    A complete look through one mailbox: its calendars, and the events whose mark begins with ``prefix``.

    Without a ``prefix`` only the calendars are listed; with ``content`` events come with what people see of
    them. ``failure`` is set if any part of it failed; then nothing may be concluded from what is missing.
    ``service_time`` is the service's time at its beginning; 0.0 if the service did not say. ``listed`` says
    that the calendars are known, ``looked`` in how many of them has been looked; ``holding`` has the ids of those
    in which events were found.
    """

    mailbox: Mailbox
    prefix: str = ""
    content: bool = False
    calendars: tuple[FoundCalendar, ...] = ()
    events: tuple[FoundEvent, ...] = ()
    service_time: float = 0.0
    listed: bool = False
    looked: int = 0
    holding: frozenset[str] = frozenset()
    failure: Diagnosis | None = None

    @property
    def refused_for_now(self) -> bool:
        """Whether the service has answered that this mailbox takes no more for the moment; a lost answer is none."""
        why = self.failure
        return why is not None and why.meaning is Meaning.BUSY and why.fence is Fence.MAILBOX

    @property
    def searched(self) -> list[FoundCalendar]:
        """The calendars in which an event of ours can stand: those that can be written to."""
        return [calendar for calendar in self.calendars if calendar.editable] if self.prefix else []

    def calendar(self, name: str) -> FoundCalendar | None:
        """The calendar of a name, which Outlook compares without regard to case."""
        wanted = name.casefold()
        found = [c for c in self.calendars if c.editable and c.name.casefold() == wanted]
        return next((c for c in found if c.name == name), found[0] if found else None)


Question = tuple[Survey, Request, Kind]


class Surveyor:
    """
    Fills in surveys.

    Args:
        note: told what each exchange was answered.
        barred: says of a mailbox that must not be asked at the moment, why.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        client: OutlookClient,
        dialect: Dialect,
        note: Callable[[Sequence[tuple[Mailbox, Answer, Diagnosis]]], None],
        barred: Callable[[Mailbox], Diagnosis | None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._note = note
        self._barred = barred
        self._sleep = sleep
        self.batches = 0

    async def fill(self, surveys: Sequence[Survey]) -> None:
        """
        Fill in surveys of at most a batch: first all lists of calendars, then one calendar of each at a time.

        One that has failed goes on where it did.

        Raises:
            RefusedError, TemporaryError: no token is to be had.
        """
        for survey in surveys:
            survey.failure = None
        await self._list_calendars([survey for survey in surveys if not survey.listed])
        while asked := [s for s in surveys if s.failure is None and s.looked < len(s.searched)]:
            await self._look_further(asked)

    async def _list_calendars(self, surveys: Sequence[Survey]) -> None:
        answers = await self.ask([(s, self._dialect.calendars(s.mailbox), Kind.CALENDARS) for s in surveys])
        for survey, answer in zip(surveys, answers, strict=True):
            if answer is not None:
                survey.calendars = answer.calendars or ()
                survey.service_time = answer.service_time
                survey.listed = True

    async def _look_further(self, surveys: Sequence[Survey]) -> None:
        """Look in the next calendar of each."""
        places = [(s, s.searched[s.looked].id) for s in surveys]
        look = self._dialect.look
        answers = await self.ask(
            [(s, look(s.mailbox, place, s.prefix, content=s.content), Kind.LOOK) for s, place in places]
        )
        for (survey, place), answer in zip(places, answers, strict=True):
            if answer is not None:
                # What its owner moves amid the look is met twice.
                met = {event.id: event for event in (*survey.events, *(answer.events or ()))}
                survey.events = tuple(met.values())
                survey.looked += 1
                survey.holding |= {place} if answer.events else set()

    async def ask(
        self, questions: Sequence[Question], send_until: float | None = None
    ) -> list[Answer | None]:
        """
        Ask one question for each survey; an answer that is not done becomes the survey's failure.

        What is refused for a moment is asked again after it: a look takes many requests, one upon the other, and
        begun anew at each refusal it might be refused before its end for ever.

        Args:
            send_until: service time after which none may leave any more.
        """
        result = await self._ask(questions, send_until)
        for _ in range(REPEATS):
            waits = {
                place: wait
                for place, (survey, _, _) in enumerate(questions)
                if (wait := self._short_wait(survey)) is not None
            }
            if not waits:
                break
            await self._sleep(max(waits.values()))
            answers = await self._ask([questions[place] for place in waits], send_until)
            for place, answer in zip(waits, answers, strict=True):
                result[place] = answer
        return result

    def _short_wait(self, survey: Survey) -> float | None:
        """How long to wait before asking again, if that is worth while."""
        if not survey.refused_for_now:
            return None
        barred = self._barred(survey.mailbox)
        wait = (barred.retry_after or 0.0) if barred is not None else 0.0
        return wait if wait <= SHORT else None

    async def _ask(self, questions: Sequence[Question], send_until: float | None) -> list[Answer | None]:
        """The same, once. What an earlier question of the same look was refused counts for this one, too."""
        result: list[Answer | None] = [None] * len(questions)
        asked = []
        for place, (survey, request, kind) in enumerate(questions):
            survey.failure = self._barred(survey.mailbox)
            if survey.failure is None:
                asked.append((place, survey, request, kind))
        if not asked:
            return result
        answers = await self._client.send([request for _, _, request, _ in asked], send_until)
        self.batches += 1
        together = list(zip(asked, answers, strict=True))
        # What was refused here counts for the pages that follow.
        self._note(
            [(survey.mailbox, first, classify(kind, first)) for (_, survey, _, kind), first in together]
        )
        for (place, survey, _, kind), first in together:
            result[place] = await self._with_its_pages(survey, kind, first)
        return result

    async def _with_its_pages(self, survey: Survey, kind: Kind, first: Answer) -> Answer | None:
        """An answer with what follows it; None, and the survey has failed, if any of it is not done."""
        answer = await self._client.complete(first, kind, lambda: self._barred(survey.mailbox) is not None)
        diagnosis = classify(kind, answer)
        if diagnosis.meaning is Meaning.DONE:
            return answer
        peace = self._barred(survey.mailbox)
        if answer is not first and (answer.sent or peace is None):
            self._note([(survey.mailbox, answer, diagnosis)])
        survey.failure = diagnosis if answer.sent or peace is None else peace
        return None
