"""What a lost ledger may have used of incarnations."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "institution",
        sa.Column(
            "incarnations_used",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="a ledger that was lost may have used any up to this",
        ),
    )
