"""
A meeting in a profile to the bytes Graph will get, and their fingerprint.

A template knows the meeting, never the person, so a meeting is rendered once per profile and everybody
who attends shares the bytes. Texts of a source are untrusted: templates run in Jinja's sandbox, values
are escaped, and what comes out is cleaned to a short list of tags.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import jinja2
import jinja2.meta
import jinja2.sandbox
import msgspec
import nh3
from markupsafe import Markup, escape

from classbell.errors import ConfigurationError
from classbell.model import Meeting, Rendering
from classbell.settings import ProfileSettings
from classbell.zones import utc_text

# Rises when the same meeting in the same profile gives other bytes. What was delivered keeps its
# fingerprint then, so a new version alone never plans an update.
NORMALISER = 1

DEFAULT_BODY = "{{ description }}"

# Exchange's schema limit of a subject; a location's and a category's are the same (EWS schema, "Subject").
SUBJECT_LIMIT = 255
BODY_LIMIT = 100_000
# Compiling takes a hundred times as long as filling in; so many templates of all institutions are kept.
_COMPILED = 500

_TAGS = {
    "p",
    "br",
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ul",
    "ol",
    "li",
    "a",
    "table",
    "tr",
    "td",
    "th",
    "h3",
    "h4",
}
_BLANKS = re.compile(r"\s+")
# What XML cannot hold, Exchange cannot keep (XML 1.0, "Characters"): controls, half characters, two that are none.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def meeting_digest(meeting: Meeting) -> bytes:
    """16 bytes that are equal for meetings of equal content."""
    return hashlib.blake2b(_encode(meeting), digest_size=16).digest()


class Renderer:
    """
    Renders meetings in one profile.

    Args:
        profile: the profile's settings.
        body_template: the text of its body template.

    Raises:
        ConfigurationError: E-TEMPLATE, a template of the profile is not valid.
    """

    def __init__(self, profile: ProfileSettings, body_template: str = DEFAULT_BODY) -> None:
        self.profile = profile
        self._subject = [_Line(text, profile.name, "subject") for text in profile.subject]
        self._location = [_Line(text, profile.name, "location") for text in profile.location]
        self._body = _Line(body_template, profile.name, "body", html=True)
        self.needs = frozenset[str]().union(
            *(line.needs for line in (*self._subject, *self._location, self._body))
        )
        """The names of the fields that its templates use."""
        self.digest = hashlib.blake2b(
            msgspec.json.encode(
                [
                    profile.subject,
                    profile.location,
                    body_template,
                    profile.show_as,
                    profile.sensitivity,
                    profile.reminder.total_seconds() if profile.reminder is not None else None,
                    profile.categories,
                ]
            ),
            digest_size=16,
        ).digest()

    def render(self, meeting: Meeting) -> Rendering:
        """The bytes of a meeting, with the fingerprint of exactly these bytes."""
        profile = self.profile
        reminder = profile.reminder
        body = msgspec.json.encode(
            {
                "subject": _cut(_first(self._subject, meeting.fields)),
                "body": {"contentType": "html", "content": _clean(self._body.fill(meeting.fields))},
                "start": {"dateTime": _wire_time(meeting, meeting.starts_at, start=True), "timeZone": "UTC"},
                "end": {"dateTime": _wire_time(meeting, meeting.ends_at, start=False), "timeZone": "UTC"},
                "isAllDay": meeting.all_day,
                "location": {"displayName": _cut(_first(self._location, meeting.fields))},
                "showAs": profile.show_as,
                "sensitivity": profile.sensitivity,
                "isReminderOn": reminder is not None,
                "reminderMinutesBeforeStart": int(reminder.total_seconds() // 60)
                if reminder is not None
                else 0,
                "categories": profile.categories,
            }
        )
        return Rendering(fingerprint=fingerprint(body), body=body)


def fingerprint(body: bytes) -> int:
    """The fingerprint of a rendering's bytes: 64 bits, never 0, which means "none"."""
    return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "little") or 1


# All that a template of somebody else's can make of strings; what else is raised is our own mistake.
_UNFILLED = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def _environment(*, autoescape: bool, finalize: Callable[[object], object]) -> jinja2.Environment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(autoescape=autoescape, finalize=finalize)
    # The same meeting must give the same bytes whenever it is rendered: nothing that draws lots.
    del environment.globals["lipsum"], environment.filters["random"]
    return environment


@lru_cache(maxsize=_COMPILED)
def _compiled(text: str, *, html: bool) -> tuple[frozenset[str], jinja2.Template]:
    """A template and the fields it needs. It keeps nothing between renderings, so that all who have the text share it."""
    environment = (
        _environment(autoescape=True, finalize=_line_breaks)
        if html
        else _environment(autoescape=False, finalize=_text)
    )
    return frozenset(jinja2.meta.find_undeclared_variables(environment.parse(text))), environment.from_string(
        text
    )


class _Line:
    """One template, with the fields it needs."""

    def __init__(self, text: str, profile: str, place: str, *, html: bool = False) -> None:
        try:
            self.needs, self._template = _compiled(text, html=html)
        except (jinja2.TemplateError, RecursionError) as error:
            raise ConfigurationError(
                "E-TEMPLATE",
                f"The {place} template of profile {profile!r} is not valid: {error}.",
                why="it does not follow Jinja's template language",
                do=f"correct {place} in [[profiles]] of the institution's file",
                effect="no calendar was changed",
            ) from error
        self._where = f"The {place} template of profile {profile!r}"

    def fits(self, fields: Mapping[str, str]) -> bool:
        return all(fields.get(name) for name in self.needs)

    def fill(self, fields: Mapping[str, str]) -> str:
        try:
            return self._template.render(fields)
        except _UNFILLED as error:
            raise ConfigurationError(
                "E-TEMPLATE",
                f"{self._where} cannot be filled in: {error}.",
                why="it does something that the sandbox forbids or that these texts do not allow",
                do="correct the template; config check does not see what only a real meeting shows",
                effect="no calendar was changed",
            ) from error


def _first(lines: list[_Line], fields: Mapping[str, str]) -> str:
    line = next((line for line in lines if line.fits(fields)), lines[-1])
    return _BLANKS.sub(" ", _CONTROLS.sub("", line.fill(fields))).strip()


def _cut(text: str) -> str:
    # Exchange counts UTF-16 code units: most emoji are two. What is halved by the cut is left out.
    return text.encode("utf-16-le", "ignore")[: 2 * SUBJECT_LIMIT].decode("utf-16-le", "ignore").rstrip()


def _text(value: object) -> object:
    if callable(value) and not isinstance(value, jinja2.Undefined):
        # Its text would be its place in memory, another one in each run.
        raise TypeError("it shows a function itself; call it, as in {{ title.upper() }}")
    return value


def _line_breaks(value: object) -> object:
    value = _text(value)
    if isinstance(value, str) and not isinstance(value, Markup):
        return Markup("<br>").join(escape(_CONTROLS.sub("", value)).splitlines())
    return value


def _clean(html: str) -> str:
    return nh3.clean(
        _CONTROLS.sub("", html).strip()[:BODY_LIMIT],
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
    )


def _wire_time(meeting: Meeting, moment: int, *, start: bool) -> str:
    # Graph wants all-day events at midnight, and keeps them floating: the date is what counts.
    # Source: Graph event resource, "isAllDay".
    if meeting.all_day:
        return (meeting.start if start else meeting.end).strftime("%Y-%m-%dT00:00:00")
    return utc_text(moment)[:-1]
