"""A source that gives its meetings other ids: nothing is written to any mailbox, and nothing stands twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.scenarios.campus import (
    PEOPLE,
    Campus,
    Class,
    classes,
    moved,
    nothing_changed,
    open_campus,
    write_tables,
)
from tests.scenarios.world import World


@pytest.fixture
def campus(world: World) -> Campus:
    made = open_campus(world)
    made.applies()
    return made


def publish(
    campus: Campus, planned: Sequence[Class], prefix: str, *, room: str = "", people: Sequence[str] = PEOPLE
) -> None:
    """The timetable with other ids, and with the titles that it had."""
    folder = campus.world.folder / "example-timetable"
    rows = [
        f"{prefix}{number},{one.start:%Y-%m-%dT%H:%M},{one.end:%Y-%m-%dT%H:%M},{one.key},{room},"
        for number, one in enumerate(planned)
    ]
    (folder / "meetings.csv").write_text("\n".join(["key,start,end,title,room,cancelled", *rows]) + "\n")
    attends = [f"{prefix}{n},{name}@example.edu" for n in range(len(planned)) for name in people]
    (folder / "attendance.csv").write_text("\n".join(["meeting,person", *attends]) + "\n")


def test_a_feed_whose_ids_change_at_each_download_writes_to_no_mailbox(campus: Campus) -> None:
    with campus.world.watched() as seen:
        for prefix in ("a", "b", "a", "c"):
            publish(campus, moved(classes()), prefix)
            (planned,) = campus.run("--json", "plan").json[-1]["plans"]
            assert (planned["changes"], planned["rekeyed"]) == ([], len(classes()))
            assert "20 meetings have other ids at their source" in campus.applies().out
    assert nothing_changed(seen)
    assert campus.holds(moved(classes()))
    # Under the new ids they are what they were: moved in place, and deleted.
    publish(campus, classes()[:-1], "c")
    assert "applied 0 create, 3 update, 3 delete" in campus.applies().out
    assert campus.holds(classes()[:-1])


def test_what_was_renumbered_and_changed_is_changed_in_place(campus: Campus) -> None:
    before = {e["id"]: e["location"]["displayName"] for e in campus.institution.mailbox("ada").events()}
    publish(campus, moved(classes()), "a", room="B12")
    ended = campus.run("apply", "--yes")
    assert ended.code == 4, "all of them change: held"
    (hold,) = campus.run("--json", "holds", "list").json[0]["holds"]
    assert (hold["code"], hold["deletes"]) == ("E-HOLD-CHANGES", 0)
    assert campus.run("holds", "approve", str(hold["id"]), "--deletes", "0").code == 0
    campus.applies()
    after = {e["id"]: e["location"]["displayName"] for e in campus.institution.mailbox("ada").events()}
    assert after.keys() == before.keys()
    assert set(after.values()) == {"B12"}
    assert campus.holds(moved(classes()))


def test_meetings_of_last_week_are_not_made_again_beside_those_that_ended(campus: Campus) -> None:
    noon = datetime.now(tz=UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    ended = [Class(f"past-{day}", noon - timedelta(days=day)) for day in range(1, 6)]
    whole = [*ended, *moved(classes())]
    publish(campus, whole, "a")
    campus.applies()
    assert campus.holds(whole)
    with campus.world.watched() as seen:
        publish(campus, whole, "b")
        campus.applies()
    assert nothing_changed(seen)
    assert campus.holds(whole)


@pytest.mark.prove
def test_who_joins_and_leaves_while_ids_change_gets_and_loses_just_that(campus: Campus) -> None:
    campus.institution.tenant.add_mailboxes(f"{name}@example.edu" for name in ("mary", "joan", "edith"))
    write_tables(campus, moved(classes()), "mary", "joan")
    campus.applies()
    ids = {e["id"] for e in campus.institution.mailbox("ada").events()}
    publish(campus, moved(classes())[:18], "b", people=(*PEOPLE, "mary", "joan", "edith"))
    campus.applies()
    assert {e["id"] for e in campus.institution.mailbox("ada").events()} < ids
    assert campus.holds(moved(classes())[:18], (*PEOPLE, "mary", "joan", "edith"))
    # An event made after the renumbering bears its new key, and is found under it by the next renumbering.
    with campus.world.watched() as seen:
        publish(campus, moved(classes())[:18], "c", people=(*PEOPLE, "mary", "joan", "edith"))
        campus.applies()
    assert nothing_changed(seen)


@pytest.mark.prove
def test_another_class_at_the_same_time_is_another_class(campus: Campus) -> None:
    planned = moved(classes())
    ids = {e["id"] for e in campus.institution.mailbox("ada").events()}
    publish(campus, [replace(planned[0], key="analysis"), *planned[1:]], "a")
    campus.applies()
    now = {e["id"] for e in campus.institution.mailbox("ada").events()}
    assert len(now - ids) == len(ids - now) == 1
    assert campus.holds([replace(planned[0], key="analysis"), *planned[1:]])


def test_a_saved_plan_of_a_renumbered_source_does_what_it_says(campus: Campus) -> None:
    ids = {e["id"] for e in campus.institution.mailbox("ada").events()}
    publish(campus, moved(classes())[:-1], "a")
    assert campus.run("plan", "-o", "reviewed.plan").code == 0
    ended = campus.run("apply", "reviewed.plan", "--yes")
    assert (ended.code, "applied 0 create, 0 update, 3 delete" in ended.out) == (0, True), ended.err
    assert {e["id"] for e in campus.institution.mailbox("ada").events()} < ids
    with campus.world.watched() as seen:
        campus.applies()
    assert nothing_changed(seen)
