"""What the ledger remembers of runs, sources and renderings."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from tests.contract.ledger.books import HUGE, INSTALLATION, NOW, accept, create, deliver

from classbell.ledger import InstitutionLedger, KnownRendering, Ledger, NewRendering
from classbell.model import Coverage, Meeting, Rendering, Snapshot, Window

pytestmark = pytest.mark.anyio

MONDAY = datetime(2026, 9, 21, 9, 0)  # noqa: DTZ001 - meetings have wall times


def snapshot(source: str, *hours: int, cancelled: int = 0, until: int = 2_000_000_000) -> Snapshot:
    """A read with meetings at these hours of a day, of which the first few are cancelled."""
    return Snapshot(
        source=source,
        meetings=tuple(
            Meeting(
                key=str(hour),
                start=MONDAY + timedelta(hours=hour),
                end=MONDAY + timedelta(hours=hour + 1),
                zone="Europe/London",
                cancelled=index < cancelled,
            )
            for index, hour in enumerate(hours)
        ),
        people=(),
        attendance=np.empty((0, 2), dtype=np.int32),
        coverage=Coverage(window=Window(begin=0, end=until)),
        digest=f"digest of {source}".encode()[:16],
    )


def rendering(
    name: bytes, fingerprint: int, *, profile: bytes = b"profile", normaliser: int = 1
) -> NewRendering:
    return NewRendering(
        meeting_digest=name.ljust(16, b"\0"),
        profile_digest=profile.ljust(16, b"\0"),
        normaliser=normaliser,
        rendering=Rendering(fingerprint=fingerprint, body=b'{"of":"' + name + b'"}'),
    )


async def test_runs_are_remembered_newest_first_with_how_they_ended(uni: InstitutionLedger) -> None:
    for index in range(3):
        accepted = await accept(uni, now=NOW + index)
        if index < 2:
            await uni.runs.finish(accepted.run_id, index, {"done": {"create": index}}, NOW + index + 10)
    running, second, first = await uni.runs.last(10)
    assert (running.started_at, running.finished_at, running.exit_code) == (NOW + 2, None, None)
    assert running.summary == {}
    assert (second.finished_at, second.exit_code, second.summary) == (NOW + 11, 1, {"done": {"create": 1}})
    assert (first.started_at, first.exit_code) == (NOW, 0)
    assert [run.id for run in await uni.runs.last()] == [running.id]


async def test_the_last_accepted_read_of_each_source_is_remembered(uni: InstitutionLedger) -> None:
    read = [snapshot("timetable", 5, 1, 3, cancelled=1, until=1234), snapshot("exams")]
    await uni.runs.keep_sources(read, NOW)
    states = await uni.runs.sources()
    assert set(states) == {"timetable", "exams"}
    timetable = states["timetable"]
    assert (timetable.digest, timetable.read_at) == (b"digest of timeta", NOW)
    assert timetable.last.covered_until == 1234
    expected = [meeting.starts_at for meeting in read[0].meetings if not meeting.cancelled]
    assert timetable.last.starts.tolist() == sorted(expected)
    assert timetable.last.starts.dtype == np.int64
    assert states["exams"].last.starts.tolist() == []


async def test_a_later_read_takes_the_place_of_its_own_source_only(uni: InstitutionLedger) -> None:
    await uni.runs.keep_sources([snapshot("timetable", 1, 2), snapshot("exams", 3)], NOW)
    await uni.runs.keep_sources([snapshot("timetable", 7)], NOW + 60)
    states = await uni.runs.sources()
    assert {name: (state.read_at, len(state.last.starts)) for name, state in states.items()} == {
        "timetable": (NOW + 60, 1),
        "exams": (NOW, 1),
    }
    await uni.runs.keep_sources([], NOW + 120)
    assert len(await uni.runs.sources()) == 2


async def test_renderings_are_kept_with_the_plan_that_brought_them(url: str) -> None:
    ledger = await Ledger.open(url, INSTALLATION)
    book = await ledger.institution("uni")
    await accept(book, renderings=[rendering(b"algebra", HUGE), rendering(b"botany", 2**63)])
    ledger.close()
    ledger = await Ledger.open(url, INSTALLATION)
    book = await ledger.institution("uni")
    profile = b"profile".ljust(16, b"\0")
    assert await book.meetings.known_renderings() == {
        (b"algebra".ljust(16, b"\0"), profile): KnownRendering(fingerprint=HUGE, normaliser=1),
        (b"botany".ljust(16, b"\0"), profile): KnownRendering(fingerprint=2**63, normaliser=1),
    }
    assert await book.meetings.bodies([HUGE, 2**63, 7]) == {
        HUGE: b'{"of":"algebra"}',
        2**63: b'{"of":"botany"}',
    }
    ledger.close()


async def test_a_rendering_of_a_newer_normaliser_takes_the_place_of_the_older(uni: InstitutionLedger) -> None:
    await accept(uni, renderings=[rendering(b"algebra", 5), rendering(b"algebra", 6, profile=b"other")])
    await accept(uni, renderings=[rendering(b"algebra", 5, normaliser=2)])
    assert {
        profile.rstrip(b"\0"): (known.fingerprint, known.normaliser)
        for (_, profile), known in (await uni.meetings.known_renderings()).items()
    } == {b"profile": (5, 2), b"other": (6, 1)}


async def test_a_plan_that_is_not_accepted_leaves_no_rendering(uni: InstitutionLedger) -> None:
    twice = [rendering(b"algebra", 5), rendering(b"algebra", 6)]
    with pytest.raises(Exception, match=r"(?i)unique"):
        await accept(uni, create("ann", "algebra"), renderings=twice)
    assert await uni.meetings.known_renderings() == {}
    assert await uni.mailboxes.numbers() == {}
    assert await uni.runs.last() == []


async def test_an_entry_is_shown_with_the_bytes_that_were_delivered(uni: InstitutionLedger) -> None:
    wishes = [create("ann", "algebra", fingerprint=HUGE), create("ann", "botany", fingerprint=9, starts=50)]
    await accept(uni, *wishes, renderings=[rendering(b"algebra", HUGE), rendering(b"again", HUGE)])
    await deliver(uni)
    ann = await uni.mailboxes.find("ann")
    assert ann is not None
    (botany, nothing), (algebra, body) = await uni.entries.of_mailbox(ann)
    assert (botany.starts_at, nothing) == (50, b"")
    assert (algebra.fingerprint, body) in {(HUGE, b'{"of":"algebra"}'), (HUGE, b'{"of":"again"}')}
