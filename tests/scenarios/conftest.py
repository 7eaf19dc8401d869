import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.scenarios.world import World, new_world

from classbell.identity.certificates import KeyPair, new_self_signed
from classbell.settings.values import ApiName

# Real timetables come from these years.
_YEARS = datetime(2018, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def pair() -> KeyPair:
    """A key and a certificate that hold good in the years of all timetables, and today."""
    days = int((time.time() - _YEARS.timestamp()) // 86_400) + 3650
    return new_self_signed("classbell", now=_YEARS.timestamp(), days=days)


@pytest.fixture
def each_api(world: World, api: ApiName) -> None:
    """The same by each interface to calendars."""
    world.api = api


@pytest.fixture
def world(quick_path: Path, pair: KeyPair) -> Iterator[World]:
    with new_world(quick_path, pair) as world:
        yield world
