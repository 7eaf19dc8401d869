"""
The pace: how many requests may be on their way, and who must be left in peace until when.

Exchange works on four requests of one application and mailbox at a time, also inside batches, and
releases a place slightly after it has answered (throttling page, "Outlook service limits", read 2026-11;
measured by others: no refusal at four, some 13 % at five). So three members of one mailbox are on their
way at most, counted over all batches. A refusal of one mailbox concerns no other. A refusal of the whole
institution halves the number of batches under way; each run of good ones adds one again.
"""

from classbell.ports import Clock, Ids

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
# A Retry-After is obeyed however long, but not one that amounts to "never": a day later we probe.
LONGEST_RETRY_AFTER = 86_400.0


class Pace:
    """
    Keeps count of what is on its way for one institution.

    Args:
        clock: its ``now`` is compared with the fences.
        ids: randomness, for jitter.
        per_mailbox: members of one mailbox on their way at most.
        batches: batches on their way at most, while nobody refuses.
    """

    def __init__(self, clock: Clock, ids: Ids, *, per_mailbox: int = 3, batches: int = 64) -> None:
        self._clock = clock
        self._ids = ids
        self._per_mailbox = per_mailbox
        self._most_batches = batches
        self._allowed = float(batches)
        self._under_way: dict[int, int] = {}
        self._fences: dict[int, _Fence] = {}
        self._institution = _Fence()

    def admit(self, mailbox_id: int) -> bool:
        """Count a member in, if its mailbox may have one more on its way now; else False."""
        under_way = self._under_way.get(mailbox_id, 0)
        if under_way >= self._per_mailbox:
            return False
        if (self._fences or self._institution.until) and self.blocked_until(mailbox_id):
            return False
        self._under_way[mailbox_id] = under_way + 1
        return True

    def release(self, mailbox_id: int) -> None:
        """Count a member out: its answer is here, or it will never leave."""
        under_way = self._under_way[mailbox_id] - 1
        if under_way:
            self._under_way[mailbox_id] = under_way
        else:
            del self._under_way[mailbox_id]

    def refuse(self, mailbox_id: int, retry_after: float | None = None) -> float:
        """Leave a mailbox in peace for as long as the service asked, or ever longer; the end of it."""
        fence = self._fences.setdefault(mailbox_id, _Fence())
        return self._raise(fence, retry_after)

    def refuse_all(self, retry_after: float | None = None) -> float:
        """Leave the service in peace for as long as it asked, or ever longer; the end of it."""
        # Batches sent together are refused together: that is one refusal, not many, and halves once.
        if self._clock.now() >= self._institution.until:
            self._allowed = max(1.0, self._allowed / 2)
        return self._raise(self._institution, retry_after)

    def succeed(self, mailbox_id: int | None = None) -> None:
        """
        Note good answers: from a whole batch, or (with *mailbox_id*) from one mailbox.

        Waits that grow begin anew afterwards; a fence that stands goes on to stand, for the answer may be
        that of an earlier request. One more batch is allowed for each run of good batches as
        long as the number allowed, so that coming back takes its time.
        """
        if mailbox_id is None:
            self._institution.refusals = 0
            self._allowed = min(float(self._most_batches), self._allowed + 1 / self._allowed)
        elif self._fences:
            fence = self._fences.get(mailbox_id)
            if fence is not None and self._clock.now() >= fence.until:
                del self._fences[mailbox_id]

    def blocked_until(self, mailbox_id: int) -> float:
        """When the fences around a mailbox fall; 0.0 if there is none now."""
        fence = self._fences.get(mailbox_id)
        until = max(self._institution.until, fence.until if fence else 0.0)
        return until if until > self._clock.now() else 0.0

    @property
    def batches_allowed(self) -> int:
        """How many batches may be on their way; 0 while the whole institution must wait."""
        return 0 if self._clock.now() < self._institution.until else int(self._allowed)

    @property
    def institution_blocked_until(self) -> float:
        """When the fence around the whole institution falls; 0.0 if there is none now."""
        return self._institution.until if self._clock.now() < self._institution.until else 0.0

    def _raise(self, fence: "_Fence", retry_after: float | None) -> float:
        now = self._clock.now()
        if now >= fence.until:
            fence.refusals += 1
        if retry_after is None:
            longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (fence.refusals - 1))
            # Between half and all of it: many mailboxes refused at once must not come back at once.
            wait = longest * (1 + self._ids.random()) / 2
        else:
            wait = min(max(retry_after, 0.0), LONGEST_RETRY_AFTER)
        fence.until = max(fence.until, now + wait)
        return fence.until


class _Fence:
    __slots__ = ("refusals", "until")

    def __init__(self) -> None:
        self.refusals = 0
        self.until = 0.0
