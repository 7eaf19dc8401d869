"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "institution",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "quiet_until",
            sa.Float(),
            server_default="0",
            nullable=False,
            comment="until when the service asked to be left in peace",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        sa.UniqueConstraint("key", name=op.f("uq_institution_key")),
    )
    op.create_table(
        "ledger",
        sa.Column("installation", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="grows with every accepted plan"),
        sa.PrimaryKeyConstraint("installation", name=op.f("pk_ledger")),
    )
    op.create_table(
        "mailbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column(
            "contacted_at", sa.Float(), nullable=True, comment="when its one look at first contact ended well"
        ),
        sa.Column(
            "out_code", sa.Text(), server_default="", nullable=False, comment="why nothing is delivered there"
        ),
        sa.Column("out_detail", sa.Text(), server_default="", nullable=False),
        sa.Column("retry_at", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox")),
        sa.UniqueConstraint("institution_id", "key", name=op.f("uq_mailbox_institution_id_key")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_mailbox_institution_id")
        ),
    )
    op.create_table(
        "meeting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        sa.UniqueConstraint(
            "institution_id", "source", "key", name=op.f("uq_meeting_institution_id_source_key")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_meeting_institution_id")
        ),
    )
    op.create_table(
        "rendering",
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meeting_digest", sa.LargeBinary(), nullable=False),
        sa.Column("profile_digest", sa.LargeBinary(), nullable=False),
        sa.Column("normaliser", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_rendering_institution_id")
        ),
        sa.PrimaryKeyConstraint(
            "institution_id", "meeting_digest", "profile_digest", name=op.f("pk_rendering")
        ),
    )
    with op.batch_alter_table("rendering", schema=None) as batch_op:
        batch_op.create_index("ix_rendering_fingerprint", ["institution_id", "fingerprint"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column(
            "summary", sa.LargeBinary(), nullable=True, comment="JSON: counts by action, state and code"
        ),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_run_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_institution_id"), ["institution_id"], unique=False)

    op.create_table(
        "source",
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="of the last accepted snapshot"),
        sa.Column("read_at", sa.Float(), nullable=False),
        sa.Column(
            "starts",
            sa.LargeBinary(),
            nullable=False,
            comment="int64 seconds of its live meetings, ascending",
        ),
        sa.Column("covered_until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_source_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "name", name=op.f("pk_source")),
    )
    op.create_table(
        "calendar",
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("calendar_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_calendar_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "name", name=op.f("pk_calendar")),
    )
    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False, comment="mailbox_id modulo the number of shards"),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meeting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.BigInteger(), nullable=False, comment="the fingerprint delivered before"),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("send_until", sa.Float(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_change_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_change_run_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_change_mailbox_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_change_meeting_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(
            "ix_change_due",
            ["institution_id", "starts_at", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('pending', 'waiting', 'unknown')"),
            postgresql_where=sa.text("state IN ('pending', 'waiting', 'unknown')"),
        )
        batch_op.create_index("ix_change_mailbox_id", ["mailbox_id"], unique=False)
        batch_op.create_index(
            "uq_change_open_pair",
            ["mailbox_id", "meeting_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('pending', 'sent', 'unknown', 'waiting', 'held')"),
            postgresql_where=sa.text("state IN ('pending', 'sent', 'unknown', 'waiting', 'held')"),
        )

    op.create_table(
        "entry",
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meeting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_entry_mailbox_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_entry_meeting_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "meeting_id", name=op.f("pk_entry")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "packed",
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("meetings", sa.LargeBinary(), nullable=False, comment="int64, ascending"),
        sa.Column("fingerprints", sa.LargeBinary(), nullable=False, comment="uint64"),
        sa.Column("starts", sa.LargeBinary(), nullable=False, comment="int64 seconds"),
        sa.Column("ends", sa.LargeBinary(), nullable=False, comment="int64 seconds"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_packed_mailbox_id")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_packed_institution_id")
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_packed")),
    )
    with op.batch_alter_table("packed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_packed_institution_id"), ["institution_id"], unique=False)

    op.create_table(
        "past_incarnation",
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meeting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False, comment="the highest that was ever delivered"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_past_incarnation_mailbox_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_past_incarnation_meeting_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "meeting_id", name=op.f("pk_past_incarnation")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stale",
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_stale_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_stale")),
        comment="mailboxes whose packed row must be derived again",
    )
