import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doctor.world import Clinic, open_clinic
from tests.scenarios.world import World, new_world

from classbell.identity.certificates import KeyPair, new_self_signed


@pytest.fixture(scope="session")
def pair() -> KeyPair:
    return new_self_signed("classbell-2026", now=time.time() - 3600, days=300)


@pytest.fixture(scope="session")
def second_pair() -> KeyPair:
    return new_self_signed("classbell-2027", now=time.time() - 3600, days=600)


@pytest.fixture
def world(tmp_path: Path, pair: KeyPair) -> Iterator[World]:
    with new_world(tmp_path, pair) as world:
        yield world


@pytest.fixture
def clinic(world: World, second_pair: KeyPair) -> Clinic:
    """All is well."""
    clinic = open_clinic(world)
    clinic.add_certificate("second", second_pair)
    return clinic
