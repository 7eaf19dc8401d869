"""All planted bugs."""

from tests.planted import books, calendars, failing, joining, planning, protocol, removing, wire

BUGS = (
    *protocol.BUGS,
    *wire.BUGS,
    *planning.BUGS,
    *books.BUGS,
    *calendars.BUGS,
    *removing.BUGS,
    *joining.BUGS,
    *failing.BUGS,
)
