"""Series for the tests that look into them."""

from typing import Any
from urllib.parse import quote

from tests.sandbox.client import Answer, World, lecture

WEEKS: dict[str, Any] = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
    "range": {"type": "numbered", "startDate": "2026-09-21", "numberOfOccurrences": 4},
}
DAYS: dict[str, Any] = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "endDate", "startDate": "2026-09-21", "endDate": "2026-09-25"},
}
TERM = {"startDateTime": "2026-09-01", "endDateTime": "2027-09-01"}


def recurring(recurrence: dict[str, Any] = WEEKS, **changes: Any) -> dict[str, Any]:
    return lecture(recurrence=recurrence, **changes)


def with_pattern(**changes: Any) -> dict[str, Any]:
    return {**WEEKS, "pattern": {**WEEKS["pattern"], **changes}}


def with_range(**changes: Any) -> dict[str, Any]:
    return {**WEEKS, "range": {**WEEKS["range"], **changes}}


def instances(world: World, series: dict[str, Any], **options: str) -> list[dict[str, Any]]:
    query = TERM | {"$top": "50"} | {f"${name}": text for name, text in options.items()}
    answer = world.graph.get(
        f"{world.events}/{quote(series['id'])}/instances", query, Prefer='IdType="ImmutableId"'
    )
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.body["value"]
    return found


def starts(events: list[dict[str, Any]]) -> list[str]:
    return [event["start"]["dateTime"][:16] for event in events]


def event_path(world: World, event: dict[str, Any]) -> str:
    return f"{world.events}/{quote(event['id'])}"


def patched(world: World, event: dict[str, Any], body: dict[str, Any]) -> Answer:
    return world.graph.patch(event_path(world, event), body, Prefer='IdType="ImmutableId"')
