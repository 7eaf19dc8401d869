"""Putting the parts of a run together: ledger, witness, lease, ports and tenant, for the commands that run."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from classbell.access import Access, open_access
from classbell.cli.errors import pass_over
from classbell.cli.invocation import Invocation
from classbell.errors import HeldError
from classbell.lease import lease
from classbell.ledger import Ledger
from classbell.life import live_ports
from classbell.ports import Ports
from classbell.run import Office
from classbell.settings import (
    Ask,
    CertificateSettings,
    Configuration,
    InstitutionSettings,
    InvalidConfiguration,
    load_sound,
)
from classbell.sources.child import ChildParser
from classbell.transport import AiohttpTransport
from classbell.witness import Witness

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """An open ledger and the ports, from which the office of each institution is made."""

    configuration: Configuration
    ledger: Ledger
    ports: Ports
    witness: Witness
    stack: AsyncExitStack
    ask: Ask | None = None

    async def office(self, settings: InstitutionSettings) -> Office:
        """The office of one institution. Its tenant is asked nothing until it is needed."""
        installation = str(self.configuration.host.installation)
        ledger = await self.ledger.institution(settings.id)

        async def access() -> Access:
            transport = await self.stack.enter_async_context(
                AiohttpTransport(self.ports.clock, settings.tenant.ca_file)
            )
            return open_access(
                settings.tenant,
                transport=transport,
                clock=self.ports.clock,
                ids=self.ports.ids,
                files=self.ports.files,
                environ=os.environ,
                in_flight=self.configuration.host.engine.in_flight,
                configured=lambda: self._certificates_now(settings.id),
                memory=ledger.certificates,
                ask=self.ask,
            )

        return Office(
            installation=installation,
            settings=settings,
            ledger=ledger,
            ports=self.ports,
            witness=self.witness,
            access=access,
        )

    async def doubt(self) -> HeldError | None:
        """
        Why nothing may be delivered by this ledger, for commands that only look; None if it is the newest.

        A run under way beside us may be witnessed after we have read the revision: that is no doubt.
        """
        while True:
            revision = await self.ledger.revision()
            try:
                self.witness.confirm(revision)
            except HeldError as error:
                if await self.ledger.revision() == revision:
                    return error
            else:
                return None

    def _certificates_now(self, institution: str) -> tuple[CertificateSettings, ...]:
        """As the files have them at this moment: certificates come and go while a run is under way."""
        host = Path(self.configuration.origin("schema").file)
        return load_sound(host, self.ports.files, os.environ).institution(institution).tenant.certificates


@asynccontextmanager
async def workplace(
    configuration: Configuration,
    *,
    writing: bool,
    trusting: bool = True,
    ports: Ports | None = None,
    ask: Ask | None = None,
) -> AsyncIterator[Workplace]:
    """
    Open the ledger of an installation; with *writing*, hold its lease and trust it only if it is the newest.

    Args:
        trusting: False to open it although it may not be the newest one, for finding that out or for a rebuild.
        ports: others than those of life, such as ones with another clock.
        ask: the way to a person for passwords that are typed in; None where there is none.

    Raises:
        LeaseHeld, HeldError, ClassbellError: the ledger cannot or must not be used now.
    """
    installation = str(configuration.host.installation)
    place = ledger_place(configuration)
    async with AsyncExitStack() as stack:
        ledger = await Ledger.open(configuration.host.database.url, installation)
        stack.callback(ledger.close)
        if writing:
            stack.enter_context(lease(place.with_name(place.name + ".lease")))
        if ports is None:
            ports = await stack.enter_async_context(live_ports(ChildParser()))
        witness = Witness(ports.files, place.with_name(place.name + ".witness"), installation)
        if writing and trusting:
            revision = await ledger.revision()
            witness.confirm(revision)
            # Also of a new ledger: its first plan may be accepted and never be witnessed.
            witness.bear(revision)
        yield Workplace(
            configuration=configuration, ledger=ledger, ports=ports, witness=witness, stack=stack, ask=ask
        )


def institutions(invocation: Invocation) -> list[InstitutionSettings]:
    """
    The institution that was named, else all whose files can be used; what is wrong with the others is told.

    Raises:
        ConfigurationError: there is none.
    """
    if invocation.institution_id is not None:
        return [invocation.chosen]
    found = list(invocation.configuration.institutions.values())
    if not found:
        return [invocation.chosen]
    pass_over_unsound(invocation)
    return found


def pass_over_unsound(invocation: Invocation) -> None:
    """Tell what is wrong with institutions whose files cannot be used: the others go on, the command ends with 2."""
    problems = invocation.configuration.problems()
    if problems:
        error = InvalidConfiguration(problems)
        error.effect = "nothing was done for this institution; the others are not concerned."
        pass_over(error, invocation.output)


def run_until_interrupted(
    work: Coroutine[Any, Any, int], stop: Callable[[], bool], note: Callable[[str], None]
) -> int:
    """
    Run *work*; the first Ctrl-C asks it to *stop*, the second ends it at once. Both are safe.

    Args:
        stop: asks a delivery under way to finish; False if there is none, and then work is ended.
    """

    async def guarded() -> int:
        task = asyncio.ensure_future(work)
        asked = False

        def interrupt() -> None:
            nonlocal asked
            if not asked and stop():
                asked = True
                note("Finishing what is on its way; Ctrl-C again stops at once. Both are safe.")
            else:
                task.cancel()

        loop = asyncio.get_running_loop()
        for name in _INTERRUPTS:
            # Not on Windows; there Ctrl-C is a KeyboardInterrupt, which is safe as well.
            with suppress(NotImplementedError):
                loop.add_signal_handler(name, interrupt)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


@contextmanager
def interruptible() -> Iterator[None]:
    """
    While a question waits for its answer: Ctrl-C ends the command at once.

    Raises:
        KeyboardInterrupt: it was pressed.
    """
    # The loop, which hears of signals otherwise, stands still meanwhile.
    before = {name: signal.signal(name, signal.default_int_handler) for name in _INTERRUPTS}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def ledger_place(configuration: Configuration) -> Path:
    """Where files beside the ledger stand: by the database file, or here for a database server."""
    url = make_url(configuration.host.database.url)
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database)
    return Path(f"classbell-{configuration.host.installation}")
