"""The list of feeds: whose they are and where, from a CSV file or from the configuration itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from classbell.ports import Files
from classbell.settings import IcsSource
from classbell.sources.addresses import is_url, shown
from classbell.sources.snapshot import person_of
from classbell.sources.tables import BadRows, Table, read_csv, read_file, unusable


def feeds_of(settings: IcsSource, files: Files) -> tuple[Path, Mapping[str, frozenset[str]]]:
    """
    The folder that relative paths start from, and per place of a feed the persons whose it is.

    Raises:
        SourceUnusable: the list cannot be read, a row of it makes no sense, or it names no feed.
        SourceUnreachable: the list cannot be read for now.
    """
    if isinstance(settings.feeds, Path):
        base = settings.feeds.parent
        content = read_file(settings.name, settings.feeds, files, settings.limits.bytes)
        rows = list(_listed(read_csv(settings.name, settings.feeds, content)))
    else:
        base = Path()
        rows = [(feed.person, feed.url.strip()) for feed in settings.feeds]
    places: dict[str, set[str]] = {}
    for person, place in rows:
        places.setdefault(place, set()).add(person_of(person))
    if not places:
        raise unusable(
            settings.name,
            "E-SRC-EMPTY",
            "its list of feeds names none.",
            why=f"{settings.feeds} has a header and no rows",
            do="list each person's feed in it",
        )
    return base, {place: frozenset(places[place]) for place in sorted(places)}


def _listed(table: Table) -> Iterator[tuple[str, str]]:
    person, url = table.column("person"), table.column("url")
    bad = BadRows(table)
    for line, row in table.rows:
        place = row[url].strip()
        if not row[person].strip() or not place:
            bad.add(line, "it needs a person and a url")
        elif "://" in place and not is_url(place):
            bad.add(line, f"{shown(place)} is neither a path nor an http or https address")
        else:
            yield row[person], place
    bad.check()
