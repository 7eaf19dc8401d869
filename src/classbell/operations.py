"""The operation id: which event is meant, in one word that ledger, mark and transactionId share."""

from uuid import UUID, uuid5

import msgspec

# Never changes: the ids made with it stand in the ledgers and mailboxes of every installation.
_NAMESPACE = UUID("118d9c15-faca-47ad-9d8f-c21d28c80e5f")
_encode = msgspec.json.Encoder().encode


def operation_id(
    installation: str, institution: str, mailbox_key: str, meeting_key: str, incarnation: int
) -> str:
    """
    The id of the create that these five parts name, a UUID in lower case.

    The same parts give the same id in every run and on every machine. A deliberate re-creation raises
    the incarnation and so gets another one.
    """
    # A JSON array keeps the parts apart whatever they contain: no ("a|b", "c") equals ("a", "b|c").
    name = _encode((installation.lower(), institution, mailbox_key, meeting_key, incarnation))
    return str(uuid5(_NAMESPACE, name.decode()))
