"""The service: ``classbell sandbox serve`` in a process of its own, which can be killed and started again."""

import json
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

# The sandbox writes what has happened a moment behind: what it has answered must not be lost with it.
WRITTEN_BEHIND = 0.6
# Longer than any request takes from its arrival to its record.
STILL = 0.3


class Service:
    """
    A sandbox that keeps its state in a folder, always on the same port.

    Args:
        folder: for its state, and for the *file* that describes it.
        environment: of its process.
    """

    def __init__(self, folder: Path, file: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._file = file
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self._known = 0
        self.ca_file = folder / "sandbox-ca.pem"

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def start(self) -> None:
        """Serve, with all that was kept."""
        serve = ["sandbox", "serve", str(self._file), "--port", str(self.port), "--data", str(self._folder)]
        serve.append("--while-stdin")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "classbell", "--json", *serve],
            env=self._environment,
            # It ends with us, whatever becomes of us.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        told = next((json.loads(line) for line in self._process.stdout if '"serving"' in line), None)
        assert told is not None, "the sandbox did not start"
        self.port = urlsplit(told["graph_url"]).port or 0

    def end(self) -> None:
        """Let it end by itself: what is on its way is cut off, and everything kept."""
        self._strike(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, once it has written what it has answered; whoever asks it must be still meanwhile."""
        time.sleep(WRITTEN_BEHIND)
        self._strike(signal.SIGKILL)

    def quiet(self) -> None:
        """Wait until nothing that was asked is under way any more: it must not come to light hours later."""
        still = 0
        while still < 2:
            time.sleep(STILL)
            found = len(self.history(self._known))
            self._known += found
            still = 0 if found else still + 1

    def history(self, after: int = 0) -> list[dict[str, Any]]:
        """All records, or those behind the first *after*; oldest first."""
        records: list[dict[str, Any]] = []
        last = -1
        while last != after:
            last = after
            status, headers, body = self._asked("GET", f"/history?after={after}&limit=100000")
            assert status == 200, body
            records += [json.loads(line) for line in body.splitlines()]
            after = int(headers["x-after"])
        return records

    def tell(self, method: str, path: str, body: object = None) -> Any:
        """
        Do something as the administrator of the sandbox.

        Args:
            path: below ``/_sandbox``.
        """
        status, _, answer = self._asked(method, path, body)
        assert status < 300, (method, path, answer)
        return json.loads(answer) if answer else None

    def mailbox(self, tenant: str, address: str) -> str:
        """The path of a mailbox."""
        return f"/tenants/{tenant}/mailboxes/{quote(address)}"

    def _asked(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, str], bytes]:
        trusted = ssl.create_default_context(cafile=str(self.ca_file))
        connection = HTTPSConnection("localhost", self.port, context=trusted, timeout=60)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, f"/_sandbox{path}", content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    def _strike(self, blow: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(blow)
        process.communicate(timeout=60)
