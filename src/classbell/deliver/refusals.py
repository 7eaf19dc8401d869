"""
Refusals: what answers say about a mailbox or about the whole institution, rather than about one change.

A mailbox that cannot be served is out until it is probed again; a fence is raised where the service asks
for peace. If nobody lets us in, the permission is missing, and the delivery stops.
"""

from collections.abc import Callable

from classbell.errors import RefusedError, ServiceUnavailable
from classbell.ledger import InstitutionLedger
from classbell.model import Mailbox
from classbell.outlook.answers import Diagnosis, Fence, Meaning
from classbell.outlook.pace import Pace
from classbell.ports import Clock

DAY = 86_400.0
# So many mailboxes closed to us, and none open: no need to knock at all the others.
ENOUGH_DENIALS = 3
ENOUGH_TOKENS = 3
DENIED = "E-MBX-DENIED"


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
        no_mailbox_open: Callable[[], RefusedError],
    ) -> None:
        self._ledger = ledger
        self._pace = pace
        self._clock = clock
        self._no_mailbox_open = no_mailbox_open
        self._let_in = False
        self._denied: dict[int, Diagnosis] = {}
        self._tokens_refused = 0
        self._out: set[int] | None = None

    async def note(self, mailbox: Mailbox, diagnosis: Diagnosis) -> None:
        """Draw what follows from one answer for its mailbox and for all."""
        if diagnosis.fence is Fence.MAILBOX:
            self._pace.refuse(mailbox.id, diagnosis.retry_after)
        elif diagnosis.fence is Fence.INSTITUTION:
            self._pace.refuse_all(diagnosis.retry_after)
        if diagnosis.meaning is Meaning.DONE:
            await self._welcome(mailbox)
        elif diagnosis.meaning is Meaning.MAILBOX_OUT:
            await self._put_out(mailbox.id, diagnosis)
        elif diagnosis.meaning is Meaning.FORBIDDEN:
            self._denied[mailbox.id] = diagnosis
        elif diagnosis.meaning is Meaning.UNAUTHORISED:
            self._tokens_refused += 1

    async def judge(self, *, finally_: bool = False) -> None:
        """
        Stop the delivery if it is of no use to go on; *finally_* is the judgement at its end.

        Raises:
            RefusedError: no mailbox is open to us.
            ServiceUnavailable: E-TOKEN-REJECTED, our tokens are not accepted.
        """
        if self._tokens_refused >= ENOUGH_TOKENS and not self._let_in:
            raise ServiceUnavailable(
                "E-TOKEN-REJECTED",
                "Microsoft Graph does not accept the access tokens that Microsoft Entra ID gives us.",
                why="unknown; seen shortly after changes to the application, and with a wrong graph_url",
                do="check cloud or graph_url in [tenant]; otherwise wait a quarter of an hour and run again",
                effect="what was not delivered waits",
            )
        if self._let_in:
            for number, diagnosis in self._denied.items():
                await self._put_out(number, diagnosis)
            self._denied.clear()
        elif len(self._denied) >= ENOUGH_DENIALS or (finally_ and self._denied):
            await self._ledger.changes.release(DENIED)
            raise self._no_mailbox_open()

    async def _welcome(self, mailbox: Mailbox) -> None:
        self._let_in = True
        self._tokens_refused = 0
        self._pace.succeed(mailbox.id)
        if self._out is None:
            self._out = {out.mailbox.id for out in await self._ledger.mailboxes.out()}
        if mailbox.id in self._out:
            await self._ledger.mailboxes.put_in(mailbox.id)
            self._out.discard(mailbox.id)

    async def _put_out(self, number: int, diagnosis: Diagnosis) -> None:
        detail = f"{diagnosis.reason} [{diagnosis.origin}]" if diagnosis.origin else diagnosis.reason
        await self._ledger.mailboxes.put_out(number, diagnosis.code, detail, self._clock.now() + DAY)
        if self._out is not None:
            self._out.add(number)
