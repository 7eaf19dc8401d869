"""Codes that the ledger reads itself: why nothing is delivered to a mailbox."""

LOST = "E-LEDGER-LOST"
"""The ledger is in doubt there, until it is rebuilt."""

FENCED = frozenset({"E-GRAPH-429", "E-GRAPH-5XX"})
"""The service asked us to leave it in peace."""

NEVER = 253_402_300_799.0
"""When a mailbox in doubt is asked again, however long its rebuild takes: at the end of the year 9999."""
