"""
What bringing a certificate in and taking one out have in common: the institution, its registration, probes.

What Microsoft can be asked is asked: whether a certificate signs in is found out by signing in with it. Only the
rest is in the journal. So each step may be repeated, and whoever is stopped anywhere goes on by beginning again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from classbell.errors import ClassbellError, ConfigurationError, RefusedError, ServiceUnavailable
from classbell.identity import journal
from classbell.identity.answers import UNREGISTERED
from classbell.identity.certificates import Credential, load_credential
from classbell.identity.journal import Journal
from classbell.identity.keyring import Keyring, Shelf, paths
from classbell.identity.registration import Registration
from classbell.identity.tokens import Tokens
from classbell.ports import Clock, Files, Ids, Transport
from classbell.settings import Ask, CertificateSettings, TenantSettings
from classbell.settings.editing import InstitutionFile

# Microsoft promises no time in which a change has reached all of Entra ID; some minutes are what is reported.
PATIENCE = 3600.0
# Run again so soon after it was done, nothing is to be done: whoever was stopped at the very end goes on.
JUST_NOW = 86_400.0
PAUSES = (5.0, 10.0, 20.0, 40.0, 60.0)
UNKNOWN_CERTIFICATE = f"AADSTS{UNREGISTERED}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """
    One step of progress, for people and for the log.

    Attributes:
        name: what it is, one word: made, remark, asked, registered, waiting, works, switched; proven, removed,
            forgotten, dropped, destroyed.
        text: the same in a sentence.
    """

    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A configured certificate. ``credential`` is None if its files cannot be used; ``trouble`` says why."""

    settings: CertificateSettings
    credential: Credential | None
    trouble: ClassbellError | None = None


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """
    What certificates of one institution are renewed with.

    Attributes:
        institution: its id.
        tenant: its tenant, as its file has it now.
        file: the institution's file.
        environ: the environment, for secrets kept there.
        tell: hears of each step.
        ask: the way to a person for passwords that are typed in.
    """

    institution: str
    tenant: TenantSettings
    file: Path
    transport: Transport
    clock: Clock
    ids: Ids
    files: Files
    environ: Mapping[str, str]
    tell: Callable[[Step], None] = field(default=lambda _: None)
    ask: Ask | None = None

    @cached_property
    def folder(self) -> Path:
        """Where new keys are kept: beside the first that there is."""
        first = next(paths(self.tenant.certificates[0]), self.file)
        return first.parent

    @cached_property
    def journal_path(self) -> Path:
        """
        The journal of this institution.

        Whoever renews holds a lease on this path with ``.lease`` behind it: two at once would get in each
        other's way, if without harm.
        """
        return self.folder / f"{self.institution}-certificates.json"

    @cached_property
    def tokens(self) -> Tokens:
        """Tokens of Microsoft Graph, whichever interface calendars are reached by."""
        shelf = Shelf(
            configured=lambda: self.tenant.certificates, files=self.files, environ=self.environ, ask=self.ask
        )
        return Tokens(
            self.transport, self.clock, self.ids, self.tenant, Keyring(shelf), resource=self.tenant.graph
        )

    @cached_property
    def registration(self) -> Registration:
        """
        The registration of the application.

        Raises:
            ConfigurationError: ``E-CERT-OBJECT-ID``.
        """
        return Registration(self.transport, self.clock, self.tenant, self.tokens)

    @cached_property
    def document(self) -> InstitutionFile:
        """The institution's file, for changes."""
        return InstitutionFile(self.file, self.files)

    def read(self) -> Journal:
        """
        The journal as it stands.

        Raises:
            ConfigurationError: ``E-CERT-JOURNAL``.
        """
        return journal.read(self.journal_path, self.files)

    def write(self, changed: Journal) -> Journal:
        """
        Keep a changed journal durably, and give it back.

        Raises:
            ConfigurationError: ``E-CERT-WRITE``.
        """
        self.keep(self.journal_path, lambda: journal.write(self.journal_path, changed, self.files))
        return changed

    def keep(self, path: Path, work: Callable[[], None]) -> None:
        """
        Write a file.

        Raises:
            ConfigurationError: ``E-CERT-WRITE``, it could not be written.
        """
        try:
            work()
        except OSError as error:
            raise ConfigurationError(
                "E-CERT-WRITE",
                f"The file {path} cannot be written.",
                why=error.strerror or type(error).__name__,
                do="check the permissions of its folder for the account that runs this command, and the free space.",
                effect="the certificates in use stay as they are; the command goes on where it stopped.",
            ) from error

    def configured(self) -> tuple[Configured, ...]:
        """The configured certificates, whatever their dates."""
        return tuple(self._opened(each) for each in self.tenant.certificates)

    def _opened(self, settings: CertificateSettings) -> Configured:
        try:
            credential = load_credential(settings, self.files, self.environ, None, self.ask)
        except ClassbellError as trouble:
            return Configured(settings=settings, credential=None, trouble=trouble)
        return Configured(settings=settings, credential=credential)

    async def signer(self) -> Credential:
        """
        A configured certificate that is registered and valid: a token was had with it just now.

        Raises:
            RefusedError, TemporaryError, ConfigurationError: there is none.
        """
        await self.tokens.token()
        if self.tokens.in_use is None:
            raise AssertionError("a token was had with one")
        return self.tokens.in_use

    async def signs_in(self, credential: Credential) -> bool:
        """
        Whether Microsoft gives a token for a certificate now.

        Raises:
            RefusedError, ServiceUnavailable: it gives none to anybody.
        """
        try:
            await self.tokens.probe(credential)
        except RefusedError as refusal:
            if refusal.origin != UNKNOWN_CERTIFICATE:
                raise
            return False
        return True

    async def wait(self, attempt: int, until: float, why: str, late: ClassbellError) -> None:
        """
        Pause before another attempt.

        Args:
            attempt: how many there were.
            until: clock time at which patience ends.
            why: what is waited for, as a sentence.
            late: raised when patience has ended.
        """
        pause = PAUSES[min(attempt, len(PAUSES)) - 1]
        if self.clock.now() + pause > until:
            raise late
        self.tell(Step(name="waiting", text=f"{why} Trying again in {pause:.0f} s."))
        await self.clock.sleep(pause)


def not_yet(credential: Credential) -> ServiceUnavailable:
    """The error for a new certificate that does not sign in after all our patience."""
    return ServiceUnavailable(
        "E-CERT-WAIT",
        f"The new certificate (thumbprint {credential.sha1}) does not sign in yet.",
        why="Microsoft knows of new certificates after some minutes, in rare cases after hours.",
        do="run the same command again later; it goes on where it stopped.",
        effect="the certificates in use stay as they are.",
    )
