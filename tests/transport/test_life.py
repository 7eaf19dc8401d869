"""The ports in life."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from classbell.life import LocalFiles, SystemClock, SystemIds


def test_the_clock_tells_the_time_of_day() -> None:
    assert abs(SystemClock().now() - time.time()) < 5


def test_a_wait_in_the_past_is_no_wait() -> None:
    begin = time.monotonic()
    asyncio.run(SystemClock().sleep(-100))
    assert time.monotonic() - begin < 5


def test_ids_and_numbers_are_new_each_time() -> None:
    ids = SystemIds()
    assert len({ids.new_uuid() for _ in range(100)}) == 100
    numbers = {ids.random() for _ in range(100)}
    assert len(numbers) == 100
    assert all(0 <= number < 1 for number in numbers)


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_a_file_is_replaced_whole_with_the_mode_it_should_have(
    tmp_path: Path, *, private: bool, mode: int
) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old and much longer")
    path.chmod(0o666)
    before = os.umask(0o022)
    try:
        LocalFiles().write_durably(path, b"new", private=private)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert LocalFiles().mode(path) == mode
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_people_keep_is_rewritten_with_its_mode_and_through_links(tmp_path: Path) -> None:
    path, link = tmp_path / "kept.toml", tmp_path / "link.toml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    LocalFiles().rewrite(link, b"new")
    assert (path.read_bytes(), LocalFiles().mode(path), link.is_symlink()) == (b"new", 0o640, True)
    assert sorted(tmp_path.iterdir()) == [path, link]
    with pytest.raises(FileNotFoundError):
        LocalFiles().rewrite(tmp_path / "absent", b"new")
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_failed_replacement_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.mkdir()
    (path / "inside").write_bytes(b"old")
    with pytest.raises(OSError, match="state"):
        LocalFiles().write_durably(path, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["state"]
    assert (path / "inside").read_bytes() == b"old"


def test_matching_files_are_sorted_and_folders_are_none(tmp_path: Path) -> None:
    for name in ("conf.d/b.toml", "conf.d/a.toml", "conf.d/a.txt", "conf.d/c.toml/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = LocalFiles().matching(tmp_path, "conf.d/*.toml")
    assert [path.name for path in found] == ["a.toml", "b.toml"]
