"""What the pages say in words: moments, numbers, who did what."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classbell.sandbox.box import Sandbox

_DEEDS = {
    "create": "made",
    "update": "changed",
    "touch": "given a new version with nothing changed",
    "delete": "deleted, into Deleted Items",
    "purge": "deleted for good",
    "move": "moved to another calendar",
    "copy": "made as a copy",
    "restore": "brought back from Deleted Items",
    "update-occurrence": "changed on one day of its series",
    "delete-occurrence": "taken out on one day of its series",
    "create-calendar": "calendar made",
    "rename-calendar": "calendar renamed",
    "delete-calendar": "calendar deleted",
    "create-category": "category made",
    "update-category": "category changed",
    "delete-category": "category deleted",
    "update-settings": "settings changed",
    "create-group": "calendar group made",
    "rename-group": "calendar group renamed",
    "delete-group": "calendar group deleted",
}


def day_name(day: date) -> str:
    """A day in words: Monday 21 September 2026."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def moment(seconds: float, zone: tzinfo = UTC) -> str:
    """A moment in words, to the second."""
    local = datetime.fromtimestamp(seconds, zone)
    return f"{day_name(local)}, {local:%H:%M:%S} {local.tzname()}"


def brief(seconds: float, zone: tzinfo = UTC) -> str:
    """A moment in few words, for a column whose heading names the zone: 21 Sep 2026, 06:00:05."""
    local = datetime.fromtimestamp(seconds, zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


def size(count: int) -> str:
    """A number of bytes in kB or MB."""
    return f"{count / 1_000_000:,.1f} MB" if count >= 1_000_000 else f"{count / 1000:,.0f} kB"  # noqa: PLR2004 - a MB


def stamp(seconds: float) -> str:
    """A moment as programs read it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def number(value: float) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def apps(box: "Sandbox") -> dict[str, str]:
    """The names of all applications by client id."""
    return {app.client_id: app.name for tenant in box.tenants for app in tenant.apps.values()}


def who(cause: str, names: Mapping[str, str]) -> str:
    """Whose doing something is, from the cause that the history names."""
    kind, _, client = cause.partition(":")
    if kind == "api":
        return f"application {names.get(client, client)}"
    return "a person"


def deed(detail: Mapping[str, Any]) -> str:
    """What became of an event or calendar, from a change of the history."""
    told = _DEEDS.get(detail["action"], detail["action"])
    return f"{told} ({detail['occurrence']})" if "occurrence" in detail else told


def thing(detail: Mapping[str, Any]) -> str:
    """What a change concerns: the subject of an event, or the name of something else; empty if it has none."""
    return subject(detail["subject"]) if "subject" in detail else str(detail.get("name", ""))


def subject(text: str) -> str:
    """The subject of an event, or that it has none."""
    return text.strip() or "(no subject)"
