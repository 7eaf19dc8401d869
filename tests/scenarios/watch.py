"""What Microsoft saw: the requests and the committed changes of a stretch of the sandbox's history."""

from collections import Counter
from dataclasses import dataclass, field

from classbell.sandbox import History, Record


@dataclass
class Watch:
    """The part of a history from the beginning of the watch to its end."""

    history: History
    begin: int = field(init=False)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin = len(self.history)

    def end(self) -> None:
        self.records = self.history[self.begin :]

    @property
    def refusals(self) -> list[Record]:
        return [record for record in self.records if record.kind == "refusal"]

    @property
    def asked(self) -> list[Record]:
        """Everything that was asked for, a token or an event, whatever the answer."""
        return [record for record in self.records if record.kind != "change"]

    @property
    def by_us(self) -> list[Record]:
        """The changes that an application made."""
        return [record for record in self.records if record.change and record.change.cause.startswith("api:")]

    @property
    def changes(self) -> Counter[str]:
        """How many events an application created, updated and deleted."""
        return Counter(record.detail["action"] for record in self.by_us)

    def events(self, action: str) -> set[str]:
        """The ids of the events that an application changed in this way."""
        return {record.detail["event"] for record in self.by_us if record.detail["action"] == action}
