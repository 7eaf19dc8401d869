"""Several institutions, the file of one of which is not finished: the others go on, and nothing is kept quiet."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.classbell import Ended, classbell
from tests.scenarios.world import World, table


@pytest.fixture
def two(world: World) -> World:
    """North is sound, and has one class tomorrow; south has an unfilled placeholder."""
    folder = world.folder / "timetable"
    folder.mkdir()
    day = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    (folder / "meetings.csv").write_text(
        f"key,start,end,title,room,cancelled\nm1,{day}T09:00,{day}T10:00,Chemistry,B12,\n", encoding="utf-8"
    )
    (folder / "attendance.csv").write_text("meeting,person\nm1,ann@north.edu\n", encoding="utf-8")
    for name in ("north", "south"):
        world.add_institution(table(folder), ["ann"], id=name)
    south = world.institutions["south"].file
    south.write_text(south.read_text(encoding="utf-8").replace("Europe/London", "REGION/CITY"), "utf-8")
    return world


def ran(world: World, *arguments: str) -> Ended:
    return classbell(*arguments, cwd=world.folder)


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("sync", "--yes"), ("status",)])
def test_the_sound_one_goes_on_and_the_command_ends_with_2(two: World, command: tuple[str, ...]) -> None:
    ended = ran(two, *command)
    assert ended.code == 2
    assert "conf.d/south.toml:" in ended.err
    assert "nothing was done for this institution; the others are not concerned." in ended.err
    assert "University of North" in ended.out
    delivered = len(list(two.institutions["north"].mailbox("ann").events()))
    assert delivered == (1 if command[0] in {"apply", "sync"} else 0)


def test_a_question_is_answered_with_one_object_that_says_who_was_passed_over(two: World) -> None:
    ended = ran(two, "status", "--json")
    (answer,) = ended.json
    assert [one["id"] for one in answer["institutions"]] == ["north"]
    assert [(one["code"], one["file"]) for one in answer["passed_over"]] == [
        ("E-CFG-VALUE", "conf.d/south.toml")
    ]
    assert ended.code == 2


def test_the_lines_of_long_work_say_it_and_end_with_the_code(two: World) -> None:
    ended = ran(two, "apply", "--yes", "--json")
    (told,) = [one for one in ended.json if one["type"] == "diagnostic"]
    assert (told["code"], told["severity"], told["file"]) == ("E-CFG-VALUE", "error", "conf.d/south.toml")
    assert ended.json[-1]["exit"] == ended.code == 2


def test_with_its_id_only_its_own_file_counts(two: World) -> None:
    assert ran(two, "plan", "-i", "north").code == 0
    assert ran(two, "status", "-i", "north").code == 0
    assert ran(two, "config", "check", "-i", "north").out.startswith("ok   north")
    for command in (["plan"], ["config", "check"], ["explain", "ann@south.edu"]):
        ended = ran(two, *command, "-i", "south")
        assert ended.code == 2
        assert "REGION/CITY" in ended.err or "south.toml" in ended.err
    assert ran(two, "config", "check").code == 2


def test_where_none_is_sound_nothing_is_done(two: World) -> None:
    north = two.institutions["north"].file
    north.write_text(north.read_text(encoding="utf-8").replace("Europe/London", "REGION/CITY"), "utf-8")
    ended = ran(two, "plan")
    assert ended.code == 2
    assert "north.toml" in ended.err
    assert "south.toml" in ended.err
    assert ended.out == ""
