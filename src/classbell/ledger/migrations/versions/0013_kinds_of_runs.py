"""What each run was."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "run",
        sa.Column(
            "kind", sa.Text(), server_default="", nullable=False, comment="which command; empty if not noted"
        ),
    )
