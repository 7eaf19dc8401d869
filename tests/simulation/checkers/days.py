"""How much of what stands any 24 hours may delete unasked."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.simulation.checkers.absences import Absences
from tests.simulation.checkers.decisions import losses
from tests.simulation.checkers.reading import Case, Event, Step

Deletion = tuple[Event, Step, str]
"""An event of ours, the step that took it away, and that in words."""

_DAY = 86_400.0
# The setting ``per_24h_percent``, left as it is.
_SHARE = 0.10
# Kinds of runs that decide nothing.
_READING = frozenset({"verify", "rebuild"})
_GOOD, _BROKEN, _NOT_SEEN = 200, 500, (401, 429)


def too_many(case: Case, absences: Absences, unasked: Sequence[Deletion]) -> Iterator[str]:
    """Deletions that nobody has approved, more of them within a day than the limit lets pass."""
    of_tenant: dict[str, list[Deletion]] = defaultdict(list)
    for deletion in sorted(unasked, key=lambda one: one[1].number):
        of_tenant[deletion[0].tenant].append(deletion)
    for deletions in of_tenant.values():
        yield from _too_many(case, absences, deletions)


def _too_many(case: Case, absences: Absences, deletions: Sequence[Deletion]) -> Iterator[str]:
    first = 0
    for place, (_, removal, text) in enumerate(deletions):
        at = removal.at
        while deletions[first][1].at <= at - _DAY:
            first += 1
        of_day = deletions[first : place + 1]
        least = case.testimony["at_least"]
        if len(of_day) <= least or any(at - _DAY <= lost <= at for lost in losses(case)):
            continue
        most = max(least, _SHARE * _base(case, absences, of_day))
        many = _decisions(case, [(event, gone) for event, gone, _ in of_day])
        if many > most:
            yield f"{many} deletions within 24 hours, {most:.1f} may be unasked; last {text}"
            return


def _decisions(case: Case, deletions: Sequence[tuple[Event, Step]]) -> int:
    """How many deletions that is: one of which nobody heard is repeated, should its owner have taken the event back."""
    unheard = {gone.number for _, gone in deletions if not case.heard(gone)}
    return sum(
        not any(other is event and gone.number in unheard for other, gone in deletions[:place])
        for place, (event, _) in enumerate(deletions)
    )


def beside_others(
    case: Case, absences: Absences, unasked: Sequence[Deletion], everything: Sequence[tuple[Event, Step]]
) -> Iterator[str]:
    """
    Deletions that nobody has approved after so many of a day, whoever had asked for those, that no more may be.

    Which run has decided cannot be seen: only what none of them may have let pass is told.
    """
    least = case.testimony["at_least"]
    for event, removal, text in unasked:
        if any(removal.at - 2 * _DAY <= lost <= removal.at for lost in losses(case)):
            continue
        tenant, counts = event.tenant, []
        for begin in sorted(_deciding(case, absences, [(event, removal, text)])):
            before = [
                (other, gone)
                for other, gone in everything
                if other.tenant == tenant and begin - _DAY < gone.at < begin
            ]
            most = max(least, _SHARE * stood(case, tenant, begin))
            if _decisions(case, [*before, (event, removal)]) <= most:
                break
            counts.append((_decisions(case, before), most))
        else:
            if counts:
                many, most = counts[-1]
                yield f"{text} unasked, after {many} within 24 hours of which {most:.1f} may be"


def _deciding(case: Case, absences: Absences, deletions: Sequence[Deletion]) -> set[float]:
    """When runs began that may have decided on deletions, the last of them included."""
    tenant, at = deletions[0][0].tenant, deletions[-1][1].at
    return {
        run["begin"]
        for run in case.testimony["runs"]
        if case.institutions[run["institution"]]["tenant"] == tenant
        and run["begin"] <= at
        and run["kind"] not in _READING
        and any(
            absences.left_out(event, run["begin"], at if run["end"] is None else min(run["end"], at))
            for event, *_ in deletions
        )
    }


def _base(case: Case, absences: Absences, deletions: Sequence[Deletion]) -> int:
    """
    Of how many events the share is: as many as had been delivered and stood by what we knew, when it was decided.

    What is deleted in a day was accepted by one run or another, and each has counted all that was under way then. So the
    limit is that of the last of them; which one it was cannot be seen, only which ones found something of it left out.
    """
    tenant = deletions[0][0].tenant
    begins = _deciding(case, absences, deletions)
    return max((stood(case, tenant, begin) for begin in begins), default=0)


def stood(case: Case, tenant: str, at: float) -> int:
    """How many of our events stood in the mailboxes of a tenant at a moment or were deleted in the day before."""
    count = 0
    for event in case.events.values():
        if not (event.is_ours and event.tenant == tenant and event.born.at < at):
            continue
        last = [step for step in event.steps if step.at < at][-1]
        removal = next((step for step in reversed(event.steps) if step.at < at and not step.live), None)
        if last.live:
            count += 1
        elif removal is not None and removal.by_us:
            count += removal.at >= at - _DAY
        elif removal is not None:
            count += not noticed(case, event, removal.at, at)
    return count


def noticed(case: Case, event: Event, since: float, until: float) -> bool:
    """Whether we can know at a moment that somebody has removed an event of ours."""
    assert event.born.mark is not None
    institution = event.born.mark.institution
    asked = any(
        since <= record["at"] <= until and event.id in record["path"] and _tells(record["status"])
        for record in case.requests()
    )
    read = any(
        run["kind"] in _READING
        # One that died may have read more than it kept.
        and run["outcome"]
        and run["institution"] == institution
        and since <= (run["end"] or until)
        and run["begin"] <= until
        and _looked(case, event, max(since, run["begin"]), min(until, run["end"] or until))
        for run in case.testimony["runs"]
    )
    again = any(
        since <= other.born.at <= until
        for other in case.of_pair[event.tenant, event.mailbox, event.born.mark.key]
    )
    return asked or read or again


def _looked(case: Case, event: Event, begin: float, end: float) -> bool:
    """Whether the mailbox of an event was looked through between two moments: a sample leaves others out."""
    return any(
        begin <= record["at"] <= end
        and record["method"] == "GET"
        and f"/users/{event.mailbox}/" in record["path"]
        and "/events?" in record["path"]
        and _tells(record["status"])
        for record in case.requests()
    )


def _tells(status: int) -> bool:
    """Whether an answer says anything about an event: not that the service is broken, or wants to be left in peace."""
    return _GOOD <= status < _BROKEN and status not in _NOT_SEEN
