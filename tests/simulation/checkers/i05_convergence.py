"""
I5: once faults are over and every bound is due, two runs bring everything right, and a third one writes nothing.

Nor does it ask any mailbox anything: what is known to be right is not looked at.
"""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case, asked_mailbox, writes

# What was sent again after one may turn out to have been made the first time, and removed since: a second one tells.
_BOUNDS = 2


def violations(case: Case) -> Iterator[str]:
    """What the third run wrote or tried to write, and schedules that never came to rest."""
    final = case.testimony["final"]
    if "third_run" not in final:
        yield "it never came to rest"
        return
    if final.get("bounds", 1) > _BOUNDS:
        yield f"after {final['bounds']} bounds something was still unknown"
    begin, end = final["third_run"]
    unknown = {told["mailbox"] for told in final["waiting"] if told["code"] == "E-LEDGER-LOST"}
    for record in case.requests():
        # A ledger that was lost, or has forgotten somebody, waits for a rebuild, and looks whether it has been.
        waits = not writes(record) and asked_mailbox(record) in unknown
        if begin < record["number"] <= end and not waits:
            yield f"record {record['number']}: the third run asked {record['method']} {record['path'][:60]}"
