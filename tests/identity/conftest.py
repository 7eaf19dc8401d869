from collections.abc import AsyncIterator

import pytest
from tests.identity.world import World, new_world


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with new_world() as world:
        yield world
