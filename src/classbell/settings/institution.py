"""One institution: where its timetables come from, who receives them, how they look, and the limits."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ByteSize, Discriminator, Field, Tag

from classbell.settings.base import Settings
from classbell.settings.tenant import TenantSettings
from classbell.settings.values import (
    ColumnMap,
    Count,
    Duration,
    FeedUrl,
    InstitutionName,
    LocalPath,
    Name,
    Percent,
    PositiveCount,
    PositiveDuration,
    Reminder,
    Size,
    Slug,
    Text,
    Texts,
    ZoneName,
)


class SourceLimits(Settings):
    """How much one read of a source may be before it is refused."""

    bytes: Size = ByteSize(64 * 1024 * 1024)
    """The size of one feed or file."""

    items: PositiveCount = 200_000
    """How many entries the source may have."""

    occurrences_per_item: PositiveCount = 2_000
    """How many dates one repeating entry may have inside the window."""

    parse: PositiveDuration = timedelta(seconds=120)
    """How long reading one feed or file may take."""


class Feed(Settings):
    """One calendar feed of one person."""

    person: Text
    """The address of the person's mailbox."""

    url: FeedUrl
    """An http or https address, or the path of a file."""


def _shape_of_feeds(given: Any) -> str:
    return "file" if isinstance(given, str | Path) else "inline"


class IcsSource(Settings):
    """Calendar feeds in the iCalendar format, each with the person whose timetable it is."""

    name: Name
    """A name of your own; audiences refer to it. Permanent, as it is part of the mark of every event: under another
    name all meetings are new ones, and those delivered under the old name stay."""

    kind: Literal["ics"] = "ics"
    """Says that this source is calendar feeds."""

    feeds: Annotated[
        Annotated[LocalPath, Tag("file")] | Annotated[tuple[Feed, ...], Field(min_length=1), Tag("inline")],
        Discriminator(_shape_of_feeds),
    ]
    """A CSV file with the header `person,url`, or a list of the same as tables."""

    timezone: ZoneName | None = None
    """The zone of times that name none. Without it the feed's own zone counts, then the window's."""

    allow_private_addresses: bool = False
    """Whether feeds may be fetched from this computer and from private networks."""

    sentinels: tuple[Text, ...] = ()
    """Keys or texts of which a read without one is refused: rooms, modules or activities that are always there."""

    max_age: PositiveDuration | None = None
    """How old a file may be, or a feed whose server says when it was made (`Last-Modified`); older is refused."""

    limits: SourceLimits = SourceLimits()
    """How much one read may be."""


class TableSource(Settings):
    """Two tables: the meetings, and who attends them."""

    name: Name
    """A name of your own; audiences refer to it. Permanent, as it is part of the mark of every event: under another
    name all meetings are new ones, and those delivered under the old name stay."""

    kind: Literal["table"] = "table"
    """Says that this source is tables."""

    meetings: LocalPath
    """The meetings, one a row: a CSV or XLSX file."""

    attendance: LocalPath
    """Who attends: a CSV file of meeting keys and addresses of mailboxes, with the header `meeting,person`."""

    sheet: Text | None = None
    """The sheet of an XLSX file; without it the first."""

    timezone: ZoneName | None = None
    """The zone of the times in the table. Without it the window's."""

    map: ColumnMap
    """
    Which column holds what: `key`, `start` and `end` are needed; `date` where start and end are times of
    day; any other name becomes a field for templates.
    """

    sentinels: tuple[Text, ...] = ()
    """Keys or texts of which a read without one is refused: rooms, modules or activities that are always there."""

    max_age: PositiveDuration | None = None
    """How old a file may be, or a feed whose server says when it was made (`Last-Modified`); older is refused."""

    limits: SourceLimits = SourceLimits()
    """How much one read may be."""


SourceSettings = Annotated[IcsSource | TableSource, Discriminator("kind")]


class AudienceSettings(Settings):
    """Who receives what, and how it looks: everybody whom these sources attach."""

    name: Name
    """A name of your own."""

    gets: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The names of sources."""

    profile: Name
    """The name of a profile."""


class ProfileSettings(Settings):
    """How meetings look. A template knows the meeting, never the person."""

    name: Name
    """A name of your own; audiences refer to it."""

    calendar: Text = "default"
    """`default` for everybody's own calendar, else the name of a calendar that Classbell makes and fills. Another name
    moves nothing that was delivered; new events go there."""

    subject: Texts = ("{{ title }}",)
    """The template of the title. Of a list, the first whose fields are all there."""

    body: LocalPath | None = None
    """A template file for the text of the event. Without it the meeting's description is the text."""

    location: Texts = ("{{ location }}",)
    """The template of the place. Of a list, the first whose fields are all there."""

    show_as: Literal["free", "tentative", "busy", "oof", "workingElsewhere"] = "busy"
    """How the time shows to others."""

    sensitivity: Literal["normal", "personal", "private", "confidential"] = "normal"
    """How confidential the event is marked."""

    reminder: Reminder = None
    """How long before the start Outlook reminds, such as `15m`, or `none`."""

    categories: tuple[Text, ...] = ("Timetable",)
    """The categories of the event."""

    on_user_edit: Literal["restore", "keep"] = "restore"
    """
    What becomes of what people change in their events. `restore`: the next update, or `verify`, puts it right.
    `keep`: it stays, field by field, until the meeting's own value changes.
    """

    on_user_delete: Literal["restore", "respect"] = "restore"
    """
    What becomes of events that people delete. `restore`: they are made again once that is noticed. `respect`:
    they stay deleted until the meeting changes.
    """

    on_calendar_delete: Literal["restore", "stop"] = "restore"
    """
    What follows if people delete a calendar that Classbell made. `restore`: it is made again. `stop`: nothing more
    is delivered to them, until `sync PERSON --reset`.
    """


