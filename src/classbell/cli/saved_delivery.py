"""``classbell apply PLAN``: exactly a plan that was made before, or nothing."""

from classbell.cli import kept_plans
from classbell.cli.assembly import ledger_place
from classbell.cli.invocation import Invocation
from classbell.cli.running import Delivering, Wish, ground_of, worst
from classbell.errors import StalePlan
from classbell.report import Review
from classbell.run import Office, Run
from classbell.saved import SavedPlan, check_ground, check_institution, review_of


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
            chosen = []
            # All of them before the first write: a plan is carried out as a whole or not at all.
            for saved in self._plan.institutions:
                settings = configuration.institution(saved.id)
                office = await place.office(settings)
                await check_institution(self._plan, saved, office)
                chosen.append((office, settings))
            codes = []
            for office, settings in chosen:
                codes.append(await self._one(office, settings))
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
        saved = next(one for one in self._plan.institutions if one.id == office.settings.id)
        return await run.judged(await review_of(self._plan, saved, office))
