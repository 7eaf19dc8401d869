"""
The log: JSON lines for programs, plain lines for people, and in neither a secret.

Whoever logs names what happened and gives values beside it (``log.info("signed in", thumbprint=...)``). Until
``configure`` is called nothing is written anywhere. What looks like a secret is taken out of every value at the
very end, after tracebacks have become text; this is the second line of defence, the first is not to log it.
"""

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

ROOT = "classbell"
HIDDEN = "[redacted]"

_root = logging.getLogger(ROOT)
# Without a handler of its own, logging would write warnings to stderr by itself.
_root.addHandler(logging.NullHandler())
_root.propagate = False

_SECRET_NAMES = re.compile(
    r"authorization|password|passwd|passphrase|secret|assertion|proof|access_token|refresh_token|id_token|api_?key"
    r"|private_?key|cookie",
    re.IGNORECASE,
)
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    # A JSON Web Token, or any part of one that begins as they all do; its signature too.
    (re.compile(r"eyJ[\w=-]+(?:\.[\w=-]*)*"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)(?<![a-z0-9])(client_assertion|client_secret|access_token|refresh_token|id_token|proof|password|passwd"
            r"|passphrase)([\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s&,;)}\"']+)"
        ),
        rf"\1\2{HIDDEN}",
    ),
    # What follows the question mark of an address: feeds carry their keys there.
    (re.compile(r"(https?://[^\s?#\"'<>]+)\?[^\s\"'<>]*"), rf"\1?{HIDDEN}"),
    (re.compile(r"(https?://)[^\s/@\"'<>]+@"), rf"\1{HIDDEN}@"),
)


def logger(name: str) -> Any:
    """The logger of a part of Classbell, such as ``identity``; its methods are those of structlog's BoundLogger."""
    return structlog.wrap_logger(
        logging.getLogger(f"{ROOT}.{name}"),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def configure(stream: TextIO, *, as_json: bool, verbose: bool = False, in_words: bool = False) -> None:
    """
    Write the log to *stream* from now on.

    Args:
        stream: where to; what was written to before gets no more.
        as_json: one JSON object a line, instead of lines for people.
        verbose: everything from INFO on; else warnings and errors only.
        in_words: for somebody who looks on: each thing once, as the command line words it, without times.
    """
    handler = _EachOnce(stream) if in_words else logging.StreamHandler(stream)
    last: Processor = (
        structlog.processors.JSONRenderer() if as_json else _in_words if in_words else _for_people
    )
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=_processors(last)))
    silence()
    _root.addHandler(handler)
    _root.setLevel(logging.INFO if verbose else logging.WARNING)


def silence() -> None:
    """Write no log from now on."""
    for handler in [each for each in _root.handlers if isinstance(each, logging.StreamHandler)]:
        _root.removeHandler(handler)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take out of a log line what is or looks like a secret; a processor of structlog."""
    return {
        name: HIDDEN if _SECRET_NAMES.search(name) and value else _clean(value)
        for name, value in event.items()
    }


def redacted(text: str) -> str:
    """A text without what looks like a secret."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, bytes):
        return redacted(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _SECRET_NAMES.search(str(name)) and inner else _clean(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redacted(str(value))


class _EachOnce(logging.StreamHandler[TextIO]):
    """Writes nothing twice."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._written: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if text not in self._written:
            self._written.add(text)
            super().emit(record)


def _processors(last: Processor) -> list[Processor]:
    return [
        _with_level_and_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        redact,
        last,
    ]


def _with_level_and_name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    record = event["_record"]
    named: MutableMapping[str, Any] = {
        "level": record.levelname.lower(),
        "part": record.name.removeprefix(f"{ROOT}."),
        "msg": event.pop("event", ""),
    }
    return {**named, **event}


def _for_people(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """``2026-09-01T08:00:00Z info    identity: signed in  thumbprint=AB12``."""
    stamp, level = event.pop("ts"), event.pop("level")
    part, words = event.pop("part"), event.pop("msg")
    exception = event.pop("exception", "")
    values = "".join(f"  {name}={value}" for name, value in event.items() if value not in (None, ""))
    line = f"{stamp} {level:<7} {part}: {words}{values}"
    return f"{line}\n{exception}" if exception else line


def _in_words(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """``E-CERT-UNREG  Certificate refused (thumbprint AB12).``, with why and what to do below."""
    for name in ("ts", "level", "part"):
        event.pop(name)
    words, code = str(event.pop("msg")).rstrip("."), event.pop("code", "")
    below = [("Why:", event.pop("why", "")), ("Do:", event.pop("do", "")), ("", event.pop("exception", ""))]
    values = ", ".join(f"{name} {value}" for name, value in event.items() if value not in (None, ""))
    head = f"{words[:1].upper()}{words[1:]}{f' ({values})' if values else ''}."
    told = [f"{code}  {head}" if code else head]
    return "\n".join([*told, *(f"  {label:<8}{text}" for label, text in below if text)])
