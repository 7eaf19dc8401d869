"""
Repairs a calendar feed before it is parsed, and refuses what is no calendar or only a part of one.

Real feeds come with bare CR or mixed line ends, folds through a UTF-8 character, stray blank lines, dates
declared as one type and written as the other, and without END:VCALENDAR. What can only be meant one way is
put right here, line by line; everything that no meeting needs is dropped, so that nothing in it can break
the parser behind.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from classbell.sources.parsed import Unreadable

_BEGINS = re.compile(rb"(?im)^[ \t]*BEGIN[ \t]*:[ \t]*VCALENDAR[ \t]*$")
_HTML = re.compile(
    rb"(?i)\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|script)\b"
)
_PROPERTY = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*([;:].*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TZID = re.compile(r'(?i);TZID[ \t]*=[ \t]*(?:"([^"]*)"|(.*?))[ \t]*(?=;[A-Z-]+=|$)')
_THIS_AND_FUTURE = re.compile(r"(?i);RANGE[ \t]*=[ \t]*THISANDFUTURE")
_DATES = re.compile(r"\d{8}(?:,\d{8})*")

DATE_PROPERTIES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"})
_EVENT_PROPERTIES = DATE_PROPERTIES | {
    "CATEGORIES", "COMMENT", "DESCRIPTION", "DTSTAMP", "DURATION", "EXRULE", "LAST-MODIFIED", "LOCATION",
    "RRULE", "SEQUENCE", "STATUS", "SUMMARY", "UID", "URL", "X-ALT-DESC",
}  # fmt: skip
_HEAD_PROPERTIES = frozenset({"CALSCALE", "METHOD", "X-WR-TIMEZONE"})

# The name under which a TZID travels through the parser, so that it stays a name: which zone it means is
# decided in ``tzids``, where a known IANA name wins over an embedded definition.
ZONE_PARAMETER = "X-ZONE"


@dataclass
class RawCalendar:
    """One VCALENDAR: the properties of its head, and its entries and zones as repaired lines."""

    head: dict[str, str] = field(default_factory=dict)
    zones: list[list[str]] = field(default_factory=list)
    events: list[list[str]] = field(default_factory=list)


def calendars(body: bytes) -> list[RawCalendar]:
    """
    The calendars of a feed, repaired.

    Raises:
        Unreadable: E-SRC-EMPTY, E-SRC-HTML, E-SRC-GARBAGE or E-SRC-CUT.
    """
    return _Walk().over(_property_lines(_text(_calendar_part(body))))


def _calendar_part(body: bytes) -> bytes:
    body = _as_utf8(body)
    if not body.strip(b"\0 \t\r\n"):
        raise Unreadable("E-SRC-EMPTY", "the answer is empty")
    if _HTML.match(body):
        raise Unreadable("E-SRC-HTML", "the answer is a web page, perhaps a sign-in page")
    body = _line_ends(body)
    begin = _BEGINS.search(body)
    if begin is None:
        raise Unreadable("E-SRC-GARBAGE", "the answer holds no BEGIN:VCALENDAR")
    return body[begin.start() :].lstrip()


def _as_utf8(body: bytes) -> bytes:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", errors="replace").encode()
    return body.removeprefix(b"\xef\xbb\xbf")


def _line_ends(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _text(body: bytes) -> str:
    # Unfolded as bytes, because feeds fold by octets and so through the middle of a character
    # (RFC 5545, 3.1). Blank lines may stand between a line and its continuation.
    body = re.sub(rb"\n+[ \t]", b"", body)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _property_lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line as (NAME, the rest from its ; or :). A line that is no property continues the one before."""
    name, rest = "", ""
    for line in _CONTROL.sub("", text).split("\n"):
        if not line or line.isspace():
            continue
        match = _PROPERTY.match(line)
        if match is None:
            # A text that was written with its line breaks as they are.
            rest += "\\n" + line.strip()
            continue
        if name:
            yield name, rest
        name, rest = match[1].upper(), match[2]
    if name:
        yield name, rest


