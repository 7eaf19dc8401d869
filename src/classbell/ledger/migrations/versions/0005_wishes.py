"""What owners want of our events in their calendars, and who gets nothing for now or at all."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column(
        "change",
        sa.Column(
            "policy",
            sa.SmallInteger(),
            nullable=False,
            server_default="0",
            comment="of the profile, when it was planned",
        ),
    )
    op.create_table(
        "wish",
        sa.Column("mailbox_id", number, nullable=False),
        sa.Column("meeting_id", number, nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False, comment="of what was deleted"),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("noticed_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_wish_mailbox_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_wish_meeting_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "meeting_id", name=op.f("pk_wish")),
        comment="what the owners of calendars have deleted there",
    )
    op.create_table(
        "suspension",
        sa.Column("mailbox_id", number, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_suspension_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_suspension")),
        comment="mailboxes in which nothing is written because somebody wants it so",
    )
    op.create_table(
        "pause",
        sa.Column("institution_id", number, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_pause_institution_id")),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_pause")),
        comment="institutions for which nothing is written because somebody wants it so",
    )
    op.create_table(
        "forgotten",
        sa.Column("institution_id", number, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_forgotten_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "digest", name=op.f("pk_forgotten")),
        comment="by digests only: persons whose data were erased, and who get nothing",
    )
