"""
Faults by script and by seed: which requests are to go wrong, how, when and how often.

Source: the ways in which clients of Graph were seen to be hurt: answers lost after the deed, deeds done long after
the error, answers cut, emptied, replaced by a proxy's page, members of a batch missing or answered twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
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

# What the history calls an answer that never came.
_CODES = {"drop": "dropped"}
# What may go wrong beside a status, and at which moments; the first is the usual one.
EFFECTS: dict[str, tuple[str, ...]] = {
    "status": ("before", "after", "late", "twice"),
    "drop": ("before", "after", "late", "twice"),
    "missing": ("before", "after", "late", "twice"),
    "doubled": ("after",),
    "cut": ("after",),
    "empty": ("after",),
    "html": ("before", "after", "late", "twice"),
}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """
    What a fault can look at.

    ``kind`` is ``token`` for the token endpoint, ``discovery`` for metadata, keys and instance discovery,
    ``batch`` for the envelope of a batch, ``member`` for one of its requests, ``single`` for a request alone.
    ``mailbox`` is the user as it stands in the path; ``body`` the JSON, if any, and ``part`` the id of a member
    in its batch.
    """

    kind: Literal["token", "discovery", "batch", "member", "single"]
    method: str
    path: str
    tenant: str
    app: str
    mailbox: str
    body: Any
    part: str = ""


@dataclass(slots=True)
class Fault:
    """
    One scripted fault; ``left`` counts down, None means for ever; ``hits`` counts up.

    ``what`` is one of ``EFFECTS``; ``status`` is 0 where no answer comes. ``moment`` says when the request
    is done: before the fault it is not, late means ``delay`` seconds afterwards.
    """

    match: Callable[[RequestInfo], bool]
    what: str
    status: int
    moment: str
    code: str
    message: str
    retry_after: str | None
    left: int | None
    delay: float = 0.0
    share: float = 1.0
    hits: int = 0
    number: int = 0

    @property
    def after(self) -> bool:
        """Whether the request is done before the answer goes wrong."""
        return self.moment in {"after", "twice"}

    @property
    def late(self) -> float | None:
        """Seconds after the answer at which the request is done, if it is a late commit."""
        return self.delay if self.moment == "late" else None

    @property
    def drops(self) -> bool:
        """Whether the connection is dropped instead of an answer."""
        return self.what == "drop"


class Faults:
    """
    The scripted faults in the order they were added; the first that matches takes effect.

    Args:
        random: decides about faults that meet only a share of the requests.
    """

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or Random(0)  # noqa: S311 - reproducible on purpose
        self._faults: list[Fault] = []
        self._numbers = count(1)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(
        self,
        match: Callable[[RequestInfo], bool],
        effect: str | int,
        *,
        times: int | None = 1,
        share: float = 1.0,
        delay: float = 0.0,
        retry_after: float | str | None = None,
        code: str | None = None,
        message: str | None = None,
    ) -> Fault:
        """
        Let matching requests go wrong.

        Args:
            match: which requests.
            effect: what goes wrong, a hyphen, and when the request is done: ``503-before`` (any status; not
                done), ``503-after`` (done, and told otherwise), ``503-late`` (done *delay* seconds after the
                answer), ``503-twice`` (done two times). ``drop`` ends the connection without an answer, in a
                batch the whole connection after its other members are done; ``missing`` leaves a member out of
                a batch's answer, ``doubled`` answers it twice; ``cut`` ends the connection amid the answer,
                ``empty`` sends the status without a body, ``html`` the page of a proxy. Without a moment the
                first possible one of before and after.
            times: how often; None for ever.
            share: of the matching requests, drawn from the sandbox's seed.
            delay: seconds of the sandbox's clock, for late; the switch ``commit_bound`` limits it.
            retry_after: the content of ``Retry-After``; as a number, seconds.
            code, message: of the error envelope, where the usual ones of the status will not do.

        Raises:
            ValueError: there is no such effect.
        """
        name, _, moment = str(effect).partition("-")
        what = "status" if name.isdigit() else name
        moments = EFFECTS.get(what, ())
        moment = moment or next(iter(moments), "")
        if moment not in moments or name == "status":
            raise ValueError(f"{effect!r} is no effect; say 503-before, 503-after, drop-late, cut-after ...")
        status = int(name) if what == "status" else 200 if what == "html" else 0
        usual = (
            _BODIES.get(status, ("UnknownError", "")) if what == "status" else (_CODES.get(what, what), "")
        )
        fault = Fault(
            match=match,
            what=what,
            status=status,
            moment=moment,
            code=usual[0] if code is None else code,
            message=usual[1] if message is None else message,
            retry_after=None if retry_after is None else str(retry_after),
            left=times,
            delay=delay,
            share=share,
            number=next(self._numbers),
        )
        self._faults.append(fault)
        return fault

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults))

    def reseed(self, seed: int) -> None:
        """Draw which of the matching requests go wrong from another seed."""
        self._random.seed(seed)

    def remove(self, fault: Fault) -> None:
        """Let one of them meet no request any more."""
        self._faults.remove(fault)

    def clear(self) -> None:
        """No more faults."""
        self._faults.clear()

    def pick(self, info: RequestInfo) -> Fault | None:
        """The fault that this request meets, if any; it is used up by one."""
        for fault in self._faults:
            if fault.match(info) and (fault.share >= 1 or self._random.random() < fault.share):
                fault.hits += 1
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self._faults.remove(fault)
                return fault
        return None
