"""
The bundle: one archive for support, with all that helps to understand an installation and nothing that is secret.

What is left out is left out twice: keys and passwords are never read into it, and every text passes a redactor that
knows them all the same. Persons appear as pseudonyms, the same in every part of one installation's bundles.
"""

import base64
import hashlib
import io
import platform
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import msgspec
import pydantic

from classbell import __version__, telemetry
from classbell.doctor.finding import Finding, State
from classbell.doctor.subject import Installation
from classbell.errors import ClassbellError
from classbell.ports import Files
from classbell.settings import Configuration, IcsSource, PrivateFile, Secret, effective

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
# What follows the host of an address that errors name, of a private feed a secret as a whole.
_BEHIND_HOST = re.compile(r"(?i)((?:https?|webcal)://[^\s/?#\"'<>]+)[/?#][^\s\"'<>]*")
# Anything shorter would tear up ordinary words.
_SHORTEST = 4
_RUNS = 20
_README = """\
Made by classbell doctor --bundle for support. It holds versions, settings in force, the findings of doctor, counts of
the ledger, the last runs, and who may read the files of keys.

It holds no keys, passwords, tokens or addresses of feeds; names of mailboxes are replaced by pseudonyms, and remarks
on timetables are left out. Look through it before you send it all the same.
"""


