"""
Writes the reference pages that follow from the code: configuration.md and commands.md.

    python docs/generate.py            writes them
    python docs/generate.py --check    says which would change, and fails if any would
"""

import json
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from classbell.cli import app
from classbell.cli.exits import Exit
from classbell.cli.invocation import SHARED_PANEL
from classbell.settings import FileReference, HostSettings, InstitutionSettings, PrivateFile, Secret
from classbell.settings.effective import plain
from classbell.settings.values import Form

REFERENCE = Path(__file__).parent / "reference"
EXAMPLE = REFERENCE / "example"

PLAIN_FORMS = {
    bool: "`true` or `false`",
    int: "whole number",
    UUID: "GUID",
    Secret: "`{ file }`, `{ env }`, `{ credential }` or `{ prompt = true }`",
    PrivateFile: "`{ file }` or `{ credential }`",
    FileReference: "`{ file }`",
}

CONFIGURATION = """\
# Configuration

<!-- Written by docs/generate.py from the models of the settings. -->

Classbell reads one host file, `classbell.toml`, and one file for each institution, by default from `conf.d/` beside
it. Both are [TOML](https://toml.io). `classbell init` writes a first pair; `classbell config check` says all that is
wrong, each with file, line and the nearest name; `classbell config show --origin` shows every value in force and where
it came from; `classbell config schema` prints a JSON Schema with which editors complete keys. A
[complete example](example) holds every key of this page.

- A key that is not on this page is an error.
- Paths that are not absolute start at the file that names them.
- Durations are whole numbers with units: `30s`, `15m`, `26h`, `7d`, `2w`, `1h30m`. Zones are IANA names.
- Secrets have no literal form. A key or a password is named by its place: `{ file = "key.pem" }`, which other users of
  the computer must not be able to read; `{ env = "NAME" }`; `{ credential = "NAME" }`, which systemd hands over to a
  service (`LoadCredential=`); or `{ prompt = true }`, asked for at the terminal once per run. They are read afresh
  whenever they are needed. [Certificates and keys](../how-to/certificates.md) says when to use which.

## Environment

Every key can be set by an environment variable, which overrules the file: `CLASSBELL_` and the path in capitals, with
`__` between levels. `CLASSBELL_DATABASE__URL` is `url` under `[database]`. A key of an institution has its id in the
name, with underscores for hyphens: `CLASSBELL_INSTITUTIONS__EXAMPLE__WINDOW__PAST`. Entries of a list are counted from
0: `CLASSBELL_INSTITUTIONS__EXAMPLE__SOURCES__0__TIMEZONE`. Lists and tables are written as in TOML. A variable with
`__` that names no setting is an error.

`CLASSBELL_CONFIG` and `CLASSBELL_INSTITUTION` stand for the options `--config` and `--institution`.

The order is: option of the command line, environment, file, default.
"""

COMMANDS = """\
# Commands

<!-- Written by docs/generate.py from the command line itself. -->

Data go to stdout; progress, warnings and questions to stderr. There is no colour, bar or question unless a terminal is
there; every question has an option that answers it. Secrets are never taken as options.

With `--json`, stdout carries JSON only. A query answers with one object. Long work writes JSON lines: the first is
`{"type":"version","format":"1.0"}`, then come `progress`, `operation`, `diagnostic` and others, the last is
`{"type":"result","exit":N}`. An error is a `diagnostic` line with `severity`, `code`, `what`, `why`, `effect` and `do`;
problems of the configuration also have `hint`, `file`, `line` and `column`. Fields and types of line are only ever
added: ignore what you do not know.

The codes of errors are in [errors](errors.md).
"""


def main() -> int:
    """Write the pages, or compare them."""
    check = "--check" in sys.argv[1:]
    stale = [
        name for name, text in pages().items() if not check or (REFERENCE / name).read_text("utf-8") != text
    ]
    for name in stale:
        if check:
            print(f"docs/reference/{name} is out of date: python docs/generate.py")
        else:
            (REFERENCE / name).write_text(pages()[name], "utf-8")
    return 1 if check and stale else 0


def pages() -> dict[str, str]:
    """Each page by its file name."""
    return {"configuration.md": configuration_page(), "commands.md": commands_page()}


def configuration_page() -> str:
    """Every key, by file and table."""
    parts = [CONFIGURATION]
    for title, model, example in (
        ("The host file", HostSettings, EXAMPLE / "classbell.toml"),
        ("The file of an institution", InstitutionSettings, EXAMPLE / "conf.d" / "example.toml"),
    ):
        parts.append(f"## {title}\n")
        found = dict(tables(model, ""))
        sections = example_sections(example, {heading.replace("`", "") for heading in found})
        for heading, table in found.items():
            parts += [f"### {heading}\n" if heading else "", f"{doc(table)}\n", key_table(table)]
            parts.append(f"```toml\n{sections[heading.replace('`', '')]}\n```\n")
    return "\n".join(part for part in parts if part)


