"""Whether a saved plan may still be carried out: here, now, and with nothing having happened since."""

from collections.abc import Sequence
from dataclasses import dataclass

from classbell.configured import changed_parts, digests_of
from classbell.errors import StalePlan
from classbell.renderings import Renderings
from classbell.report import paused
from classbell.run import Office
from classbell.saved.file import SavedInstitution, SavedPlan
from classbell.zones import utc_text


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a saved plan must still fit when it is carried out."""

    installation: str
    revision: int
    now: float


def check_ground(plan: SavedPlan, ground: Ground) -> None:
    """
    See that a plan was made for this ledger and is not too old.

    Raises:
        StalePlan: E-PLAN-FOREIGN, E-PLAN-STALE.
    """
    if plan.installation != ground.installation.lower():
        raise stale("E-PLAN-FOREIGN", plan, "it was made by another installation")
    if plan.revision > ground.revision:
        raise stale(
            "E-PLAN-FOREIGN",
            plan,
            f"it was made for a ledger at revision {plan.revision}, and this one is at {ground.revision}",
        )
    if ground.now > plan.until:
        raise stale("E-PLAN-STALE", plan, f"it was good until {plan.valid_until}")


async def left_to_do(plan: SavedPlan, offices: Sequence[Office]) -> list[Office]:
    """The institutions that have not carried a plan out yet, so that one can be finished; all of them where all have."""
    used = [await office.ledger.used_plans.used_at(plan.digest) is not None for office in offices]
    return [office for office, done in zip(offices, used, strict=True) if all(used) or not done]


async def check_institution(plan: SavedPlan, saved: SavedInstitution, office: Office) -> None:
    """
    See that nothing has happened to an institution since its plan was made.

    A ledger that has begun anew counts its runs from one again: the run on which a plan is based is older than the plan.

    Raises:
        StalePlan: E-PLAN-USED, E-PLAN-STALE, E-PLAN-FOREIGN.
        HeldError: E-PAUSED.
    """
    used_at = await office.ledger.used_plans.used_at(plan.digest)
    if used_at is not None:
        raise stale("E-PLAN-USED", plan, f"it was carried out at {utc_text(used_at)}")
    basis = await office.ledger.runs.find(saved.basis)
    if saved.basis and (basis is None or basis.started_at > saved.planned_at):
        raise stale("E-PLAN-FOREIGN", plan, f"the ledger of {saved.id} has begun anew since then")
    newest = await office.ledger.runs.changed_since(saved.basis)
    if newest:
        raise stale("E-PLAN-STALE", plan, f"since then run {newest} has changed the ledger of {saved.id}")
    pause = await office.ledger.suspensions.pause()
    if pause is not None and (pause.until is None or pause.until > office.ports.clock.now()):
        raise paused(plan.name, saved.id, pause.reason)
    renderings = Renderings(office.settings.profiles, office.ports.files, {})
    changed = changed_parts(saved.settings, digests_of(office.settings, renderings))
    if changed:
        raise stale(
            "E-PLAN-STALE",
            plan,
            f"the configuration of {saved.id} has changed since then ({', '.join(changed)})",
        )


def stale(code: str, plan: SavedPlan, why: str) -> StalePlan:
    """That a plan can no longer be carried out."""
    return StalePlan(
        code,
        f"The plan {plan.name}, made at {plan.made_at}, can no longer be carried out.",
        why=why,
        do="classbell plan -o FILE, look at it, classbell apply FILE",
        effect="no calendar was changed",
    )
