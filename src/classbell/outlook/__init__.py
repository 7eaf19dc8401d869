"""
The wire to Outlook calendars: dialects, marks, batches, pace, the table of answers, the client.

Nothing here decides what a mailbox should hold; ``deliver`` and ``verify`` do. Nothing here knows the
ledger's tables or a source; an update or delete starts from a ledger entry all the same.
"""
