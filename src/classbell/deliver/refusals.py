"""
Refusals: what answers say about a mailbox or about the whole institution, rather than about one change.

A mailbox that cannot be served is out until it is probed again; a fence is raised where the service asks
for peace. If nobody lets us in, or nobody answers, the delivery stops.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from classbell.deliver.backlog import Readiness
from classbell.deliver.settle import DAY, in_words
from classbell.errors import ClassbellError, RefusedError, ServiceUnavailable
from classbell.ledger import FENCED, InstitutionLedger
from classbell.model import Mailbox
from classbell.outlook.answers import Diagnosis, Fence, Meaning
from classbell.outlook.dialect import Answer
from classbell.outlook.pace import Pace
from classbell.ports import Clock

DENIED = "E-MBX-DENIED"
# So many mailboxes closed to us, and none open: no need to knock at all the others.
ENOUGH_DENIALS = 60
# Fewer may be an exception that somebody made for them, if others have let us in before.
FEW_DENIALS = 3
# So many exchanges, one after the other, without an answer or with our token refused.
ENOUGH_ROUNDS = 4
# So many mailboxes asking for peace in one exchange, and most of those in it: that is no matter of theirs.
MANY_REFUSED = 3
# A longer fence is written down, so that the changes behind it take no place in memory, and so that the
# next run obeys it too.
KEPT_IN_MIND = 10.0

_WELCOMES = (Meaning.DONE, Meaning.GONE, Meaning.CONFLICT, Meaning.DUPLICATE_TRANSACTION)

Heard = tuple[Mailbox, Answer, Diagnosis]


@dataclass(frozen=True, kw_only=True)
class _Closing:
    """Why nothing is delivered to a mailbox, until when, and whether the ledger shall call it out."""

    code: str
    detail: str
    until: float
    out: bool


class Refusals:
    """
    Keeps note of them for one delivery.

    Args:
        no_mailbox_open: makes the error that says so; identity knows which permissions the token names.
    """

    def __init__(
        self,
        ledger: InstitutionLedger,
        pace: Pace,
        clock: Clock,
        readiness: Readiness,
        no_mailbox_open: Callable[[], RefusedError],
    ) -> None:
        self._ledger = ledger
        self._pace = pace
        self._clock = clock
        self._readiness = readiness
        self._no_mailbox_open = no_mailbox_open
        self._let_in = False
        self._denied: dict[int, Diagnosis] = {}
        self._out: dict[int, str] = {}
        self._closings: dict[int, _Closing] = {}
        self._openings: set[int] = set()
        self._absolved: set[int] = set()
        self._stops: dict[int, str] = {}
        self._silences = 0
        self._silence = ""
        self._tokens_refused = 0
        self._quiet_until = 0.0

    async def begin(self) -> None:
        """Learn which mailboxes are out, and whether all is to be quiet still."""
        known = await self._ledger.mailboxes.out()
        self._out = {out.mailbox.id: out.code for out in known}
        # Looks and repetitions come due by times of their own: they keep the peace as well.
        now = self._clock.now()
        fenced = {out.mailbox.id: out.quiet_until for out in known if out.quiet_until > now}
        self._readiness.closed.update(fenced)
        wait = await self._ledger.runs.quiet_until() - self._clock.now()
        if wait > 0:
            self._pace.refuse_all(wait)

    def note(self, heard: Sequence[Heard]) -> None:
        """Draw what follows from the answers of one exchange; ``settle`` writes it down."""
        if all(_unheard(answer) for _, answer, _ in heard):
            self._silent(heard[0][1].message)
            return
        self._silences = 0
        fenced = False
        for mailbox, _, diagnosis in heard:
            if diagnosis.fence is Fence.INSTITUTION:
                fenced = True
                self._fence_all(diagnosis)
            elif diagnosis.fence is Fence.MAILBOX:
                self._fence(mailbox, diagnosis)
            if diagnosis.meaning in _WELCOMES:
                self._welcome(mailbox)
            elif diagnosis.meaning is Meaning.MAILBOX_OUT:
                self.close(mailbox, diagnosis.code, in_words(diagnosis), out=True)
            elif diagnosis.meaning is Meaning.FORBIDDEN:
                self._deny(mailbox, diagnosis)
        if _refused_together(heard):
            # Each has its own fence by now; together they would be back as soon as one of them may, to be refused again.
            waits = [d.retry_after for _, _, d in heard if d.retry_after is not None]
            self._pace.refuse_all(min(waits, default=None))
        elif not fenced:
            self._pace.succeed()

    def barred(self, mailbox: Mailbox) -> Diagnosis | None:
        """Why a mailbox must be left in peace now, and for how long; None if it need not."""
        until = self._pace.blocked_until(mailbox.id)
        return (
            Diagnosis(
                Meaning.BUSY,
                "E-GRAPH-429",
                "The mailbox takes no more requests for the moment; tried again when Microsoft allows it.",
                Fence.MAILBOX,
                until - self._clock.now(),
            )
            if until
            else None
        )

    def close(self, mailbox: Mailbox, code: str, detail: str, seconds: float = DAY, *, out: bool) -> None:
        """
        Deliver nothing to a mailbox for a while; *out*: until it has let us in again.

        Where a fence stands that the next run shall obey, it stays so: whatever else is wrong shows again after it.
        """
        if not self._is_fenced(mailbox.id):
            self._shut(
                mailbox.id, _Closing(code=code, detail=detail, until=self._clock.now() + seconds, out=out)
            )

    def stop(self, mailbox: Mailbox, reason: str) -> None:
        """Deliver nothing more to a mailbox, until a person says otherwise."""
        self._stops[mailbox.id] = reason
        self._readiness.closed[mailbox.id] = inf

    async def settle(self) -> None:
        """Write down what has been closed and opened since the last time."""
        openings, self._openings = self._openings, set()
        closings, self._closings = self._closings, {}
        absolved, self._absolved = self._absolved, set()
        stops, self._stops = self._stops, {}
        mailboxes, changes = self._ledger.mailboxes, self._ledger.changes
        writes: list[Coroutine[Any, Any, None]] = [mailboxes.put_in(number) for number in openings]
        if absolved:
            # Before the closings, so that what is released behind a new fence waits for that one.
            writes.append(changes.release(DENIED, absolved))
        for number, why in closings.items():
            write = mailboxes.put_out if why.out else changes.postpone
            writes.append(write(number, why.code, why.detail, why.until))
        for number, reason in stops.items():
            writes.append(self._ledger.suspensions.stop(number, reason, self._clock.now()))
        if self._quiet_until:
            writes.append(self._ledger.runs.keep_quiet(self._quiet_until))
            self._quiet_until = 0.0
        if writes:
            await asyncio.gather(*writes)

    @property
    def hopeless(self) -> bool:
        """Whether it is of no use to send anything more."""
        return (
            self._silences >= ENOUGH_ROUNDS
            or self._tokens_refused >= ENOUGH_ROUNDS
            or (len(self._denied) >= ENOUGH_DENIALS and not self._let_in)
        )

    async def finish(self) -> None:
        """
        Say at the end of a delivery what stopped it.

        Raises:
            RefusedError: no mailbox is open to us.
            ServiceUnavailable: E-GRAPH-DOWN, nobody answers; E-TOKEN-REJECTED, our tokens are not accepted.
        """
        if self._silences >= ENOUGH_ROUNDS:
            raise _unreachable(self._silence)
        if self._tokens_refused >= ENOUGH_ROUNDS:
            raise _token_rejected()
        if not self._denied:
            return
        few = len(self._denied) < FEW_DENIALS
        if self._let_in or (few and await self._ledger.mailboxes.served_beside(self._denied, DENIED)):
            until = self._clock.now() + DAY
            for number, diagnosis in self._denied.items():
                await self._ledger.mailboxes.put_out(number, diagnosis.code, in_words(diagnosis), until)
            return
        await self._ledger.changes.release(DENIED, self._denied)
        raise self._no_mailbox_open()

    def _silent(self, reason: str) -> None:
        """Nobody answered at all: leave the way there in peace for a moment."""
        if not self._pace.institution_blocked_until:
            # What was under way together counts once.
            self._silences += 1
        self._silence = reason
        self._pace.refuse_all()

    def _fence_all(self, diagnosis: Diagnosis) -> None:
        if diagnosis.meaning is Meaning.UNAUTHORISED and not self._pace.institution_blocked_until:
            self._tokens_refused += 1
        until = self._pace.refuse_all(diagnosis.retry_after)
        if until - self._clock.now() > KEPT_IN_MIND:
            self._quiet_until = until

    def _fence(self, mailbox: Mailbox, diagnosis: Diagnosis) -> None:
        until = self._pace.refuse(mailbox.id, diagnosis.retry_after)
        if until - self._clock.now() <= KEPT_IN_MIND:
            return
        self._absolve(mailbox.id)
        self._shut(
            mailbox.id, _Closing(code=diagnosis.code, detail=in_words(diagnosis), until=until, out=True)
        )

    def _welcome(self, mailbox: Mailbox) -> None:
        self._let_in = True
        self._tokens_refused = 0
        number = mailbox.id
        self._pace.succeed(number)
        if self._absolve(number):
            self._closings.pop(number, None)
            self._readiness.closed.pop(number, None)
        # An answer to what was on its way does not open what has just been closed.
        if self._out and number in self._out and not self._readiness.is_closed(number, self._clock.now()):
            del self._out[number]
            self._openings.add(number)

    def _deny(self, mailbox: Mailbox, diagnosis: Diagnosis) -> None:
        if self._is_fenced(mailbox.id):
            return
        known = self._out.get(mailbox.id) == DENIED
        self.close(mailbox, diagnosis.code, in_words(diagnosis), out=known)
        if not known:
            # Whether it is this mailbox or all of them, the end of the delivery will show.
            self._denied[mailbox.id] = diagnosis

    def _absolve(self, number: int) -> bool:
        """Take back that a mailbox has denied us, if it had."""
        if self._denied.pop(number, None) is None:
            return False
        self._absolved.add(number)
        return True

    def _is_fenced(self, number: int) -> bool:
        """Whether a mailbox is out because it asked for peace, which lasts."""
        return self._out.get(number) in FENCED and self._readiness.is_closed(number, self._clock.now())

    def _shut(self, number: int, why: _Closing) -> None:
        self._closings[number] = why
        self._openings.discard(number)
        self._readiness.closed[number] = why.until
        if why.out:
            self._out[number] = why.code


def _unheard(answer: Answer) -> bool:
    return answer.status is None and not (answer.service_time or answer.request_id)


def _refused_together(heard: Sequence[Heard]) -> bool:
    """Whether so many mailboxes asked for peace in one exchange that the service must mean the whole institution."""
    refused = {mailbox.id for mailbox, _, diagnosis in heard if diagnosis.fence is Fence.MAILBOX}
    return len(refused) >= MANY_REFUSED and 2 * len(refused) > len({mailbox.id for mailbox, _, _ in heard})


def _unreachable(reason: str) -> ClassbellError:
    return ServiceUnavailable(
        "E-GRAPH-DOWN",
        "Microsoft's calendars could not be reached.",
        why=f"{reason or 'no answer came'}.",
        do="check this computer's way to it: name resolution, firewall, https_proxy, ca_file.",
        effect="what was not delivered waits",
    )


def _token_rejected() -> ClassbellError:
    return ServiceUnavailable(
        "E-TOKEN-REJECTED",
        "Microsoft's calendars do not accept the access tokens that Microsoft Entra ID gives us.",
        why="unknown; seen shortly after changes to the application, and with a wrong graph_url or outlook_url",
        do="check cloud, graph_url or outlook_url in [tenant]; otherwise wait a quarter of an hour and run again",
        effect="what was not delivered waits",
    )
