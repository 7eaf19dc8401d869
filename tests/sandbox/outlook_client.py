"""A plain client of Outlook REST API v2.0, beside the one of Graph."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.sandbox.client import TAG, Answer, Wire, World

SCOPE = "https://outlook.office.com/.default"
ROOT = "/api/v2.0"


@dataclass
class OutlookClient:
    """A client with a token."""

    wire: Wire
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, /, **headers: str) -> Answer:
        """One request below the version; underscores in header names become hyphens."""
        if path.startswith("https://"):
            parts = urlsplit(path)
            path = f"{parts.path}?{parts.query}".removeprefix(ROOT).removesuffix("?")
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in {**self.headers, **headers}.items()}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return self.wire.send(method, f"{ROOT}{path}", content, sent)

    def get(self, path: str, /, query: dict[str, str] | None = None, **headers: str) -> Answer:
        """GET with encoded query options."""
        return self.ask("GET", f"{path}?{urlencode(query, quote_via=quote)}" if query else path, **headers)

    def post(self, path: str, body: Any, /, **headers: str) -> Answer:
        """POST as JSON."""
        return self.ask("POST", path, body, **headers)


def sign_in(world: World) -> OutlookClient:
    """A client whose application may write calendars through Exchange."""
    world.app.grant_exchange("Calendars.ReadWrite.All")
    answer = world.ask_token(scope=SCOPE)
    assert answer.status == 200, answer
    return OutlookClient(world.wire, answer.body["access_token"])


def home(world: World) -> str:
    """Ada's mailbox in the form of this API."""
    return f"/users('{world.ada.address}')"


def seminar(**changes: Any) -> dict[str, Any]:
    """A seminar on the Monday from ten to eleven UTC, as it is posted here."""
    return {
        "Subject": "Logic",
        "Start": {"DateTime": "2026-09-21T10:00:00", "TimeZone": "UTC"},
        "End": {"DateTime": "2026-09-21T11:00:00", "TimeZone": "UTC"},
    } | changes


def mark(value: str | None) -> list[dict[str, str | None]]:
    """The tests' extended property as it is written here."""
    return [{"PropertyId": TAG, "Value": value}]
