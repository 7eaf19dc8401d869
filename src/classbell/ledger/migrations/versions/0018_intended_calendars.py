"""Calendars of our own that are asked for: until the answer is known, nobody asks for the same again."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_intent",
        sa.Column("mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("send_until", sa.Float(), nullable=False, comment="by the service's clock"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name=op.f("fk_calendar_intent_mailbox_id")),
        sa.PrimaryKeyConstraint("mailbox_id", "name", name=op.f("pk_calendar_intent")),
    )