class Redactor:
    """
    Takes secrets, whatever their form, and the names of mailboxes out of texts.

    Args:
        secrets: what must not appear: plain, in base64, hexadecimal, or percent-encoded.
        salt: makes pseudonyms of one installation differ from those of others.
    """

    def __init__(self, secrets: Iterable[bytes], salt: str) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        # The longest first: one secret may begin with another.
        ordered = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None
        self._salt = salt.encode()

    def text(self, text: str) -> str:
        """A text without them."""
        if self._secrets is not None:
            text = self._secrets.sub(telemetry.HIDDEN, text)
        return _ADDRESS.sub(self._pseudonym, telemetry.redacted(text))

    def value(self, value: Any) -> Any:
        """The same for everything in a JSON value, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value

    def _pseudonym(self, found: re.Match[str]) -> str:
        digest = hashlib.blake2b(found[0].lower().encode(), key=self._salt[:64], digest_size=5)
        return f"person-{digest.hexdigest()}@{found[1]}"


def _forms(secret: bytes) -> Iterator[str]:
    text = secret.decode("utf-8", "replace")
    yield text
    yield from (line.strip() for line in text.splitlines() if len(line.strip()) >= 2 * _SHORTEST)
    yield secret.hex()
    for whole in (base64.b64encode(secret), base64.urlsafe_b64encode(secret)):
        yield whole.decode().rstrip("=")
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)


async def bundle(installation: Installation | None, findings: Sequence[Finding], *, made_at: str) -> bytes:
    """
    The archive, as the bytes of a ZIP file.

    Args:
        installation: None if its configuration cannot be read.
        findings: all findings.
        made_at: when, as text.
    """
    parts: dict[str, Any] = {
        "versions.json": {"made_at": made_at, **_versions()},
        "findings.json": [_without_sources(finding.as_json()) for finding in findings],
    }
    redactor = Redactor((), "")
    if installation is not None:
        files = installation.ports.files
        secrets = _secrets(installation.configuration, files, installation.environ)
        redactor = Redactor(secrets, installation.id)
        parts["configuration.json"] = _settings(installation.configuration)
        parts["files.json"] = list(_permissions(installation.configuration, files))
        try:
            parts["ledger.json"] = await _ledger(installation)
        except ClassbellError as error:
            parts["ledger.json"] = {"error": error.code, "what": error.what}
    content = {
        name: msgspec.json.format(msgspec.json.encode(redactor.value(part)), indent=2)
        for name, part in parts.items()
    }
    return _zipped({"README.txt": _README.encode(), **content})


def _zipped(content: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in content.items():
            # Without a time of its own, so that equal content makes equal archives.
            archive.writestr(zipfile.ZipInfo(f"classbell-support/{name}"), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _versions() -> dict[str, Any]:
    packages = {str(one.name).lower(): one.version for one in metadata.distributions()}
    return {
        "classbell": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items())),
    }


def _settings(configuration: Configuration) -> list[dict[str, Any]]:
    return [
        {"path": row.path, "value": _without_feeds(row.path, row.value), "origin": str(row.origin)}
        for row in effective(configuration)
    ]


def _without_feeds(path: str, value: Any) -> Any:
    """The address of a private feed is a secret as a whole: of it only the host is told."""
    if path.endswith(".url") and isinstance(value, str) and value.startswith(("http", "webcal")):
        parts = urlsplit(value)
        return f"{parts.scheme}://{parts.hostname}/{telemetry.HIDDEN}"
    return value


def _without_sources(finding: dict[str, Any]) -> dict[str, Any]:
    """Of a source, neither the addresses of its feeds nor remarks on it, which may name persons in any form."""
    if finding["check"] != "sources":
        return finding
    if finding["state"] == State.WARNING:
        return {**finding, "what": "(left out: it may name persons)"}
    return {
        name: _BEHIND_HOST.sub(rf"\1/{telemetry.HIDDEN}", value) if isinstance(value, str) else value
        for name, value in finding.items()
    }


def _named(value: Any) -> Iterator[pydantic.BaseModel]:
    """Every secret and private file that settings name, at any depth."""
    if isinstance(value, Secret | PrivateFile):
        yield value
    elif isinstance(value, pydantic.BaseModel):
        for name in type(value).model_fields:
            yield from _named(getattr(value, name))
    elif isinstance(value, tuple):
        for inner in value:
            yield from _named(inner)


def _secrets(configuration: Configuration, files: Files, environ: Mapping[str, str]) -> Iterator[bytes]:
    """The secrets themselves, to know what must not appear."""
    for settings in configuration.institutions.values():
        for place in _named(settings):
            with suppress(ClassbellError):
                if isinstance(place, Secret):
                    yield place.reveal(files, environ)
                elif isinstance(place, PrivateFile):
                    yield place.read(files, environ)
        for source in settings.sources:
            if not isinstance(source, IcsSource) or isinstance(source.feeds, Path):
                continue
            for feed in source.feeds:
                if "://" in feed.url:
                    parts = urlsplit(feed.url)
                    # Errors name feeds without their query; but the path of a private one is as secret.
                    yield from (part.encode() for part in (parts.path, parts.query))


def _permissions(configuration: Configuration, files: Files) -> Iterator[dict[str, Any]]:
    """Who may read the files of secrets."""
    for name, settings in configuration.institutions.items():
        for place in _named(settings):
            path = getattr(place, "file", None)
            if path is None:
                continue
            row: dict[str, Any] = {"institution": name, "file": str(path)}
            try:
                row |= {"mode": f"{files.mode(path):04o}", "owner": files.owner(path)}
            except OSError as error:
                row["error"] = error.strerror or type(error).__name__
            yield row


async def _ledger(installation: Installation) -> dict[str, Any]:
    """Counts only; which mailbox and which meeting is nobody's concern."""
    ledger = installation.ledger
    if ledger is None:
        return {}
    found: dict[str, Any] = {"revision": await ledger.revision()}
    for name in installation.configuration.institutions:
        mine = await ledger.institution(name)
        events, mailboxes = await mine.entries.count()
        waiting = Counter(f"{one.state} {one.code}".strip() for one in await mine.changes.waiting())
        found[name] = {
            "events": events,
            "mailboxes": mailboxes,
            "waiting": dict(sorted(waiting.items())),
            "out": dict(sorted(Counter(one.code for one in await mine.mailboxes.out()).items())),
            "runs": [
                {
                    "started_at": run.started_at,
                    "finished_at": run.finished_at,
                    "exit": run.exit_code,
                    "summary": run.summary,
                }
                for run in await mine.runs.last(_RUNS)
            ],
            "sources": {
                each.name: {"read_at": each.read_at, "meetings": len(each.last.starts)}
                for each in (await mine.runs.sources()).values()
            },
        }
    return found
