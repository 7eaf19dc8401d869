"""Two institutions in one installation, whose people and classes have the same names."""

import re
import sqlite3
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from tests.scenarios.university import FIRST_MONDAY, NOW, open_university, republish
from tests.scenarios.world import Institution, World, new_world

from classbell.identity.certificates import KeyPair
from classbell.outlook.mark import Mark
from classbell.sample import University
from classbell.sandbox import Record

# How to find the institution of each row; a table that is not listed fails the test below.
INSTITUTION_OF = {
    "institution": "SELECT id, id FROM institution",
    "mailbox": "SELECT institution_id, institution_id FROM mailbox",
    "meeting": "SELECT institution_id, institution_id FROM meeting",
    "rendering": "SELECT institution_id, institution_id FROM rendering",
    "run": "SELECT institution_id, institution_id FROM run",
    "source": "SELECT institution_id, institution_id FROM source",
    "certificate": "SELECT institution_id, institution_id FROM certificate",
    "calendar": "SELECT b.institution_id, b.institution_id FROM calendar c JOIN mailbox b ON b.id = c.mailbox_id",
    "calendar_intent": "SELECT b.institution_id, b.institution_id FROM calendar_intent c"
    " JOIN mailbox b ON b.id = c.mailbox_id",
    "quarantine": "SELECT institution_id, institution_id FROM quarantine",
    "pause": "SELECT institution_id, institution_id FROM pause",
    "forgotten": "SELECT institution_id, institution_id FROM forgotten",
    "configured": "SELECT institution_id, institution_id FROM configured",
    "used_plan": "SELECT institution_id, institution_id FROM used_plan",
    "counted_delete": "SELECT institution_id, institution_id FROM counted_delete",
    "idle_rendering": "SELECT institution_id, institution_id FROM idle_rendering",
    "pruned": "SELECT institution_id, institution_id FROM pruned",
    "restored": "SELECT m.institution_id, b.institution_id FROM restored r"
    " JOIN mailbox b ON b.id = r.mailbox_id JOIN meeting m ON m.id = r.meeting_id",
    "hold": "SELECT institution_id, institution_id FROM hold",
    "approval": "SELECT h.institution_id, h.institution_id FROM approval a JOIN hold h ON h.id = a.hold_id",
    "fruitless": "SELECT r.institution_id, r.institution_id FROM fruitless f JOIN run r ON r.id = f.run_id",
    "rekeyed": "SELECT m.institution_id, r.institution_id FROM rekeyed k"
    " JOIN meeting m ON m.id = k.meeting_id JOIN run r ON r.id = k.run_id",
    "verified": "SELECT b.institution_id, b.institution_id FROM verified v JOIN mailbox b ON b.id = v.mailbox_id",
    "suspension": "SELECT b.institution_id, b.institution_id FROM suspension s"
    " JOIN mailbox b ON b.id = s.mailbox_id",
    "sighting": "SELECT b.institution_id, coalesce(m.institution_id, b.institution_id) FROM sighting s"
    " JOIN mailbox b ON b.id = s.mailbox_id LEFT JOIN meeting m ON m.id = s.meeting_id",
    "wish": "SELECT m.institution_id, b.institution_id FROM wish w"
    " JOIN mailbox b ON b.id = w.mailbox_id JOIN meeting m ON m.id = w.meeting_id",
    "stale": "SELECT b.institution_id, b.institution_id FROM stale s JOIN mailbox b ON b.id = s.mailbox_id",
    "packed": "SELECT p.institution_id, b.institution_id FROM packed p JOIN mailbox b ON b.id = p.mailbox_id",
    "entry": "SELECT m.institution_id, b.institution_id FROM entry e"
    " JOIN mailbox b ON b.id = e.mailbox_id JOIN meeting m ON m.id = e.meeting_id",
    "past_incarnation": "SELECT m.institution_id, b.institution_id FROM past_incarnation e"
    " JOIN mailbox b ON b.id = e.mailbox_id JOIN meeting m ON m.id = e.meeting_id",
    "change": "SELECT c.institution_id, b.institution_id FROM change c JOIN mailbox b ON b.id = c.mailbox_id"
    " UNION ALL SELECT c.institution_id, m.institution_id FROM change c JOIN meeting m ON m.id = c.meeting_id"
    " UNION ALL SELECT c.institution_id, r.institution_id FROM change c JOIN run r ON r.id = c.run_id",
}
OF_THE_INSTALLATION = {"ledger", "alembic_version"}


Both = tuple[Institution, Institution]


@pytest.fixture(scope="module", params=["graph", pytest.param("outlook-rest-v2", marks=pytest.mark.prove)])
def shared_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pair: KeyPair
) -> Iterator[World]:
    """A world that the tests only look at."""
    with new_world(tmp_path_factory.mktemp("world"), pair) as world:
        world.api = request.param
        yield world


@pytest.fixture(scope="module")
def north_and_south(shared_world: World) -> Both:
    """Both have been brought up to date twice, with a day of changes in between."""
    return two_institutions(shared_world)


