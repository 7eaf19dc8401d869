"""Meetings whose source has given them another key."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "rekeyed",
        sa.Column("id", number, nullable=False),
        sa.Column("meeting_id", number, nullable=False),
        sa.Column("run_id", number, nullable=False),
        sa.Column("old_key", sa.Text(), nullable=False),
        sa.Column("new_key", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_rekeyed_meeting_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_rekeyed_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rekeyed")),
        comment="meetings whose source has given them another key; marks go on naming the old one",
    )
    op.create_index(op.f("ix_rekeyed_meeting_id"), "rekeyed", ["meeting_id"], unique=False)
