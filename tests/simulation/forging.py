"""Histories in the making, for what checkers are to find in them."""

import json
from typing import Any

from tests.simulation.checkers import judged

ADA = "ada@north.example"
SOUTH_ADA = "ada@south.example"
WISHES = {"on_user_edit": "keep", "on_user_delete": "respect", "on_calendar_delete": "stop"}
NORTH = {
    "id": "north",
    "tenant": "t-north",
    "app": "a-north",
    "calendar": "default",
    "mailboxes": [ADA],
    "policies": WISHES,
}
SOUTH = {
    "id": "south",
    "tenant": "t-south",
    "app": "a-south",
    "calendar": "default",
    "mailboxes": [SOUTH_ADA],
    "policies": WISHES,
}
INSTALLATION = "6f1c"
NOON = 1_000_000.0
STARTS = 2_000_000
END = 1_500_000.0


class Forged:
    """A history in the making, about one meeting of Ada's: made at noon, wanted to the end."""

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []
        self.testimony: dict[str, Any] = {
            "installation": INSTALLATION,
            "institutions": [NORTH, SOUTH],
            "at_least": 3,
            "max_deletes": (8, 25.0),
            "bound": 600.0,
            "states": [state(NOON - 9, pair(1))],
            "runs": [run(NOON - 1, NOON + 60), run(END, END + 1)],
            "decisions": [],
            "deaths": [],
            "lost": [],
            "ways": [[0.0, 0.1]],
            "deletes": [],
            "mails": [],
            "surprises": [],
            "final": {
                "third_run": [10_000, 10_000],
                "waiting": [],
                "suspended": [],
                "stopped": [],
                "beside": [],
                "left_to_people": [],
                "at": END + 2,
            },
        }
        self.change("create", "e1", title="l1 v1")

    def record(self, kind: str, at: float, **values: Any) -> None:
        told = {"tenant": "t-north", "app": "a-north", "mailbox": ADA, "method": "", "path": "", "status": 0}
        self.history.append(
            told | {"number": len(self.history) + 1, "at": at, "kind": kind, "detail": {}} | values
        )

    def change(
        self,
        action: str,
        event: str,
        *,
        by: str = "api:a-north",
        title: str = "l1 v1",
        at: float = NOON,
        mark: str | None = "",
        mailbox: str = ADA,
        **more: Any,
    ) -> None:
        detail = {"action": action, "cause": by, "event": event, "subject": title, "start": STARTS}
        detail |= {"end": STARTS + 3600, "attendees": 0, "show_as": "busy"} | more
        if mark is not None:
            detail["properties"] = {"String {7885} Name ClassbellMark": mark or marked()}
        self.record("change", at, app=by.partition(":")[2], mailbox=mailbox, detail=detail)

    def decide(self, what: str, asked: float, done: float, *, mailbox: str = ADA, **more: Any) -> None:
        told = {"what": what, "institution": "north", "mailbox": mailbox, "asked": asked, "done": done}
        self.testimony["decisions"].append(told | more)

    def asked(self, method: str, at: float, status: int = 200, **detail: Any) -> None:
        kind = "request" if status < 400 else "refusal"
        path = f"/v1.0/users/{ADA}/events/e1"
        self.record(kind, at, method=method, path=path, status=status, detail=detail)

    def told(self) -> list[str]:
        """Every violation."""
        return judged(self.history, self.testimony)

    def found(self) -> set[str]:
        """The names of what is violated."""
        return {text.partition(":")[0] for text in self.told()}


def marked(
    institution: str = "north",
    mailbox: str = ADA,
    key: str = "lectures:l1",
    incarnation: int = 1,
    intent_at: float = NOON,
) -> str:
    return f"1/{INSTALLATION}/op-{institution}-{mailbox}-{key}-{incarnation}/" + json.dumps(
        [institution, mailbox, key, incarnation, int(intent_at), 1]
    )


def pair(version: int) -> dict[str, Any]:
    title = f"l1 v{version}"
    return {"mailbox": ADA, "key": "lectures:l1", "title": title, "start": STARTS, "end": STARTS + 3600}


def state(at: float, *pairs: dict[str, Any], good: bool = True, readable: bool = True) -> dict[str, Any]:
    told = {"at": at, "institution": "north", "source": "lectures", "good": good, "how": ""}
    return told | {"readable": readable, "pairs": list(pairs)}


def run(begin: float, end: float, **more: Any) -> dict[str, Any]:
    told = {"process": "sync#1", "institution": "north", "begin": begin, "end": end, "approved": 0}
    return (
        told
        | {"outcome": "0", "kind": "sync", "person": "", "reset": False, "requests": 0, "writes": 0}
        | more
    )
