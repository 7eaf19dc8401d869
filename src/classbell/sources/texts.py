"""The texts of an entry, as people should read them: unescaped, tidy, equal as long as nothing changed."""

import html
import re

import icalendar
import nh3

_SPACES = re.compile(r"[ \t\u00a0]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_TAGS = re.compile(r"(?i)</?(?:p|div|br|b|i|u|a|ul|ol|li|span|strong|em|table|tr|td|font|html|body)\b[^<>]*>")
_BREAKS = re.compile(r"(?i)<br\b[^<>]*>|</(?:p|div|li|tr|h[1-6])\s*>")

# ADE writes when it exported, or when it last touched the entry, into each description: "(Exporté
# le:16/09/2019 13:32)", "(Updated :26/09/2023 17:02)". Left in, each export would change every event.
_STAMPS = re.compile(
    r"\(\s*(?:Export\w*|Updated|Modifi\w*|Mise? à jour|Generated|Généré\w*|Aktualisiert|Stand)"
    r"(?:\s+(?:le|on|am|il|el|op))?\s*:?\s*"
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:,?\s+\d{1,2}[:h.]\d{2}(?:[:.]\d{2})?)?\s*\)",
    re.IGNORECASE,
)


def fields_of(entry: icalendar.Component) -> dict[str, str]:
    """The texts of a VEVENT under the names that templates use; a text that is absent or empty is left out."""
    fields = {
        "title": one_line(text_of(entry, "SUMMARY")),
        "location": one_line(text_of(entry, "LOCATION")),
        "description": paragraphs(text_of(entry, "DESCRIPTION") or text_of(entry, "X-ALT-DESC")),
        "type": _categories(entry),
        "notes": paragraphs(text_of(entry, "COMMENT")),
        "url": text_of(entry, "URL").strip(),
    }
    return {name: text for name, text in fields.items() if text}


def text_of(entry: icalendar.Component, name: str) -> str:
    """The first value of a property as text, "" where it is absent."""
    value = entry.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def one_line(text: str) -> str:
    """A text of one line: entities undone, line breaks and runs of blanks as one blank."""
    return " ".join(html.unescape(text).split())


def paragraphs(text: str) -> str:
    """A text of several lines: HTML and entities undone, export stamps and idle blanks removed."""
    if _TAGS.search(text):
        text = nh3.clean(_BREAKS.sub("\n", text), tags=set())
    text = _STAMPS.sub("", html.unescape(text).replace("\r\n", "\n").replace("\r", "\n"))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _categories(entry: icalendar.Component) -> str:
    values = entry.get("CATEGORIES", [])
    names = [
        one_line(str(name))
        for value in (values if isinstance(values, list) else [values])
        for name in getattr(value, "cats", [value])
    ]
    return ", ".join(dict.fromkeys(name for name in names if name))
