"""The sandbox as it is embedded: tenants, clock, history, outbox, faults, and a server over them."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

from classbell.sandbox.access import Tokens
from classbell.sandbox.batch import Batches
from classbell.sandbox.clock import SandboxClock
from classbell.sandbox.entra import Entra
from classbell.sandbox.faults import Faults
from classbell.sandbox.gateway import Gateway
from classbell.sandbox.history import History
from classbell.sandbox.latency import Latency
from classbell.sandbox.later import DueLock
from classbell.sandbox.limits import Limits
from classbell.sandbox.server import Address, Doors, serve_in_loop, serve_in_thread
from classbell.sandbox.store import Mail
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.switches import Switches
from classbell.sandbox.tenant import Tenant, is_guid

if TYPE_CHECKING:
    from classbell.sandbox.keeping.keeper import Keeper


class Sandbox:
    """
    An embedded stand-in for Microsoft 365: Entra ID, Graph and mailboxes. Nothing listens until it serves.

    Args:
        seed: of everything random in it: ids, shuffled answers, waiting times.
        switches: uncertain behaviours of the service; the defaults where None.
        latency: seconds that a request takes before it is done, a function that tells them anew each time, or
            ``Latency(seed)``, which draws them as in life.
        token_lifetime: seconds that an access token is good; None means 60 to 90 minutes at random.
        base: the running time underneath the clock, in seconds.
        data: the folder that keeps it between runs; None for memory alone. It is then to be closed.

    Attributes:
        clock: its time, which can be set and advanced.
        faults: scripted faults.
        latency: as above; may be changed at any time.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        switches: Switches | None = None,
        latency: float | Callable[[], float] | Latency = 0.0,
        token_lifetime: int | None = None,
        base: Callable[[], float] = time.time,
        data: Path | None = None,
    ) -> None:
        self.clock = SandboxClock(base)
        # A random of its own, so that a fault added changes no id.
        self.faults = Faults(Random(seed))  # noqa: S311 - reproducible on purpose
        self.latency = latency
        random = Random(seed)  # noqa: S311 - reproducible on purpose
        self._commons = Commons(self.clock, random, switches or Switches())
        self._tenants: dict[str, Tenant] = {}
        self._limits = Limits(random, self._commons.switches)
        tokens = Tokens(self._commons, token_lifetime)
        gateway = Gateway(self._commons, self.faults, self._limits, self._wait)
        self._doors = Doors(
            box=self,
            commons=self._commons,
            tenants=self._tenants,
            entra=Entra(self._commons, self._tenants, tokens),
            tokens=tokens,
            gateway=gateway,
            batches=Batches(gateway, random),
            faults=self.faults,
        )
        self._keeper = None if data is None else self._kept(data, seed)

    @classmethod
    def from_file(cls, path: Path, data: Path | None = None) -> "Sandbox":
        """
        A sandbox as a TOML file describes it; the format is in ``docs/reference/sandbox.md``.

        What the folder *data* keeps stands; the file adds what is missing in it.

        Raises:
            SandboxFileError: the file is missing or wrong.
        """
        from classbell.sandbox.file import load  # noqa: PLC0415 - the file's reader needs this class

        return load(path, cls, data)

    @property
    def has_past(self) -> bool:
        """Whether it was restored from the folder that keeps it."""
        return self._keeper is not None and self._keeper.has_past

    def close(self) -> None:
        """Write what is not yet kept, and let go of the folder that keeps it; nothing without one."""
        if self._keeper is not None:
            self._keeper.close()

    @property
    def switches(self) -> Switches:
        """The uncertain behaviours; set its fields to change them."""
        return self._commons.switches

    @property
    def limits(self) -> Limits:
        """Who has how much in flight and behind them."""
        return self._limits

    @property
    def lock(self) -> DueLock:
        """Held for every look at and change of a mailbox."""
        return self._commons.lock

    @property
    def history(self) -> History:
        """Every request and every committed change so far."""
        self._commons.lock.settle()
        return self._commons.history

    @property
    def outbox(self) -> list[Mail]:
        """Every mail that the service would have sent."""
        self._commons.lock.settle()
        return self._commons.outbox

    @property
    def tenants(self) -> list[Tenant]:
        """The tenants in the order they were added."""
        return list(self._tenants.values())

    def add_tenant(self, domain: str, tenant_id: str | None = None) -> Tenant:
        """
        A tenant with a verified domain; a GUID is made where none is given.

        Raises:
            ValueError: *tenant_id* is no GUID, or the tenant exists.
        """
        guid = (tenant_id or str(self._commons.new_guid())).lower()
        if not is_guid(guid):
            raise ValueError(f"{tenant_id!r} is no GUID")
        if any(known.is_called(guid) or known.is_called(domain) for known in self._tenants.values()):
            raise ValueError(f"tenant {domain} ({guid}) exists already")
        tenant = self._tenants[guid] = Tenant(guid, domain, self._commons)
        return tenant

    def peak_in_flight(self, client_id: str | None = None) -> int:
        """The most requests that were ever in flight for one application and one mailbox."""
        return self._limits.peak(client_id)

    def throttle(self, tenant: Tenant, seconds: float) -> None:
        """Let the service refuse every request to every mailbox of a tenant for so long."""
        self._limits.throttle(tenant.tenant_id, self.clock.now() + seconds)

    def reseed(self, seed: int) -> None:
        """Draw everything random from another seed from now on."""
        self._commons.random.seed(seed)
        self.faults.reseed(seed)

    def application(self) -> Starlette:
        """
        What is served, as an ASGI application, for a program that has no sockets.

        Its server offers the extension ``sandbox.drop`` of the scope: ``drop`` and ``end`` end the connection at
        once or after what was sent, and receiving then tells of the end.
        """
        from classbell.sandbox.routes import make_app  # noqa: PLC0415 - routes need this class

        return make_app(self._doors)

    def export_history(self, path: Path) -> None:
        """Write the history as JSON lines."""
        self.history.export(path)

    @contextmanager
    def serve(self, port: int = 0, **options: Any) -> Iterator[Address]:
        """
        Serve over HTTPS from a thread of its own, until the block ends.

        Args:
            port: 0 for any free one.
            options: ``host`` to listen on (loopback unless ``beyond_loopback=True``), ``names`` for further
                host names in the certificate, ``directory`` for the CA file, ``open_administration=True`` to
                let other computers administer it and look into it as well.
        """
        with serve_in_thread(self._doors, port=port, **options) as address:
            yield address

    @asynccontextmanager
    async def serving(self, port: int = 0, **options: Any) -> AsyncIterator[Address]:
        """The same inside the running loop."""
        async with serve_in_loop(self._doors, port=port, **options) as address:
            yield address

    def _kept(self, folder: Path, seed: int) -> "Keeper":
        from classbell.sandbox.keeping.keeper import Keeper  # noqa: PLC0415 - most sandboxes live in memory

        keeper = Keeper(folder, self, self._commons, self._doors.batches)
        if keeper.has_past:
            # Not the same ids again.
            self._commons.random.seed(f"{seed}/{len(self._commons.history)}")
        return keeper

    def _wait(self) -> float:
        if isinstance(self.latency, Latency):
            return self.latency.seconds(self._limits.in_flight)
        return self.latency() if callable(self.latency) else self.latency
