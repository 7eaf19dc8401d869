"""The witness: a ledger that is older than what it once said is not believed."""

from pathlib import Path

import pytest
from tests.unit.files import Drawer

from classbell.errors import HeldError
from classbell.witness import Witness

INSTALLATION = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"
PLACE = Path("classbell.db.witness")


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


def witness(drawer: Drawer, installation: str = INSTALLATION) -> Witness:
    return Witness(drawer, PLACE, installation)


def refusal(drawer: Drawer, revision: int, installation: str = INSTALLATION) -> str:
    with pytest.raises(HeldError) as held:
        witness(drawer, installation).confirm(revision)
    assert held.value.why
    assert held.value.do
    return held.value.code


def test_a_new_ledger_needs_no_witness(drawer: Drawer) -> None:
    witness(drawer).confirm(0)


def test_the_ledger_that_was_witnessed_is_believed(drawer: Drawer) -> None:
    witness(drawer).bear(7)
    witness(drawer).confirm(7)


def test_a_ledger_that_died_before_it_was_witnessed_is_believed(drawer: Drawer) -> None:
    witness(drawer).bear(7)
    witness(drawer).confirm(8)


@pytest.mark.parametrize("revision", [0, 6])
def test_a_ledger_older_than_its_witness_is_held(drawer: Drawer, revision: int) -> None:
    """Restored from a backup, or deleted."""
    witness(drawer).bear(7)
    assert refusal(drawer, revision) == "E-LEDGER-OLD"


def test_a_used_ledger_without_its_witness_is_held(drawer: Drawer) -> None:
    assert refusal(drawer, 1) == "E-LEDGER-WITNESS"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"installation":"x"', b'{"installation":"x","revision":"7"}', b"\xff"]
)
@pytest.mark.parametrize("revision", [0, 7])
def test_a_damaged_witness_holds_even_a_new_ledger(drawer: Drawer, content: bytes, revision: int) -> None:
    drawer.content[PLACE] = content
    assert refusal(drawer, revision) == "E-LEDGER-WITNESS"


@pytest.mark.parametrize("revision", [0, 7])
def test_a_witness_that_may_not_be_read_holds_even_a_new_ledger(drawer: Drawer, revision: int) -> None:
    witness(drawer).bear(7)
    drawer.locked = True
    assert refusal(drawer, revision) == "E-LEDGER-WITNESS"


@pytest.mark.parametrize("revision", [0, 7, 8])
def test_the_witness_of_another_installation_holds(drawer: Drawer, revision: int) -> None:
    witness(drawer, "0" * 36).bear(7)
    assert refusal(drawer, revision) == "E-LEDGER-WITNESS"


def test_the_spelling_of_the_installation_id_does_not_matter(drawer: Drawer) -> None:
    witness(drawer, INSTALLATION.upper()).bear(7)
    witness(drawer).confirm(7)
    assert refusal(drawer, 6, INSTALLATION.upper()) == "E-LEDGER-OLD"


def test_what_was_witnessed_never_goes_back(drawer: Drawer) -> None:
    """Two institutions in one ledger may bear their revisions in the other order."""
    witness(drawer).bear(8)
    witness(drawer).bear(7)
    assert refusal(drawer, 7) == "E-LEDGER-OLD"


def test_a_damaged_witness_is_replaced_by_the_next_revision(drawer: Drawer) -> None:
    drawer.content[PLACE] = b"?"
    witness(drawer).bear(3)
    witness(drawer).confirm(3)


def test_a_witness_that_cannot_be_written_holds_and_says_why(drawer: Drawer) -> None:
    witness(drawer).bear(7)
    drawer.full = True
    with pytest.raises(HeldError) as held:
        witness(drawer).bear(8)
    assert (held.value.code, held.value.why) == ("E-LEDGER-WITNESS", "No space left on device")
    assert str(PLACE) in held.value.what
    witness(drawer).confirm(7)
