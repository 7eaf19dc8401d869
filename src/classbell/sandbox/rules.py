"""Faults as data: what a file or the administrative API says about the requests that are to go wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from random import Random
from typing import Any, ClassVar, Literal

import msgspec

from classbell.sandbox.faults import Fault, Faults, RequestInfo


@dataclass(frozen=True, kw_only=True)
class Rule:
    """
    Which requests go wrong, how and how often. What is left empty matches everything.

    Texts match as a whole in any case, with ``*`` for any characters.

    Attributes:
        effect: as ``Faults.add`` takes it: ``503-before``, ``504-after``, ``drop-after`` ...
        kind: ``token``, ``discovery`` (what clients look up before), ``batch`` (the envelope), ``member`` (one
            request of a batch) or ``single``.
        method: such as POST.
        path: path and query as they were asked, below the version.
        tenant: the id of the tenant; at the token endpoint, as it stands in the path.
        app: the client id.
        mailbox: address or id, as it stands in the path.
        part: the id of a member within its batch.
        times: how often; 0 for ever.
        skip: so many matching requests are let pass first.
        share: of the matching requests, between 0 and 1.
        seed: of this rule's own draws; without it they come from the sandbox's.
        delay: seconds of the sandbox's clock, for effects that come late.
        retry_after: the content of ``Retry-After``; a number means seconds.
        code: of the error, where the usual one will not do.
        message: likewise.
    """

    effect: str | int
    kind: Literal["", "token", "discovery", "batch", "member", "single"] = ""
    method: str = ""
    path: str = ""
    tenant: str = ""
    app: str = ""
    mailbox: str = ""
    part: str = ""
    times: int = 1
    skip: int = 0
    share: float = 1.0
    seed: int | None = None
    delay: float = 0.0
    retry_after: int | float | str | None = None
    code: str | None = None
    message: str | None = None

    # A plain dictionary, so that nothing is imported for it: who sends an unknown member is told so.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    @cached_property
    def patterns(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """What a request must match: names of its members with a pattern each."""
        named = ("kind", "method", "path", "tenant", "app", "mailbox", "part")
        return tuple((name, _pattern(getattr(self, name))) for name in named if getattr(self, name))

    def told(self) -> dict[str, Any]:
        """What was said, without what was left at its default."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != each.default
        }


@dataclass
class Script:
    """A rule at work: how many requests it has let pass, and its own draws."""

    rule: Rule
    _passed: int = 0
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = Random(self.rule.seed)  # noqa: S311 - reproducible on purpose

    def __call__(self, info: RequestInfo) -> bool:
        """Whether this request is to go wrong."""
        rule = self.rule
        if not all(pattern.fullmatch(str(getattr(info, name))) for name, pattern in rule.patterns):
            return False
        if self._passed < rule.skip:
            self._passed += 1
            return False
        return rule.seed is None or self._random.random() < rule.share


def rule_of(told: Mapping[str, Any]) -> Rule:
    """
    The rule that a table of a file describes.

    Raises:
        ValueError: it says something unknown, or of the wrong type.
    """
    unknown = told.keys() - {each.name for each in fields(Rule)}
    if unknown:
        raise ValueError(f"a fault has no {min(unknown)!r}")
    return msgspec.convert(told, Rule)


def add_rule(faults: Faults, rule: Rule) -> Fault:
    """
    Let the requests of a rule go wrong from now on.

    Raises:
        ValueError: there is no such effect, or a number is out of its range.
    """
    if not 0 <= rule.share <= 1 or rule.times < 0 or rule.skip < 0 or rule.delay < 0:
        raise ValueError("share lies between 0 and 1; times, skip and delay are not negative")
    return faults.add(
        Script(rule),
        rule.effect,
        times=rule.times or None,
        retry_after=rule.retry_after,
        code=rule.code,
        message=rule.message,
        share=1.0 if rule.seed is not None else rule.share,
        delay=rule.delay,
    )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.IGNORECASE | re.DOTALL)
