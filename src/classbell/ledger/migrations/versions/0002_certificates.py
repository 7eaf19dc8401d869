"""What is remembered of certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificate",
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column(
            "worked_at",
            sa.Float(),
            server_default="0",
            nullable=False,
            comment="when a token was last had with it",
        ),
        sa.Column(
            "refused_at",
            sa.Float(),
            server_default="0",
            nullable=False,
            comment="when Microsoft last refused it",
        ),
        sa.Column("refusal", sa.Text(), server_default="", nullable=False, comment="with which code"),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_certificate_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "sha256", name=op.f("pk_certificate")),
    )