def two_institutions(world: World) -> Both:
    world.set_time(NOW)
    universities = {
        name: University.generate(people=24, weeks=4, first_monday=FIRST_MONDAY, domain=f"{name}.edu")
        for name in ("north", "south")
    }
    north, south = (open_university(world, university, id=name) for name, university in universities.items())
    for name in universities:
        world.synced(name)
    for name, university in universities.items():
        republish(world, university.day_of_changes(NOW)[0], id=name)
        world.synced(name)
    names = [{box.address.partition("@")[0] for box in one.tenant.mailboxes()} for one in (north, south)]
    assert names[0] == names[1]
    return north, south


def test_no_row_of_the_ledger_belongs_to_both(shared_world: World, north_and_south: Both) -> None:
    with sqlite3.connect(shared_world.database) as ledger:
        keys = dict(ledger.execute("SELECT id, key FROM institution"))
        tables = {
            name
            for (name,) in ledger.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        }
        assert tables == INSTITUTION_OF.keys() | OF_THE_INSTALLATION
        for name, query in INSTITUTION_OF.items():
            rows = ledger.execute(query).fetchall()
            assert all(one == other and one in keys for one, other in rows), name
            # A join that lost rows would prove nothing.
            (count,) = ledger.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608 -- names above
            assert len(rows) == count * (3 if name == "change" else 1), name
        boxes = ledger.execute("SELECT institution_id, address FROM mailbox").fetchall()
    assert sorted(keys.values()) == ["north", "south"]
    assert {(keys[number], address.partition("@")[2]) for number, address in boxes} == {
        (one.id, one.domain) for one in north_and_south
    }


def test_no_event_of_one_bears_the_mark_of_the_other_and_none_its_id(north_and_south: Both) -> None:
    ids: dict[str, set[str]] = {}
    for one in north_and_south:
        events = [event for box in one.tenant.mailboxes() for event in box.events()]
        marks = [
            Mark.parse(property_["value"])
            for event in events
            for property_ in event["singleValueExtendedProperties"]
        ]
        assert len(marks) == len(events) > 100
        assert {mark and (mark.institution, mark.mailbox_key.partition("@")[2]) for mark in marks} == {
            (one.id, one.domain)
        }
        # The classes are called alike; what tells the operations apart is the institution.
        ids[one.id] = {mark.operation for mark in marks if mark}
    assert ids["north"].isdisjoint(ids["south"])


def test_each_request_goes_to_the_tenant_whose_token_it_bears(
    shared_world: World, north_and_south: Both
) -> None:
    domain = {one.tenant.tenant_id: one.domain for one in north_and_south}
    app = {one.tenant.tenant_id: one.app.client_id for one in north_and_south}
    requests = [record for record in shared_world.sandbox.history if record.kind == "request"]
    assert {record.tenant for record in requests} == domain.keys()
    for record in requests:
        assert record.app == app[record.tenant]
    asked = list(_persons_asked_for(requests))
    assert len(asked) > 200
    assert all(address.endswith(f"@{domain[tenant]}") for tenant, address in asked)
    assert not [record for record in shared_world.sandbox.history if record.kind == "refusal"]


def test_each_tenant_is_asked_for_tokens_of_its_own_application_only(
    shared_world: World, north_and_south: Both
) -> None:
    asked = [record for record in shared_world.sandbox.history if record.path.endswith("/token")]
    assert {(record.path.split("/")[1], record.tenant, record.app) for record in asked} == {
        (one.tenant.tenant_id, one.tenant.tenant_id, one.app.client_id) for one in north_and_south
    }


def test_no_batch_holds_requests_of_both(shared_world: World, north_and_south: Both) -> None:
    tenants: dict[int, set[str]] = {}
    for record in shared_world.sandbox.history:
        if record.batch:
            tenants.setdefault(record.batch, set()).add(record.tenant)
    assert len(tenants) >= 2 * len(north_and_south)
    assert all(len(found) == 1 for found in tenants.values())


@pytest.mark.prove
def test_a_person_of_the_other_institution_is_looked_for_in_the_own_tenant_only(
    world: World,
) -> None:
    _, south = two_institutions(world)
    guest = next(south.tenant.mailboxes())
    before = [event["id"] for event in guest.events()]
    attendance = world.folder / "north-timetable" / "attendance.csv"
    lines = attendance.read_text(encoding="utf-8").splitlines()
    attendance.write_text("\n".join([*lines, f"{lines[-1].partition(',')[0]},{guest.address}", ""]))
    with world.watched() as seen:
        report = world.sync("north").report
    assert report.exit_code == 3
    assert [waiting.code for waiting in report.waiting] == ["E-MBX-404"]
    assert {record.tenant for record in seen.asked} == {world.institutions["north"].tenant.tenant_id}
    assert seen.by_us == []
    assert [event["id"] for event in guest.events()] == before


def _persons_asked_for(records: list[Record]) -> Iterator[tuple[str, str]]:
    for record in records:
        person = re.search(r"/users/([^/?]+)", record.path)
        if person:
            yield record.tenant, unquote(person[1])
