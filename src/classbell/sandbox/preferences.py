"""
``Prefer`` headers.

Source: Graph pages "Create event" and "Get immutable identifiers for Outlook resources".
"""

import re
from functools import lru_cache
from typing import NamedTuple

from classbell.sandbox.refusals import zone_refused
from classbell.sandbox.represent import View
from classbell.sandbox.zones import zone_of

_PART = re.compile(r'\s*([\w.\-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;\s]*)))?\s*(?:[,;]|\Z)')
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


class Preferences(NamedTuple):
    """The preferences of a request; ``applied`` is the content of ``Preference-Applied``."""

    view: View
    applied: str
    named_zone: bool
    page: int | None


@lru_cache(maxsize=256)
def parse(header: str) -> Preferences:
    """
    Read a ``Prefer`` header, of which repeated ones have been joined by commas.

    Raises:
        Refusal: it names a time zone that does not exist.
    """
    view, page, named_zone = View(), None, False
    applied: list[str] = []
    for name, quoted, plain in _PART.findall(header):
        value = quoted or plain
        match name.casefold():
            case "outlook.timezone":
                zone = zone_of(value)
                if zone is None:
                    raise zone_refused(value)
                view = view._replace(zone=zone, zone_name=value)
                named_zone = True
                applied.append(f'outlook.timezone="{value}"')
            case "outlook.body-content-type" if value.casefold() in {"text", "html"}:
                view = view._replace(text=value.casefold() == "text")
                applied.append(f'outlook.body-content-type="{value.casefold()}"')
            case "idtype" if value.casefold() == "immutableid":
                view = view._replace(immutable=True)
                applied.append("IdType=ImmutableId")
            case "odata.maxpagesize" if _NUMBER.fullmatch(value):
                page = int(value)
                applied.append(f"odata.maxpagesize={value}")
            case _:
                pass  # unknown preferences are ignored, as RFC 7240 has it
    return Preferences(view, ", ".join(applied), named_zone, page)
