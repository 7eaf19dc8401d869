"""The lease: one process at a time works on a ledger."""

from pathlib import Path

import pytest

from classbell.errors import ClassbellError, LeaseHeld
from classbell.lease import lease


def test_only_one_at_a_time_holds_it(tmp_path: Path) -> None:
    place = tmp_path / "classbell.db.lease"
    with lease(place), pytest.raises(LeaseHeld) as refused, lease(place):
        pass
    assert refused.value.code == "E-LEASE"
    assert str(place) in refused.value.why


def test_whoever_comes_after_its_end_gets_it_however_it_ended(tmp_path: Path) -> None:
    place = tmp_path / "classbell.db.lease"
    with pytest.raises(KeyboardInterrupt), lease(place):
        raise KeyboardInterrupt
    with lease(place), pytest.raises(LeaseHeld), lease(place):
        pass


def test_a_file_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("no folder")
    place = tmp_path / "folder" / "classbell.db.lease"
    with pytest.raises(ClassbellError) as refused, lease(place):
        pass
    assert refused.value.code == "E-DB-OPEN"
    assert str(place) in refused.value.what
    assert refused.value.why
    assert refused.value.do
