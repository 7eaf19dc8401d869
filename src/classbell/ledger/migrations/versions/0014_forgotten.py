"""What outlives persons who are forgotten: that their number is not given again, and how much was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counted_delete",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=False),
        sa.Column(
            "gone", sa.SmallInteger(), nullable=False, comment="1 if no event was made in its place since"
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_counted_delete_institution_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counted_delete")),
        comment="deletions in calendars of persons who were forgotten, for the limit of a day",
    )
    op.create_index(op.f("ix_counted_delete_institution_id"), "counted_delete", ["institution_id"])
    if op.get_bind().dialect.name == "sqlite":
        _count_mailboxes_on()
    else:
        op.alter_column(
            "institution",
            "incarnations_used",
            comment="rows that are lost or forgotten may have used any up to this",
            existing_comment="a ledger that was lost may have used any up to this",
        )


def _count_mailboxes_on() -> None:
    # SQLite counts on from the highest number that was ever given only in a table that was made so. Rows that name a
    # mailbox wait for it until the end of the transaction (SQLite manual, "PRAGMA defer_foreign_keys").
    op.execute("PRAGMA defer_foreign_keys=ON")
    op.execute("CREATE TABLE mailbox_before AS SELECT * FROM mailbox")
    op.drop_table("mailbox")
    op.create_table(
        "mailbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("contacted_at", sa.Float()),
        sa.Column("out_code", sa.Text(), server_default="", nullable=False),
        sa.Column("out_detail", sa.Text(), server_default="", nullable=False),
        sa.Column("retry_at", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox")),
        sa.UniqueConstraint("institution_id", "key", name=op.f("uq_mailbox_institution_id_key")),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_mailbox_institution_id")
        ),
        sqlite_autoincrement=True,
    )
    op.execute("INSERT INTO mailbox SELECT * FROM mailbox_before")
    op.execute("DROP TABLE mailbox_before")
