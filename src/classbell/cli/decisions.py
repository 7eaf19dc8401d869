"""What people have decided, or are to decide, of the changes of one mailbox: for ``classbell explain``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classbell.cli.holds import as_json, standing
from classbell.desired import MeetingKey
from classbell.holds import member
from classbell.ledger import InstitutionLedger, StoredHold
from classbell.model import Action
from classbell.zones import utc_text

# Of approvals that were used, so many of the newest are looked through.
_USED = 50


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """The holds that concern the mailbox with this key, at the time of looking."""

    mailbox: str
    now: float
    live: Sequence[StoredHold]
    used: Sequence[StoredHold]

    @classmethod
    async def of(cls, ledger: InstitutionLedger, mailbox: str, now: float) -> "Decisions":
        """As the ledger has them."""
        newest = await ledger.holds.newest(_USED)
        used = [one for one in newest if one.state == "used"]
        return cls(mailbox=mailbox, now=now, live=await ledger.holds.live(), used=used)

    def hold(self, meeting: MeetingKey, action: Action, fingerprint: int) -> dict[str, Any] | None:
        """The hold that stops a change in runs for everybody, as JSON fields."""
        one = _of(self.live, member(self.mailbox, meeting, action, fingerprint))
        if one is None:
            return None
        told = as_json(one, self.now)
        return told | {"standing": standing(told), "stops": not one.approved_at(self.now)}

    def approval(
        self, meeting: MeetingKey, action: Action, fingerprint: int, planned_at: float
    ) -> dict[str, Any] | None:
        """Who has approved a change of a run that began then, and as which hold."""
        valid = [
            one for one in self.used if (one.decided_at or 0.0) <= planned_at < (one.expires_at or planned_at)
        ]
        one = _of(valid, member(self.mailbox, meeting, action, fingerprint))
        if one is None:
            return None
        return {
            "hold": one.id,
            "code": one.code,
            "by": one.decided_by,
            "at": utc_text(one.decided_at or planned_at),
        }


def _of(holds: Sequence[StoredHold], digest: Any) -> StoredHold | None:
    return next((one for one in holds if one.covers(digest)), None)
