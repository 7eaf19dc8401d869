"""The stage of deliveries, whose mailboxes are read back here."""

from tests.deliver.conftest import anyio_backend, identity, new_ledger, served, stage

__all__ = ["anyio_backend", "identity", "new_ledger", "served", "stage"]
