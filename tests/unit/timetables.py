"""Timetables in a few words, for tests of everything between a snapshot and a plan."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from classbell.desired import Desired, MeetingKey, desired_state
from classbell.model import Coverage, Meeting, Rendering, Snapshot, Window
from classbell.numbering import Numbering
from classbell.people import receipts
from classbell.plan import Delivered
from classbell.settings import AudienceSettings, ProfileSettings

NOW = 1_790_000_000
HOUR = 3_600
DAY = 24 * HOUR
WIDE = Window(begin=NOW - 1000 * DAY, end=NOW + 1000 * DAY)

Event = tuple[int, int, int]
"""Fingerprint, start and end of a delivered event."""


def meeting(
    key: str, start: int = HOUR, *, title: str = "", lasts: int = HOUR, cancelled: bool = False
) -> Meeting:
    """A meeting that starts so many seconds from now."""
    return Meeting(
        key=key,
        start=datetime.fromtimestamp(NOW + start, UTC).replace(tzinfo=None),
        end=datetime.fromtimestamp(NOW + start + lasts, UTC).replace(tzinfo=None),
        zone="UTC",
        cancelled=cancelled,
        fields={"title": title or key},
    )


def snapshot(
    meetings: Sequence[Meeting],
    attends: Iterable[tuple[str, str]],
    *,
    source: str = "timetable",
    window: Window = WIDE,
    unread: Iterable[str] = (),
) -> Snapshot:
    """A complete read; *attends* pairs persons with meeting keys."""
    pairs = list(attends)
    people = tuple(dict.fromkeys(person for person, _ in pairs))
    place = {one.key: index for index, one in enumerate(meetings)}
    rows = sorted((people.index(person), place[key]) for person, key in pairs)
    return Snapshot(
        source=source,
        meetings=tuple(meetings),
        people=people,
        attendance=np.array(rows, dtype=np.int32).reshape(-1, 2),
        coverage=Coverage(window=window, unread=frozenset(unread)),
        digest=b"",
    )


def fingerprint(profile: str, of: Meeting) -> int:
    """Some number that differs when what people see differs."""
    seen = f"{profile}|{of.fields['title']}|{of.starts_at}|{of.ends_at}"
    return int.from_bytes(seen.encode(), "big") % (2**64 - 59) or 1


def render(profile: str, of: Meeting) -> Rendering:
    return Rendering(fingerprint=fingerprint(profile, of), body=b"{}")


def audience(*sources: str, name: str = "everybody", profile: str = "standard") -> AudienceSettings:
    return AudienceSettings(name=name, gets=sources, profile=profile)


def desired(
    snapshots: Sequence[Snapshot],
    *,
    audiences: Sequence[AudienceSettings] | None = None,
    mailboxes: Numbering[str] | None = None,
    meetings: Numbering[MeetingKey] | None = None,
    calendars: Mapping[str, str] | None = None,
    render: Callable[[str, Meeting], Rendering] = render,
) -> Desired:
    """The desired state of snapshots; without audiences everybody receives all they attend."""
    sources = [one.source for one in snapshots]
    audiences = audiences or [audience(*sources or ["none"])]
    served, _ = receipts(audiences, snapshots)
    return desired_state(
        served,
        meetings=meetings or Numbering({}),
        mailboxes=mailboxes or Numbering({}),
        calendars=calendars or {one.profile: "" for one in audiences},
        render=render,
    )


def delivered(
    events: Mapping[tuple[int, int], Event], source_of: Callable[[int], int] = lambda _: 0
) -> Delivered:
    """One run of delivered events, by (mailbox, meeting)."""
    pairs = sorted(events)
    return Delivered(
        mailbox=np.array([box for box, _ in pairs], dtype=np.int64),
        meeting=np.array([of for _, of in pairs], dtype=np.int64),
        fingerprint=np.array([events[pair][0] for pair in pairs], dtype=np.uint64),
        starts=np.array([events[pair][1] for pair in pairs], dtype=np.int64),
        ends=np.array([events[pair][2] for pair in pairs], dtype=np.int64),
        source=np.array([source_of(of) for _, of in pairs], dtype=np.int16),
    )


def profile(name: str = "standard", **settings: object) -> ProfileSettings:
    return ProfileSettings(name=name, **settings)  # type: ignore[arg-type]
