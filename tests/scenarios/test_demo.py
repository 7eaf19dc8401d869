"""The demo, by its JSON lines: the whole way once, from an empty sandbox to a day of changes."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.cli.classbell import Ended, classbell


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return classbell("--json", "demo", "--people", "60", cwd=tmp_path_factory.mktemp("demo"))


def lines_of(demo: Ended, kind: str) -> list[dict[str, Any]]:
    return [line for line in demo.json if line["type"] == kind]


def test_the_demo_ends_well_and_says_so_in_its_last_line(demo: Ended) -> None:
    assert (demo.code, demo.err) == (0, "")
    assert demo.json[0] == {"type": "version", "format": "1.0"}
    assert demo.json[-1] == {"type": "result", "exit": 0}
    assert not lines_of(demo, "diagnostic")


def test_the_story_has_its_chapters_in_their_order(demo: Ended) -> None:
    titles = [line["title"] for line in lines_of(demo, "step")]
    assert titles == ["Sandbox", "Certificate", "University", "Plan", "Plan again", "A day of changes"]


def test_the_first_plan_fills_every_calendar_and_each_second_one_is_empty(demo: Ended) -> None:
    first, second, third, fourth = lines_of(demo, "plan")
    assert first["counts"]["create"] > 1000
    assert (first["counts"]["update"], first["counts"]["delete"]) == (0, 0)
    assert second["counts"] == {
        "create": 0,
        "update": 0,
        "delete": 0,
        "unchanged": first["counts"]["create"],
    }
    assert third["counts"]["unchanged"] < first["counts"]["create"] == second["counts"]["unchanged"]
    assert third["counts"]["unchanged"] < fourth["counts"]["unchanged"]
    assert [
        sum(fourth["counts"][action] for action in ("create", "update", "delete")),
        fourth["changes"],
    ] == [0, []]


def test_the_plan_after_the_day_of_changes_names_each_story_and_nothing_else(demo: Ended) -> None:
    stories = lines_of(demo, "story")
    assert Counter(story["story"] for story in stories) == {
        "moved": 1,
        "room": 1,
        "cancelled": 1,
        "regrouped": 1,
    }
    plan = lines_of(demo, "plan")[2]
    assert {change["meeting"] for change in plan["changes"]} == {
        meeting for story in stories for meeting in story["meetings"]
    }
    by_story = {story["story"]: set(story["meetings"]) for story in stories}
    reasons = {
        story: {change["reason"] for change in plan["changes"] if change["meeting"] in meetings}
        for story, meetings in by_story.items()
    }
    assert reasons == {
        "moved": {"changed"},
        "room": {"changed"},
        "cancelled": {"cancelled"},
        "regrouped": {"joined", "left"},
    }
    differences = {
        story: {
            difference["field"]
            for change in plan["changes"]
            if change["meeting"] in by_story[story]
            for difference in change["differences"]
        }
        for story in ("moved", "room")
    }
    assert differences["room"] == {"room"}
    assert "start" in differences["moved"]
    assert "room" not in differences["moved"]


def test_what_was_planned_was_applied_and_the_sandbox_saw_just_that(demo: Ended) -> None:
    first, _, third, _ = lines_of(demo, "plan")
    begun, changed = lines_of(demo, "applied")
    assert (begun["exit"], changed["exit"]) == (0, 0)
    assert begun["counts"] | {"unchanged": 0} == first["counts"]
    assert changed["counts"].items() <= third["counts"].items()
    (sandbox,) = lines_of(demo, "sandbox")
    planned = sum(sum(applied["counts"].values()) for applied in (begun, changed))
    assert (sandbox["changes"], sandbox["mails"]) == (planned, 0)


def test_the_demo_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert classbell("demo", "--people", "20", cwd=tmp_path).code == 0
    assert list(tmp_path.iterdir()) == []
