"""The probe makes one event and removes it again, whatever answers are lost, and touches nothing that is not its own."""

from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tests.identity.world import World, new_world

from classbell.access import Access
from classbell.doctor.note import Note, Notebook
from classbell.doctor.probe import SUBJECT, Probe, Probed, Stuck
from classbell.life import LocalFiles, SystemIds
from classbell.outlook.answers import Meaning
from classbell.outlook.client import OutlookClient
from classbell.outlook.graph import GraphDialect
from classbell.outlook.mark import MARK_PROPERTY, Mark, probe_prefix, probe_text
from classbell.outlook.pace import Pace
from classbell.sandbox import RequestInfo

pytestmark = pytest.mark.anyio

INSTALLATION = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"
ADA = "ada@example.edu"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with new_world() as world:
        yield world


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(LocalFiles(), tmp_path / "notes")


async def probed(world: World, notebook: Notebook, *, permanent: bool = True) -> Probed:
    tokens = world.tokens()
    dialect = GraphDialect()
    access = Access(
        tokens=tokens,
        client=OutlookClient(world.transport, tokens, dialect, world.clock, world.graph_url),
        dialect=dialect,
        pace=Pace(world.clock, SystemIds(), batches=1),
    )
    probe = Probe(
        access,
        world.clock,
        SystemIds(),
        notebook,
        installation=INSTALLATION,
        address=ADA,
        permanent=permanent,
    )
    return await probe.run()


def an_event(mark: str) -> dict[str, object]:
    return {
        "subject": SUBJECT,
        "start": {"dateTime": "2030-01-01T03:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2030-01-01T03:05:00", "timeZone": "UTC"},
        "singleValueExtendedProperties": [{"id": MARK_PROPERTY, "value": mark}],
    }


async def test_nothing_remains_of_a_probe(world: World, notebook: Notebook) -> None:
    done = await probed(world, notebook)
    ada = world.tenant.mailbox(ADA)
    assert done.steps == ("create", "read", "update", "delete")
    assert (done.permanently, done.removed_earlier, done.strangers) == (True, 0, ())
    assert (ada.events(), ada.deleted_events(), notebook.read()) == ([], [], ())
    assert world.sandbox.outbox == []


async def test_the_test_event_is_private_free_silent_and_says_what_it_is(
    world: World, notebook: Notebook
) -> None:
    await probed(world, notebook, permanent=False)
    (event,) = world.tenant.mailbox(ADA).deleted_events()
    assert (event["sensitivity"], event["showAs"], event["isReminderOn"]) == ("private", "free", False)
    assert event["attendees"] == []
    assert "Classbell test event" in event["subject"]
    assert event["start"]["dateTime"].endswith("T03:00:00.0000000")


async def test_its_mark_is_no_mark_of_a_delivered_event(world: World, notebook: Notebook) -> None:
    await probed(world, notebook)
    (mark,) = {
        value
        for record in world.sandbox.history
        if record.change is not None
        for _, value in record.change.properties
    }
    assert mark.startswith(probe_prefix(INSTALLATION))
    assert Mark.parse(mark) is None
    assert not mark.startswith("1/")


async def test_the_note_stands_before_the_create_leaves(world: World, notebook: Notebook) -> None:
    noted: list[tuple[Note, ...]] = []

    def look(info: RequestInfo) -> bool:
        if info.kind == "member" and info.method == "POST":
            noted.append(notebook.read())
        return False

    world.sandbox.faults.add(look, "drop", times=None)
    await probed(world, notebook)
    assert noted[0][0].mailbox == ADA
    assert noted[0][0].event_id == ""


def on(method: str, number: int) -> Callable[[RequestInfo], bool]:
    seen = 0

    def match(info: RequestInfo) -> bool:
        nonlocal seen
        if info.kind == "member" and info.method == method:
            seen += 1
            return seen == number
        return False

    return match


REQUESTS = [("GET", 1), ("POST", 1), ("GET", 2), ("PATCH", 1), ("POST", 2), ("GET", 3)]
OFTEN = ("drop-after", "503-before")
EFFECTS = [
    *OFTEN,
    *(
        pytest.param(effect, marks=pytest.mark.prove)
        for effect in (
            "drop-before",
            "503-after",
            "cut-after",
            "missing-after",
            "missing-before",
            "html-after",
        )
    ),
]


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(("method", "number"), REQUESTS)
async def test_a_lost_answer_leaves_no_second_event_and_none_behind(
    world: World, notebook: Notebook, method: str, number: int, effect: str
) -> None:
    fault = world.sandbox.faults.add(on(method, number), effect)
    stuck = None
    try:
        await probed(world, notebook)
    except Stuck as error:
        stuck = error.step
    if stuck is not None:
        # Nobody has seen the event by now, which does not prove that nobody will: its note is kept.
        assert (stuck, effect.endswith("before"), len(notebook.read())) == ("create", True, 1)
    assert fault.hits == 1
    world.sandbox.clock.advance(3600)
    world.clock.offset += 3600
    again = await probed(world, notebook)
    ada = world.tenant.mailbox(ADA)
    assert (again.strangers, ada.events(), ada.deleted_events(), notebook.read()) == ((), [], [], ())


