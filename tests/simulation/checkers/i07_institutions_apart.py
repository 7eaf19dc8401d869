"""I7: nothing of one institution reaches another: no request, no mark, no token."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case, asked_mailbox


def violations(case: Case) -> Iterator[str]:
    """Requests by the application of one tenant to another, and events marked for another place than theirs."""
    owner = {mailbox: told["id"] for told in case.institutions.values() for mailbox in told["mailboxes"]}
    for record in case.history:
        if record["kind"] not in {"request", "refusal"} or not record["app"]:
            continue
        told = case.of_tenant.get(record["tenant"])
        if told is not None and record["app"] != told["app"]:
            yield f"record {record['number']}: {record['app']} asked tenant {record['tenant']}"
        if told is not None and owner.get(named := asked_mailbox(record), told["id"]) != told["id"]:
            yield f"record {record['number']}: {told['id']} asked for the mailbox {named}"
    for event in case.events.values():
        mark = event.born.mark
        if not event.is_ours:
            continue
        if mark is not None and mark.installation != case.testimony["installation"]:
            yield f"record {event.born.number}: marked for the installation {mark.installation}"
        if mark is None:
            yield f"record {event.born.number}: an event of ours without a mark in {event.mailbox}"
        elif mark.institution != case.of_tenant[event.tenant]["id"] or mark.mailbox != event.mailbox:
            yield f"record {event.born.number}: {mark.institution}'s {mark.key} for {mark.mailbox} in {event.mailbox}"
