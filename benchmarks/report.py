"""
Figures of benchmarks: printed with their bars, and kept in ``build/bench.json`` under the item's number and name.

A file of several benchmarks: each puts its own items in, and leaves those of the others alone.
"""

import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

FILE = Path(__file__).resolve().parent.parent / "build" / "bench.json"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """
    One figure of an item, and the bar that it should reach.

    Attributes:
        bar: None where there is none.
        wanted: on which side of the bar it should lie.
        how: what it is taken from, such as a median of rounds or a projection.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    wanted: Literal["at least", "at most"] = "at least"
    how: str = ""

    @property
    def ratio(self) -> float | None:
        """How much of its bar it is, above 1 for ``at least`` and below for ``at most``; None of a bar of 0."""
        return self.value / self.bar if self.bar else None

    @property
    def met(self) -> bool | None:
        """Whether it reaches its bar."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.wanted == "at least" else self.value <= self.bar

    def told(self) -> dict[str, Any]:
        """The figure as JSON values."""
        facts = {"name": self.name, "value": self.value, "unit": self.unit, "how": self.how}
        if self.bar is not None:
            facts |= {"wanted": self.wanted, "bar": self.bar, "ratio": self.ratio, "met": self.met}
        return facts

    def line(self) -> str:
        """The figure as people read it."""
        text = f"{self.name}: {_short(self.value)} {self.unit}" + (f" ({self.how})" if self.how else "")
        if self.bar is None:
            return text
        verdict = "met" if self.met else "MISSED"
        ratio = "" if self.ratio is None else f", ratio {self.ratio:.2f}"
        return f"{text}; {self.wanted} {_short(self.bar)}{ratio}: {verdict}"


def report(number: str, name: str, *figures: Figure, file: Path = FILE) -> None:
    """
    Print an item and put it into the file, in place of what stood there of it.

    Args:
        number: of the item, unique in the file.
        name: of the item, in words.
        figures: at least one.
        file: where it goes.
    """
    print(f"{number} {name}")
    for figure in figures:
        print(f"  {figure.line()}", flush=True)
    items = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    items[f"{number} {name}"] = {
        "number": number,
        "name": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "met": all(figure.met is not False for figure in figures),
        "figures": [figure.told() for figure in figures],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(items, indent=2) + "\n", encoding="utf-8")
    draft.replace(file)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
