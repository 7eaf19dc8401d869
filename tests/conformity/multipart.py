"""Batches of Outlook REST as multipart/mixed, told like those in JSON."""

import email
import email.policy
from email.message import Message
from typing import Any

import msgspec


def members(
    asked_kind: str, asked: bytes, answered_kind: str, answered: bytes
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Requests and answers in pairs, in their order; there are fewer answers where a failure ended the batch."""
    requests = [_request(head, number) for number, (head, _, _) in enumerate(_parts(asked_kind, asked), 1)]
    answers = [_answer(*part) for part in _parts(answered_kind, answered)]
    return [
        (request, answer | {"id": request["id"]}) for request, answer in zip(requests, answers, strict=False)
    ]


def _parts(kind: str, content: bytes) -> list[tuple[str, Message, str]]:
    """Of each part the first line, the headers and the body of what it holds."""
    message = email.message_from_bytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content, policy=email.policy.compat32
    )
    found = []
    for part in message.get_payload():
        assert isinstance(part, Message)
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        line, _, rest = payload.decode().lstrip().replace("\r\n", "\n").partition("\n")
        inner = email.message_from_string(rest)
        body = inner.get_payload()
        assert isinstance(body, str)
        found.append((line, inner, body.strip()))
    return found


def _request(line: str, number: int) -> dict[str, Any]:
    method, url, _ = line.split(" ")
    return {"id": str(number), "method": method, "url": url}


def _answer(line: str, headers: Message, body: str) -> dict[str, Any]:
    kind = headers.get("Content-Type", "")
    told = None if not body else msgspec.json.decode(body) if "json" in kind else body
    return {"status": int(line.split(" ")[1]), "headers": dict(headers.items()), "body": told}
