"""A process that dies at a chosen request: before it leaves, or when its answer has come."""

import asyncio
from collections.abc import Mapping

from classbell.ledger import Ledger
from classbell.ports import Response, Transport


class MortalTransport:
    """
    A transport whose process dies at its n-th request (0: never), *before* or after the exchange.

    From then on the ledger is shut and nothing comes back, as for a process that is no more; what has left
    goes on to the service.
    """

    def __init__(self, inner: Transport, at: int = 0, *, before: bool = False) -> None:
        self._inner = inner
        self._at = at
        self._before = before
        self.ledger: Ledger | None = None
        self.requests = 0
        self.dead = asyncio.Event()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        send_until: float | None = None,
        timeout: float = 60.0,  # noqa: ASYNC109 - the port's own word
    ) -> Response:
        self.requests += 1
        number = self.requests
        if self.dead.is_set() or (number == self._at and self._before):
            await self._die()
        response = await self._inner.request(
            method, url, headers=headers, body=body, send_until=send_until, timeout=timeout
        )
        if self.dead.is_set() or number == self._at:
            await self._die()
        return response

    async def _die(self) -> None:
        if not self.dead.is_set() and self.ledger is not None:
            self.ledger.close()
        self.dead.set()
        await asyncio.Event().wait()
