"""A saved plan is carried out exactly as it was seen, or not at all."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
from tests.cli.classbell import Ended
from tests.scenarios.campus import (
    PEOPLE,
    Campus,
    an_hour_later,
    classes,
    moved,
    nothing_changed,
    open_campus,
    write_tables,
)
from tests.scenarios.world import World

from classbell.cli.assembly import workplace
from classbell.errors import StalePlan
from classbell.plan import Plan
from classbell.run import Run
from classbell.saved import (
    Ground,
    SavedPlan,
    check_ground,
    decode,
    encode,
    review_of,
    save,
    saved_institution,
)

DAY = 86_400


@pytest.fixture
def campus(world: World) -> Campus:
    return open_campus(world)


def refused(campus: Campus, code: str, exit_code: int, *arguments: str) -> Ended:
    with campus.world.watched() as seen:
        ended = campus.run("apply", "--yes", *arguments)
    assert (ended.code, ended.err.split()[0]) == (exit_code, code), ended.out + ended.err
    assert "Why:" in ended.err
    assert "Do:" in ended.err
    assert nothing_changed(seen)
    assert seen.asked == []
    return ended


def test_a_plan_in_a_file_is_applied_exactly_whatever_the_timetable_says_by_then(campus: Campus) -> None:
    planned = campus.run("plan", "-o", "move.plan")
    assert planned.code == 0
    assert planned.err.endswith("To apply exactly this: classbell apply move.plan\n")
    write_tables(campus, classes()[:10])
    with campus.world.watched() as seen:
        ended = campus.run("apply", "move.plan", "--yes")
    assert ended.code == 0, ended.err
    assert seen.changes == {"update": 3}
    assert campus.holds(moved(classes()))
    assert "algebra-03" in ended.out
    assert ", as it was saved; no source is read\n" in ended.out
    assert "sources read" not in ended.out


def test_it_tells_of_as_many_mailboxes_as_when_it_was_made(campus: Campus) -> None:
    campus.run("sync", "ada@example.edu")
    assert "2 of 3 mailboxes affected" in campus.run("plan", "-o", "rest.plan").out
    assert "2 of 3 mailboxes affected" in campus.run("apply", "rest.plan", "--yes").out


def test_nothing_that_was_open_before_is_carried_out_with_a_saved_plan(campus: Campus) -> None:
    campus.applies()
    write_tables(campus, moved(classes())[3:])
    faults = campus.world.sandbox.faults
    faults.add(
        lambda info: info.kind == "member" and info.method == "DELETE", 429, times=None, retry_after=3_600
    )
    assert campus.run("apply", "--yes").code == 3
    an_hour_later(campus)
    # What is held, or cannot be read, is in no plan.
    (campus.world.folder / f"{campus.institution.id}-timetable" / "meetings.csv").write_text("broken")
    campus.run("plan", "-o", "nothing.plan")
    with campus.world.watched() as seen:
        campus.run("apply", "nothing.plan", "--yes")
    assert nothing_changed(seen)
    assert campus.holds(moved(classes()))


def test_a_plan_is_kept_under_the_name_it_prints(campus: Campus) -> None:
    name = campus.run("plan").err.split()[-1]
    assert name.startswith("example-1-")
    (kept,) = (campus.world.folder / "classbell.db.plans").iterdir()
    assert kept.name == f"{name}.plan"
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert campus.run("plan", "--json").json[0]["saved"] != name  # a later look is another plan
    assert campus.run("apply", name, "--yes").code == 0
    assert campus.holds(moved(classes()))


def test_people_can_read_what_a_plan_will_do(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    plan = json.loads((campus.world.folder / "move.plan").read_text(encoding="utf-8"))
    (institution,) = plan["institutions"]
    (change,) = institution["changes"]
    assert (change["action"], change["title"], change["meeting"]) == ("update", "algebra-03", "algebra-03")
    assert change["mailboxes"] == [f"{name}@example.edu" for name in ("ada", "alan", "grace")]
    assert (institution["id"], institution["counts"], institution["basis"]) == ("example", {"update": 3}, 1)


def test_a_plan_is_applied_once(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    assert campus.run("apply", "move.plan", "--yes").code == 0
    refused(campus, "E-PLAN-USED", 11, "move.plan")


def test_a_plan_is_stale_once_another_was_accepted(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    campus.applies()
    refused(campus, "E-PLAN-STALE", 11, "move.plan")


def test_a_plan_is_stale_once_the_configuration_says_something_else(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    campus.replace_in_file('future = "200d"', 'future = "100d"')
    refused(campus, "E-PLAN-STALE", 11, "move.plan")


def test_a_plan_is_of_one_installation(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    host = campus.world.folder / "classbell.toml"
    text = host.read_text(encoding="utf-8")
    host.write_text(text.replace("6f1c1c62", "00000000") + '[database]\nurl = "sqlite:///other.db"\n')
    refused(campus, "E-PLAN-FOREIGN", 11, "move.plan")


def test_a_plan_is_of_one_ledger_even_if_the_next_one_has_come_as_far(campus: Campus) -> None:
    campus.applies()
    write_tables(campus, classes()[:10])
    campus.run("plan", "-o", "move.plan")
    for path in campus.world.folder.glob("classbell.db*"):
        path.unlink()
    campus.refuses("E-LEDGER-LOST", 4)
    refused(campus, "E-PLAN-FOREIGN", 11, "move.plan")


def test_a_plan_is_of_the_institutions_it_was_made_for(campus: Campus) -> None:
    open_campus(campus.world, "second")
    campus.run("plan", "-i", "example", "-o", "move.plan")
    refused(campus, "E-PLAN-FOREIGN", 11, "move.plan", "-i", "second")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("algebra-03", "algebra-04"),
        lambda text: text[:-20],
        lambda text: text.replace('"classbell_plan": 1', '"classbell_plan": 2'),
        lambda _: "BEGIN:VCALENDAR",
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_refused(
    campus: Campus, damage: Callable[[str], str]
) -> None:
    campus.run("plan", "-o", "move.plan")
    file = campus.world.folder / "move.plan"
    before = file.read_text(encoding="utf-8")
    assert damage(before) != before
    file.write_text(damage(before), encoding="utf-8")
    refused(campus, "E-PLAN-FILE", 2, "move.plan")
    refused(campus, "E-PLAN-FILE", 2, "no-such.plan")


def test_white_space_may_change(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    file = campus.world.folder / "move.plan"
    file.write_text(json.dumps(json.loads(file.read_text())), encoding="utf-8")
    assert campus.run("apply", "move.plan", "--yes").code == 0


def test_a_plan_that_cannot_be_written_is_told(campus: Campus) -> None:
    ended = campus.run("plan", "-o", "nowhere/move.plan")
    assert ended.code == 2
    assert "E-PLAN-WRITE" in ended.err


def test_what_guards_hold_of_a_saved_plan_stays_held_until_a_person_agrees(campus: Campus) -> None:
    write_tables(campus, classes()[:8])
    planned = campus.run("plan", "-o", "less.plan")
    assert planned.code == 4
    assert planned.err.endswith(
        "Nothing was changed. All of it is held; once that is approved: classbell apply less.plan\n"
    )
    with campus.world.watched() as seen:
        assert campus.run("apply", "less.plan", "--yes").code == 4
    assert nothing_changed(seen)
    # Neither that, nor a run that held the same, is a reason to plan again.
    assert campus.run("sync", "--yes").code == 4
    (hold,) = campus.run("--json", "holds", "list").json[0]["holds"]
    assert campus.run("holds", "approve", str(hold["id"]), "--deletes", "36").code == 0
    assert campus.run("apply", "less.plan", "--yes").code == 0
    assert campus.holds(classes()[:8])
    refused(campus, "E-PLAN-USED", 11, "less.plan")


def test_a_plan_of_which_a_part_is_held_says_what_would_be_applied(campus: Campus) -> None:
    campus.lets_no_deletion_pass_unasked()
    write_tables(campus, moved(classes())[2:])
    planned = campus.run("plan", "-o", "part.plan")
    assert planned.err.endswith("To apply what is not held: classbell apply part.plan\n")
    assert campus.run("apply", "part.plan", "--yes").code == 4
    assert campus.holds(moved(classes()))


def test_a_plan_stays_good_after_a_run_that_changed_nothing(campus: Campus) -> None:
    campus.institution.tenant.add_mailbox("mary@example.edu")
    write_tables(campus, moved(classes()), "mary")
    assert campus.run("sync", "mary@example.edu").code == 0
    campus.run("plan", "-o", "move.plan")
    assert "nothing was to be done" in campus.run("sync", "mary@example.edu", "--yes").out
    assert campus.run("apply", "move.plan", "--yes").code == 0
    assert campus.holds(moved(classes()), [*PEOPLE, "mary"])


def test_a_plan_is_stale_once_a_run_has_seen_that_nobody_wants_it_any_more(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    write_tables(campus, classes())
    with campus.world.watched() as seen:
        campus.applies()
    assert nothing_changed(seen)
    refused(campus, "E-PLAN-STALE", 11, "move.plan")


def test_what_people_have_deleted_stays_so_when_a_saved_plan_is_applied(world: World) -> None:
    """A saved plan names no pair but those it changes; that must not pass for nobody attending anything."""
    campus = open_campus(world)
    campus.replace_in_file("[[profiles]]\n", '[[profiles]]\non_user_delete = "respect"\n')
    mailbox = campus.institution.mailbox("ada")
    first = next(event for event in mailbox.events() if event["subject"] == classes()[0].key)
    mailbox.delete_event(first["id"])
    campus.run("verify")
    campus.run("plan", "-o", "move.plan")
    assert campus.run("apply", "move.plan", "--yes").code == 0
    campus.applies()
    assert campus.holds(moved(classes())[1:], ["ada"])


def test_a_plan_does_not_outlive_a_day() -> None:
    plan = save(Ground(installation="A", revision=3, now=1000.0), ())
    check_ground(plan, Ground(installation="a", revision=3, now=1000.0 + DAY))
    for later in (
        Ground(installation="a", revision=3, now=1001.0 + DAY),
        Ground(installation="b", revision=3, now=1000.0),
        Ground(installation="a", revision=2, now=1000.0),
    ):
        with pytest.raises(StalePlan):
            check_ground(plan, later)


def test_every_column_of_a_plan_comes_back_from_its_file(campus: Campus) -> None:
    write_tables(campus, [*moved(classes()[:18])], "mary")
    campus.institution.tenant.add_mailboxes(["mary@example.edu"])

    async def there_and_back() -> tuple[Plan, Plan]:
        async with workplace(campus.world.configuration, writing=False) as place:
            office = await place.office(place.configuration.institution("example"))
            review = await Run(office).look()
            saved = saved_institution(office.settings, review, review.renderings.new_bodies())
            plan = save(Ground(installation="a", revision=1, now=review.now), [saved])
            again: SavedPlan = decode(encode(plan), "plan")
            assert again == plan
            back = await Run(office).judged(await review_of(again, again.institutions[0], office))
            assert np.array_equal(back.verdict.passed, review.verdict.passed)
            assert back.plan.upcoming == review.plan.upcoming
            assert [s.digest for s in back.snapshots] == [s.digest for s in review.snapshots]
            assert back.verdict.holds == review.verdict.holds
            assert back.circumstances == review.circumstances
            return review.plan, back.plan

    before, after = asyncio.run(there_and_back())
    assert len(before) > 20
    for part in fields(Plan):
        assert np.array_equal(getattr(before, part.name), getattr(after, part.name)), part.name


def test_a_plan_that_could_not_even_begin_is_not_used_up(campus: Campus) -> None:
    campus.run("plan", "-o", "move.plan")
    assert campus.run("pause", "-i", "example", "--reason", "moving house").code == 0
    ended = refused(campus, "E-PAUSED", 4, "move.plan")
    assert "moving house" in ended.err
    assert campus.run("resume", "-i", "example").code == 0
    assert campus.run("apply", "move.plan", "--yes").code == 0
    assert campus.holds(moved(classes()))


@pytest.mark.prove
def test_a_plan_of_two_institutions_is_begun_in_none_if_it_cannot_be_in_one(campus: Campus) -> None:
    second = open_campus(campus.world, "second")
    campus.run("plan", "-o", "move.plan")
    assert campus.run("pause", "-i", "second", "--reason", "moving house").code == 0
    refused(campus, "E-PAUSED", 4, "move.plan")
    assert campus.run("resume", "-i", "second").code == 0
    assert campus.run("apply", "move.plan", "--yes").code == 0
    assert campus.holds(moved(classes()))
    assert second.holds(moved(classes()))


def test_a_plan_of_two_institutions_can_be_finished_where_one_was_refused(campus: Campus) -> None:
    second = open_campus(campus.world, "second")
    campus.run("plan", "-o", "move.plan")
    file = campus.world.folder / "conf.d" / "second-cert.pem"
    content = file.read_bytes()
    file.unlink()
    assert campus.run("apply", "move.plan", "--yes").code == 2
    assert campus.holds(moved(classes()))
    assert second.holds(classes())
    file.write_bytes(content)
    file.chmod(0o600)
    with campus.world.watched() as seen:
        ended = campus.run("apply", "move.plan", "--yes")
    assert ended.code == 0, ended.err
    assert "example has carried this plan out already; it is left out." in ended.err
    assert seen.changes == {"update": 3}
    assert second.holds(moved(classes()))
    refused(campus, "E-PLAN-USED", 11, "move.plan")
