"""In which form mailboxes have the ids of their events: up to now there was one."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "mailbox",
        sa.Column(
            "id_form",
            sa.Text(),
            server_default="restImmutableEntryId",
            nullable=False,
            comment="of its entries",
        ),
    )
