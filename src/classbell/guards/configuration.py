"""The guard of the configuration: who changes who gets what, or how it looks, sees first what comes of it."""

from collections.abc import Iterator

from classbell.guards.verdict import Hold, Matter


def changed_configuration(matter: Matter) -> Iterator[Hold]:
    """The whole plan, if it is the first after such a change and would do anything."""
    parts = matter.circumstances.changed
    if not parts or not matter.open.any():
        return
    yield matter.hold(
        matter.open,
        "E-HOLD-CONFIG",
        "institution",
        "",
        f"The configuration has changed since the last run ({', '.join(parts)}). Nothing is applied until a person"
        " has seen what comes of it.",
    )
