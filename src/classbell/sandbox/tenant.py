"""A tenant: its applications and its mailboxes."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from uuid import UUID

from classbell.sandbox.app import App
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.surroundings import Commons

GRAPH = "https://graph.microsoft.com"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# The national cloud that the sandbox stands for.
HERE = "microsoftonline.com"
# Resources that exist in every tenant beside Graph: a token for them is of no use to Graph.
OTHER_RESOURCES = ("https://outlook.office.com", "https://outlook.office365.com")


class Tenant:
    """
    A tenant of the sandbox; made by ``Sandbox.add_tenant``.

    Attributes:
        cloud: the national cloud that it lives in; in another than ``HERE`` it gets no tokens.
        longest_key_life: a policy for applications: for how long a certificate added through Graph may
            be good; None for as long as it likes.
    """

    def __init__(self, tenant_id: str, domain: str, commons: Commons) -> None:
        self.tenant_id = tenant_id
        self.domain = domain
        self.apps: dict[str, App] = {}
        self.cloud = HERE
        self.longest_key_life: timedelta | None = None
        self._commons = commons
        self._mailboxes: dict[str, Mailbox] = {}
        self._by_id: dict[str, Mailbox] = {}

    def register_app(self, name: str, client_id: str | None = None, object_id: str | None = None) -> App:
        """Register an application with its service principal; no certificate, nothing granted."""
        new_id = self._commons.new_guid
        app = App(
            name,
            client_id=(client_id or str(new_id())).lower(),
            object_id=(object_id or str(new_id())).lower(),
            principal_id=str(new_id()),
            commons=self._commons,
        )
        self.apps[app.client_id] = app
        return app

    def find_app(self, name: str) -> App | None:
        """The application with a client id or object id in any case, or None."""
        key = name.casefold()
        return self.apps.get(key) or next((app for app in self.apps.values() if app.object_id == key), None)

    def add_mailbox(self, address: str, state: str = "active", id: str | None = None) -> Mailbox:  # noqa: A002 - as Graph calls it
        """
        A mailbox with an empty default calendar.

        Raises:
            ValueError: the address is taken, or the state unknown.
        """
        key = address.casefold()
        if key in self._mailboxes:
            raise ValueError(f"{address} has a mailbox already")
        new_id = self._commons.new_guid
        mailbox = Mailbox(
            address,
            user_id=(id or str(new_id())).lower(),
            guids=(new_id(), new_id()),
            state=state,
            tenant=self.tenant_id,
            around=self._commons.around,
            switches=self._commons.switches,
            lock=self._commons.lock,
        )
        self._mailboxes[key] = mailbox
        self._by_id[mailbox.id] = mailbox
        return mailbox

    def add_mailboxes(self, addresses: Iterable[str]) -> list[Mailbox]:
        """Many mailboxes at once."""
        return [self.add_mailbox(address) for address in addresses]

    def mailbox(self, address: str) -> Mailbox:
        """
        The mailbox of an address or object id.

        Raises:
            KeyError: there is none.
        """
        found = self.find(address)
        if found is None:
            raise KeyError(address)
        return found

    def find(self, user: str) -> Mailbox | None:
        """The mailbox of an address or object id in any case, or None."""
        key = user.casefold()
        return self._mailboxes.get(key) or self._by_id.get(key)

    def mailboxes(self) -> Iterator[Mailbox]:
        """All mailboxes in the order they were added."""
        return iter(list(self._mailboxes.values()))

    def __len__(self) -> int:
        return len(self._mailboxes)

    def __bool__(self) -> bool:
        return True

    def rename_mailbox(self, address: str, new_address: str) -> None:
        """Another address for the same mailbox; its object id and its events stay."""
        mailbox = self._mailboxes.pop(address.casefold())
        mailbox.address = mailbox.store.address = new_address
        self._mailboxes[new_address.casefold()] = mailbox

    def is_called(self, text: str) -> bool:
        """Whether *text* is its id or its verified domain."""
        return text.casefold() in (self.tenant_id, self.domain.casefold())


def is_guid(text: str) -> bool:
    """Whether *text* is a GUID in its usual form."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
