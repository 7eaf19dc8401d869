"""Where a value came from, and what is wrong with it: one problem for one cause, with its place and a hint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from classbell.errors import ClassbellError, ConfigurationError, sentence

KeyPath = tuple[str | int, ...]


def dotted(path: KeyPath) -> str:
    """A path as people write it; entries of lists are counted from 0: ``sources.0.name``."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A place in a file, an environment variable, or (with neither) the default."""

    file: str = ""
    line: int = 0
    column: int = 0
    variable: str = ""

    def __str__(self) -> str:
        if self.variable:
            return f"environment {self.variable}"
        if not self.file:
            return "default"
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, or (in warnings) unlikely to be meant. ``hint`` is the next step."""

    code: str
    origin: Origin
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.origin}: {self.text}" + (f"   {self.hint}" if self.hint else "")


def problem_of(error: ClassbellError, origin: Origin) -> Problem:
    """An error that a value of the configuration led to, as a problem of the place where it stands."""
    return Problem(code=error.code, origin=origin, text=error.what, hint=sentence(error.do))


class InvalidConfiguration(ConfigurationError):
    """A configuration with all its problems. Its own code is that of the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        others = f"   (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            problems[0].code, f"{problems[0]}{others}", do="correct it, then: classbell config check"
        )
        self.problems = tuple(problems)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that *word* may have been meant to be, or nothing."""
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.6)), "")


def did_you_mean(word: str) -> str:
    """The hint for a near word; nothing for nothing."""
    return f'Did you mean "{word}"?' if word else ""
