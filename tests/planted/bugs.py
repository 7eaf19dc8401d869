"""All planted bugs."""

from tests.planted import books, failing, joining, planning, protocol, removing, wire

BUGS = (
    *protocol.BUGS,
    *wire.BUGS,
    *planning.BUGS,
    *books.BUGS,
    *removing.BUGS,
    *joining.BUGS,
    *failing.BUGS,
)
