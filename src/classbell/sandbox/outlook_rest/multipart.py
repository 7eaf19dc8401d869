"""
Batches as ``multipart/mixed``: each part an HTTP request, each part of the answer an HTTP answer, in the same order.

Source: OData 4.0 part 1, section 11.7, and "Batch Outlook REST requests".
"""

import email
import email.policy
import re
from collections.abc import Sequence
from email.message import Message
from http import HTTPStatus
from typing import Any

import msgspec

from classbell.sandbox.exchange import Reply
from classbell.sandbox.refusals import Refusal, bad_request, not_reproduced

_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<url>\S+) HTTP/1\.[01]\Z")
_JSON = (
    "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"
)


def parts(content_type: str, content: bytes) -> list[dict[str, Any]]:
    """
    The requests of a batch, in the form of those in JSON: id, method, url, headers, body.

    Raises:
        Refusal: it is no batch; a body that is no JSON stays bytes, for its own part to be refused.
    """
    try:
        head = b"Content-Type: " + content_type.encode("ascii") + b"\r\n\r\n"
    except UnicodeEncodeError:
        raise _malformed() from None
    message = email.message_from_bytes(head + content, policy=email.policy.compat32)
    if not message.is_multipart() or message.defects:
        raise _malformed()
    found = message.get_payload()
    if not isinstance(found, list):
        raise _malformed()
    return [_part(part, str(number)) for number, part in enumerate(found, 1) if isinstance(part, Message)]


def _part(part: Message, number: str) -> dict[str, Any]:
    if part.get_content_type() == "multipart/mixed":
        raise not_reproduced("change sets in a batch")
    payload = part.get_payload(decode=True)
    if part.get_content_type() != "application/http" or not isinstance(payload, bytes):
        raise _malformed()
    line, _, rest = payload.lstrip(b"\r\n").replace(b"\r\n", b"\n").partition(b"\n")
    request = _REQUEST.match(line.decode("utf-8", "replace").strip())
    if request is None:
        raise _malformed()
    head, _, body = rest.partition(b"\n\n") if not rest.startswith(b"\n") else (b"", b"", rest[1:])
    headers = email.message_from_bytes(head + b"\n\n", policy=email.policy.compat32)
    told: dict[str, Any] = {
        "id": " ".join(str(part.get("Content-ID", "")).split()) or number,
        "method": request["method"],
        "url": request["url"],
        "headers": {name: str(value) for name, value in headers.items()},
    }
    if body.strip():
        told["body"] = _decoded(body.strip())
    return told


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body


def written(answers: Sequence[tuple[str, Reply]], boundary: str) -> bytes:
    """The body of the answer: (id, reply) pairs in order; named parts keep their ``Content-ID``."""
    pieces = [_written(key, reply, boundary) for key, reply in answers]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def _written(key: str, reply: Reply, boundary: str) -> bytes:
    body, kind = reply.body, _JSON
    if reply.spoilt == "empty" or body is None:
        content = b""
    elif isinstance(body, str):
        content, kind = body.encode(), reply.headers.get("Content-Type", "text/plain")
    else:
        content = msgspec.json.encode(body)
    headers = {name: value for name, value in reply.headers.items() if name != "Content-Type"}
    if content:
        headers["Content-Type"] = kind
    lines = [f"--{boundary}", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if not key.isdigit():
        lines.append(f"Content-ID: {key}")
    lines += ["", f"HTTP/1.1 {reply.status} {_phrase(reply.status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content + b"\r\n"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _malformed() -> Refusal:
    return bad_request("Invalid batch payload format.")
