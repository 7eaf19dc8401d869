"""Writes the parts of the example institution anew: python -m tests.setup.golden.write, then look at what changed."""

from pathlib import Path

from tests.setup.institutions import NEW, OLD, facts, registered

from classbell.setup import Facts, answer_form, overview, rendered

HERE = Path(__file__).parent
EXAMPLES = {
    "new": facts(name="St. John's College", certificates=(NEW,)),
    "narrow": registered(certificates=(NEW, OLD), scope="timetable@example.edu", cloud="usgov"),
    "retired": registered(api="outlook-rest-v2", handover=True),
}


def files(known: Facts) -> dict[str, bytes]:
    """Every file of an example."""
    found = {script.part.file: script.content for script in rendered(known)}
    return {"README.txt": overview(known).encode(), "answer.txt": answer_form(known).encode(), **found}


if __name__ == "__main__":
    for name, known in EXAMPLES.items():
        (HERE / name).mkdir(exist_ok=True)
        for file, content in files(known).items():
            (HERE / name / file).write_bytes(content)
