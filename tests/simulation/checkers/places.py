"""Where events of ours were made: in the calendar that their profile names, and in no second one of ours."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.checkers.decisions import losses
from tests.simulation.checkers.reading import Case

_DEFAULT = "default"


@dataclass
class _Calendar:
    """
    A calendar beside the default one: when we made it (0.0: somebody else did), and all names that it ever had.

    That it is ours was certainly remembered once we have made an event there.
    """

    ours_since: float
    names: set[str] = field(default_factory=set)
    renamed: bool = False
    used: bool = False


def misplaced(case: Case) -> Iterator[str]:
    """Events made elsewhere than their profile says, and calendars made beside one that we had made."""
    calendars: dict[tuple[str, str, int], _Calendar] = {}
    for record in case.history:
        told, detail = case.of_tenant.get(record["tenant"]), record["detail"]
        if record["kind"] != "change" or told is None:
            continue
        action, place = detail["action"], (record["tenant"], record["mailbox"])
        key = (*place, detail.get("folder", 0))
        if action == "create-calendar":
            if record["app"]:
                yield from _second(case, record, [one for at, one in calendars.items() if at[:2] == place])
            calendars[key] = _Calendar(record["at"] if record["app"] else 0.0, {_name(record)})
        elif action == "rename-calendar":
            known = calendars.setdefault(key, _Calendar(0.0))
            known.names.add(_name(record))
            known.renamed = True
        elif action == "delete-calendar":
            calendars.pop(key, None)
        elif action == "create" and record["app"]:
            if key in calendars:
                calendars[key].used = True
            if not _fits(told["calendar"], calendars.get(key)):
                yield f"record {record['number']}: {detail['subject']} was made in another calendar of {record['mailbox']}"


def _name(record: dict[str, Any]) -> str:
    # Exchange tells no upper from lower case in the names of folders.
    return str(record["detail"].get("name", "")).casefold()


def _fits(wanted: str, calendar: _Calendar | None) -> bool:
    """Whether a calendar (None: the default one) is what a profile names, or was when it was taken for that."""
    if calendar is None or wanted == _DEFAULT:
        return calendar is None and wanted == _DEFAULT
    return bool(calendar.ours_since) or wanted.casefold() in calendar.names


def _second(case: Case, record: dict[str, Any], standing: list[_Calendar]) -> Iterator[str]:
    """A calendar made where one of ours stands; a ledger that was lost knows no calendar that has another name."""
    lost = losses(case, case.of_tenant[record["tenant"]]["id"], record["mailbox"])
    for one in standing:
        if one.ours_since and one.used and not (one.renamed and any(at >= one.ours_since for at in lost)):
            yield f"record {record['number']}: a second calendar was made for {record['mailbox']}"
