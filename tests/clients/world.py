"""A tenant in the sandbox, and its application's certificates in the forms that Microsoft's clients read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from tests.sandbox.client import make_certificate

from classbell.sandbox import Address, App, Fault, Mailbox, Record, RequestInfo, Sandbox, Tenant

PASSWORD = "correct horse"
TAG = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Tag"


@dataclass(frozen=True)
class Pair:
    """
    A key and its certificate, the key under ``PASSWORD``.

    ``both`` is a PEM file with key and certificate, ``pfx`` a PKCS#12 file; the thumbprint is SHA-1 in
    hexadecimal, as the portal shows it.
    """

    key: str
    certificate: str
    both: Path
    pfx: Path
    thumbprint: str


def make_pair(folder: Path, *, days_old: int = 1, days: int = 300) -> Pair:
    """A pair that became valid some days ago, for so many days."""
    begin = datetime.now(UTC) - timedelta(days=days_old)
    made = make_certificate(begin=begin, end=begin + timedelta(days=days))
    assert isinstance(made.key, rsa.RSAPrivateKey)
    locked = serialization.BestAvailableEncryption(PASSWORD.encode())
    key = made.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    both, pfx = folder / "both.pem", folder / "pair.pfx"
    both.write_bytes(key + made.pem)
    both.chmod(0o600)
    pfx.write_bytes(pkcs12.serialize_key_and_certificates(b"1", made.key, made.certificate, None, locked))
    thumbprint = made.certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, not a proof
    return Pair(key.decode(), made.pem.decode(), both, pfx, thumbprint)


@dataclass
class World:
    """A tenant of its own for one test, whose application may write the calendar of Ada."""

    sandbox: Sandbox
    address: Address
    tenant: Tenant
    app: App
    ada: Mailbox
    pair: Pair
    began: int

    @property
    def authority(self) -> str:
        """What stands for https://login.microsoftonline.com/TENANT."""
        return f"{self.address.login_url}/{self.tenant.tenant_id}"

    @property
    def scope(self) -> str:
        """What tokens are asked for."""
        return f"{self.address.graph_url}/.default"

    @property
    def ca_file(self) -> str:
        """The CA that clients must trust."""
        return str(self.address.ca_file)

    def throttle(self, match: Callable[[RequestInfo], bool], *, times: int, seconds: int = 1) -> Fault:
        """Let matching requests meet 429 with ``Retry-After`` so many times."""
        return self.sandbox.faults.add(match, 429, times=times, retry_after=seconds)

    def asked(self, method: str, part: str) -> list[Record]:
        """What this test has asked so far by a method, where the path has a part."""
        return [
            record
            for record in self.sandbox.history[self.began :]
            if record.kind != "change" and record.method == method and part in record.path
        ]

    def waits(self, method: str, part: str) -> list[float]:
        """The seconds that passed between those requests."""
        moments = [record.at for record in self.asked(method, part)]
        return [later - earlier for earlier, later in pairwise(moments)]

    def codes(self, method: str, part: str) -> list[int]:
        """The statuses that those requests met."""
        return [record.status for record in self.asked(method, part)]

    def subjects(self) -> list[str]:
        """The subjects of all events of Ada's, sorted."""
        return sorted(event["subject"] for event in self.ada.events())

    def fill(self, count: int) -> list[str]:
        """So many events of an hour each, from 21 September 2026 at noon on; their subjects, sorted."""
        begin = datetime(2026, 9, 21, 12, tzinfo=UTC)
        for number in range(count):
            start = begin + timedelta(hours=number)
            self.ada.put_event(
                {
                    "subject": f"Event {number:02}",
                    "start": {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
                    "end": {"dateTime": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
                }
            )
        return [f"Event {number:02}" for number in range(count)]


def by_token(info: RequestInfo) -> bool:
    """Requests to the token endpoint."""
    return info.kind == "token"
