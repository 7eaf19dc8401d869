"""
The entries that share one UID, as dated meetings: single entries, and series with their overrides.

An override keeps the key of the date that it overrides. It stands in the feed as such, so it is returned
whatever the window: a lecture moved to next year must not look like one that was removed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from classbell.sources.entries import Entry, Unusable, current, current_overrides, times
from classbell.sources.keys import Identity
from classbell.sources.recurrence import Change, RuleRefused, Series, Span, Time, expand, happens_once
from classbell.sources.tzids import FeedZones

Lose = Callable[[Entry, str], None]


@dataclass(frozen=True, kw_only=True)
class Dated:
    """One date of an entry; ``original`` is the start that was first set for it."""

    entry: Entry
    identity: Identity
    original: Time
    start: Time
    end: Time


def dated(entries: list[Entry], zones: FeedZones, span: Span, lose: Lose) -> Iterator[Dated]:
    """The dated meetings of the entries of one UID; what cannot be expanded is reported through *lose*."""
    overrides = current_overrides(entry for entry in entries if entry.recurrence_id is not None)
    masters = current(entry for entry in entries if entry.repeats)
    singles = current(entry for entry in entries if entry.recurrence_id is None and not entry.repeats)
    identity = Identity.WHOLE if len(singles) == 1 else Identity.DAY
    for entry in singles:
        yield Dated(entry=entry, identity=identity, original=entry.start, start=entry.start, end=entry.end)
    whole: list[_MasterSeries] = []
    for master in masters:
        try:
            series = _MasterSeries(master, overrides, zones, alone=len(entries) == 1)
        except Unusable as unusable:
            lose(master, str(unusable))
            continue
        whole.append(series)
        yield from series.dates(span, lose)
    for entry in overrides:
        if not any(series.accounts_for(entry) for series in whole):
            yield _override(entry, whole[0] if whole else None)


class _MasterSeries:
    """A master with what changes it."""

    def __init__(self, master: Entry, overrides: list[Entry], zones: FeedZones, *, alone: bool) -> None:
        self.master = master
        self._start, self._end = _in_declared_zone(master.start, zones), _in_declared_zone(master.end, zones)
        self._onward = [entry for entry in overrides if entry.onward]
        # Left out here and not by the library, which compares the hands of clocks in different zones.
        self._excluded = {self._id(moment) for moment in times(master.component, "EXDATE", zones)}
        self._overridden = {
            self._id(entry.recurrence_id)
            for entry in overrides
            if entry.recurrence_id is not None and not entry.onward
        }
        rules = master.component.get("RRULE", [])
        self._series = Series(
            start=self._start,
            end=self._end,
            rules=rules if isinstance(rules, list) else [rules],
            extra=[self._local_extra(extra) for extra in times(master.component, "RDATE", zones)],
            changes=[
                Change(original=self.local(entry.recurrence_id), start=entry.start, end=entry.end)
                for entry in self._onward
                if entry.recurrence_id is not None
            ],
        )
        # Some systems write each meeting as a series that ends with its first date. Its UID is its key then,
        # so that it keeps the key when it moves to another day.
        self._once = alone and happens_once(self._series)
        self.identity = Identity.MOMENT if self._series.several_a_day else Identity.DAY

    def dates(self, span: Span, lose: Lose) -> Iterator[Dated]:
        """The dates of the series that no override replaces."""
        if "EXRULE" in self.master.component:
            lose(self.master, "it leaves dates out by a rule (EXRULE), which is no longer in use")
            return
        if self._once:
            yield from self._only_date()
            return
        try:
            found = expand(self._series, span)
        except RuleRefused as refused:
            lose(self.master, str(refused))
            return
        gone = self._overridden | self._excluded
        for one in found:
            if not self._among(one.original, gone):
                yield Dated(
                    entry=self.master if one.change is None else self._onward[one.change],
                    identity=self.identity,
                    original=one.original,
                    start=one.start,
                    end=one.end,
                )

    def _only_date(self) -> Iterator[Dated]:
        start, end = self._start, self._end
        if not self._among(start, self._excluded):
            yield Dated(entry=self.master, identity=Identity.WHOLE, original=start, start=start, end=end)

    def accounts_for(self, override: Entry) -> bool:
        """Whether an override needs no date of its own: its date is left out, or it speaks for all later ones."""
        assert override.recurrence_id is not None  # noqa: S101 -- only overrides are asked about
        return override.onward or self._among(self.local(override.recurrence_id), self._excluded)

    def local(self, moment: Time) -> Time:
        """A moment in the zone of the series, where it is one."""
        if isinstance(moment, datetime) and isinstance(self._start, datetime):
            return moment.astimezone(self._start.tzinfo)
        return moment

    def _local_extra(self, extra: Any) -> Any:
        if isinstance(extra, tuple):
            return tuple(self.local(part) if isinstance(part, date) else part for part in extra)
        return self.local(extra)

    def _id(self, moment: Time) -> int | date:
        # A day names a date of the series as well as a moment does; series of whole days know only days.
        if not isinstance(moment, datetime):
            return moment
        return int(moment.timestamp()) if isinstance(self._start, datetime) else moment.date()

    def _among(self, moment: Time, ids: set[int | date]) -> bool:
        day = moment.date() if isinstance(moment, datetime) else moment
        return self._id(moment) in ids or day in ids


def _in_declared_zone(moment: Time, zones: FeedZones) -> Time:
    # Google and its kin write a series in UTC beside X-WR-TIMEZONE and mean that the hands of the clock
    # there repeat, across clock changes too.
    if zones.declared is not None and isinstance(moment, datetime) and str(moment.tzinfo) == "UTC":
        return moment.astimezone(zones.declared)
    return moment


def _override(entry: Entry, series: _MasterSeries | None) -> Dated:
    original = entry.recurrence_id
    assert original is not None  # noqa: S101 -- only overrides come here
    return Dated(
        entry=entry,
        identity=Identity.DAY if series is None else series.identity,
        original=original if series is None else series.local(original),
        start=entry.start,
        end=entry.end,
    )
