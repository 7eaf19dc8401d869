"""``classbell setup --answer``: the ids of the registered application, taken into the configuration."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from classbell.cli.invocation import Invocation
from classbell.cli.output import Output
from classbell.errors import ConfigurationError
from classbell.settings import Draft
from classbell.settings.origins import did_you_mean, nearest
from classbell.setup import Change, amended, parse_answer
from classbell.setup.answers import KEYS

# More than any form or mail has.
_LONGEST_ANSWER = 1_000_000


def take(invocation: Invocation, draft: Draft, answers: Sequence[str], *, yes: bool) -> None:
    """
    Take ids into the file of an institution.

    Raises:
        ConfigurationError: ``E-SETUP-ANSWER``, ``E-SETUP-FILE``, ``E-SETUP-WRITE``, ``E-ASK``; nothing was changed.
    """
    ids = parse_answer("\n".join(_text_of(each) for each in answers))
    path = draft.path.resolve()
    content, changes = amended(invocation.files.read(path), str(draft.path), ids)
    output = invocation.output
    for change in changes:
        output.line(f"{change.key:<22}  {change.old or '(not known)'} -> {change.new}")
    replaced = [change for change in changes if change.old]
    if replaced and not yes:
        names = " and ".join(change.key for change in replaced)
        question = f"Replace {names} of {draft.settings.name} in {draft.path}?"
        if not output.confirm(question, flag="--yes"):
            output.note("Nothing was changed.")
            output.answer(_told(draft, changes, written=False))
            return
    if changes:
        _replace(path, content, invocation)
        output.line(f"wrote {draft.path}")
        output.note("Next: classbell config check")
    else:
        output.line(f"{draft.path} has these ids already.")
    _warn_of_variables(draft, ids, output)
    output.answer(_told(draft, changes, written=bool(changes)))


def _warn_of_variables(draft: Draft, ids: Mapping[str, str], output: Output) -> None:
    """What the file says of an id does not count where the environment says something else."""
    for key, new in ids.items():
        variable = draft.variables.get(("tenant", key)) or draft.variables.get(("tenant",))
        if variable is not None and getattr(draft.settings.tenant, key) not in {None, new}:
            output.warning(
                "W-SETUP-ENV",
                f"The environment variable {variable} overrules {key} of the file.",
                do=f"take {variable} out of the environment, or set it to the same id.",
            )


def _told(draft: Draft, changes: Sequence[Change], *, written: bool) -> dict[str, object]:
    return {
        "institution": draft.settings.id,
        "file": str(draft.path),
        "changes": [{"key": each.key, "old": each.old or None, "new": each.new} for each in changes],
        "written": written,
    }


def _text_of(answer: str) -> str:
    try:
        if "=" in answer and not Path(answer).is_file():
            _demand_known(answer)
            return answer
    except OSError:
        return answer  # a whole form, too long for the name of a file
    try:
        content = sys.stdin.read(_LONGEST_ANSWER) if answer == "-" else _decoded(Path(answer))
    except OSError as error:
        raise ConfigurationError(
            "E-SETUP-ANSWER",
            f"The answer {answer} cannot be read.",
            why=f"{error.strerror or type(error).__name__}.",
            effect="nothing was changed.",
            do="name the file, - for standard input, or give an id as in client_id=ID.",
        ) from error
    return content


def _demand_known(answer: str) -> None:
    """
    Let pass what names an id; a whole form may hold other lines too.

    Raises:
        ConfigurationError: ``E-SETUP-ANSWER``.
    """
    key = answer.partition("=")[0].strip()
    if "\n" in answer or key in KEYS:
        return
    raise ConfigurationError(
        "E-SETUP-ANSWER",
        f'"{key}" is no id that is taken in.   {did_you_mean(nearest(key, KEYS))}'.rstrip(),
        why=f"there are: {', '.join(KEYS)}.",
        effect="nothing was changed.",
        do="name one of them, as in client_id=ID.",
    )


def _decoded(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_LONGEST_ANSWER)
    # Windows saves text in either; what is in neither has no id in it that could be read.
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return content.decode(encoding, "replace")


def _replace(path: Path, content: bytes, invocation: Invocation) -> None:
    try:
        invocation.files.rewrite(path, content)
    except OSError as error:
        raise ConfigurationError(
            "E-SETUP-WRITE",
            f"{path} cannot be written.",
            why=f"{error.strerror or type(error).__name__}.",
            do="run the command from an account that may write there.",
        ) from error
