"""Sources: each can be read in full now, and holds meetings."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from classbell.doctor.finding import Finding
from classbell.doctor.subject import Subject
from classbell.errors import ClassbellError
from classbell.model import Snapshot, Window
from classbell.settings import IcsSource, SourceSettings
from classbell.sources import open_source
from classbell.zones import utc_text

_DAY = 86_400


async def sources(subject: Subject) -> AsyncIterator[Finding]:
    """Each source is read as a plan reads it, and nothing is done with what was read."""
    installation, settings = subject.installation, subject.settings
    now = installation.ports.clock.now()
    window = Window(
        begin=int(now - settings.window.past.total_seconds()),
        end=int(now + settings.window.future.total_seconds()),
    )
    before = await subject.ledger.runs.sources() if subject.ledger is not None else {}
    for each in settings.sources:
        source = open_source(each, installation.ports, timezone=settings.window.timezone)
        try:
            snapshot = await source.read(window)
        except ClassbellError as error:
            yield Finding.failure("sources", error, source=each.name)
            continue
        known = before.get(each.name)
        accepted = f", last accepted {_ago(now - known.read_at)} ago" if known is not None else ""
        oldest = _oldest(each, subject)
        age = f", oldest file {_ago(now - oldest)} old" if oldest is not None else ""
        yield Finding.ok(
            "sources",
            f"{each.name}  {_counted(snapshot)}{age}{accepted}",
            source=each.name,
            meetings=len(snapshot.meetings),
            people=len(snapshot.people),
            oldest_file=None if oldest is None else utc_text(oldest),
        )
        for finding in _remarks(each.name, snapshot):
            yield finding


def _counted(snapshot: Snapshot) -> str:
    meetings, people = len(snapshot.meetings), len(snapshot.people)
    return (
        f"{meetings} meeting{'' if meetings == 1 else 's'}, {people} {'person' if people == 1 else 'people'}"
    )


def _remarks(name: str, snapshot: Snapshot) -> Iterator[Finding]:
    for remark in snapshot.remarks:
        yield Finding.warning(
            "sources",
            remark.code,
            remark.text,
            why="the rest of the source is read and used.",
            do="correct it where the timetable is made.",
            source=name,
        )


def _oldest(settings: SourceSettings, subject: Subject) -> float | None:
    """When the oldest local file of a source was last written; None if it has none."""
    files = subject.installation.ports.files
    times = []
    for path in _files(settings):
        try:
            times.append(files.modified(path))
        except OSError:
            continue
    return min(times, default=None)


def _files(settings: SourceSettings) -> Iterator[Path]:
    if not isinstance(settings, IcsSource):
        yield settings.meetings
        yield settings.attendance
        return
    if isinstance(settings.feeds, Path):
        yield settings.feeds
        return
    yield from (Path(feed.url) for feed in settings.feeds if "://" not in feed.url)


def _ago(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"
