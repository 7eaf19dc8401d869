"""
I14: nobody is asked again before the time that the service named, and three requests of a mailbox are under way at most.

What counts is what one process could know: an answer that was lost told nothing, and what was on its way already
could not be called back.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any

from tests.simulation.checkers.decisions import losses
from tests.simulation.checkers.reading import PATIENCE, SPOILT, Case, arrived, asked_mailbox

_AT_ONCE = 3
# A refusal that is shorter is not written down.
_A_MOMENT = 10.0
# Who remembers for others whom to leave in peace.
_WRITES_DOWN = frozenset({"sync", "apply", "restore"})


@dataclass(frozen=True)
class _Fence:
    """Nothing may arrive between ``begin``, when everybody knew, and ``end``."""

    number: int
    app: str
    mailbox: str
    refused_at: float
    begin: float
    end: float


def violations(case: Case) -> Iterator[str]:
    """Requests inside a fence, and crowds at a mailbox."""
    yield from _fences_broken(case)
    yield from _crowds(case)


def _fences_broken(case: Case) -> Iterator[str]:
    fences = list(_fences(case))
    by_app: dict[str, list[tuple[float, dict[str, Any]]]] = defaultdict(list)
    first: dict[int, float] = {}
    for record in case.requests():
        batch = record["detail"].get("batch", 0)
        if batch:
            first[batch] = min(first.get(batch, inf), arrived(record))
    for record in case.requests():
        left = first.get(record["detail"].get("batch", 0), arrived(record))
        by_app[record["app"]].append((left, record))
    for fence in fences:
        for left, record in by_app[fence.app]:
            inside = fence.begin < left < fence.end
            if inside and fence.mailbox in {"", asked_mailbox(record)} and _known(case, fence, left):
                yield (
                    f"record {record['number']}: {asked_mailbox(record)} was asked {fence.end - left:.1f} s"
                    f" too early after record {fence.number}"
                )
                break


def _fences(case: Case) -> Iterator[_Fence]:
    """Refusals with a time that a client can read, which reached somebody."""
    ends: dict[int, float] = defaultdict(float)
    spoilt: set[int] = set()
    for record in case.history:
        batch = record["detail"].get("batch", 0)
        if batch:
            ends[batch] = max(ends[batch], record["at"])
            if record["path"].endswith("$batch") and (
                record["kind"] == "refusal" or "code" in record["detail"]
            ):
                # What its members were answered went into an answer that nobody could read.
                spoilt.add(batch)
    ways = case.testimony["ways"]
    times = [at for at, _ in ways]
    for record in case.history:
        if record["kind"] != "refusal" or record["status"] not in {429, 503} or not record["app"]:
            continue
        wait = _seconds(record["detail"].get("retry_after", ""))
        if not wait or any(begin <= record["at"] <= end for begin, end, _ in case.testimony["lost"]):
            continue
        if record["detail"].get("code") in SPOILT:
            continue
        batch = record["detail"].get("batch", 0)
        if batch in spoilt and not record["path"].endswith("$batch"):
            continue
        answered = max(record["at"], ends[batch]) if batch else record["at"]
        # Three ways: that of the answer; that of a request that was decided on just before it came, and its connection's.
        present = max(0, bisect_right(times, answered) - 1)
        way = max([*_not_over(ways, present, answered), *(longest for _, longest in ways[present:][:3])])
        yield _Fence(
            record["number"],
            record["app"],
            asked_mailbox(record),
            record["at"],
            answered + 3 * way + 0.001,
            record["at"] + wait - 0.001,
        )


def _not_over(ways: Sequence[Sequence[float]], present: int, at: float) -> Iterator[float]:
    """How long ways were before the present ones that may still be gone: twice, of a connection and of its request."""
    for (_, longest), (over, _) in pairwise(ways[: present + 1]):
        if over + 2 * longest > at:
            yield longest


def _known(case: Case, fence: _Fence, left: float) -> bool:
    """
    Whether it was one and the same process that was refused and asked again; or who was refused had ended before, whole.

    What asks for more than a moment is written down for the next process, unless the ledger is lost in between, or
    the mailbox's owner forgotten.
    """
    institution = next(told["id"] for told in case.testimony["institutions"] if told["app"] == fence.app)
    alive = [
        run
        for run in case.testimony["runs"]
        if run["institution"] == institution
        and run["begin"] <= left
        and (run["end"] is None or run["end"] >= fence.refused_at - PATIENCE)
    ]
    if len(alive) == 1:
        return True
    if any(fence.refused_at <= at <= left for at in losses(case, institution, fence.mailbox)):
        return False
    asking = [run for run in alive if run["begin"] <= fence.begin]
    later = [run for run in alive if run["begin"] > fence.begin]
    return (
        len(asking) == 1
        and bool(later)
        and asking[0]["kind"] in _WRITES_DOWN
        and asking[0]["outcome"].isdecimal()
        and asking[0]["end"] <= min(run["begin"] for run in later)
        and asking[0]["end"] <= left
        and fence.end - asking[0]["end"] > _A_MOMENT
    )


def _seconds(text: str) -> float:
    try:
        wait = float(text)
    except ValueError:
        return 0.0
    # Not a number, or more than a client need believe.
    return wait if 0 < wait <= 86_400 and "e" not in text else 0.0


def _crowds(case: Case) -> Iterator[str]:
    spans: dict[tuple[str, str], list[tuple[float, int, dict[str, Any]]]] = defaultdict(list)
    for record in case.requests():
        key = (record["app"], asked_mailbox(record))
        if arrived(record) < record["at"]:
            spans[key] += [(arrived(record), 1, record), (record["at"], -1, record)]
    for (app, mailbox), edges in spans.items():
        edges.sort(key=lambda edge: (edge[0], edge[1]))
        count = 0
        for at, change, record in edges:
            count += change
            if count > _AT_ONCE * _processes(case, app, at):
                yield f"record {record['number']}: {count} requests at a time for {mailbox}"
                break


def _processes(case: Case, app: str, at: float) -> int:
    institution = next(told["id"] for told in case.testimony["institutions"] if told["app"] == app)
    return sum(
        run["institution"] == institution
        and run["begin"] <= at
        and (run["end"] is None or run["end"] + PATIENCE >= at)
        for run in case.testimony["runs"]
    )
