"""All planted bugs."""

from tests.planted import books, joining, planning, protocol, removing, wire

BUGS = (*protocol.BUGS, *wire.BUGS, *planning.BUGS, *books.BUGS, *removing.BUGS, *joining.BUGS)
