"""Errors in words for people, or as a line of JSON for programs; and the exit code they lead to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from classbell.cli.exits import Exit
from classbell.errors import ClassbellError

if TYPE_CHECKING:
    from classbell.cli.output import Output
    from classbell.settings import Problem


def report(error: ClassbellError, output: "Output") -> int:
    """Print an error once, and say with which code to end."""
    if output.as_json:
        for fields in diagnostics(error):
            output.event("diagnostic", severity="error", **fields)
    else:
        output.error("\n".join(lines(error)))
    return error.exit_code


def warn(error: ClassbellError, output: "Output", **fields: Any) -> None:
    """Print an error that does not end the command: it stops a part of the work, and the rest goes on."""
    if output.as_json:
        for told in diagnostics(error):
            output.event("diagnostic", severity="warning", **told, **fields)
    else:
        output.error("\n".join(lines(error)))


def tell_doubt(error: ClassbellError, output: "Output") -> None:
    """Say, before the answer to a query or under ``ledger`` in it, why nothing may be delivered by this ledger."""
    if output.as_json:
        output.add_to_answer("ledger", error_fields(error))
    else:
        output.error("\n".join(lines(error)))


def pass_over(error: ClassbellError, output: "Output") -> None:
    """
    Print an error that keeps one part of the work from being done at all; the command ends as it would by it.

    Where JSON is one answer, that says it under ``passed_over``.
    """
    if output.passed_over:
        return
    output.passed_over = error.exit_code
    if output.as_json and not output.is_stream:
        output.add_to_answer("passed_over", list(diagnostics(error)))
    elif output.as_json:
        for fields in diagnostics(error):
            output.event("diagnostic", severity="error", **fields)
    else:
        output.error("\n".join(lines(error)))


def lines(error: ClassbellError) -> Iterator[str]:
    """What happened, then why, what it means, and what to do, as far as they are known."""
    problems = _problems(error)
    for problem in problems:
        yield f"{problem.code}  {problem}"
    if not problems:
        yield f"{error.code}  {error.what}" + (f"  [{error.origin}]" if error.origin else "")
    for label, text in (("Why:", error.why), ("Effect:", error.effect), ("Do:", error.do)):
        if text:
            yield f"  {label:<8}{text}"


def diagnostics(error: ClassbellError) -> Iterator[dict[str, Any]]:
    """The fields of each ``diagnostic`` line: one for each problem of a configuration, else one."""
    rest = {"why": error.why, "effect": error.effect, "do": error.do}
    problems = _problems(error)
    for problem in problems:
        yield {**problem_fields(problem), **rest}
    if not problems:
        yield error_fields(error)


def error_fields(error: ClassbellError) -> dict[str, str]:
    """An error as JSON fields."""
    return {
        "code": error.code,
        "what": error.what,
        "why": error.why,
        "effect": error.effect,
        "do": error.do,
        "origin": error.origin,
    }


def problem_fields(problem: "Problem") -> dict[str, Any]:
    """A problem of the configuration as JSON fields."""
    origin = problem.origin
    place = {"file": origin.file, "line": origin.line, "column": origin.column, "variable": origin.variable}
    known = {name: value for name, value in place.items() if value}
    return {"code": problem.code, "what": problem.text, "hint": problem.hint, **known}


def usage(message: str, command: str, output: "Output") -> int:
    """Report a command line that makes no sense."""
    # A group of commands alone is refused without a word.
    message = message.replace("Value error, ", "") or "A command must follow."
    do = f"{command} --help"
    if output.as_json:
        output.event("diagnostic", severity="error", code="E-USAGE", what=message, why="", effect="", do=do)
    else:
        output.error(f"E-USAGE  {message}\n  Do:     {do}")
    return Exit.USAGE


def fault(error: Exception, output: "Output", *, details: bool) -> int:
    """Report an exception that nobody foresaw: a fault of ours."""
    if details:
        import traceback  # noqa: PLC0415 (only needed here)

        output.error("".join(traceback.format_exception(error)).rstrip())
    return report(
        ClassbellError(
            "E-FAULT",
            f"Classbell met a fault of its own ({type(error).__name__}).",
            why="unknown.",
            effect="what was done until then is remembered; nothing is lost.",
            do="repeat the command with -v, and report what it prints.",
        ),
        output,
    )


def _problems(error: ClassbellError) -> tuple["Problem", ...]:
    # Not by its type: importing settings for each error would slow down all commands.
    found: tuple[Problem, ...] = getattr(error, "problems", ())
    return found
