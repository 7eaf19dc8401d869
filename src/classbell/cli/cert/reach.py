"""The way from a command to an institution's sign-in service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from classbell.cli.invocation import Invocation

if TYPE_CHECKING:
    from classbell.life import SystemClock, SystemIds
    from classbell.settings import InstitutionSettings
    from classbell.transport import AiohttpTransport


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The ports that signing in takes."""

    transport: "AiohttpTransport"
    clock: "SystemClock"
    ids: "SystemIds"


@asynccontextmanager
async def reaching(settings: "InstitutionSettings") -> AsyncIterator[Reach]:
    """
    Ports for one institution; its connections close at the end.

    Raises:
        ConfigurationError: its ``ca_file`` or a proxy of the environment cannot be used.
    """
    from classbell.life import SystemClock, SystemIds  # noqa: PLC0415 (keeps --help fast)
    from classbell.transport import AiohttpTransport  # noqa: PLC0415

    clock = SystemClock()
    async with AiohttpTransport(clock, settings.tenant.ca_file) as transport:
        yield Reach(transport=transport, clock=clock, ids=SystemIds())


def file_of(invocation: Invocation, settings: "InstitutionSettings") -> Path:
    """The file that an institution is described in."""
    return Path(invocation.configuration.origin("institutions", settings.id, "id").file)
