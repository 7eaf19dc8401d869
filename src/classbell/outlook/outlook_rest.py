"""
Outlook Calendar REST API v2.0, the predecessor of Graph's calendars: the same model in other words.

Microsoft retired it in Exchange Online on 2024-03-31. Names are in PascalCase, as are the values of enumerations;
transactionId, immutable ids and permanentDelete came later, with Graph.
Sources: "Outlook Calendar REST API reference (version 2.0)", "Batch Outlook REST requests (preview)".
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from classbell.outlook import batch
from classbell.outlook.dialect import Answer, Capabilities, Kind, Request, Seen
from classbell.outlook.exchange import ExchangeDialect, Spelling

PREFER = 'outlook.timezone="UTC"'

# Renderings are few and shared by all who attend; each is translated once while it is in use.
_TRANSLATED = 4096
_CHOICES = frozenset({"showAs", "sensitivity", "importance"})
_CONTENT_TYPES = {"html": "HTML", "text": "Text"}
# What is not Graph's name with a capital letter. A batch's own "value" and "id" are not capitals here either.
_HEARD = {"PropertyId": "id", "requestId": "request-id"}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


_SPELLING = Spelling(
    prefer=PREFER,
    name=_pascal,
    key="PropertyId",
    value="Value",
    # Which one is the default calendar its list did not say.
    calendar_fields=("id", "name", "canEdit"),
)


class OutlookRestDialect(ExchangeDialect):
    """The dialect of Outlook Calendar REST API v2.0; see ``Dialect`` for the methods."""

    capabilities = Capabilities(
        transaction_id=False,
        immutable_ids=False,
        id_form="restId",
        permanent_delete=False,
        batch_size=batch.MEMBERS,
        retired_on="2024-03-31",
    )
    root = "/api/v2.0"
    batch_path = "/api/v2.0/$batch"
    headers: dict[str, str] = {"Accept": "application/json", "Prefer": PREFER}  # noqa: RUF012 - never changed
    # Without it a batch ends with the first member that is refused (OData 4.0, section 8.2.8.3).
    batch_headers: dict[str, str] = {"Prefer": "odata.continue-on-error"}  # noqa: RUF012 - never changed

    def __init__(self) -> None:
        super().__init__(_SPELLING)

    def spelt(self, rendering: bytes) -> bytes:
        """What is stored is in Graph's words: so ledger and fingerprints are the same under every dialect."""
        return _spelt(rendering)

    def decode(self, requests: Sequence[Request], body: bytes, seen: Seen) -> list[Answer]:
        """See ``batch.decode``."""
        return batch.decode(requests, _heard_batch(body), seen)

    def decode_one(self, kind: Kind, status: int, body: bytes, seen: Seen) -> Answer:
        """See ``batch.decode_one``."""
        return batch.decode_one(kind, status, _heard(body), seen)

    def decode_refusal(self, status: int, body: bytes, seen: Seen) -> Answer:
        """A token is refused without a body; the number of the reason stands in a header."""
        answer = batch.decode_refusal(status, _heard(body), seen)
        if answer.code or not seen.diagnostics:
            return answer
        number, _, reason = seen.diagnostics.partition(";")
        return msgspec.structs.replace(answer, code=number.strip(), message=reason)


@lru_cache(maxsize=_TRANSLATED)
def _spelt(rendering: bytes) -> bytes:
    return _encode(_told(_decode(rendering), ""))


def _told(value: Any, name: str) -> Any:
    """JSON values of Graph in this API's words; *name* is the property that they belong to."""
    if isinstance(value, dict):
        return {_pascal(key): _told(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_told(part, name) for part in value]
    if isinstance(value, str) and name == "contentType":
        return _CONTENT_TYPES.get(value, value)
    return _pascal(value) if isinstance(value, str) and name in _CHOICES else value


def _heard(body: bytes) -> bytes:
    """An answer in Graph's words; what is no JSON as it is."""
    try:
        return _encode(_in_graphs_words(_decode(body), ""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body


def _heard_batch(body: bytes) -> bytes:
    """The answer to a batch with the bodies of its parts in Graph's words; the envelope is the same for both."""
    try:
        envelope = _decode(body)
        for part in envelope["responses"]:
            if "body" in part:
                part["body"] = _in_graphs_words(part["body"], "")
        return _encode(envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return body


def _in_graphs_words(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {_camel(key): _in_graphs_words(part, _camel(key)) for key, part in value.items()}
    if isinstance(value, list):
        return [_in_graphs_words(part, name) for part in value]
    return _camel(value) if isinstance(value, str) and name in _CHOICES else value


def _camel(name: str) -> str:
    return _HEARD.get(name) or name[:1].lower() + name[1:]
