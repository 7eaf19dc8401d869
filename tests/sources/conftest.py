"""A real web server for the tests of feeds."""

from collections.abc import Iterator

import pytest
from tests.sources.web_site import Site, web_site


@pytest.fixture
def site() -> Iterator[Site]:
    with web_site() as served:
        yield served
