"""
The ``$filter`` language, as far as the calendar understands it.

Source: Graph pages "Use the $filter query parameter" and "Get singleValueLegacyExtendedProperty".
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from functools import cache
from typing import Any

from classbell.sandbox import properties
from classbell.sandbox.ids import MailboxIds
from classbell.sandbox.instants import microseconds
from classbell.sandbox.refusals import Refusal, bad_request, filter_refused
from classbell.sandbox.represent import EVENT_NAMES
from classbell.sandbox.store import Event

# Nobody nests filters like this; the parser is recursive.
DEEPEST = 100

Predicate = Callable[[Event], bool]
Getter = Callable[[Event], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<date>\d{4}-\d{2}-\d{2}(?:T[0-9:.]+(?:Z|[+-]\d{2}:\d{2})?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<sign>[/(),:]))"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "contains": str.__contains__,
}
_TEXTS: dict[str, Getter] = {
    "subject": lambda event: event.content.subject,
    "showas": lambda event: event.content.show_as,
    "importance": lambda event: event.content.importance,
    "sensitivity": lambda event: event.content.sensitivity,
    "type": lambda event: event.kind,
}
_FLAGS: dict[str, Getter] = {
    "isallday": lambda event: event.content.all_day,
    "isreminderon": lambda event: event.content.reminder_on,
    "iscancelled": lambda _: False,
}
_INSTANTS: dict[str, Getter] = {
    "start/datetime": lambda event: event.content.start,
    "end/datetime": lambda event: event.content.end,
    "createddatetime": lambda event: round(event.created * 1_000_000),
    "lastmodifieddatetime": lambda event: round(event.modified * 1_000_000),
}
_COLLECTION = "singlevalueextendedproperties"
# The codes of filters that can be parsed and that the calendar does not support.
UNSUPPORTED_FILTER = frozenset({"ErrorInvalidUrlQueryFilter", "UnsupportedEntityExpression"})


@dataclass(frozen=True)
class Filter:
    """A compiled filter; ``paths`` are the properties it names, in order, for the rule about sorting."""

    matches: Predicate
    paths: tuple[str, ...]
    by_property: bool


def compile_filter(text: str, ids: MailboxIds) -> Filter:
    """
    Compile a filter over the events of one mailbox.

    Raises:
        Refusal: it cannot be parsed, or the calendar does not support it.
    """
    return _Parser(_tokens(text), ids, _event_names()).whole()


def property_ids(text: str, form: Callable[[str], str] = properties.canonical) -> list[str]:
    """
    The ids of an inner filter ``id eq 'A' or id eq 'B'`` of ``$expand``, in their stored *form*.

    Raises:
        Refusal: it is anything else.
    """
    tokens = [value for _, value in _tokens(text)]
    wanted: list[str] = []
    for place in range(0, len(tokens), 4):
        group = tokens[place : place + 4]
        name = group[0].rsplit(".", 1)[-1].casefold()
        if len(group) < 3 or name != "id" or group[1] != "eq" or not group[2].startswith("'"):  # noqa: PLR2004 - id eq 'A'
            raise filter_refused()
        if len(group) > 3 and (group[3] != "or" or place + 4 >= len(tokens)):  # noqa: PLR2004 - the word between
            raise filter_refused()
        wanted.append(form(_unquoted(group[2])))
    if not wanted:
        raise filter_refused()
    return wanted


@cache
def _event_names() -> frozenset[str]:
    return frozenset(name.casefold() for name in EVENT_NAMES)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise bad_request(f"Invalid filter clause: Syntax error at position {place} in '{text}'.")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return found


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


@dataclass
class _Parser:
    tokens: list[tuple[str, str]]
    ids: MailboxIds
    names: frozenset[str]
    place: int = 0
    paths: list[str] = field(default_factory=list)
    by_property: bool = False

    def whole(self) -> Filter:
        if sum(token in {"(", "not"} for _, token in self.tokens) > DEEPEST:
            raise filter_refused()
        matches = self._either()
        if self.place < len(self.tokens):
            raise self._broken()
        return Filter(matches, tuple(self.paths), self.by_property)

    def _broken(self) -> Refusal:
        return bad_request("Invalid filter clause.")

    def _peek(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def _next(self, *kinds: str) -> str:
        if self.place >= len(self.tokens) or (kinds and self.tokens[self.place][0] not in kinds):
            raise self._broken()
        self.place += 1
        return self.tokens[self.place - 1][1]

    def _expect(self, text: str) -> None:
        if self._next().casefold() != text:
            raise self._broken()

    def _either(self) -> Predicate:
        left = self._both()
        while self._peek() == "or":
            self._next()
            left = _or(left, self._both())
        return left

    def _both(self) -> Predicate:
        left = self._one()
        while self._peek() == "and":
            self._next()
            left = _and(left, self._one())
        return left

    def _one(self) -> Predicate:
        if self._peek() == "(":
            self._next()
            inner = self._either()
            self._expect(")")
            return inner
        if self._peek() == "not":
            self._next()
            negated = self._one()
            return lambda event: not negated(event)
        if self._peek().casefold() in _TEXT_TESTS:
            return self._text_test()
        return self._comparison()

    def _path(self) -> str:
        parts = [self._next("name")]
        while self._peek() == "/":
            self._next()
            parts.append(self._next("name"))
        path = "/".join(parts).casefold()
        self.paths.append(path)
        return path

    def _text_test(self) -> Predicate:
        test = _TEXT_TESTS[self._next().casefold()]
        self._expect("(")
        path = self._path()
        self._expect(",")
        wanted = _unquoted(self._next("text")).casefold()
        self._expect(")")
        if path != "subject":
            raise filter_refused()
        return lambda event: test(event.content.subject.casefold(), wanted)

    def _comparison(self) -> Predicate:
        path = self._path()
        if path.endswith("/any"):
            return self._any(path.removesuffix("/any"))
        compare = _COMPARISONS.get(self._next("name"))
        if compare is None:
            raise self._broken()
        getter, wanted = self._operands(path)
        return lambda event: compare(getter(event), wanted)

    def _operands(self, path: str) -> tuple[Getter, Any]:
        if path in _INSTANTS:
            literal = self._next("text", "date")
            instant = microseconds(_unquoted(literal) if literal.startswith("'") else literal, UTC)
            if instant is None:
                raise self._broken()
            return _INSTANTS[path], instant
        if path in _FLAGS:
            return _FLAGS[path], self._next("name").casefold() == "true"
        if path in _TEXTS:
            getter = _TEXTS[path]
            return lambda event: getter(event).casefold(), _unquoted(self._next("text")).casefold()
        if path == "icaluid":
            ids = self.ids
            wanted = _unquoted(self._next("text"))
            return lambda event: ids.ical_uid(event.number, event.created, event.on_day), wanted
        if path == "id":
            raise Refusal(400, "ErrorInvalidProperty", "The property 'Id' does not support filtering.")
        if path.partition("/")[0] not in self.names:
            # Met with the uid of the beta version: microsoft-graph-docs issue 16038.
            raise Refusal(
                400, "UnsupportedEntityExpression", f"'{path}' is not a supported filter expression."
            )
        raise filter_refused()

    def _any(self, collection: str) -> Predicate:
        self._expect("(")
        variable = self._next("name")
        self._expect(":")
        if collection == "categories":
            return self._any_category(variable)
        if collection != _COLLECTION:
            raise filter_refused()
        self.by_property = True
        self.paths[-1] = _COLLECTION
        return self._any_property(variable)

    def _any_category(self, variable: str) -> Predicate:
        self._expect(variable.casefold())
        self._expect("eq")
        wanted = _unquoted(self._next("text")).casefold()
        self._expect(")")
        return lambda event: any(category.casefold() == wanted for category in event.content.categories)

    def _any_property(self, variable: str) -> Predicate:
        self._member(variable, "id")
        self._expect("eq")
        name = properties.canonical(_unquoted(self._next("text")))
        self._expect("and")
        test = self._value_test(variable)
        self._expect(")")

        def matches(event: Event) -> bool:
            return any(own == name and test(value) for own, value in event.properties)

        return matches

    def _member(self, variable: str, name: str) -> None:
        for expected in (variable.casefold(), "/", name):
            self._expect(expected)

    def _value_test(self, variable: str) -> Callable[[str], bool]:
        if self._peek().casefold() in _TEXT_TESTS:
            text_test = _TEXT_TESTS[self._next().casefold()]
            self._expect("(")
            self._member(variable, "value")
            self._expect(",")
            wanted = _unquoted(self._next("text")).casefold()
            self._expect(")")
            return lambda value: text_test(value.casefold(), wanted)
        if self._peek().casefold() == "cast":
            return self._cast_test(variable)
        self._member(variable, "value")
        return self._plain_test(self._next("name").casefold())

    def _plain_test(self, word: str) -> Callable[[str], bool]:
        if word in {"eq", "ne"} and self._peek() == "null":
            self._next()
            return lambda _: word == "ne"
        wanted = _unquoted(self._next("text")).casefold()
        if word in _TEXT_TESTS:
            # The documentation writes these as operators too: "ep/value startswith 'x'".
            test = _TEXT_TESTS[word]
            return lambda value: test(value.casefold(), wanted)
        if word not in {"eq", "ne"}:
            raise filter_refused()
        compare = _COMPARISONS[word]
        return lambda value: compare(value.casefold(), wanted)

    def _cast_test(self, variable: str) -> Callable[[str], bool]:
        self._next()
        self._expect("(")
        self._member(variable, "value")
        self._expect(",")
        self._next("name")
        self._expect(")")
        compare = _COMPARISONS.get(self._next("name"))
        wanted = self._next("number")
        if compare is None:
            raise self._broken()
        return lambda value: _is_number(value) and compare(float(value), float(wanted))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda event: left(event) or right(event)


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda event: left(event) and right(event)
