"""
Operations of a description: what may be asked, and what is answered with which status.

An operation names every status that it has by itself. Scripted faults may give any operation any other status; that is
its ``default``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from classbell.sandbox.description.terms import TEXT, Schema, matching, ref

JSON = "application/json"
PLAIN = "text/plain"
HTML = "text/html"
# The schema of the same answer where the query does not choose by ``$select``: then nothing may be missing.
WITHOUT_SELECT = "x-schema-without-select"


@dataclass(frozen=True)
class Answer:
    """
    What comes with a status.

    Attributes:
        description: what it means.
        schema: of the content; None where there is none.
        kind: the media type of the content.
        beside: the schemas of other media types that it may come in.
        whole: the schema where nothing is chosen by ``$select``, if that makes a difference.
        headers: headers that it always has, with their schemas.
        may_have: headers that it sometimes has.
    """

    description: str
    schema: Schema | None = None
    kind: str = JSON
    whole: Schema | None = None
    beside: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    may_have: Mapping[str, Schema] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        told: dict[str, Any] = {"description": self.description}
        headers = {name: {"required": True, "schema": schema} for name, schema in self.headers.items()}
        headers |= {name: {"required": False, "schema": schema} for name, schema in self.may_have.items()}
        if headers:
            told["headers"] = headers
        if self.schema is not None:
            content: dict[str, Any] = {"schema": self.schema}
            if self.whole is not None:
                content[WITHOUT_SELECT] = self.whole
            others = {kind: {"schema": schema} for kind, schema in self.beside.items()}
            told["content"] = {self.kind: content, **others}
        return told


@dataclass(frozen=True)
class Operation:
    """
    One method of one path.

    Attributes:
        summary: what it does.
        answers: what comes with which status, faults apart.
        parameters: beside those in the path.
        body: the schemas of what may be sent, by media type.
        body_required: whether something must be sent.
        otherwise: what scripted faults answer; None where there are none.
        tag: to which part of the service it belongs.
        open_to_all: whether it takes no token.
    """

    summary: str
    answers: Mapping[int, Answer]
    parameters: Iterable[Mapping[str, Any]] = ()
    body: Mapping[str, Schema] = field(default_factory=dict)
    body_required: bool = True
    otherwise: Answer | None = None
    tag: str = "Graph"
    open_to_all: bool = False

    def told(self, name: str) -> dict[str, Any]:
        """As OpenAPI has it."""
        told: dict[str, Any] = {"operationId": name, "summary": self.summary, "tags": [self.tag]}
        parameters = [dict(parameter) for parameter in self.parameters]
        if parameters:
            told["parameters"] = parameters
        if self.body:
            told["requestBody"] = {
                "required": self.body_required,
                "content": {kind: {"schema": schema} for kind, schema in self.body.items()},
            }
        told["responses"] = {str(status): answer.told() for status, answer in sorted(self.answers.items())}
        if self.otherwise is not None:
            told["responses"]["default"] = self.otherwise.told()
        if self.open_to_all:
            told["security"] = []
        return told


def query(name: str, about: str, schema: Schema, *, required: bool = False) -> dict[str, Any]:
    """A query option."""
    return _parameter("query", name, about, schema, required=required)


def header(name: str, about: str, schema: Schema) -> dict[str, Any]:
    """A header of a request."""
    return _parameter("header", name, about, schema, required=False)


def in_path(name: str, about: str, schema: Schema) -> dict[str, Any]:
    """A part of the path."""
    return _parameter("path", name, about, schema, required=True)


def _parameter(place: str, name: str, about: str, schema: Schema, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "description": about, "required": required, "schema": schema}


def refusals(error: str, *statuses: int) -> dict[int, Answer]:
    """Answers with an error, *error* being the name of its schema."""
    return {
        status: Answer(_MEANINGS[status], ref(error), may_have=_HEADERS.get(status, {}))
        for status in statuses
    }


_WAIT: Mapping[str, Schema] = {"Retry-After": TEXT}
_HEADERS: Mapping[int, Mapping[str, Schema]] = {
    401: {"WWW-Authenticate": matching("Bearer .+")},
    429: _WAIT,
    503: _WAIT,
}
_MEANINGS = {
    400: "The request cannot be understood, or is not possible.",
    401: "The token is missing, garbled, expired, revoked, or for somebody else.",
    403: "The token does not allow this, or not for this mailbox.",
    404: "There is no such mailbox or object, or the mailbox is of a kind that is not served.",
    405: "The path does not have this method.",
    409: "The name is taken, or the transactionId is, by the switch `duplicate_transaction_status`.",
    410: "By the switch `outlook_rest`: the API has ended.",
    412: "`If-Match` names another version than the present one.",
    413: "More than 4 MB were sent.",
    424: "In a batch: a request that this one depends on has failed.",
    429: "Too many requests.",
    500: "As the service answers here to what it does not support, by the switch `unsupported_view_filter_status`.",
    501: "Not reproduced by the sandbox; the service never says so.",
    503: "The mailbox is busy, moving, or unavailable.",
    507: "The mailbox is full; another status by the switch `full_mailbox_status`.",
}
