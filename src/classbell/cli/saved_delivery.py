"""``classbell apply PLAN``: exactly a plan that was made before, or nothing."""

from classbell.cli import kept_plans
from classbell.cli.assembly import ledger_place
from classbell.cli.invocation import Invocation
from classbell.cli.running import Delivering, Wish, ground_of, worst
from classbell.errors import StalePlan
from classbell.report import Review
from classbell.run import Office, Run
from classbell.saved import (
    SavedInstitution,
    SavedPlan,
    check_ground,
    check_institution,
    left_to_do,
    review_of,
)


def deliver_saved(
    invocation: Invocation, plan: str, *, yes: bool, allow_deletes: int, everything: bool, now: bool = False
) -> int:
    """Carry out a plan by its file or name; the exit code."""
    wish = Wish(person=None, show=True, yes=yes, allow_deletes=allow_deletes, everything=everything, now=now)
    return _Delivering(invocation, wish, plan).run()


class _Delivering(Delivering):
    def __init__(self, invocation: Invocation, wish: Wish, named: str) -> None:
        super().__init__(invocation, wish)
        self._named = named
        self._plan: SavedPlan

    async def _all(self) -> int:
        configuration = self._invocation.configuration
        async with self._workplace() as place:
            self._plan = kept_plans.find(place.ports.files, ledger_place(configuration), self._named)
            check_ground(self._plan, await ground_of(place))
            self._see_institutions()
            meant = [await place.office(configuration.institution(one.id)) for one in self._plan.institutions]
            chosen = await left_to_do(self._plan, meant)
            # All of them before the first write: a plan is carried out as a whole or not at all.
            for office in chosen:
                await check_institution(self._plan, self._saved(office), office)
            for name in [office.settings.id for office in meant if office not in chosen]:
                self._output.note(f"{name} has carried this plan out already; it is left out.")
            codes = []
            for office in chosen:
                codes.append(await self._one(office, office.settings))
                if self._interrupted:
                    break
        return worst(codes)

    def _see_institutions(self) -> None:
        configuration = self._invocation.configuration
        known = {*configuration.institutions, *(one.id for one in configuration.unsound)}
        named = self._invocation.institution_id
        made_for = [saved.id for saved in self._plan.institutions]
        if not known.issuperset(made_for) or (named is not None and made_for != [named]):
            raise StalePlan(
                "E-PLAN-FOREIGN",
                f"The plan {self._plan.name} is not for the institutions that are meant.",
                why=f"it was made for {', '.join(made_for)}",
                do="leave out --institution, or make another plan",
                effect="no calendar was changed",
            )

    async def _review(self, run: Run, office: Office) -> Review:
        return await run.judged(await review_of(self._plan, self._saved(office), office))

    def _saved(self, office: Office) -> SavedInstitution:
        return next(one for one in self._plan.institutions if one.id == office.settings.id)
