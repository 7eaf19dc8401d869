"""Time zone names that Exchange understands: Windows names and IANA names."""

from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Listed by the service, refused in practice: microsoft-graph-docs-contrib issue 1609.
REFUSED = frozenset({"Africa/Casablanca"})

_UTC_NAMES = frozenset({"utc", "tzone://microsoft/utc", "etc/utc", "z"})


@cache
def _windows() -> dict[str, str]:
    """The IANA name of each Windows name."""
    # With it comes a whole library of calendars; a sandbox shall start at once.
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415

    return WINDOWS_TO_OLSON


@cache
def _names() -> dict[str, str]:
    iana = {name.casefold(): name for name in available_timezones() if "/" in name or name in {"GMT", "UTC"}}
    windows = {name.casefold(): target for name, target in _windows().items()}
    return iana | windows | dict.fromkeys(_UTC_NAMES, "UTC")


def windows_names() -> list[str]:
    """The Windows names, in order."""
    return sorted(_windows())


def iana_names() -> list[str]:
    """The IANA names that are taken, in order."""
    return sorted(name for name in _names().values() if "/" in name)


@cache
def zone_of(name: str) -> tzinfo | None:
    """The zone of a Windows or IANA name (any case), or None where the service knows none."""
    target = _names().get(name.strip().casefold())
    return ZoneInfo(target) if target else None
