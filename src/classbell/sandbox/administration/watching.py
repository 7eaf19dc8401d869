"""What has happened: the history, the outbox, and how hard the limits are used."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from classbell.sandbox.administration import forms
from classbell.sandbox.administration.finding import Box
from classbell.sandbox.history import Kind, Record

router = APIRouter(tags=["watching"])
_After = Annotated[int, Query(ge=0, description="the number of the last one already known")]
_Limit = Annotated[int, Query(ge=1, le=100_000)]
_encode = msgspec.json.Encoder().encode
# So many records are looked at for one answer, whatever is asked for.
_EXAMINED = 200_000


@router.get(
    "/history",
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {}}, "description": "One record a line."}},
)
async def history(
    box: Box,
    *,
    after: _After = 0,
    limit: _Limit = 10_000,
    kind: Kind | None = None,
    app: str = "",
    mailbox: str = "",
) -> Response:
    """
    The history as JSON lines, oldest first, of one kind, application (client id) or mailbox (address) if told.

    The header ``x-after`` says what to ask for next; nothing is left when it equals what was asked with.
    """
    lines: list[bytes] = []
    last = after
    for record in _records(box, after):
        last = record.number
        wanted = (
            kind in {None, record.kind}
            and app.casefold() in {"", record.app}
            and mailbox.casefold() in {"", record.mailbox.casefold()}
        )
        if wanted:
            lines.append(_encode(record.told()) + b"\n")
            if len(lines) == limit:
                break
    return Response(b"".join(lines), media_type="application/jsonl", headers={"x-after": str(last)})


@router.get("/outbox")
async def outbox(box: Box, *, after: _After = 0, limit: _Limit = 1000) -> list[forms.MailTold]:
    """The mails that the service would have sent, oldest first."""
    mails = box.outbox[after : after + limit]
    return [forms.MailTold(number=number, **asdict(mail)) for number, mail in enumerate(mails, after + 1)]


@router.get("/limits")
async def limits(box: Box, *, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, Any]:
    """The limits, the peak in flight, and those who are nearest to them."""
    used = box.limits.in_use(box.clock.now(), most=limit)
    return {
        "limits": asdict(box.limits.allowed),
        "peak_in_flight": box.peak_in_flight(),
        "throttled_tenants": box.limits.throttled(box.clock.now()),
        "in_use": [asdict(each) for each in used],
    }


def _records(box: Box, after: int) -> Iterator[Record]:
    past = box.history
    return (past[place] for place in range(after, min(len(past), after + _EXAMINED)))
