"""What checks look at: the installation, and one institution of it with what earlier checks have found out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from classbell.access import Access
from classbell.ledger import InstitutionLedger, Ledger
from classbell.ports import Ports, Transport
from classbell.settings import Ask, Configuration, InstitutionSettings, Problem


@dataclass(kw_only=True)
class Installation:
    """
    The installation that is examined.

    Attributes:
        configuration: its configuration, as it was read.
        problems: what is wrong with the files that it names; ``warnings`` what is odd.
        ports: the ports; each institution has a transport of its own.
        environ: the environment, for secrets kept there.
        place: the ledger's file; lease, witness and notes stand beside it.
        open_ledger: opens the ledger.
        ask: the way to a person, for passwords that are typed in.
        ledger: the ledger, once the check of the database has opened it.
        transport: opens the way to an institution's tenant.
        access: makes the access to an institution's tenant as a run has it.
    """

    configuration: Configuration
    problems: Sequence[Problem]
    warnings: Sequence[Problem]
    ports: Ports
    environ: Mapping[str, str]
    place: Path
    open_ledger: Callable[[], Awaitable[Ledger]]
    transport: Callable[[InstitutionSettings], Awaitable[Transport]]
    access: Callable[[InstitutionSettings, Transport], Awaitable[Access]]
    ask: Ask | None = None
    ledger: Ledger | None = None

    @property
    def id(self) -> str:
        """The installation's id."""
        return str(self.configuration.host.installation).lower()

    def beside(self, suffix: str) -> Path:
        """A file beside the ledger."""
        return self.place.with_name(self.place.name + suffix)


@dataclass(kw_only=True)
class Subject:
    """
    One institution under examination.

    Attributes:
        way: the way to its tenant, once it is open.
        reached: whether Microsoft answers; None until it was asked.
        ahead: seconds by which our clock is ahead of Microsoft's, once it has answered.
        opened: the access, once a token was had.
        token: that token.
        probed: whether the test event was made and removed; None if that was not tried to the end.
    """

    installation: Installation
    settings: InstitutionSettings
    way: Transport | None = None
    ledger: InstitutionLedger | None = None
    reached: bool | None = None
    ahead: float | None = None
    opened: Access | None = None
    token: str = field(default="", repr=False)
    probed: bool | None = None

    @property
    def transport(self) -> Transport:
        """The way to Microsoft that the check of the network has opened."""
        if self.way is None:
            raise AssertionError("checks that ask Microsoft come after the one that opens the way")
        return self.way

    @property
    def access(self) -> Access:
        """The access that the check of the token has opened."""
        if self.opened is None:
            raise AssertionError("checks that need a token come after the one that gets it")
        return self.opened
