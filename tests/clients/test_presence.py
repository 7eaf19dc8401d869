"""Where the longer proofs run, the clients are there."""

import pytest
from tests.clients.conftest import absent_clients

pytestmark = pytest.mark.prove


def test_every_client_is_installed() -> None:
    assert absent_clients() == [], "install them with: pip install -c constraints.txt -e '.[clients]'"
