"""What finds events that their ids do not: in which form ids are (up to now there was one), and when each was created."""

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
    op.add_column("entry", sa.Column("created_at", sa.Float(), comment="by the service; empty if not known"))
