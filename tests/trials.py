"""
Our own suite under every value of the sandbox's switches: where nobody knows, we must be right either way.

With ``--each-switch`` a test runs under the defaults first, and what the sandbox asks of its switches meanwhile
is noted. Then it runs again under each other value of each switch that was asked, the others at their default.
A switch that was not asked cannot change a test, nor does one count that the test sets by itself, or on whose
default it stands by the mark ``stands_on``: it says what the service does, not what we make of it.

Nearly every test signs in before it comes to its subject. What can matter to the sign-in alone is therefore tried
once in each file, and in all tests of ``tests/identity``, whose subject it is. The same goes for what makes scenarios
wait: their commands do that in life.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

# Of each switch, every value that is not its default; of those that are numbers, a telling one.
OTHERS: dict[str, tuple[Any, ...]] = {
    "duplicate_transaction_status": (409,),
    "transaction_memory": (0.0, 300.0),
    "transaction_of_deleted": ("duplicate", "forgotten"),
    "post_echo_zone": ("request",),
    "items_in_deleted_items_by_immutable_id": (200,),
    "unscoped_events_span_calendars": (True,),
    "scoped_path_checks_calendar": (True,),
    "if_match_on_delete": (False,),
    "top_clamp": (2,),
    "read_only_properties": ("ignore",),
    "long_subject": ("cut",),
    "full_mailbox_status": (403,),
    "exceptions_survive_series_change": (True,),
    "occurrences_inherit_properties": (False,),
    "deleted_occurrence_status": (400,),
    "unsupported_view_filter_status": (400,),
    "duplicate_category_code": ("ErrorInvalidRequest",),
    "issuer_audience": (True,),
    "lookup_lag": (60.0,),
    "lookup_lag_spread": (True,),
    "lagging_lists": ("all",),
    "commit_bound": (60.0,),
    "mailbox_concurrency": ("soft",),
    "slot_held": (0.01,),
    "tenant_requests": (200.0,),
    "retry_after": ("absent", "decimal", "silly"),
    "stale_only_by_address": (False,),
    "outlook_rest": ("retired",),
    "outlook_batch_size": (10,),
    "outlook_concurrency": ("four",),
    "key_propagation": (60.0,),
    "access_policy_delay": (60.0,),
    "exchange_role_delay": (60.0,),
    "outside_exchange_scope": ("policy",),
    "no_roles_answer": ("401", "403"),
    "malformed_assertion_status": (400,),
    "scope_refusal": (70011,),
    "several_resources_error": ("invalid_request",),
    "missing_parameter_code": (90014,),
    "shared_endpoint_code": (50194,),
    "other_cloud_code": (900382, 900432),
    "ps256_proof": (True,),
    "null_keys_kept": (True,),
    "sign_in_limit": (100.0,),
    "sign_in_throttle_body": ("text",),
}

OF_SIGN_IN = frozenset(
    {
        "issuer_audience",
        "key_propagation",
        "malformed_assertion_status",
        "scope_refusal",
        "several_resources_error",
        "missing_parameter_code",
        "shared_endpoint_code",
        "other_cloud_code",
        "sign_in_limit",
        "sign_in_throttle_body",
    }
)

WAITED_FOR = frozenset({"tenant_requests"})
# A few milliseconds of a real clock: whether a request falls into them depends on how busy the machine is. The
# schedules of the simulation draw it, in virtual time.
OF_VIRTUAL_TIME = frozenset({"slot_held"})


class Trial:
    """One run of a test: the value that is tried, and what the sandbox asked and the test set meanwhile."""

    def __init__(self, name: str = "", value: Any = None) -> None:
        self.name = name
        self.value = value
        self.asked: set[str] = set()
        self.stated: set[str] = set()

    def __str__(self) -> str:
        return f"{self.name}={self.value}"

    @property
    def tried(self) -> dict[str, Any]:
        """The value that differs from its default; none in the first run."""
        return {self.name: self.value} if self.name else {}

    def further(self) -> Iterator["Trial"]:
        """A trial for each other value of what was asked and not set."""
        for name in sorted(self.asked - self.stated):
            for value in OTHERS[name]:
                yield Trial(name, value)


_present = Trial()
_had_their_turn: set[tuple[Path, str]] = set()


def present() -> Trial:
    """The trial of the test that runs now."""
    return _present


@contextmanager
def trying(trial: Trial) -> Iterator[Trial]:
    """Let all sandboxes of the block begin as a trial says."""
    global _present  # noqa: PLW0603 - sandboxes are made by fixtures, which know nothing of trials
    before, _present = _present, trial
    try:
        yield trial
    finally:
        _present = before


def run_trials(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run a test under the defaults, and where it passes under each other value that matters to it."""
    trials = deque([Trial()])
    while trials:
        with trying(trials.popleft()) as trial:
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
        for report in reports:
            if trial.name:
                # Its id has to stay: xdist knows no other.
                report.sections.append(("Tried switch", str(trial)))
            item.ihook.pytest_runtest_logreport(report=report)
        for mark in item.iter_markers("stands_on"):
            trial.stated.update(mark.args)
        if not trial.name and all(report.passed for report in reports):
            trials.extend(further for further in trial.further() if has_its_turn(further, item.path))


def has_its_turn(trial: Trial, file: Path) -> bool:
    """Whether a trial is worth while in a test of this file, after all that were tried there before."""
    if trial.name in OF_VIRTUAL_TIME:
        return False
    folder = file.parent.name
    once = OF_SIGN_IN if folder != "identity" else frozenset()
    if folder == "scenarios":
        once |= WAITED_FOR
    turn = (file, str(trial))
    if trial.name not in once:
        return True
    if turn in _had_their_turn:
        return False
    _had_their_turn.add(turn)
    return True
