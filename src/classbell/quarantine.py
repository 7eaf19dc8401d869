"""
Quarantine: an institution in which nearly everything fails is left alone, and probed now and then.

It is entered when a credential is refused or too many changes fail, and left by itself. Where too much failed,
the next probe that is due delivers to one mailbox first, and goes on if something was carried out there and nothing
failed. A refused credential is probed by each run: that is one request for a token. Where we are let in, but into no
mailbox, a token shows nothing: each run delivers, and stops by itself, until something was carried out.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from classbell.deliver import Charge, Tally
from classbell.errors import HeldError, RefusedError, ServiceUnavailable
from classbell.ledger import InQuarantine, InstitutionLedger
from classbell.ports import Clock
from classbell.settings import QuarantineSettings
from classbell.zones import utc_text

TOO_MANY = "E-ERROR-RATE"
_NO_MAILBOX_OPEN = "E-CONSENT"


def is_probed(standing: InQuarantine) -> bool:
    """Whether runs wait until a probe is due: a refused credential is asked about by each of them."""
    return standing.code == TOO_MANY


def ends_with_a_token(code: str) -> bool:
    """Whether what was refused is a credential, which is accepted again as soon as it gives us a token."""
    return code not in {TOO_MANY, _NO_MAILBOX_OPEN}


def is_over(standing: InQuarantine, settings: QuarantineSettings, now: float) -> bool:
    """Whether it has lasted so long that a person must ask for the next probe."""
    return now >= standing.since + settings.pause_after.total_seconds()


class Quarantine:
    """
    The quarantine of one institution.

    Args:
        insist: whether a person asks for a probe now, whenever the next one is due.
    """

    def __init__(
        self, ledger: InstitutionLedger, settings: QuarantineSettings, *, insist: bool = False
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._insist = insist

    async def admit(self, now: float) -> bool:
        """
        Whether a run that may begin is a probe, which must begin with one mailbox.

        Raises:
            ServiceUnavailable: E-QUARANTINE, the next probe is not due.
            HeldError: E-QUARANTINE-OVER, it has lasted so long that a person must ask for the next probe.
        """
        standing = await self._ledger.quarantine.standing()
        if standing is None:
            return False
        probing = is_probed(standing)
        if self._insist:
            return probing
        if is_over(standing, self._settings, now):
            raise HeldError(
                "E-QUARANTINE-OVER",
                f"Delivery has failed since {utc_text(standing.since)} and is not tried any more.",
                why=f"{standing.code}: {standing.detail}",
                do="put its cause right, then: classbell apply --now",
                effect="no calendar was changed",
            )
        if probing and now < standing.probe_at:
            raise ServiceUnavailable(
                "E-QUARANTINE",
                f"Delivery is in quarantine since {utc_text(standing.since)}; the next probe is due"
                f" {utc_text(standing.probe_at)}.",
                why=f"{standing.code}: {standing.detail}",
                do="nothing; it ends by itself once a probe goes well; to probe now: classbell apply --now",
                effect="no calendar was changed",
            )
        return probing

    def limited(self, charge: Charge) -> Charge:
        """A charge whose delivery stops where too much fails."""
        limits = self._settings
        return replace(charge, fail_percent=limits.fail_percent, min_failures=limits.min_failures)

    async def deliver(
        self,
        charge: Charge,
        carry_out: Callable[[Charge], Awaitable[Tally]],
        clock: Clock,
        *,
        probing: bool,
    ) -> Tally:
        """
        Deliver, and draw what follows from it. A probe begins with one mailbox, unless it is for one alone.

        Raises:
            ServiceUnavailable: E-ERROR-RATE, too much failed.
        """
        first = Tally()
        if probing and charge.only is None:
            probed = await self._ledger.quarantine.probe_mailbox(clock.now(), charge.run)
            one = replace(charge, only=probed, fail_percent=0.0, min_failures=1)
            if probed is not None:
                first = await carry_out(one)
            if first.failed or first.interrupted or not first.done.total():
                # As long as nothing was shown to succeed, all others are left in peace.
                await self.judge(first, clock.now(), stopped=first.too_many(one))
                return first
        tally = await carry_out(charge)
        tally.include(first)
        await self.judge(tally, clock.now(), stopped=tally.too_many(charge))
        return tally

    async def refused(self, error: RefusedError, now: float) -> None:
        """A credential or a permission was refused."""
        await self._fail(error.code, error.what, now)

    async def judge(self, tally: Tally, now: float, *, stopped: bool) -> None:
        """
        Draw what follows from a delivery.

        Args:
            stopped: whether it ended because too much failed.

        Raises:
            ServiceUnavailable: E-ERROR-RATE, it did.
        """
        if not stopped:
            standing = await self._ledger.quarantine.standing()
            # That a credential is accepted, the token shows that was asked for.
            asked = standing is not None and ends_with_a_token(standing.code) and not tally.failed
            if not tally.interrupted and (tally.done.total() or asked):
                await self._ledger.quarantine.leave()
            return
        detail = _counted(tally)
        begun = await self._fail(TOO_MANY, detail, now)
        raise ServiceUnavailable(
            TOO_MANY,
            f"Delivery was stopped, for {detail}.",
            why="unknown; so many at once have one cause, here or at Microsoft's",
            do=f"run: classbell doctor; a probe is due {utc_text(begun.probe_at)}",
            effect="what was not delivered waits",
        )

    async def _fail(self, code: str, detail: str, now: float) -> InQuarantine:
        waits = [wait.total_seconds() for wait in self._settings.retry]
        return await self._ledger.quarantine.failed(code, detail, now, waits)


def _counted(tally: Tally) -> str:
    """What failed, each by what was counted: changes, and mailboxes in which none was tried."""
    found = (
        (tally.failing, tally.done.total(), "changes failed"),
        (tally.unready, tally.prepared, "mailboxes could not be made ready"),
    )
    return " and ".join(
        f"{len(failed)} of {len(failed) + well} {what} ({_commonest(failed.values())})"
        for failed, well, what in found
        if failed
    )


def _commonest(codes: Iterable[str]) -> str:
    return ", ".join(f"{count} {code}" for code, count in Counter(codes).most_common(3))
