"""
Bodies as the service gives them back: wrapped and cleaned HTML, plain text, and the preview.

What was sent never comes back byte for byte. Source: Graph pages "event resource type" and "Create event".
"""

import html
import re
from functools import lru_cache
from html.parser import HTMLParser

import nh3

PREVIEW_LENGTH = 255

_HEAD = (
    '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
    '<meta content="text/html; charset=us-ascii">\r\n</head>\r\n<body>\r\n'
)
_FOOT = "\r\n</body>\r\n</html>\r\n"
_INNER = re.compile(r"<body[^>]*>(.*?)(?:</body>|\Z)", re.IGNORECASE | re.DOTALL)
_LINES = re.compile(r"\r\n|\r|\n")
_SPACES = re.compile(r"[ \t\r\n]+")  # a no-break space stays
_TAGS = nh3.ALLOWED_TAGS | {"font", "center", "u", "big"}
_ANYWHERE = {"style", "class", "id", "dir", "lang", "title", "align"}
_ATTRIBUTES = {
    **{tag: set(names) | _ANYWHERE for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    **{tag: set(_ANYWHERE) for tag in _TAGS if tag not in nh3.ALLOWED_ATTRIBUTES},
    "font": _ANYWHERE | {"size", "face", "color"},
}
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})


@lru_cache(maxsize=4096)
def as_html(content: str, kind: str) -> str:
    """The stored HTML of a body that was sent as *kind* (``text`` or ``html``)."""
    if not content:
        return ""
    if kind == "text":
        lines = "<br>\r\n".join(_LINES.split(html.escape(content, quote=False)))
        return f'{_HEAD}<div class="PlainText">{lines}</div>{_FOOT}'
    found = _INNER.search(content)
    inner = found.group(1).strip() if found else content
    return _HEAD + nh3.clean(inner, tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None) + _FOOT


@lru_cache(maxsize=4096)
def as_text(content: str, kind: str) -> str:
    """The body as plain text."""
    if kind == "text" or not content:
        return content
    reader = _TextReader()
    reader.feed(as_html(content, kind))
    reader.close()
    return re.sub(r"\r\n(?: *\r\n)+", "\r\n\r\n", "".join(reader.parts)).strip(" \r\n")


@lru_cache(maxsize=4096)
def preview(content: str, kind: str) -> str:
    """The first 255 characters of the plain text."""
    return as_text(content, kind)[:PREVIEW_LENGTH]


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "br":
            self.parts.append("\r\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self.parts.append("\r\n")

    def handle_data(self, data: str) -> None:
        text = _SPACES.sub(" ", data)
        if text != " " or (self.parts and not self.parts[-1].endswith("\n")):
            self.parts.append(text)
