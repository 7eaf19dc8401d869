"""What tests say once for both interfaces to calendars."""

from typing import Any

from tests.deliver.stage import BOUND, Stage

from classbell.access import DIALECTS


def revoke(stage: Stage) -> None:
    """Take the permission for calendars away."""
    stage.app.revoke("Calendars.ReadWrite")
    stage.app.revoke_exchange("Calendars.ReadWrite.All")


def grant(stage: Stage) -> None:
    """Grant it again."""
    stage.app.grant("Calendars.ReadWrite")
    stage.app.grant_exchange("Calendars.ReadWrite.All")


def grow_old(stage: Stage) -> None:
    """Where lists say what is gone, let so much time pass that no event can be missing from them any more."""
    if not DIALECTS[stage.tenant_settings.api]().capabilities.immutable_ids:
        stage.clock.pass_time(2 * BOUND)


def in_graphs_words(value: Any) -> Any:
    """What was sent, with names as Graph has them; values as they were sent."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: in_graphs_words(part) for name, part in value.items()}
    if isinstance(value, list):
        return [in_graphs_words(part) for part in value]
    return value
