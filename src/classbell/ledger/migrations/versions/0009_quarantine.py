"""Institutions in quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quarantine",
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("probes", sa.Integer(), nullable=False, comment="how many have failed since then"),
        sa.Column("probe_at", sa.Float(), nullable=False, comment="when the next one is due"),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_quarantine_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_quarantine")),
    )
