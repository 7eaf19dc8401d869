"""What a check has found: a value with its state, the reason, and the next step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from classbell.errors import ClassbellError


class State(StrEnum):
    """
    How it stands with what was checked.

    ok: proven. warning: it works, but somebody should know. failure: it does not work, or must not be so.
    untried: nothing was proven, because something that it rests on has failed.
    """

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"
    UNTRIED = "untried"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """
    One finding.

    Attributes:
        check: the name of the check.
        state: how it stands.
        what: one line, what was found.
        institution: whose it is; "" where it concerns the whole installation.
        code: the error or warning code; "" if all is well.
        why: the cause, where it is known.
        do: the exact next step.
        exit_code: of a failure, the code with which the command should end; else 0.
        details: the same for programs: names and numbers, never a secret.
    """

    check: str
    state: State
    what: str
    institution: str = ""
    code: str = ""
    why: str = ""
    do: str = ""
    exit_code: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def ok(cls, check: str, what: str, **details: Any) -> Self:
        """All is well."""
        return cls(check=check, state=State.OK, what=what, details=details)

    @classmethod
    def warning(
        cls, check: str, code: str, what: str, *, why: str = "", do: str = "", **details: Any
    ) -> Self:
        """It works, but somebody should know."""
        return cls(check=check, state=State.WARNING, what=what, code=code, why=why, do=do, details=details)

    @classmethod
    def failure(
        cls, check: str, error: ClassbellError, *, state: State = State.FAILURE, **details: Any
    ) -> Self:
        """What *error* says; with another *state*, where the work goes on all the same."""
        origin = {"origin": error.origin} if error.origin else {}
        return cls(
            check=check,
            state=state,
            what=error.what,
            code=error.code,
            why=error.why,
            do=error.do,
            exit_code=error.exit_code if state is State.FAILURE else 0,
            details={**details, **origin},
        )

    @classmethod
    def untried(cls, check: str, because: str, **details: Any) -> Self:
        """Nothing was proven; *because* is the rest of the sentence."""
        return cls(check=check, state=State.UNTRIED, what=f"not tried, because {because}", details=details)

    def as_json(self) -> dict[str, Any]:
        """The fields of the JSON form; they are only ever added to."""
        return {
            "check": self.check,
            "state": self.state.value,
            "institution": self.institution,
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "do": self.do,
            "details": dict(self.details),
        }
