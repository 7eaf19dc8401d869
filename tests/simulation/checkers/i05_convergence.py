"""I5: once faults are over, two runs bring everything right, and a third one writes nothing."""

from collections.abc import Iterator

from tests.simulation.checkers.reading import Case, writes


def violations(case: Case) -> Iterator[str]:
    """What the third run wrote or tried to write, and schedules that never came to rest."""
    final = case.testimony["final"]
    if "third_run" not in final:
        yield "it never came to rest"
        return
    begin, end = final["third_run"]
    for record in case.requests():
        if begin < record["number"] <= end and writes(record):
            yield f"record {record['number']}: the third run asked {record['method']} {record['path'][:60]}"
