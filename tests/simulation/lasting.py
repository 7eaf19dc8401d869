"""Paths as judges read them: events are named by the ids that they keep, by whichever interface they were asked for."""

import re
from urllib.parse import unquote

from classbell.sandbox.ids import MailboxIds, parse

_EVENT = re.compile(r"/events/([^/?]+)")


def with_lasting_ids(path: str) -> str:
    """A path whose event is named by the id that it keeps, as changes name it; ids of Outlook REST change with a move."""
    found = _EVENT.search(path)
    item = parse(unquote(found[1])) if found else None
    if found is None or item is None or item.folder is None:
        return path
    lasting = MailboxIds(b"", item.replica).immutable(item.number)
    return path[: found.start(1)] + lasting + path[found.end(1) :]
