"""All planted bugs."""

from tests.planted import books, planning, protocol, wire

BUGS = (*protocol.BUGS, *wire.BUGS, *planning.BUGS, *books.BUGS)
