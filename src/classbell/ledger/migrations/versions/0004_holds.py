"""What waits for a person, what they approved, and the configuration that delivered events follow."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "hold",
        sa.Column("id", number, nullable=False),
        sa.Column("institution_id", number, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="a source's name or a mailbox's key; else empty"
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("deletes", sa.Integer(), nullable=False),
        sa.Column(
            "members", sa.LargeBinary(), nullable=False, comment="uint64, ascending: a digest of each change"
        ),
        sa.Column(
            "listed",
            sa.LargeBinary(),
            nullable=False,
            comment="int64 rows of mailbox, meeting, action, fingerprint and start, to be shown",
        ),
        sa.Column("raised_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False, comment="when a run found it last"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False, comment="what became of an approval"),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.Float(), nullable=True),
        sa.Column("expires_at", sa.Float(), nullable=True, comment="until when its approval holds good"),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_hold_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sqlite_autoincrement=True,
    )
    live = sa.text("state IN ('open', 'rejected', 'approved')")
    op.create_index(
        "uq_hold_live",
        "hold",
        ["institution_id", "code", "scope", "subject"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "approval",
        sa.Column("hold_id", number, nullable=False),
        sa.Column("account", sa.Text(), nullable=False, comment="whose yes it is"),
        sa.Column("given_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_approval_hold_id")),
        sa.PrimaryKeyConstraint("hold_id", "account", name=op.f("pk_approval")),
    )
    op.create_table(
        "configured",
        sa.Column("institution_id", number, nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column(
            "digest", sa.LargeBinary(), nullable=False, comment="of that part in the last accepted run"
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_configured_institution_id")
        ),
        sa.PrimaryKeyConstraint("institution_id", "part", name=op.f("pk_configured")),
        comment="the configuration that the delivered events follow",
    )
    deleted = sa.text("action = 3")
    op.create_index(
        "ix_change_deleted",
        "change",
        ["institution_id", "finished_at"],
        sqlite_where=deleted,
        postgresql_where=deleted,
    )
