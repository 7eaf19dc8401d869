"""Microsoft's side: answers go wrong, mailboxes come and go, permissions change, the network is slow or away."""

from collections.abc import Callable
from random import Random

from tests.simulation.actors import act
from tests.simulation.network import USUAL
from tests.simulation.world import World

from classbell.sandbox import RequestInfo

_AWAY = ("drop", "missing")
# Under these the service may have done what it was asked; under any other status it has not.
_UNSURE = ("500", "502", "503", "504", "409", "412", "423", *_AWAY)
_SURE = ("429", "401", "403", "400", "404", "413", "408")
_SPOILT = ("doubled-after", "cut-after", "empty-after", "html-after", "html-before")
QUICK, SLOW, SLOWEST = (0.0, 0.0), (0.5, 12.0), (5.0, 45.0)


def effect(random: Random) -> str:
    """What goes wrong, and when."""
    kind = random.random()
    if kind < 0.55:
        moment = random.choice(("before", "after", "after", "late", "late"))
        if random.random() < 0.03:
            moment = "twice"
        return f"{random.choice(_UNSURE)}-{moment}"
    return f"{random.choice(_SURE)}-before" if kind < 0.8 else random.choice(_SPOILT)


def target(random: Random, what: str, institution: str) -> Callable[[RequestInfo], bool]:
    """Which requests."""
    kind = random.choice(("member", "member", "member", "batch", "single", "token"))
    if "twice" in what:
        kind = "member"
    method = random.choice(("", "", "POST", "PATCH", "DELETE", "GET"))
    if kind in ("batch", "token"):
        method = ""
    if what.startswith(("409-", "412-", "423-")) and not what.endswith("before"):
        method = "POST"
    return lambda info: (
        info.kind == kind and info.tenant == institution and (not method or info.method == method)
    )


def _retry_after(random: Random) -> int | str | None:
    return random.choice((None, None, 1, 7, 30, 120, 900, "2.128", "soon"))


@act(8, always=True)
async def some_answers_go_wrong(world: World, random: Random) -> str:
    what = effect(random)
    institution = random.choice(world.institutions)
    times = random.choice((1, 1, 2, 3, 8))
    world.sandbox.faults.add(
        target(random, what, institution.tenant.tenant_id),
        what,
        times=times,
        delay=random.uniform(1, 590),
        retry_after=_retry_after(random),
    )
    return f"{institution.id}: {times} answers will be {what}"


@act(1.5)
async def many_answers_go_wrong(world: World, random: Random) -> str:
    what = effect(random)
    institution = random.choice(world.institutions)
    world.sandbox.faults.add(
        target(random, what, institution.tenant.tenant_id),
        what,
        times=None,
        share=random.choice((0.1, 0.3, 1.0)),
        delay=random.uniform(1, 590),
        retry_after=_retry_after(random),
    )
    return f"{institution.id}: answers are {what} until further notice"


@act(4)
async def answers_are_good(world: World, _random: Random) -> str:
    world.sandbox.faults.clear()
    return "nothing goes wrong any more"


@act(2)
async def mailbox_changes_state(world: World, random: Random) -> str:
    mailbox = random.choice(random.choice(world.institutions).mailboxes)
    mailbox.state = random.choice(
        (
            "missing",
            "unlicensed",
            "soft-deleted",
            "undiscoverable",
            "full",
            "moving",
            "stale",
            "unavailable",
            "busy",
        )
    )
    return f"{mailbox.address} is {mailbox.state}"


@act(2)
async def mailboxes_recover(world: World, _random: Random) -> str:
    for institution in world.institutions:
        for mailbox in institution.mailboxes:
            mailbox.state = "active"
    return "all mailboxes are active"


@act(1)
async def throttle(world: World, random: Random) -> str:
    institution = random.choice(world.institutions)
    seconds = random.choice((1, 10, 60, 900, 3600))
    world.sandbox.throttle(institution.tenant, seconds)
    return f"{institution.id} is throttled for {seconds} s"


@act(1)
async def revoke_tokens(world: World, random: Random) -> str:
    institution = random.choice(world.institutions)
    institution.app.revoke_tokens()
    return f"{institution.id}: tokens are revoked"


@act(1)
async def take_permission_away(world: World, random: Random) -> str:
    institution = random.choice(world.institutions)
    match random.randint(1, 3):
        case 1:
            institution.app.revoke("Calendars.ReadWrite")
            institution.app.revoke_exchange("Calendars.ReadWrite.All")
        case 2:
            institution.app.enabled = False
        case _:
            institution.app.restrict_to(mailbox.address for mailbox in institution.mailboxes[1:])
    return f"{institution.id}: something is taken away from the application"


@act(2)
async def give_permission_back(world: World, _random: Random) -> str:
    permit(world)
    return "the applications may do everything again"


def permit(world: World) -> None:
    """All permissions as they should be."""
    for institution in world.institutions:
        institution.app.grant("Calendars.ReadWrite")
        institution.app.grant_exchange("Calendars.ReadWrite.All")
        institution.app.enabled = True
        institution.app.restrict_to(None)


@act(2)
async def network_changes(world: World, random: Random) -> str:
    pace = random.choice((QUICK, USUAL, USUAL, SLOW, SLOW, SLOWEST))
    world.network.change(pace, down=random.random() < 0.15)
    return f"the network takes {world.network.pace}" + (", and is down" if world.network.down else "")


@act(2)
async def network_recovers(world: World, _random: Random) -> str:
    world.network.change(USUAL, down=False)
    return "the network is well"
