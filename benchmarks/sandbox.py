"""
How fast the sandbox is, as its users meet it: a process of its own, asked over HTTPS, with its history on.

    python -m benchmarks.sandbox [--whole]

The memory of 100,000 mailboxes with 2 million events takes several minutes to fill: it is measured with
``--whole``, and otherwise projected from a tenth of them.
"""

import argparse
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import jwt
from benchmarks.report import Figure, report
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from classbell.identity.certificates import KeyPair, new_self_signed

ROUNDS = 5
PER_MAILBOX = 20
# So many people attend a lecture: their events have the same content, but each its own hidden properties.
ATTENDEES = 40
CONNECTIONS = 3
CLIENT_ID = "99999999-2222-4333-8444-555555555555"
TENANT_ID = "11111111-2222-4333-8444-555555555555"
_TICK = os.sysconf("SC_CLK_TCK")
_FILE = f"""\
seed = 0
token_lifetime = 86000

[[tenants]]
domain = "example.edu"
tenant_id = "{TENANT_ID}"
mailboxes_file = "people.txt"

[[tenants.apps]]
name = "Timetables"
client_id = "{CLIENT_ID}"
certificates = ["cert.pem"]
permissions = ["Calendars.ReadWrite"]
"""


@dataclass(frozen=True)
class Served:
    """A sandbox in a process of its own; ``started`` is how many seconds it took until it served."""

    process: "subprocess.Popen[str]"
    url: str
    ca_file: str
    started: float
    pair: KeyPair

    @property
    def processor(self) -> float:
        """Seconds of processor time so far, of all its threads."""
        numbers = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(numbers[11]) + int(numbers[12])) / _TICK

    @property
    def memory(self) -> float:
        """Its resident memory in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("Linux tells it of every process")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the sandbox.")
    parser.add_argument("--whole", action="store_true", help="fill 100,000 mailboxes, not a tenth of them")
    arguments = parser.parse_args()
    pair = new_self_signed("benchmark", now=time.time(), days=2)
    report("sandbox.1", "Event creations", creations(pair))
    report("sandbox.2", "Start with 10,000 empty mailboxes", *start(pair))
    report("sandbox.3", "Memory with events", *memory(pair, whole=arguments.whole))


def creations(pair: KeyPair) -> Figure:
    """Events created in batches of 20, by the second of processor time of the whole process."""
    rates = []
    with served(1_000, pair) as sandbox:
        for number in range(ROUNDS + 1):
            before = sandbox.processor
            load(sandbox, range(1_000), first=number * PER_MAILBOX)
            rates.append(1_000 * PER_MAILBOX / (sandbox.processor - before))
    return Figure(
        name="created for each second of one core",
        value=statistics.median(rates[1:]),
        unit="events",
        bar=4_000,
        how=f"median of {ROUNDS} rounds of {1_000 * PER_MAILBOX:,}, after one to warm up",
    )


def start(pair: KeyPair) -> tuple[Figure, Figure]:
    """From the command to the line that says where it serves."""
    walls, processors = [], []
    for _ in range(ROUNDS):
        with served(10_000, pair) as sandbox:
            walls.append(sandbox.started)
            processors.append(sandbox.processor)
    how = f"median of {ROUNDS} starts of the command"
    return (
        Figure(
            name="until it serves",
            value=statistics.median(walls),
            unit="s",
            bar=1.0,
            wanted="at most",
            how=how,
        ),
        Figure(name="processor time of it", value=statistics.median(processors), unit="s", how=how),
    )


def memory(pair: KeyPair, *, whole: bool) -> tuple[Figure, Figure]:
    """Resident memory, with everything asked for over HTTPS and the history of it kept."""
    mailboxes = 100_000 if whole else 10_000
    with served(10, pair) as sandbox:
        load(sandbox, range(10))
        bare = sandbox.memory
    with served(mailboxes, pair) as sandbox:
        load(sandbox, range(mailboxes))
        filled = sandbox.memory
    events = mailboxes * PER_MAILBOX
    scale = 100_000 / mailboxes
    return (
        Figure(
            name="100,000 mailboxes with 2,000,000 events",
            value=(bare + (filled - bare) * scale) / 1e9,
            unit="GB",
            bar=4,
            wanted="at most",
            how="measured" if whole else "projected from a tenth of them",
        ),
        Figure(
            name="for each event, its mailbox and its history included",
            value=(filled - bare) / events,
            unit="bytes",
        ),
    )


@contextmanager
def served(mailboxes: int, pair: KeyPair) -> Iterator[Served]:
    """Run the command with a file of so many mailboxes."""
    with tempfile.TemporaryDirectory(prefix="sandbox-benchmark-") as made:
        folder = Path(made)
        (folder / "cert.pem").write_bytes(pair.certificate)
        (folder / "people.txt").write_text("".join(f"{person(number)}\n" for number in range(mailboxes)))
        (folder / "sandbox.toml").write_text(_FILE)
        command = [str(Path(sys.executable).with_name("classbell")), "--json", "sandbox", "serve"]
        begin = time.perf_counter()
        with subprocess.Popen(
            [*command, str(folder / "sandbox.toml"), "--while-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            told = next(line for line in map(json.loads, process.stdout) if line["type"] == "serving")
            took = time.perf_counter() - begin
            try:
                yield Served(process, told["login_url"], told["ca_file"], took, pair)
            finally:
                process.stdin.close()
                process.stdout.read()


def load(sandbox: Served, mailboxes: Sequence[int], *, first: int = 0) -> None:
    """
    Create 20 events in each mailbox, the first of them the lecture number *first* of its owner.

    A batch holds one lecture of 20 people, as a first delivery sends them.
    """
    headers = {"Authorization": f"Bearer {token(sandbox)}", "Content-Type": "application/json"}
    batches = (
        batch(mailboxes[begin : begin + 20], lecture)
        for begin in range(0, len(mailboxes), 20)
        for lecture in range(first, first + PER_MAILBOX)
    )
    turn = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            _send_all(sandbox, headers, _shared(batches, turn))
        except BaseException as failure:  # noqa: BLE001 -- raised again in the thread that waits
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def batch(mailboxes: Iterable[int], lecture: int) -> bytes:
    """The creates of one lecture, for the people of these mailboxes."""
    return json.dumps(
        {
            "requests": [
                {
                    "id": str(part),
                    "method": "POST",
                    "url": f"/users/{person(mailbox)}/calendar/events",
                    "headers": {"Content-Type": "application/json", "Prefer": 'IdType="ImmutableId"'},
                    "body": event(mailbox, lecture),
                }
                for part, mailbox in enumerate(mailboxes)
            ]
        }
    ).encode()


def event(mailbox: int, lecture: int) -> dict[str, object]:
    """A lecture as a publisher of timetables posts it."""
    start = datetime(2026, 9, 21, 9) + timedelta(days=lecture, hours=mailbox // ATTENDEES % 8)  # noqa: DTZ001
    operation = UUID(int=(mailbox << 64) + lecture, version=5)
    return {
        "subject": f"Lecture {lecture} of group {mailbox // ATTENDEES}",
        "body": {"contentType": "html", "content": f"<p>Lecture {lecture}, given by Dr. A. Example</p>"},
        "location": {"displayName": f"Room {lecture % 70}, Main Building"},
        "start": {"dateTime": start.isoformat(), "timeZone": "Europe/London"},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat(), "timeZone": "Europe/London"},
        "showAs": "busy",
        "isReminderOn": False,
        "transactionId": str(operation),
        "singleValueExtendedProperties": [
            {
                "id": "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Tag",
                "value": f"v1:{TENANT_ID}:{operation}:1",
            }
        ],
    }


def person(number: int) -> str:
    """The address of a mailbox."""
    return f"student{number}@example.edu"


def token(sandbox: Served) -> str:
    """An access token for the one application, got as a client gets it."""
    endpoint = f"{sandbox.url}/{TENANT_ID}/oauth2/v2.0/token"
    now = int(time.time())
    claims = {"aud": endpoint, "iss": CLIENT_ID, "sub": CLIENT_ID, "jti": str(uuid4()), "exp": now + 600}
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "scope": f"{sandbox.url}/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(
            claims, sandbox.pair.key, "PS256", headers={"x5t#S256": thumbprint(sandbox.pair)}
        ),
    }
    connection = _connected(sandbox)
    path = urlsplit(endpoint).path
    connection.request("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return str(answer["access_token"])


def thumbprint(pair: KeyPair) -> str:
    """The name of a certificate in an assertion."""
    print_ = x509.load_pem_x509_certificate(pair.certificate).fingerprint(hashes.SHA256())
    return urlsafe_b64encode(print_).decode()


def _send_all(sandbox: Served, headers: dict[str, str], batches: Iterable[bytes]) -> None:
    connection = _connected(sandbox)
    for content in batches:
        connection.request("POST", "/v1.0/$batch", content, headers)
        answer = connection.getresponse().read()
        created = answer.count(b'"status":201')
        assert created == content.count(b'"method"'), answer[:2_000]
    connection.close()


def _shared(batches: Iterator[bytes], turn: threading.Lock) -> Iterator[bytes]:
    """The same batches for several threads, each batch for one of them."""
    while True:
        with turn:
            content = next(batches, None)
        if content is None:
            return
        yield content


def _connected(sandbox: Served) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    return http.client.HTTPSConnection(
        "localhost", int(sandbox.url.rpartition(":")[2]), context=context, timeout=120
    )


if __name__ == "__main__":
    main()
