"""Where events of ours were made: in the calendar that their profile names, and in no second one of ours."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.checkers.decisions import losses
from tests.simulation.checkers.reading import Case, arrived, asked_mailbox

_DEFAULT = "default"
_BROKEN = 500


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


def asked_too_soon(case: Case) -> Iterator[str]:
    """
    Calendars that were asked for again while an earlier request for them could still be carried out.

    Not if one was made in between, which its owner may have deleted; nor where the ledger that knew of the first was lost.
    """
    earlier: dict[tuple[str, str], dict[str, Any]] = {}
    made: dict[tuple[str, str], list[int]] = defaultdict(list)
    for record in case.history:
        if record["kind"] == "change" and record["detail"]["action"] == "create-calendar":
            made[record["tenant"], record["mailbox"]].append(record["number"])
        if record["method"] != "POST" or not record["path"].endswith("/calendars"):
            continue
        place = (record["tenant"], asked_mailbox(record))
        first = earlier.pop(place, None)
        if first is not None and arrived(record) < arrived(first) + case.testimony["bound"]:
            between = any(first["number"] < number for number in made[place])
            lost = losses(case, case.of_tenant[place[0]]["id"], place[1])
            if not between and not any(arrived(first) <= at <= arrived(record) for at in lost):
                yield f"record {record['number']}: a calendar of {place[1]} was asked for again too soon"
        if record["status"] == 0 or record["status"] >= _BROKEN:
            earlier[place] = record