class WindowSettings(Settings):
    """Which meetings are kept true, by their start."""

    past: Duration = timedelta(days=7)
    """How far back. Older events are left alone, never deleted."""

    future: PositiveDuration = timedelta(days=200)
    """How far ahead."""

    timezone: ZoneName
    """The zone in which the institution lives."""


class MaxDeletes(Settings):
    """How many events one run may delete unasked; the stricter of count and share decides."""

    count: Count = 500
    """A number of events."""

    percent: Percent = 5.0
    """A share of the events that Classbell has delivered inside the window."""

    per_24h_percent: Percent = 10.0
    """A share of the same that any 24 hours may delete unasked; what a person approved counts as well."""

    at_least: Count = 10
    """So many are always allowed, however small their share would have to be."""


class PerMailbox(Settings):
    """What share of one mailbox's coming events one run may delete unasked."""

    percent: Percent = 60.0
    """A share of the coming events that Classbell has delivered to the mailbox."""

    min_events: Count = 10
    """The limit counts for mailboxes with at least so many coming events."""


class QuarantineSettings(Settings):
    """When an institution is left alone because too much fails, and when it is tried again."""

    fail_percent: Percent = 40.0
    """The share of the changes of a run that must fail."""

    min_failures: PositiveCount = 50
    """And how many at least."""

    retry: Annotated[tuple[PositiveDuration, ...], Field(min_length=1)] = (
        timedelta(minutes=15),
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(hours=24),
    )
    """How long until the first probe, the second and so on; the last holds for all further ones."""

    pause_after: PositiveDuration = timedelta(days=28)
    """After how long it is not probed any more, until a person asks for it with `--now`."""


class SafetySettings(Settings):
    """The limits at which a plan waits for a person."""

    max_deletes: MaxDeletes = MaxDeletes()
    """The limit for the whole institution."""

    max_changes_percent: Percent = 60.0
    """What share of all delivered events one run may change or delete unasked; beyond it nothing is applied."""

    per_mailbox: PerMailbox = PerMailbox()
    """The limit for each mailbox."""

    source_shrink_percent: Percent = 15.0
    """By what share the coming meetings of a source may shrink between two reads; beyond it nothing is applied."""

    approvals: Literal[1, 2] = 1
    """
    How many accounts must approve what is held. `classbell holds approve` knows people by the account of the operating
    system that runs it (that of the person who called `sudo`); whoever has two accounts counts as two. With 2,
    `--allow-deletes` is refused.
    """

    outcome_bound: PositiveDuration = timedelta(minutes=10)
    """How long Microsoft may take to finish a request whose answer was lost, before Classbell looks."""

    quarantine: QuarantineSettings = QuarantineSettings()
    """When too much fails."""

    verify_percent: Percent = 0.0
    """What share of the mailboxes each run reads back at its end; 0 for none, and then only ``verify`` does."""


class InstitutionSettings(Settings):
    """One institution: a file of its own under `conf.d`."""

    schema_version: Literal[1] = Field(alias="schema")
    """The version of this file's form."""

    id: Slug
    """A short name in small letters, digits and hyphens. Permanent: it is part of the mark of every event."""

    name: InstitutionName
    """The name for people."""

    mode: Literal["observe", "approve", "auto"] = "observe"
    """
    What the service may do by itself: only compute, ask for each plan, or apply what the limits allow.
    `apply` and `sync` on the command line ask, whatever the mode; `sync PERSON` does so only
    with `--reset`.
    """

    tenant: TenantSettings
    """The Microsoft tenant."""

    sources: Annotated[tuple[SourceSettings, ...], Field(min_length=1)]
    """Where timetables are read from."""

    audience: Annotated[tuple[AudienceSettings, ...], Field(min_length=1)]
    """Who receives what."""

    profiles: Annotated[tuple[ProfileSettings, ...], Field(min_length=1)]
    """How meetings look."""

    window: WindowSettings
    """Which meetings are kept true."""

    safety: SafetySettings = SafetySettings()
    """When a plan waits for a person."""
