"""
What is wrong with an answer of the sandbox: by our own description always, by Microsoft's schemas where they are.

Shared by the observer of the whole suite and by the tests that look for trouble on purpose.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from tests.conformity import multipart
from tests.conformity.contract import Contract
from tests.conformity.microsoft import microsoft

from classbell.sandbox.description import description
from classbell.sandbox.description.operations import WITHOUT_SELECT

# What a fault makes of an answer that then is no answer any more.
SPOILT = frozenset({"cut", "empty", "html", "drop", "missing"})
GENERIC = {"/v1.0": "error", "/api/v2.0": "outlookError"}
_SUCCESS, _ERROR, _CRASH = 200, 400, 500


@cache
def ours() -> Contract:
    """Our own description of the sandbox."""
    return Contract(description())


@dataclass(frozen=True)
class Exchange:
    """
    A request with its answer, alone or a member of a batch.

    ``faults`` are the effects of the scripted faults that it met: ``status`` for an error in place of the answer, or
    one of ``SPOILT``. ``content`` is bytes, or for a member decoded JSON.
    """

    method: str
    path: str
    query: str
    status: int
    headers: Mapping[str, str]
    content: Any
    faults: Sequence[str] = ()
    is_member: bool = False


@dataclass
class Examiner:
    """
    Examines exchanges.

    Attributes:
        counts: how many answers were held against an operation of our description.
        microsofts: the same of Microsoft's schemas.
    """

    counts: Counter[str] = field(default_factory=Counter)
    microsofts: Counter[str] = field(default_factory=Counter)

    def failures(self, seen: Exchange) -> list[str]:
        """What is wrong with an answer, each with place and reason."""
        told = f"{seen.method} {seen.path} answered {seen.status}"
        found = [f"{told}: {reason}" for reason in self._failures(seen)]
        return found or self._of_members(seen)

    def _failures(self, seen: Exchange) -> list[str]:
        if SPOILT.intersection(seen.faults) or seen.method in {"HEAD", "OPTIONS"}:
            return []
        contract = ours()
        name = contract.find(seen.method, seen.path)
        if not name:
            return self._of_nothing_described(seen)
        self.counts[f"{name} {seen.status}"] += 1
        answer = contract.answer(name, seen.status)
        if answer is None:
            fallback = contract.operations[name]["responses"].get("default")
            if fallback is None or "status" not in seen.faults:
                return [f"the description of {name} does not know this status"]
            answer = fallback
        found = _content(contract, answer, seen) + (
            [] if seen.is_member else _headers(contract, answer, seen)
        )
        if found:
            return [f"by our description of {name}: {reason}" for reason in found]
        return self._by_microsoft(seen)

    def _of_nothing_described(self, seen: Exchange) -> list[str]:
        """A path or method that is not there must be refused, in the shape of refusals."""
        if seen.status < _ERROR:
            return ["nothing of the kind is described"]
        if seen.status == _CRASH:
            return ["the sandbox has crashed"]
        schema = next((name for root, name in GENERIC.items() if seen.path.startswith(f"{root}/")), "")
        told = decoded(seen)
        if not schema or not isinstance(told, dict):
            return []  # the server itself refuses methods and paths that no part of it knows
        self.counts[f"refused {schema}"] += 1
        return ours().failures({"$ref": f"#/components/schemas/{schema}"}, told)

    def _by_microsoft(self, seen: Exchange) -> list[str]:
        contract = microsoft()
        name = contract.find(seen.method, seen.path) if contract else ""
        if contract is None or not name:
            return []
        self.microsofts[name] += 1
        answer = contract.answer(name, seen.status)
        if answer is None:
            return [f"Microsoft's {name} does not know this status"]
        return [f"by Microsoft's {name}: {reason}" for reason in _content(contract, answer, seen)]

    def _of_members(self, seen: Exchange) -> list[str]:
        """The answers inside a batch, each as if it had come alone."""
        if not isinstance(seen, Batch) or seen.status != _SUCCESS or SPOILT.intersection(seen.faults):
            return []
        root = next(root for root in GENERIC if seen.path.startswith(f"{root}/"))
        kind = seen.headers["content-type"]
        if kind.startswith("multipart/mixed"):
            answered = multipart.members(seen.asked_kind, seen.asked, kind, seen.content)
        else:
            asked = {part["id"]: part for part in msgspec.json.decode(seen.asked)["requests"]}
            answered = [(asked[told["id"]], told) for told in decoded(seen)["responses"]]
        return [
            f"in a batch: {reason}"
            for asked, told in answered
            for reason in self.failures(seen.member(asked, told, root))
        ]


@dataclass(frozen=True)
class Batch(Exchange):
    """A batch with what was asked; ``by_part`` are the effects that its members met, by their ids."""

    asked: bytes = b""
    asked_kind: str = ""
    by_part: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def member(self, asked: Mapping[str, Any], told: Mapping[str, Any], root: str) -> Exchange:
        """The exchange of one member, as JSON batches tell request and answer; *root* is the version."""
        path, _, query = relative(asked["url"], root).partition("?")
        return Exchange(
            asked["method"].upper(),
            path,
            query,
            told["status"],
            {key.casefold(): value for key, value in told["headers"].items()},
            told["body"],
            self.by_part.get(told["id"], ()),
            is_member=True,
        )


def relative(url: str, root: str) -> str:
    """The path of a member of a batch with the version before it."""
    rest = (
        "/" + url.partition("://")[2].partition("/")[2]
        if "://" in url.partition("?")[0]
        else "/" + url.lstrip("/")
    )
    return rest if rest.casefold().startswith(f"{root}/") else root + rest


def decoded(seen: Exchange) -> Any:
    """The content as JSON values; None for none, text where it is no JSON."""
    if not isinstance(seen.content, bytes):
        return seen.content
    if not seen.content:
        return None
    if "json" in seen.headers.get("content-type", ""):
        return msgspec.json.decode(seen.content)
    return seen.content.decode()


def _content(contract: Contract, answer: Mapping[str, Any], seen: Exchange) -> list[str]:
    told = decoded(seen)
    kinds = answer.get("content")
    if not kinds:
        return [] if told is None else ["it has content, and should have none"]
    if told is None:
        return ["it has no content"]
    kind = seen.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "text/plain" and "status" in seen.faults:
        return []  # the fault says ``text``: a line of it in place of an error
    if kind not in kinds:
        return [f"its content is {kind or 'of no type'}, and should be {', '.join(kinds)}"]
    media = kinds[kind]
    narrowed = any(
        name.casefold() in {"$select", "select"} for name, _ in parse_qsl(seen.query, keep_blank_values=True)
    )
    schema = media["schema"] if narrowed else media.get(WITHOUT_SELECT, media["schema"])
    return contract.failures(schema, told)


def _headers(contract: Contract, answer: Mapping[str, Any], seen: Exchange) -> list[str]:
    found = []
    for name, header in answer.get("headers", {}).items():
        value = seen.headers.get(name.casefold())
        if value is None and header["required"]:
            found.append(f"it has no header {name}")
        elif value is not None:
            found += [f"header {name}: {reason}" for reason in contract.failures(header["schema"], value)]
    return found
