"""
Paths: ``Users('ada@example.edu')/Calendars('…')/Events`` or with slashes, in any case, to those of Graph.

Ids are mutable ones: this version has no others.
"""

import re
from urllib.parse import quote, unquote

from classbell.sandbox.ids import parse
from classbell.sandbox.refusals import bad_request, id_malformed, segment_unknown

ROOT = "api/v2.0"
HOSTS = ("https://outlook.office.com", "https://outlook.office365.com")

_KEYED = re.compile(r"(?P<word>\w+)\('(?P<key>(?:[^']|'')*)'\)\Z")
_WORDS = {
    word.casefold(): word
    for word in (
        "users",
        "me",
        "calendar",
        "calendars",
        "calendarGroups",
        "calendarView",
        "events",
        "instances",
        "$count",
    )
}
# After these the next segment is a key.
_COLLECTIONS = frozenset({"users", "calendars", "calendarGroups", "events"})
# First letters in a context, but for iCalUId.
_HEADS = re.compile(r"(?:\A|(?<=[/(,]))[a-z](?!CalUId)")
_USER_AT_TENANT = re.compile(r"(?P<user>[0-9a-f-]{36})@(?P<tenant>[0-9a-f-]{36})\Z", re.IGNORECASE)


def segments(path: str, tenant_id: str) -> list[str]:
    """
    The decoded segments of a path, spelt as Graph spells them.

    Args:
        path: percent-encoded, without the version.
        tenant_id: the tenant asked; ``{object id}@{tenant id}`` is a user of it as well.

    Raises:
        Refusal: a segment is unknown, or an id is no mutable one.
    """
    found: list[str] = []
    for part in path.split("/"):
        segment = unquote(part)
        if not segment:
            continue
        keyed = _KEYED.fullmatch(segment)
        if found and found[-1] in _COLLECTIONS and keyed is None and segment.casefold() not in _WORDS:
            found.append(_key(found[-1], segment, tenant_id))
            continue
        word = (keyed["word"] if keyed else segment).casefold()
        if word not in _WORDS:
            raise segment_unknown(segment)
        found.append(_WORDS[word])
        if keyed:
            found.append(_key(_WORDS[word], keyed["key"].replace("''", "'"), tenant_id))
    return found


def _key(collection: str, key: str, tenant_id: str) -> str:
    if collection == "users":
        both = _USER_AT_TENANT.fullmatch(key)
        return both["user"] if both and both["tenant"].casefold() == tenant_id else key
    item = parse(key)
    if item is not None and item.folder is None:
        raise id_malformed()
    return key


def joined(parts: list[str]) -> str:
    """The path of Graph with these segments."""
    return "/".join(quote(part, safe="") for part in parts)


def relative(url: str, base: str) -> str:
    """
    What follows the version in the URL of a member of a batch, which may be absolute, rooted or relative.

    Raises:
        Refusal: it leads elsewhere, or into a batch again.
    """
    rest = url
    for host in (base, *HOSTS):
        rest = rest.removeprefix(f"{host}/")
    if "://" in rest.partition("?")[0]:
        raise bad_request("Invalid request URI. The host is not the one of the batch.")
    rest = rest.lstrip("/")
    if rest.casefold().startswith("api/"):
        if not rest.casefold().startswith(f"{ROOT}/"):
            raise bad_request("Invalid request URI. The version is not the one of the batch.")
        rest = rest[len(ROOT) + 1 :]
    if rest.partition("?")[0].casefold().endswith("$batch"):
        raise bad_request("Batch requests cannot be nested.")
    return rest


def location(base: str, owner: str, collection: str, item: str) -> str:
    """The address of an event or calendar."""
    return f"{base}/{ROOT}/Users('{owner}')/{collection}('{item}')"


def context(text: str) -> str:
    """A context of Graph with the version and the spelling of this API."""
    head, mark, tail = text.partition("/v1.0/$metadata#")
    if not mark:
        return text
    return f"{head}/{ROOT}/$metadata#" + _HEADS.sub(lambda found: found.group().upper(), tail)
