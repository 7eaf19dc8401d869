"""Until when mailboxes in doubt have asked to be left in peace."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "mailbox",
        sa.Column(
            "quiet_until",
            sa.Float(),
            server_default="0",
            nullable=False,
            comment="in doubt, to be asked then",
        ),
    )
