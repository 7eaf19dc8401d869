"""The timetable office: its timetables change, and sometimes what it lets others read is wrong."""

from random import Random

from tests.simulation.actors import act
from tests.simulation.timetable import Timetable
from tests.simulation.world import World


def _timetable(world: World, random: Random) -> Timetable:
    return random.choice(random.choice(world.institutions).timetables)


def _told(timetable: Timetable, text: str) -> str:
    return f"{timetable.institution}/{timetable.name}: {text}"


@act(10, always=True)
async def change_class(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    if not timetable.classes:
        return ""
    key = random.choice(list(timetable.classes))
    timetable.change(random, world.date, key)
    timetable.present(world.now())
    return _told(timetable, f"{timetable.classes[key].title} is changed")


@act(3)
async def change_some_classes(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    keys = random.sample(list(timetable.classes), min(4, len(timetable.classes)))
    for key in keys:
        timetable.change(random, world.date, key)
    timetable.present(world.now())
    return _told(timetable, f"{', '.join(keys)} are changed")


@act(4)
async def add_class(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    timetable.add(random, world.date)
    timetable.present(world.now())
    return _told(timetable, f"{list(timetable.classes)[-1]} is new")


@act(3)
async def remove_class(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    if len(timetable.classes) <= 4:
        return ""
    key = random.choice(list(timetable.classes))
    timetable.remove(key)
    timetable.present(world.now())
    return _told(timetable, f"{key} is removed")


@act(3)
async def cancel_class(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    key = random.choice(list(timetable.classes))
    timetable.cancel(key)
    timetable.present(world.now())
    return _told(timetable, f"{key} is cancelled, or held after all")


@act(4)
async def join_or_leave(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    pair = (random.choice(list(timetable.classes)), random.choice(timetable.people))
    if pair in timetable.pairs:
        if len(timetable.pairs) < 4:
            return ""
        del timetable.pairs[pair]
    else:
        timetable.pairs[pair] = None
    timetable.present(world.now())
    return _told(timetable, f"{pair[1]} joins or leaves {pair[0]}")


@act(1.5)
async def break_file(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    timetable.present_broken(world.now(), random)
    return _told(timetable, world.states[-1]["how"])


@act(1.5)
async def shrink_file(world: World, random: Random) -> str:
    timetable = _timetable(world, random)
    timetable.present_shrunk(world.now(), random)
    return _told(timetable, "a shrunk file")


@act(2)
async def mend_files(world: World, _random: Random) -> str:
    for institution in world.institutions:
        for timetable in institution.timetables:
            timetable.present(world.now())
    return "all files are as they should be"
