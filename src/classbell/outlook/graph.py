"""
Microsoft Graph v1.0: what its calendar requests have beside what both interfaces share.

Sources: the event page of the Graph reference ("transactionId"), "Get immutable identifiers for Outlook
resources", the throttling page.
"""

from classbell.outlook import batch
from classbell.outlook.dialect import Capabilities
from classbell.outlook.exchange import ExchangeDialect, Spelling, opened

# Immutable ids on every request, for ids in answers are of the kind the request prefers; UTC always, for
# without it the zone of an answer to POST and PATCH is not documented (create event page).
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'

_SPELLING = Spelling(
    prefer=PREFER,
    name=str,
    key="id",
    value="value",
    calendar_fields=("id", "name", "isDefaultCalendar", "canEdit"),
)


class GraphDialect(ExchangeDialect):
    """The dialect of Microsoft Graph v1.0; see ``Dialect`` for the methods."""

    capabilities = Capabilities(
        transaction_id=True,
        immutable_ids=True,
        id_form="restImmutableEntryId",
        permanent_delete=True,
        batch_size=batch.MEMBERS,
        # "Outlook service limits", throttling page: four members at once, whatever their mailboxes.
    )
    root = "/v1.0"
    batch_path = "/v1.0/$batch"
    headers: dict[str, str] = {"Accept": "application/json", "Prefer": PREFER}  # noqa: RUF012 - never changed
    batch_headers: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self) -> None:
        super().__init__(_SPELLING)

    def beginning(self, rendering: bytes, operation: str) -> bytes:
        """The transactionId rides inside the create as the mark does."""
        return b'%b,"transactionId":"%b"' % (opened(rendering), operation.encode())
