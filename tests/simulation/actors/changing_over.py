"""
Administrators let calendars be reached by the other interface, and processes that are under way go on as they began.

No act like the others: it has draws of its own, so that schedules without it stay as they are.
"""

from random import Random

from tests.simulation.world import World

from classbell.settings.values import ApiName

# The share of the schedules by the older interface in which it changes, and how often after each step.
OF_SCHEDULES = 0.5
_AT_A_STEP = 0.03


async def change_over(world: World, random: Random) -> str:
    """One institution's ``api`` says something else from now on."""
    if random.random() >= _AT_A_STEP:
        return ""
    institution = random.choice(world.institutions)
    tenant = institution.settings.tenant
    other: ApiName = "graph" if tenant.api != "graph" else "outlook-rest-v2"
    changed = tenant.model_copy(update={"api": other})
    institution.settings = institution.settings.model_copy(update={"tenant": changed})
    return f"{institution.id} is reached by {other} from now on"
