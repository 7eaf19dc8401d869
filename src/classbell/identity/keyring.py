"""
The certificates of one institution, as they are now: read again when their files change, each with its past.

A certificate that cannot be used is a trouble, and no reason not to use another one. A file that has become
unreadable does not take away the credential that was read from it before.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pydantic
from msgspec.structs import replace

from classbell.errors import ClassbellError
from classbell.identity.certificates import Credential, demand_valid, load_credential
from classbell.identity.expiry import due, expiry_warning
from classbell.model import CertificateUse
from classbell.ports import Files
from classbell.settings import Ask, CertificateSettings
from classbell.telemetry import logger

# Files are looked at when a token is about to be had, and then at most this often, in seconds.
LOOK_AGAIN = 10.0
# A certificate that was refused as unknown is not tried before others again for so long: registrations
# take minutes to reach all of Entra ID.
SPARE_REFUSED = 900.0

_log = logger("identity")


class Memory(Protocol):
    """What is remembered of certificates between processes, by their SHA-256 thumbprint."""

    async def recall(self) -> Mapping[str, CertificateUse]:
        """All that is remembered."""
        ...

    async def worked(self, sha256: str, at: float) -> None:
        """A token was had with it."""
        ...

    async def refused(self, sha256: str, at: float, code: str) -> None:
        """Microsoft refused it."""
        ...


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """One configured certificate: the content it was read from, what came of it, and what is wrong with it now."""

    settings: CertificateSettings | None
    digest: bytes
    credential: Credential | None
    trouble: ClassbellError | None


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """
    Where certificates are kept.

    ``configured`` gives them as the configuration has them now; ``environ`` is for secrets kept there, ``ask``
    for those that a person types in.
    """

    configured: Callable[[], Sequence[CertificateSettings]]
    files: Files
    environ: Mapping[str, str]
    ask: Ask | None = None


class Keyring:
    """
    The certificates that tokens are had with.

    Args:
        shelf: where they are read from, and read again; None if they do not change.
        credentials: those there are before the first look.
        memory: what other processes have learnt of them; None to begin anew.
    """

    def __init__(
        self, shelf: Shelf | None, *, credentials: Sequence[Credential] = (), memory: Memory | None = None
    ) -> None:
        if shelf is None and not credentials:
            raise ValueError("at least one credential is needed")
        self._shelf = shelf
        self._memory = memory
        self._kept = tuple(_Kept(settings=None, digest=b"", credential=c, trouble=None) for c in credentials)
        self._looked_at: float | None = None
        self._uses: dict[str, CertificateUse] = {}
        self._recalled = memory is None
        self._warned: dict[str, int | None] = {}
        self.unreadable: ClassbellError | None = None
        """Why the configuration could not be read again, so that what it said before still counts."""

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """What can be used, in the order of the configuration, whatever their dates."""
        return tuple(kept.credential for kept in self._kept if kept.credential is not None)

    def troubles(self, now: float) -> tuple[ClassbellError, ...]:
        """What is wrong with certificates, or with the files of one that is still used."""
        found = [self.unreadable] if self.unreadable is not None else []
        for kept in self._kept:
            if kept.trouble is not None:
                found.append(kept.trouble)
            elif kept.credential is not None and (outside := out_of_dates(kept.credential, now)):
                found.append(outside)
        return tuple(found)

    def warnings(self, now: float) -> Iterator[ClassbellError]:
        """Of each certificate that runs out; once for each threshold that it reaches."""
        lasting = max(credential.not_after for credential in self.credentials)
        for credential in self.credentials:
            warning = expiry_warning(credential, now, last=credential.not_after == lasting)
            reached = due(credential.days_left(now)) if warning is not None else None
            if warning is not None and self._warned.get(credential.sha256) != reached:
                yield warning
            self._warned[credential.sha256] = reached

    def look(self, now: float) -> None:
        """
        Read what has changed, unless that was done a moment ago.

        Raises:
            ClassbellError: there is nothing to sign in with; the first certificate's error.
        """
        if self._shelf is None:
            return
        if self._looked_at is not None and 0 <= now - self._looked_at < LOOK_AGAIN:
            return
        self._looked_at = now
        before = {_name(kept.settings): kept for kept in self._kept if kept.settings is not None}
        try:
            configured = self._shelf.configured()
            self.unreadable = None
        except ClassbellError as error:
            if not self._kept:
                raise
            self.unreadable = error
            configured = [kept.settings for kept in self._kept if kept.settings is not None]
        looked = tuple(_read(each, before.get(_name(each)), self._shelf) for each in configured)
        if any(kept.credential is not None for kept in looked):
            self._kept = looked
        elif self.credentials:
            # All that is named now cannot be used: what there was goes on, and these are told of.
            self._kept = (*(kept for kept in self._kept if kept.credential is not None), *looked)
        else:
            self._looked_at = None
            raise next(kept.trouble for kept in looked if kept.trouble is not None)

    async def in_order(self, now: float) -> list[Credential]:
        """
        The order in which they are tried: the one that runs longest, the one that worked last, the others.

        Those that were refused lately stand behind these, and those outside their dates by our clock last of
        all; they are tried all the same, for the clock may be what is wrong.
        """
        if not self._recalled and self._memory is not None:
            with _not_needed():
                self._uses = {**await self._memory.recall(), **self._uses}
                self._recalled = True
        found = list(self.credentials)
        newest = max(found, key=lambda credential: credential.not_after)

        def rank(credential: Credential) -> tuple[bool, bool, bool, float, float]:
            use = self._uses.get(credential.sha256, CertificateUse())
            return (
                not credential.not_before <= now < credential.not_after,
                # A refusal in the future was written under another clock, and says nothing.
                use.refused_at > use.worked_at and 0 <= now - use.refused_at < SPARE_REFUSED,
                credential is not newest,
                -use.worked_at,
                -credential.not_after,
            )

        return sorted(found, key=rank)

    async def worked(self, credential: Credential, at: float) -> None:
        """A token was had with it."""
        self._uses[credential.sha256] = replace(self._use(credential), worked_at=at)
        if self._memory is not None:
            with _not_needed():
                await self._memory.worked(credential.sha256, at)

    async def refused(self, credential: Credential, at: float, code: str) -> None:
        """Microsoft does not know it, or knows it no more."""
        self._uses[credential.sha256] = replace(self._use(credential), refused_at=at, refusal=code)
        if self._memory is not None:
            with _not_needed():
                await self._memory.refused(credential.sha256, at, code)

    def _use(self, credential: Credential) -> CertificateUse:
        return self._uses.get(credential.sha256, CertificateUse())


def _read(settings: CertificateSettings, before: _Kept | None, shelf: Shelf) -> _Kept:
    digest = _digest(settings, shelf.files)
    if before is not None and before.digest == digest:
        return before
    try:
        credential = load_credential(settings, shelf.files, shelf.environ, None, shelf.ask)
    except ClassbellError as trouble:
        # Half of a pair may be there already and the other half not yet: it is read again next time.
        kept = before.credential if before is not None else None
        return _Kept(settings=settings, digest=b"", credential=kept, trouble=trouble)
    return _Kept(settings=settings, digest=digest, credential=credential, trouble=None)


@contextmanager
def _not_needed() -> Iterator[None]:
    """What is remembered saves requests; that it cannot be read or kept is no reason not to sign in."""
    try:
        yield
    except ClassbellError as error:
        _log.warning("the use of a certificate is not remembered", code=error.code, why=error.what)


def out_of_dates(credential: Credential, now: float) -> ClassbellError | None:
    """What is wrong with the dates of a certificate by our clock, if anything."""
    try:
        demand_valid(credential, now)
    except ClassbellError as error:
        return error.with_traceback(None)
    return None


def paths(settings: pydantic.BaseModel) -> Iterator[Path]:
    """Every file that settings name, at any depth."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Path):
            yield value
        elif isinstance(value, pydantic.BaseModel):
            yield from paths(value)


def _name(settings: CertificateSettings | None) -> str:
    return "" if settings is None else settings.model_dump_json()


def _digest(settings: CertificateSettings, files: Files) -> bytes:
    """Of the content of all files of a certificate. One that cannot be read is told when it is loaded."""
    digest = hashlib.sha256()
    for path in paths(settings):
        try:
            content = files.read(path)
        except OSError:
            content = b""
        digest.update(hashlib.sha256(content).digest())
    return digest.digest()
