"""Tables of what is kept for people to ask for, and for how long."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, SmallInteger, Table, Text

from classbell.ledger.schema import RowNumber, metadata

# Also those whose plan was accepted and changed nothing, though others may.
fruitless = Table(
    "fruitless",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    comment="runs that ended before a plan was accepted",
)

restored = Table(
    "restored",
    metadata,
    Column("mailbox_id", ForeignKey("mailbox.id"), primary_key=True),
    Column("meeting_id", ForeignKey("meeting.id"), primary_key=True),
    Column("restored_at", Float, nullable=False),
    comment="pairs that a person had put back, and that no run deletes again unasked",
)

counted_delete = Table(
    "counted_delete",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("institution_id", ForeignKey("institution.id"), nullable=False, index=True),
    Column("finished_at", Float, nullable=False),
    Column("gone", SmallInteger, nullable=False, comment="1 if no event was made in its place since"),
    comment="deletions in calendars of persons who were forgotten, for the limit of a day",
)

idle_rendering = Table(
    "idle_rendering",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("fingerprint", BigInteger, primary_key=True),
    Column("since", Float, nullable=False, comment="when nothing was first seen to look like this any more"),
)

pruned = Table(
    "pruned",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("pruned_at", Float, nullable=False, comment="when what is old was last removed"),
)

used_plan = Table(
    "used_plan",
    metadata,
    Column("institution_id", ForeignKey("institution.id"), primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("used_at", Float, nullable=False, comment="when the saved plan was carried out"),
)