def tables(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """The model and all below it, each with its heading as a file writes it; the top one has none."""
    yield "", model
    yield from _below(model, path)


def _below(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        for inner, listed in models_in(field.annotation):
            if inner in PLAIN_FORMS:
                continue
            where = f"{path}{name}"
            kind = inner.model_fields.get("kind")
            named = f"[[{where}]]" if listed else f"[{where}]"
            yield f"`{named}`" + (f" of kind `{kind.default}`" if kind else ""), inner
            yield from _below(inner, f"{where}.")


def models_in(annotation: Any, *, listed: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """The models that a field holds, and whether in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, listed
        return
    listed = listed or typing.get_origin(annotation) is tuple
    for argument in typing.get_args(annotation):
        yield from models_in(argument, listed=listed)


def key_table(model: type[BaseModel]) -> str:
    """The keys of one table."""
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        key = field.alias or name
        meaning = " ".join((field.description or "").split())
        rows.append(f"| `{key}` | {form(field.annotation, field.metadata)} | {default(field)} | {meaning} |")
    return "\n".join(rows) + "\n"


def form(annotation: Any, metadata: typing.Sequence[Any] = ()) -> str:
    """How a value is written."""
    for each in metadata:
        if isinstance(each, Form):
            return each.words
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return form(arguments[0], arguments[1:])
    if origin is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin in {types.UnionType, typing.Union}:
        return ", or ".join(dict.fromkeys(form(each) for each in arguments if each is not type(None)))
    if origin is tuple:
        inner = form(arguments[0])
        return "tables" if inner == "table" else f"list of {inner}{'es' if inner.endswith('s') else 's'}"
    return PLAIN_FORMS.get(annotation, "table")


def default(field: FieldInfo) -> str:
    """What holds where the key is not there."""
    # Which kind a source is must be said, although each kind knows its own name.
    if field.is_required() or (field.description or "").startswith("Says that this source"):
        return "needed"
    if field.default_factory is not None or isinstance(field.default, BaseModel):
        return "its defaults"
    if field.default is None:
        return '`"none"`' if "none" in form(field.annotation, field.metadata) else ""
    return f"`{json.dumps(plain(field.default), ensure_ascii=False)}`"


def example_sections(path: Path, headings: set[str]) -> dict[str, str]:
    """The example, cut at the tables that have headings; tables that open again are one section."""
    sections: dict[str, str] = {}
    name = ""
    for block in re.split(r"^(?=\[)", path.read_text("utf-8"), flags=re.MULTILINE):
        header = block.partition("\n")[0] if block.startswith("[") else ""
        kind = re.search(r'^kind = "(\w+)"', block, re.MULTILINE)
        heading = f"{header} of kind {kind[1]}" if kind else header
        name = heading if heading in headings else name
        sections[name] = sections.get(name, "") + block
    return {name: re.sub(r"\A#.*\n", "", text).strip() for name, text in sections.items()}


def doc(model: type[BaseModel]) -> str:
    """What a model says of itself."""
    return " ".join((model.__doc__ or "").split())


def commands_page() -> str:
    """Every command with its options, and the exit codes."""
    root = typer.main.get_command(app)
    context = typer.Context(root, info_name="classbell")
    parts = [COMMANDS, "## Options of every command\n", "They stand before the command or after it.\n"]
    parts.append(option_table(one for one in root.params if panel(one) == SHARED_PANEL))
    for command, context_of in commands(root, context):
        parts.append(f"## `{context_of.command_path}`\n")
        usage = " ".join([context_of.command_path, *command.collect_usage_pieces(context_of)])
        parts.append(f"```\n{usage}\n```\n")
        parts.append(f"{paragraphs(command.help or '')}\n")
        own = [one for one in command.params if panel(one) != SHARED_PANEL]
        if own:
            parts.append(option_table(own))
    parts.append(exit_codes())
    return "\n".join(parts)


def commands(group: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Every command that does something, with its context."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = typer.Context(command, info_name=name, parent=context)
        if command.hidden:
            continue
        if hasattr(command, "list_commands"):
            yield from commands(command, inner)
        else:
            yield command, inner


def panel(parameter: Any) -> str | None:
    """The heading under which the help shows an option."""
    found: str | None = getattr(parameter, "rich_help_panel", None)
    return found


def option_table(options: Any) -> str:
    """Options and arguments with what they mean."""
    rows = ["| option | meaning |", "|---|---|"]
    for one in options:
        argument = one.param_type_name == "argument"
        names = [one.metavar or one.name.upper()] if argument else sorted(one.opts, key=len)
        value = "" if argument or one.is_flag else f" {one.metavar or one.name.upper()}"
        meaning = " ".join((one.help or "").split())
        if one.required and not argument:
            meaning = f"Required: {meaning[:1].lower()}{meaning[1:]}"
        rows.append(f"| {', '.join(f'`{name}{value}`' for name in names)} | {meaning} |")
    return "\n".join(rows) + "\n"


def paragraphs(text: str) -> str:
    """Help text with its lines joined."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def exit_codes() -> str:
    """What a script may conclude."""
    rows = [f"| {code.value} | {code.meaning} |" for code in Exit]
    intro = "Treat a code that is not here as a failure: new ones may come."
    return "\n".join(["## Exit codes\n", f"{intro}\n", "| code | meaning |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
