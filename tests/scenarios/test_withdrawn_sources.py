"""A source that is renamed or taken out of the configuration: nothing doubled, nothing gone unasked."""

from tests.scenarios.campus import PEOPLE, Campus, classes, moved, open_campus
from tests.scenarios.world import World


def test_a_renamed_source_doubles_nothing_and_is_held_until_a_person_agrees(world: World) -> None:
    campus = open_campus(world)
    campus.applies()
    rename(campus, "timetable", "teaching")
    campus.refuses("E-HOLD-CONFIG", 4)
    assert campus.holds(moved(classes()))
    # A number of deletions says nothing of a configuration.
    campus.refuses("E-HOLD-CONFIG", 4, "--allow-deletes", str(len(PEOPLE) * len(classes())))
    campus.approves()
    assert campus.holds(moved(classes()))
    campus.applies()


def test_a_source_that_cannot_be_read_is_not_taken_for_a_withdrawn_one(world: World) -> None:
    campus = open_campus(world)
    campus.applies()
    (world.folder / "example-timetable" / "meetings.csv").unlink()
    campus.refuses("E-SRC-FILE", 4)
    assert campus.holds(moved(classes()))


def rename(campus: Campus, old: str, new: str) -> None:
    campus.replace_in_file(f'name = "{old}"', f'name = "{new}"')
    campus.replace_in_file(f'gets = ["{old}"]', f'gets = ["{new}"]')
