"""What was put back, and what is old."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "restored",
        sa.Column("mailbox_id", number, nullable=False),
        sa.Column("meeting_id", number, nullable=False),
        sa.Column("restored_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_restored_mailbox_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_restored_meeting_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "meeting_id", name=op.f("pk_restored")),
        comment="pairs that a person had put back, and that no run deletes again unasked",
    )
    op.create_table(
        "idle_rendering",
        sa.Column("institution_id", number, nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column(
            "since",
            sa.Float(),
            nullable=False,
            comment="when nothing was first seen to look like this any more",
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_idle_rendering_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "fingerprint", name=op.f("pk_idle_rendering")),
    )
    op.create_table(
        "pruned",
        sa.Column("institution_id", number, nullable=False),
        sa.Column("pruned_at", sa.Float(), nullable=False, comment="when what is old was last removed"),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_pruned_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_pruned")),
    )
