"""A plain client of the sandbox: HTTPS, JSON, and nothing that hides an answer."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from classbell.sandbox import Address, App, Mailbox, Sandbox, Tenant

# A Monday morning; all tests begin then.
MONDAY = datetime(2026, 9, 21, 6, 0, tzinfo=UTC)
TAG = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Tag"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and decoded JSON of an answer."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of an error of Graph."""
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        """The message of an error of Graph."""
        return str(self.body["error"]["message"])


@dataclass(frozen=True)
class Certificate:
    """A key with its self-signed certificate."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def print(self, algorithm: hashes.HashAlgorithm) -> str:
        """A thumbprint as assertions carry it, padding kept."""
        return base64.urlsafe_b64encode(self.certificate.fingerprint(algorithm)).decode()


def make_certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    begin: datetime = MONDAY - timedelta(days=30),
    end: datetime = MONDAY + timedelta(days=300),
) -> Certificate:
    """A certificate valid around the tests' Monday."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Timetables")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, begin, end)
    return Certificate(key, builder.sign(key, hashes.SHA256()))


class Wire:
    """One HTTPS connection that is opened anew when it has ended."""

    def __init__(self, address: Address) -> None:
        self.address = address
        context = ssl.create_default_context(cafile=str(address.ca_file))
        self._connection = http.client.HTTPSConnection("localhost", address.port, context=context, timeout=20)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One exchange."""
        try:
            self._connection.request(method, path, body, headers or {})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        kind = response.getheader("content-type") or ""
        told = json.loads(content) if content and "json" in kind else content.decode()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, told)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@dataclass
class Client:
    """A client of Graph with a token."""

    wire: Wire
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, /, **headers: str) -> Answer:
        """One request below the version; underscores in header names become hyphens."""
        if path.startswith("https://"):
            parts = urlsplit(path)
            path = f"{parts.path}?{parts.query}".removeprefix("/v1.0")
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in {**self.headers, **headers}.items()}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return self.wire.send(method, f"/v1.0{path}", content, sent)

    def get(self, path: str, /, query: dict[str, str] | None = None, **headers: str) -> Answer:
        """GET with encoded query options."""
        if query:
            path = f"{path}?{urlencode(query, quote_via=quote)}"
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, /, **headers: str) -> Answer:
        """POST as JSON."""
        return self.ask("POST", path, body, **headers)

    def patch(self, path: str, body: Any, /, **headers: str) -> Answer:
        """PATCH as JSON."""
        return self.ask("PATCH", path, body, **headers)

    def delete(self, path: str, /, **headers: str) -> Answer:
        """DELETE."""
        return self.ask("DELETE", path, **headers)

    def batch(self, *members: dict[str, Any]) -> Answer:
        """A batch of members as they are, with ids where they lack them."""
        requests = [{"id": str(number), **member} for number, member in enumerate(members, 1)]
        return self.post("/$batch", {"requests": requests})

    def members(self, *members: dict[str, Any]) -> list[dict[str, Any]]:
        """The answers to a batch in the order of its members."""
        answer = self.batch(*members)
        assert answer.status == 200, answer
        by_id = {response["id"]: response for response in answer.body["responses"]}
        return [by_id[member.get("id", str(number))] for number, member in enumerate(members, 1)]


@dataclass
class World:
    """A tenant of its own for one test, in a sandbox that many tests share."""

    sandbox: Sandbox
    address: Address
    tenant: Tenant
    app: App
    certificate: Certificate
    wire: Wire
    ada: Mailbox
    graph: Client

    @property
    def home(self) -> str:
        """The path of Ada's mailbox."""
        return f"/users/{self.ada.address}"

    @property
    def events(self) -> str:
        """The path of the events in Ada's default calendar."""
        return f"{self.home}/calendar/events"

    @property
    def token_url(self) -> str:
        """The token endpoint of the tenant."""
        return f"{self.address.login_url}/{self.tenant.tenant_id}/oauth2/v2.0/token"

    def assertion(
        self,
        certificate: Certificate | None = None,
        *,
        algorithm: str = "PS256",
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A client assertion as it should be, but for what is given; None takes a claim away."""
        used = certificate or self.certificate
        now = self.sandbox.clock.now()
        told = {
            "aud": self.token_url,
            "iss": self.app.client_id,
            "sub": self.app.client_id,
            "jti": "one and the same",
            "nbf": int(now),
            "exp": int(now) + 600,
        } | claims
        told = {name: value for name, value in told.items() if value is not None}
        named = {"x5t#S256": used.print(hashes.SHA256())} if header is None else header
        return jwt.encode(told, used.key, algorithm, headers=named)

    def ask_token(self, tenant: str | None = None, **fields: str | None) -> Answer:
        """A token request as it should be, but for what is given; None takes a field away."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.app.client_id,
            "scope": f"{self.address.graph_url}/.default",
            "client_assertion_type": ASSERTION_TYPE,
        } | fields
        if "client_assertion" not in form:
            form["client_assertion"] = self.assertion()
        sent = {name: value for name, value in form.items() if value is not None}
        path = f"/{quote(tenant or self.tenant.tenant_id)}/oauth2/v2.0/token"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.wire.send("POST", path, urlencode(sent).encode(), headers)

    def sign_in(self) -> Client:
        """A client with a fresh token."""
        answer = self.ask_token()
        assert answer.status == 200, answer
        return Client(self.wire, answer.body["access_token"])

    def create(self, body: dict[str, Any] | None = None, /, **changes: Any) -> dict[str, Any]:
        """An event in Ada's default calendar, made through Graph with immutable ids."""
        answer = self.graph.post(self.events, (body or lecture()) | changes, Prefer='IdType="ImmutableId"')
        assert answer.status == 201, answer
        found: dict[str, Any] = answer.body
        return found


def lecture(**changes: Any) -> dict[str, Any]:
    """A lecture on the Monday from ten to eleven UTC, as it is posted."""
    return {
        "subject": "Logic",
        "start": {"dateTime": "2026-09-21T10:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-09-21T11:00:00", "timeZone": "UTC"},
    } | changes


def at(text: str, zone: str = "UTC") -> dict[str, str]:
    """A dateTimeTimeZone."""
    return {"dateTime": text, "timeZone": zone}


def tag(value: str | None) -> list[dict[str, str | None]]:
    """The tests' extended property."""
    return [{"id": TAG, "value": value}]
