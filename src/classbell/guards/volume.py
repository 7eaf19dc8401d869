"""The guards of volume: everything changed, or too many deletes in a mailbox, a run, or a day."""

from collections.abc import Iterator

import numpy as np

from classbell.guards.verdict import Circumstances, Hold, Matter
from classbell.model import Action
from classbell.plan import Mask, Plan, pair_keys
from classbell.settings import SafetySettings

# What counts deletions, and nothing else: who has agreed to their number has agreed to what trips these.
DELETE_VOLUME = frozenset({"E-HOLD-MAILBOX", "E-HOLD-DELETES", "E-HOLD-DAY"})


def all_changed(matter: Matter) -> Iterator[Hold]:
    """The whole plan, if it changes or deletes too large a share of what stands."""
    plan, safety = matter.plan, matter.safety
    touched = matter.open & ((plan.action == Action.UPDATE) | (plan.action == Action.DELETE))
    count = int(np.count_nonzero(touched))
    share = _share(count, plan.delivered)
    if count <= safety.max_deletes.at_least or share <= safety.max_changes_percent:
        return
    yield matter.hold(
        matter.open,
        "E-HOLD-CHANGES",
        "institution",
        "",
        f"{count} of {plan.delivered} delivered events ({_percent(share, safety.max_changes_percent)} %) would change or go in one run; at most"
        f" {safety.max_changes_percent:g} % pass unasked. Nothing of this plan is applied.",
    )


def per_mailbox(matter: Matter) -> Iterator[Hold]:
    """Every mailbox that would lose too large a share of its coming events."""
    plan, limit = matter.plan, matter.safety.per_mailbox
    numbers, counts = np.unique(plan.mailbox[matter.deletes], return_counts=True)
    coming = np.array([plan.upcoming.get(number, 0) for number in numbers.tolist()], dtype=np.int64)
    tripped = (coming >= limit.min_events) & (100 * counts > limit.percent * coming)
    stopped = np.flatnonzero(matter.open & np.isin(plan.mailbox, numbers[tripped])).astype(np.int64)
    stopped = stopped[np.argsort(plan.mailbox[stopped], kind="stable")]
    # In the same ascending order: what is held concerns every mailbox that tripped, and no other.
    bounds = np.searchsorted(plan.mailbox[stopped], numbers[tripped])
    parts = np.split(stopped, bounds[1:]) if len(bounds) else []
    columns = (numbers[tripped].tolist(), coming[tripped].tolist(), counts[tripped].tolist(), parts)
    for number, has, losing, places in zip(*columns, strict=True):
        yield Hold(
            code="E-HOLD-MAILBOX",
            scope="mailbox",
            subject=str(number),
            text=f"It would lose {losing} of its {has} coming events, more than {limit.percent:g} %.",
            changes=len(places),
            deletes=losing,
            places=places,
        )


def per_run(matter: Matter) -> Iterator[Hold]:
    """All deletes, if one run has too many of them."""
    plan, limit = matter.plan, matter.safety.max_deletes
    count = int(np.count_nonzero(matter.deletes))
    share = _share(count, plan.delivered)
    if count <= limit.at_least or (count <= limit.count and share <= limit.percent):
        return
    yield matter.hold(
        _deletes_and_replacements(matter),
        "E-HOLD-DELETES",
        "institution",
        "",
        f"{count} deletions ({_percent(share, limit.percent)} % of {plan.delivered} delivered events) are more than"
        f" {limit.count} or {limit.percent:g} % in one run. {_EFFECT}",
    )


def per_day(matter: Matter) -> Iterator[Hold]:
    """
    All deletes, if with those of the last 24 hours they are too many: a slow trickle is a mass as well.

    What a person approved counts here, though it cannot be stopped; and so does what an earlier plan will delete yet.
    """
    plan, limit, recent = matter.plan, matter.safety.max_deletes, matter.circumstances.recent
    going = matter.passed & (plan.action == Action.DELETE)
    count = int(np.count_nonzero(going))
    waiting = _under_way(plan, going, matter.circumstances)
    stood = _stood(plan, matter.circumstances)
    total = count + recent + waiting
    share = _share(total, stood)
    if not matter.deletes.any() or total <= limit.at_least or share <= limit.per_24h_percent:
        return
    others = f" and {waiting} that are under way" if waiting else ""
    yield matter.hold(
        _deletes_and_replacements(matter),
        "E-HOLD-DAY",
        "institution",
        "",
        f"{count} deletions after {recent} in the last 24 hours{others} ({_percent(share, limit.per_24h_percent)} % of {stood} events) are more than"
        f" {limit.per_24h_percent:g} % in a day. {_EFFECT}",
    )


def left_of_day(plan: Plan, circumstances: Circumstances, safety: SafetySettings) -> int:
    """How many deletions of a plan the limit of a day still lets pass unasked."""
    limit = safety.max_deletes
    most = max(limit.at_least, int(_stood(plan, circumstances) * limit.per_24h_percent / 100))
    used = circumstances.recent + _under_way(plan, plan.action == Action.DELETE, circumstances)
    return max(0, most - used)


def _under_way(plan: Plan, going: Mask, circumstances: Circumstances) -> int:
    """How many deletions that were accepted before go on, beside those of the plan."""
    return len(np.setdiff1d(circumstances.accepted, pair_keys(plan.mailbox[going], plan.meeting[going])))


def _stood(plan: Plan, circumstances: Circumstances) -> int:
    # What is gone since then stood there, too; what is under way does still, as far as is known, or was put back.
    return plan.delivered + circumstances.gone


_EFFECT = "No event is deleted, and none created beside one that should have gone; other changes go on."


def _deletes_and_replacements(matter: Matter) -> Mask:
    # A create beside a held delete may be the same class under a new id: both would stand there.
    plan, deletes = matter.plan, matter.deletes
    creates = matter.open & (plan.action == Action.CREATE)
    either: Mask = deletes | (creates & np.isin(plan.mailbox, np.unique(plan.mailbox[deletes])))
    return either


def _share(count: int, of: int) -> float:
    return 100 * count / of if of else 0.0


def _percent(share: float, limit: float) -> str:
    """A share in words, with as many decimals as it takes to tell it from the limit that it is above of."""
    decimals = next((n for n in range(1, 6) if share <= limit or round(share, n) > limit), 6)
    return f"{share:.{decimals}f}".removesuffix(".0")
