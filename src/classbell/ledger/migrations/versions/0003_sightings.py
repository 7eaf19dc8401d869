"""What was seen in mailboxes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "sighting",
        sa.Column("mailbox_id", number, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("meeting_id", number, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False, comment="of the event as it was seen"),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_sighting_mailbox_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_sighting_meeting_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "event_id", name=op.f("pk_sighting")),
        comment="what was found in mailboxes that is not as the entries have it",
    )
    op.create_table(
        "verified",
        sa.Column("mailbox_id", number, nullable=False),
        sa.Column(
            "verified_at",
            sa.Float(),
            nullable=False,
            comment="when the mailbox was last read back whole",
        ),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_verified_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_verified")),
    )
