"""Faults by script: which requests are to go wrong, how, and how often."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

_BODIES = {
    409: ("ConcurrentItemSave", "The item was changed by another writer."),
    412: ("ErrorIrresolvableConflict", "The send or update operation could not be performed."),
    423: ("Locked", "The resource is locked."),
    429: ("ApplicationThrottled", "Application is over its MailboxConcurrency limit."),
    500: (
        "ErrorInternalServerError",
        "An internal server error occurred. The operation failed.",
    ),
    502: ("BadGateway", "Bad gateway."),
    503: ("ErrorServerBusy", "The server cannot service this request right now. Try again later."),
    504: ("UnknownError", ""),
}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """
    What a fault can look at.

    ``kind`` is ``token`` for the token endpoint, ``batch`` for the envelope of a batch, ``member`` for one of
    its requests, ``single`` for a request alone. ``mailbox`` is the user as it stands in the path; ``body``
    the JSON, if any.
    """

    kind: Literal["token", "batch", "member", "single"]
    method: str
    path: str
    tenant: str
    app: str
    mailbox: str
    body: Any


@dataclass(slots=True)
class Fault:
    """One scripted fault; ``left`` counts down, None means for ever; ``hits`` counts up."""

    match: Callable[[RequestInfo], bool]
    status: int
    after: bool
    code: str
    message: str
    retry_after: str | None
    left: int | None
    hits: int = 0

    @property
    def drops(self) -> bool:
        """Whether the connection is dropped instead of an answer."""
        return self.status == 0


class Faults:
    """The scripted faults in the order they were added; the first that matches takes effect."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(
        self,
        match: Callable[[RequestInfo], bool],
        effect: str | int,
        *,
        times: int | None = 1,
        retry_after: float | str | None = None,
        code: str | None = None,
        message: str | None = None,
    ) -> Fault:
        """
        Let matching requests go wrong.

        Args:
            match: which requests.
            effect: ``503-before`` or ``503-after`` (any status: answered with it without or after doing what
                was asked), ``drop-before`` or ``drop-after`` (the connection ends without an answer; in a
                batch the whole connection, after its other members are done), or a status alone, which
                means before.
            times: how often; None for ever.
            retry_after: the content of ``Retry-After``; as a number, seconds.
            code, message: of the error envelope, where the usual ones of the status will not do.
        """
        what, _, moment = str(effect).partition("-")
        if moment not in {"", "before", "after"} or not (what == "drop" or what.isdigit()):
            raise ValueError(f"{effect!r} is no effect; say 503-before, 503-after, drop-before or drop-after")
        status = 0 if what == "drop" else int(what)
        usual = _BODIES.get(status, ("UnknownError", ""))
        fault = Fault(
            match=match,
            status=status,
            after=moment == "after",
            code=usual[0] if code is None else code,
            message=usual[1] if message is None else message,
            retry_after=None if retry_after is None else str(retry_after),
            left=times,
        )
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """No more faults."""
        self._faults.clear()

    def pick(self, info: RequestInfo) -> Fault | None:
        """The fault that this request meets, if any; it is used up by one."""
        for fault in self._faults:
            if fault.match(info):
                fault.hits += 1
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self._faults.remove(fault)
                return fault
        return None
