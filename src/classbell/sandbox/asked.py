"""A request that has been admitted to a mailbox, with what its handlers need to know."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from classbell.sandbox.exchange import ABSENT, VERSION, Reply, Request
from classbell.sandbox.mailbox import Mailbox
from classbell.sandbox.preferences import Preferences
from classbell.sandbox.refusals import Refusal, bad_request
from classbell.sandbox.represent import Owner
from classbell.sandbox.store import Store
from classbell.sandbox.switches import Switches


@dataclass(slots=True)
class Asked:
    """
    One admitted request.

    ``user`` is the mailbox as it stood in the path; ``scope`` the path between it and the events, such as
    ``calendars('{id}')``, for ``@odata.context``; ``cause`` goes into the history.
    """

    request: Request
    mailbox: Mailbox
    store: Store
    owner: Owner
    preferences: Preferences
    switches: Switches
    user: str
    cause: str
    now: float
    scope: str = ""

    @property
    def url(self) -> str:
        """The URL as it was asked, without its query."""
        return f"{self.request.base}/{VERSION}/{self.request.path}"

    def context(self, end: str) -> str:
        """The ``@odata.context`` of an answer."""
        return f"{self.request.base}/{VERSION}/$metadata#users('{self.user}'){self.scope}/{end}"

    def body(self) -> dict[str, Any]:
        """
        The JSON object that was sent.

        Raises:
            Refusal: there was none.
        """
        body = self.request.body
        if body is ABSENT or body is None:
            raise bad_request("Empty Payload. JSON content expected.")
        if not isinstance(body, dict):
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is "
                "of valid JSON format."
            )
        return body

    def optional_body(self) -> dict[str, Any]:
        """The JSON object that was sent, or an empty one where nothing was."""
        return {} if self.request.body is ABSENT else self.body()

    def by_method(self, **actions: Callable[[], Reply]) -> Reply:
        """
        Do what the method of the request stands for.

        Raises:
            Refusal: 405, or that of the action.
        """
        action = actions.get(self.request.method)
        if action is None:
            raise Refusal(
                405,
                "ErrorInvalidRequest",
                "The OData request is not supported.",
                headers={"Allow": ", ".join(actions)},
            )
        return action()

    def reply(self, status: int, body: Any = None, **headers: str) -> Reply:
        """An answer that says which preferences were applied."""
        if self.preferences.applied:
            headers["Preference-Applied"] = self.preferences.applied
        return Reply(status, body, headers)
