"""
The ledger's tables, one definition for SQLite and PostgreSQL.

Every row belongs to one institution, directly or through its mailbox or meeting. Fingerprints are
unsigned 64-bit numbers stored as the signed number with the same bits, since SQL has no unsigned one.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only makes a primary key the row's own number if its type is spelled INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")

ledger = Table(
    "ledger",
    metadata,
    Column("installation", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False, comment="grows with every accepted plan"),
    Column("doubted_at", Float, nullable=False, server_default="0", comment="found not to be the newest one"),
)

institution = Table(
    "institution",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column(
        "quiet_until",
        Float,
        nullable=False,
        server_default="0",
        comment="until when the service asked to be left in peace",
    ),
    Column(
        "incarnations_used",
        Integer,
        nullable=False,
        server_default="0",
        comment="rows that are lost or forgotten may have used any up to this",
    ),
)

source = Table(
    "source",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, comment="of the last accepted snapshot"),
    Column("read_at", Float, nullable=False),
    Column("starts", LargeBinary, nullable=False, comment="int64 seconds of its live meetings, ascending"),
    Column("covered_until", BigInteger, nullable=False),
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("institution_id", ForeignKey("institution.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("contacted_at", Float, comment="when its one look at first contact ended well"),
    Column("out_code", Text, nullable=False, server_default="", comment="why nothing is delivered there"),
    Column("out_detail", Text, nullable=False, server_default=""),
    Column("retry_at", Float, nullable=False, server_default="0"),
    Column("quiet_until", Float, nullable=False, server_default="0", comment="in doubt, to be asked then"),
    Column("id_form", Text, nullable=False, server_default="restImmutableEntryId", comment="of its entries"),
    UniqueConstraint("institution_id", "key"),
    # A number is never given twice: what runs and holds say of somebody who was forgotten must not be said of another.
    sqlite_autoincrement=True,
)

meeting = Table(
    "meeting",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("institution_id", ForeignKey("institution.id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    UniqueConstraint("institution_id", "source", "key"),
)

rendering = Table(
    "rendering",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("meeting_digest", LargeBinary, primary_key=True),
    Column("profile_digest", LargeBinary, primary_key=True),
    Column("normaliser", Integer, nullable=False),
    Column("fingerprint", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_rendering_fingerprint", "institution_id", "fingerprint"),
)

entry = Table(
    "entry",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("meeting_id", ForeignKey("meeting.id"), primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("fingerprint", BigInteger, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("incarnation", Integer, nullable=False),
    Column("operation", Text, nullable=False),
    Column("delivered_at", Float, nullable=False),
    Column("created_at", Float, comment="by the service; empty if not known"),
    sqlite_with_rowid=False,
)

packed = Table(
    "packed",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("institution_id", ForeignKey("institution.id"), nullable=False, index=True),
    Column("revision", BigInteger, nullable=False),
    Column("meetings", LargeBinary, nullable=False, comment="int64, ascending"),
    Column("fingerprints", LargeBinary, nullable=False, comment="uint64"),
    Column("starts", LargeBinary, nullable=False, comment="int64 seconds"),
    Column("ends", LargeBinary, nullable=False, comment="int64 seconds"),
)

stale = Table(
    "stale",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    comment="mailboxes whose packed row must be derived again",
)

past_incarnation = Table(
    "past_incarnation",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("meeting_id", ForeignKey("meeting.id"), primary_key=True),
    Column("incarnation", Integer, nullable=False, comment="the highest that was ever delivered"),
    sqlite_with_rowid=False,
)

sighting = Table(
    "sighting",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("meeting_id", ForeignKey("meeting.id")),
    Column("kind", Text, nullable=False),
    Column("etag", Text, nullable=False, comment="of the event as it was seen"),
    Column("detail", Text, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("starts_at", BigInteger, nullable=False, server_default="0", comment="0 if that was not told"),
    Column("ends_at", BigInteger, nullable=False, server_default="0", comment="0 if that was not told"),
    comment="what was found in mailboxes that is not as the entries have it",
)

verified = Table(
    "verified",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("verified_at", Float, nullable=False, comment="when the mailbox was last read back whole"),
)

wish = Table(
    "wish",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("meeting_id", ForeignKey("meeting.id"), primary_key=True),
    Column("fingerprint", BigInteger, nullable=False, comment="of what was deleted"),
    Column("starts_at", BigInteger, nullable=False),
    Column("noticed_at", Float, nullable=False),
    comment="what the owners of calendars have deleted there",
)

suspension = Table(
    "suspension",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float),
    comment="mailboxes in which nothing is written because somebody wants it so",
)

pause = Table(
    "pause",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float),
    comment="institutions for which nothing is written because somebody wants it so",
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("digest", Text, primary_key=True),
    comment="by digests only: persons whose data were erased, and who get nothing",
)

run = Table(
    "run",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("institution_id", ForeignKey("institution.id"), nullable=False, index=True),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("exit_code", Integer),
    Column("summary", LargeBinary, comment="JSON: counts by action, state and code"),
    Column("kind", Text, nullable=False, server_default="", comment="which command; empty if not noted"),
)

certificate = Table(
    "certificate",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("worked_at", Float, nullable=False, server_default="0", comment="when it last gave a token"),
    Column("refused_at", Float, nullable=False, server_default="0", comment="when Microsoft last refused it"),
    Column("refusal", Text, nullable=False, server_default="", comment="with which code"),
)

_LIVE_HOLD = text("state IN ('open', 'rejected', 'approved')")

hold = Table(
    "hold",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("institution_id", ForeignKey("institution.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="a source's name or a mailbox's key; else empty"),
    Column("text", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("deletes", Integer, nullable=False),
    Column("members", LargeBinary, nullable=False, comment="uint64, ascending: a digest of each change"),
    Column(
        "listed",
        LargeBinary,
        nullable=False,
        comment="int64 rows of mailbox, meeting, action, fingerprint and start, to be shown",
    ),
    Column("raised_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False, comment="when a run found it last"),
    Column("state", Text, nullable=False),
    Column("note", Text, nullable=False, server_default="", comment="what became of an approval"),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_at", Float),
    Column("expires_at", Float, comment="until when its approval holds good"),
    Index(
        "uq_hold_live",
        "institution_id",
        "code",
        "scope",
        "subject",
        unique=True,
        sqlite_where=_LIVE_HOLD,
        postgresql_where=_LIVE_HOLD,
    ),
    # A number is never given twice: who approves one hold must not meet another.
    sqlite_autoincrement=True,
)

approval = Table(
    "approval",
    metadata,
    Column("hold_id", ForeignKey("hold.id"), primary_key=True),
    Column("account", Text, primary_key=True, comment="whose yes it is"),
    Column("given_at", Float, nullable=False),
)

configured = Table(
    "configured",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("part", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, comment="of that part in the last accepted run"),
    comment="the configuration that the delivered events follow",
)

rekeyed = Table(
    "rekeyed",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("meeting_id", ForeignKey("meeting.id"), nullable=False, index=True),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("old_key", Text, nullable=False),
    Column("new_key", Text, nullable=False),
    Column("at", Float, nullable=False),
    comment="meetings whose source has given them another key; marks go on naming the old one",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("probes", Integer, nullable=False, comment="how many have failed since then"),
    Column("probe_at", Float, nullable=False, comment="when the next one is due"),
)

OPEN_STATES = ("pending", "sent", "unknown", "waiting", "held")
DUE_STATES = ("pending", "waiting", "unknown")
_OPEN = text("state IN ('pending', 'sent', 'unknown', 'waiting', 'held')")
_DUE = text("state IN ('pending', 'waiting', 'unknown')")
_DELETED = text("action = 3")

change = Table(
    "change",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("institution_id", ForeignKey("institution.id"), nullable=False),
    Column("shard", Integer, nullable=False, comment="mailbox_id modulo the number of shards"),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("mailbox_id", ForeignKey("mailbox.id"), nullable=False),
    Column("meeting_id", ForeignKey("meeting.id"), nullable=False),
    Column("action", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("fingerprint", BigInteger, nullable=False),
    Column("previous", BigInteger, nullable=False, comment="the fingerprint delivered before"),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("incarnation", Integer, nullable=False),
    Column("operation", Text, nullable=False),
    Column("due_at", Float, nullable=False, server_default="0"),
    Column("sent_at", Float, nullable=False, server_default="0"),
    Column("send_until", Float, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("code", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("request_id", Text, nullable=False, server_default=""),
    Column("finished_at", Float),
    Column(
        "policy", SmallInteger, nullable=False, server_default="0", comment="of the profile, when planned"
    ),
    Column(
        "doubted",
        SmallInteger,
        nullable=False,
        server_default="0",
        comment="1 if it may have been created by an attempt of its incarnation",
    ),
    Index(
        "uq_change_open_pair",
        "mailbox_id",
        "meeting_id",
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index("ix_change_mailbox_id", "mailbox_id"),
    Index("ix_change_due", "institution_id", "starts_at", "id", sqlite_where=_DUE, postgresql_where=_DUE),
    Index(
        "ix_change_deleted",
        "institution_id",
        "finished_at",
        sqlite_where=_DELETED,
        postgresql_where=_DELETED,
    ),
    # A number is never given twice: what was read before its row was removed must not fit a later one.
    sqlite_autoincrement=True,
)
