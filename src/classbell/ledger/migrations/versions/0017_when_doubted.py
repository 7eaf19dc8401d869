"""When a ledger was last found not to be the newest one: for a while after that a first look cannot find everything."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "ledger",
        sa.Column(
            "doubted_at",
            sa.Float(),
            server_default="0",
            nullable=False,
            comment="found not to be the newest one",
        ),
    )
