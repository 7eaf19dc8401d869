"""When events that the ledger cannot prove stand in their mailbox."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("starts_at", "ends_at"):
        op.add_column(
            "sighting",
            sa.Column(
                name, sa.BigInteger(), server_default="0", nullable=False, comment="0 if that was not told"
            ),
        )
