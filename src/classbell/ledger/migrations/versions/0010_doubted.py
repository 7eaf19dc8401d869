"""Creates of which an attempt may have been carried out."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "change",
        sa.Column(
            "doubted",
            sa.SmallInteger(),
            server_default="0",
            nullable=False,
            comment="1 if it may have been created by an attempt of its incarnation",
        ),
    )
    # What was tried before this was counted may have been made.
    op.execute("UPDATE change SET doubted = 1 WHERE action IN (1, 4) AND attempts > 0")