@pytest.mark.parametrize(("method", "number"), REQUESTS[2:5])
async def test_what_a_stopped_probe_left_is_removed_by_the_next(
    world: World, notebook: Notebook, method: str, number: int
) -> None:
    stop = world.sandbox.faults.add(_from(method, number), "drop-before", times=None)
    with pytest.raises(Stuck):
        await probed(world, notebook)
    world.sandbox.faults.remove(stop)
    assert len(world.tenant.mailbox(ADA).events()) == 1
    done = await probed(world, notebook)
    assert (done.removed_earlier, done.strangers) == (1, ())
    assert world.tenant.mailbox(ADA).events() == []


def _from(method: str, number: int) -> Callable[[RequestInfo], bool]:
    seen = 0
    begun = False

    def match(info: RequestInfo) -> bool:
        nonlocal seen, begun
        seen += info.kind == "member" and info.method == method
        begun = begun or seen >= number
        return begun and info.kind == "member"

    return match


async def test_a_create_that_comes_to_light_late_is_removed_by_the_next(
    world: World, notebook: Notebook
) -> None:
    late = world.sandbox.faults.add(on("POST", 1), "503-late", delay=120)
    with pytest.raises(Stuck) as caught:
        await probed(world, notebook)
    assert (caught.value.step, caught.value.diagnosis.meaning) == ("create", Meaning.UNKNOWN)
    assert late.hits == 1
    world.pass_time(60)
    assert (await probed(world, notebook)).removed_earlier == 0
    world.pass_time(120)
    assert (await probed(world, notebook)).removed_earlier == 1
    assert world.tenant.mailbox(ADA).events() == []


async def test_a_test_event_that_no_note_proves_is_told_and_left_alone(
    world: World, notebook: Notebook
) -> None:
    ada = world.tenant.mailbox(ADA)
    ada.put_event(an_event(probe_text(INSTALLATION, "11111111-2222-4333-8444-555555555555", 1)))
    done = await probed(world, notebook)
    assert [one.subject for one in done.strangers] == [SUBJECT]
    assert len(ada.events()) == 1


async def test_of_two_bearers_of_one_mark_none_is_removed(world: World, notebook: Notebook) -> None:
    operation = "11111111-2222-4333-8444-555555555555"
    ada = world.tenant.mailbox(ADA)
    original = ada.put_event(an_event(probe_text(INSTALLATION, operation, 1)))
    ada.copy_event(original)
    notebook.write(Note(mailbox=ADA, operation=operation, noted_at=world.sandbox.clock.now()))
    done = await probed(world, notebook)
    assert (done.removed_earlier, len(done.strangers), len(ada.events())) == (0, 2, 2)


async def test_where_copies_bear_the_mark_the_noted_event_alone_is_removed(
    world: World, notebook: Notebook
) -> None:
    stop = world.sandbox.faults.add(_from("PATCH", 1), "drop-before", times=None)
    with pytest.raises(Stuck):
        await probed(world, notebook)
    world.sandbox.faults.remove(stop)
    ada = world.tenant.mailbox(ADA)
    copy = ada.copy_event(ada.events()[0]["id"])
    done = await probed(world, notebook)
    assert (done.removed_earlier, len(done.strangers)) == (1, 1)
    assert [event["id"] for event in ada.events()] == [copy]


async def test_other_events_are_never_even_read(world: World, notebook: Notebook) -> None:
    ada = world.tenant.mailbox(ADA)
    other = ada.put_event(an_event("nothing of ours"))
    await probed(world, notebook)
    asked = [r for r in world.sandbox.history if r.kind == "request" and "/users/" in r.path]
    assert all("ClassbellMark" in r.path or r.method != "GET" for r in asked)
    assert all(other not in r.path for r in asked)


async def test_a_busy_mailbox_is_waited_for_a_little_and_no_longer(world: World, notebook: Notebook) -> None:
    world.sandbox.faults.add(on("POST", 1), "429-before", retry_after=20)
    before = world.clock.now()
    assert (await probed(world, notebook)).permanently
    assert world.clock.now() - before >= 20
    world.sandbox.faults.add(on("PATCH", 1), "429-before", retry_after=900)
    with pytest.raises(Stuck) as caught:
        await probed(world, notebook)
    assert caught.value.diagnosis.meaning is Meaning.BUSY


async def test_one_after_the_other_in_one_mailbox(world: World, notebook: Notebook) -> None:
    await probed(world, notebook)
    assert world.sandbox.peak_in_flight() == 1
    times = [r.at for r in world.sandbox.history if r.kind == "request"]
    assert all(one <= other for one, other in pairwise(times))


def test_notes_that_are_damaged_name_no_event(tmp_path: Path) -> None:
    for damaged in (b"", b"[{", b'[{"mailbox":"\xff","operation":"a","noted_at":1.0}]'):
        (tmp_path / "notes").write_bytes(damaged)
        assert Notebook(LocalFiles(), tmp_path / "notes").read() == ()
