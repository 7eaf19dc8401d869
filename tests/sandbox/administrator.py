"""A client of the administrative API and of the pages: HTTPS with the sandbox's CA, on one connection."""

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any

from classbell.sandbox import Address


@dataclass(frozen=True)
class Told:
    """Status, headers (names in lower case) and text of an answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The decoded JSON."""
        return json.loads(self.text)

    @property
    def lines(self) -> list[Any]:
        """The decoded JSON lines."""
        return [json.loads(line) for line in self.text.splitlines()]


class Administrator:
    """Asks below ``/_sandbox``."""

    def __init__(self, address: Address, host: str = "localhost") -> None:
        context = ssl.create_default_context(cafile=str(address.ca_file))
        self._connection = http.client.HTTPSConnection(host, address.port, context=context, timeout=20)

    def ask(self, method: str, path: str, body: Any = None, /, **headers: str) -> Told:
        """One request; a body is sent as JSON."""
        content = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, f"/_sandbox{path}", content, sent)
        response = self._connection.getresponse()
        text = response.read().decode()
        return Told(response.status, {name.lower(): value for name, value in response.getheaders()}, text)

    def get(self, path: str) -> Told:
        """GET, which must succeed."""
        told = self.ask("GET", path)
        assert told.status == 200, told
        return told

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """Something that must succeed; the decoded answer, if there is one."""
        told = self.ask(method, path, body)
        assert told.status in {200, 201, 204}, told
        return told.body if told.text else None

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and message of a refusal, which must have a code as well."""
        told = self.ask(method, path, body)
        assert told.body["error"]["code"]
        return told.status, told.body["error"]["message"]

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
