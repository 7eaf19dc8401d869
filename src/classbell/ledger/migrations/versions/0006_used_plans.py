"""Saved plans that were carried out, and runs that ended before a plan was accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "used_plan",
        sa.Column("institution_id", number, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False, comment="when the saved plan was carried out"),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_used_plan_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "digest", name=op.f("pk_used_plan")),
    )
    op.create_table(
        "fruitless",
        sa.Column("run_id", number, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_fruitless_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_fruitless")),
        comment="runs that ended before a plan was accepted",
    )
