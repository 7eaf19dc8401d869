"""Figures of benchmarks stand in one file, each with its bar."""

import json
from pathlib import Path

import pytest
from benchmarks.report import Figure, report


def test_items_of_several_benchmarks_stand_side_by_side_and_are_replaced_alone(tmp_path: Path) -> None:
    file = tmp_path / "build" / "bench.json"
    for speed in (9_000.0, 3_000.0):
        report("a.1", "Creates", Figure(name="rate", value=speed, unit="events", bar=4_000), file=file)
    report("b.1", "Memory", Figure(name="all", value=2.87, unit="GB", bar=4, wanted="at most"), file=file)
    told = json.loads(file.read_text())
    assert {name: item["met"] for name, item in told.items()} == {"a.1 Creates": False, "b.1 Memory": True}
    (figure,) = told["a.1 Creates"]["figures"]
    assert (figure["value"], figure["bar"], figure["ratio"], figure["met"]) == (3_000, 4_000, 0.75, False)
    assert [path.name for path in file.parent.iterdir()] == ["bench.json"]


def test_people_read_the_figure_its_bar_and_whether_it_is_met(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = (
        Figure(name="start", value=0.653, unit="s", bar=1, wanted="at most", how="median"),
        Figure(name="batches", value=3, unit="batches", bar=0, wanted="at most"),
        Figure(name="processor", value=12.3, unit="s"),
    )
    report("a.2", "Start", *figures, file=tmp_path / "bench.json")
    assert capsys.readouterr().out.splitlines() == [
        "a.2 Start",
        "  start: 0.653 s (median); at most 1, ratio 0.65: met",
        "  batches: 3 batches; at most 0: MISSED",
        "  processor: 12.3 s",
    ]