class _Walk:
    """Follows BEGIN and END; keeps what a meeting needs; knows where a feed may stop and where not."""

    def __init__(self) -> None:
        self._calendars: list[RawCalendar] = []
        self._open: list[str] = []
        self._lines: list[str] = []
        self._last_was_end = False

    def over(self, lines: Iterator[tuple[str, str]]) -> list[RawCalendar]:
        for name, rest in lines:
            if name == "BEGIN":
                self._begin(rest[1:].strip().upper())
            elif name == "END":
                self._end(rest[1:].strip().upper())
            else:
                self._last_was_end = False
                self._property(name, rest)
        # A feed without its last END:VCALENDAR is whole if an entry was just closed; else it is cut.
        if self._open and not (self._open == ["VCALENDAR"] and self._last_was_end):
            # With what came of its next line, where that is not whole.
            kind = self._open[-1].partition("\\N")[0]
            raise Unreadable("E-SRC-CUT", f"it stops in the middle of a {kind}")
        return self._calendars

    def _begin(self, kind: str) -> None:
        if kind == "VCALENDAR" and self._open == ["VCALENDAR"] and self._last_was_end:
            self._open.clear()
        if (kind == "VCALENDAR") != (not self._open):
            raise Unreadable("E-SRC-CUT", f"a {kind} begins where none can: a part is missing")
        if kind in self._open:
            raise Unreadable("E-SRC-CUT", f"a {kind} begins inside another one: a part is missing")
        self._last_was_end = False
        self._open.append(kind)
        if kind == "VCALENDAR":
            self._calendars.append(RawCalendar())
        elif len(self._open) == 2:  # noqa: PLR2004 -- a direct part of the calendar
            self._lines = [f"BEGIN:{kind}"]
        elif self._open[1] == "VTIMEZONE":
            self._lines.append(f"BEGIN:{kind}")

    def _end(self, kind: str) -> None:
        if self._open and self._open[-1] != kind and self._open[-1].startswith(kind):
            # The last line of a feed that was cut inside it, such as "END:VEV".
            raise Unreadable("E-SRC-CUT", f"it stops in the middle of a {self._open[-1]}")
        if not self._open or self._open[-1] != kind:
            raise Unreadable("E-SRC-CUT", f"a {kind} ends that never began: a part is missing")
        depth = len(self._open)
        self._last_was_end = True
        if depth > 1 and (depth == 2 or self._open[1] == "VTIMEZONE"):  # noqa: PLR2004
            self._lines.append(f"END:{kind}")
        if depth == 2:  # noqa: PLR2004
            calendar = self._calendars[-1]
            if kind == "VEVENT":
                calendar.events.append(self._lines)
            elif kind == "VTIMEZONE":
                calendar.zones.append(self._lines)
        self._open.pop()

    def _property(self, name: str, rest: str) -> None:
        if self._open == ["VCALENDAR"]:
            if name in _HEAD_PROPERTIES:
                self._calendars[-1].head[name] = rest.rpartition(":")[2].strip()
        elif self._open == ["VCALENDAR", "VEVENT"]:
            if name in DATE_PROPERTIES:
                self._lines.extend(_date_line(name, rest))
            elif name in _EVENT_PROPERTIES:
                self._lines.append(name + rest)
        elif len(self._open) > 1 and self._open[1] == "VTIMEZONE":
            self._lines.append(name + rest)


def _date_line(name: str, rest: str) -> list[str]:
    """
    A date property with its true type: what is declared counts less than what is written.

    An empty list of dates is none.

    The value stands after the last colon, since a zone's name may hold colons of its own, such as
    ``(UTC+01:00) Berlin``.
    """
    head, _, value = rest.rpartition(":")
    value = value.replace(" ", "").upper()
    if not value and name in {"RDATE", "EXDATE"}:
        return []
    parameters = ""
    if _DATES.fullmatch(value):
        parameters = ";VALUE=DATE"
    elif "/" in value:
        parameters = ";VALUE=PERIOD"
    zone = _TZID.search(head)
    if zone is not None:
        parameters += f';{ZONE_PARAMETER}="{(zone[1] or zone[2] or "").strip()}"'
    if _THIS_AND_FUTURE.search(head):
        parameters += ";RANGE=THISANDFUTURE"
    return [f"{name}{parameters}:{value}"]
