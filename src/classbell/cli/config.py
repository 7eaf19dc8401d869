"""``classbell config``: check, show, schema."""

import json
import os
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.errors import problem_fields
from classbell.cli.invocation import Invocation, command, group

if TYPE_CHECKING:
    from classbell.settings import Configuration, Origin, Row


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    config = group(help="Check and show the configuration.")
    command(config)(check)
    command(config)(show)
    command(config)(schema)
    app.add_typer(config, name="config")


class Kind(StrEnum):
    """The two kinds of file."""

    HOST = "host"
    INSTITUTION = "institution"


def check(invocation: Invocation) -> None:
    """
    Read the whole configuration and say all that is wrong with it.

    Looks at the files, certificates and templates it names, too, but not into timetables, and asks
    nothing of Microsoft. With --institution only at the host file and at this institution's.
    """
    from classbell.cli.inspection import inspect  # noqa: PLC0415 (keeps --help fast)
    from classbell.life import SystemClock  # noqa: PLC0415
    from classbell.settings import InvalidConfiguration  # noqa: PLC0415

    configuration, output = invocation.configuration, invocation.output
    if invocation.institution_id is not None:
        configuration = configuration.only(invocation.institution_id)
    problems, warnings = inspect(
        configuration, invocation.files, os.environ, SystemClock().now(), invocation.ask
    )
    if problems or configuration.unsound:
        raise InvalidConfiguration([*configuration.problems(), *problems])
    for warning in (*configuration.warnings, *warnings):
        fields = problem_fields(warning)
        output.warning(fields.pop("code"), str(warning), **{k: v for k, v in fields.items() if k != "what"})
    for settings in configuration.institutions.values():
        output.line(f"ok   {settings.id}   {settings.name}")
    if not configuration.institutions:
        output.line("ok   no institution yet")
    output.answer({"ok": True, "institutions": list(configuration.institutions)})


def show(
    invocation: Invocation,
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
) -> None:
    """
    Show the settings in force: files, environment and defaults together.

    Secrets are never read for this: what shows is where they are kept.
    """
    from classbell.cli.assembly import pass_over_unsound  # noqa: PLC0415 (keeps --help fast)

    configuration, output = invocation.configuration, invocation.output
    if invocation.institution_id is None:
        pass_over_unsound(invocation)
    rows = list(_rows(configuration, invocation.institution_id))
    header = ["setting", "value", "origin"] if origin else ["setting", "value"]
    output.table(header, [_cells(row)[: len(header)] for row in rows])
    output.answer(
        {
            "settings": [
                {"path": row.path, "value": row.value, "origin": _origin_fields(row.origin)} for row in rows
            ]
        }
    )


def schema(
    invocation: Invocation,
    kind: Annotated[
        Kind, typer.Argument(metavar="KIND", help="host or institution; without it, institution.")
    ] = Kind.INSTITUTION,
) -> None:
    """Print the JSON Schema of a configuration file, with which editors complete its keys."""
    from classbell.settings import schemas  # noqa: PLC0415 (keeps --help fast)

    found = schemas()[kind.value]
    invocation.output.line(json.dumps(found, indent=2))
    invocation.output.answer(found)


def _rows(configuration: "Configuration", institution: str | None) -> Iterable["Row"]:
    from classbell.settings import effective  # noqa: PLC0415 (keeps --help fast)

    if institution is None:
        return effective(configuration)
    mine = configuration.institution(institution).id
    return (row for row in effective(configuration) if row.path.startswith(f"institutions.{mine}."))


def _cells(row: "Row") -> tuple[str, str, str]:
    value = "" if row.value is None else json.dumps(row.value, ensure_ascii=False)
    return row.path, value, str(row.origin)


def _origin_fields(origin: "Origin") -> dict[str, str | int]:
    if origin.variable:
        return {"kind": "environment", "variable": origin.variable}
    if origin.file:
        return {"kind": "file", "file": origin.file, "line": origin.line}
    return {"kind": "default"}
