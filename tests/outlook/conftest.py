from collections.abc import AsyncIterator

import pytest
from tests.identity.world import World, new_world

from classbell.outlook.client import OutlookClient
from classbell.outlook.graph import GraphDialect


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with new_world() as world:
        world.tenant.add_mailboxes(f"s{number}@example.edu" for number in range(40))
        yield world


@pytest.fixture
def client(world: World) -> OutlookClient:
    return OutlookClient(world.transport, world.tokens(), GraphDialect(), world.clock, world.graph_url)
