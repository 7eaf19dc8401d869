"""Bugs where much fails: what counts as a failure, how an institution gets into quarantine, and out of it."""

from tests.planted.bug import Bug

_QUARANTINE = "tests/scenarios/test_quarantine.py"
_RESTORED = "tests/scenarios/test_restored.py"
_UNSHOWN = f"{_QUARANTINE}::TestNothingShown"

BUGS = (
    Bug(
        name="patience-is-failure",
        rule="To be asked for patience is no failure, for whomever it is asked.",
        file="deliver/charge.py",
        lines='_PATIENCE = frozenset({"E-GRAPH-429", "E-GRAPH-BUSY", "E-GRAPH-UNSENT", "E-UNKNOWN-ABSENT"})',
        instead='_PATIENCE = frozenset({"E-GRAPH-429"})',
        found_by=(f"{_QUARANTINE}::test_that_microsoft_asks_the_application_for_patience_is_no_failure",),
    ),
    Bug(
        name="unready-uncounted",
        rule="What fails in preparation counts as what fails in writing.",
        file="deliver/prepare.py",
        lines="self.failed[change.mailbox.id] = failure.code",
        instead="self.failed.clear()",
        found_by=(f"{_QUARANTINE}::TestPreparation::test_calendars_that_cannot_be_made_anywhere_stop_it",),
    ),
    Bug(
        name="quarantine-ends-untried",
        rule="Quarantine ends by a success, not for want of a failure.",
        file="quarantine.py",
        lines="if not tally.interrupted and (tally.done.total() or asked):",
        instead="if not tally.interrupted and not tally.failed:",
        found_by=(
            f"{_UNSHOWN}::test_a_run_with_nothing_to_try_does_not_end_it",
            f"{_UNSHOWN}::test_nor_does_asking_for_somebody_who_is_paused",
        ),
    ),
    Bug(
        name="token-ends-every-quarantine",
        rule="That we get a token does not show that a mailbox is open to us.",
        file="quarantine.py",
        lines="return code not in {TOO_MANY, _NO_MAILBOX_OPEN}",
        instead="return code != TOO_MANY",
        found_by=(f"{_UNSHOWN}::test_where_microsoft_opens_no_mailbox_a_token_alone_does_not_end_it",),
    ),
    Bug(
        name="probe-of-nothing-goes-on",
        rule="After a probe that carried out nothing all others are left in peace.",
        file="quarantine.py",
        lines="if first.failed or first.interrupted or not first.done.total():",
        instead="if first.failed or first.interrupted:",
        found_by=(f"{_UNSHOWN}::test_a_probe_that_is_put_off_puts_off_all_others",),
    ),
    Bug(
        name="probe-behind-the-gate",
        rule="A mailbox is probed in which something may be written.",
        file="ledger/quarantines.py",
        lines="OPEN_GATE,",
        instead="change.c.id > 0,",
        found_by=(
            "tests/contract/ledger/test_quarantines.py::test_no_mailbox_is_probed_where_nothing_is_wanted",
            f"{_UNSHOWN}::test_a_probe_goes_to_one_mailbox_though_the_first_that_is_due_is_paused",
        ),
    ),
    Bug(
        name="idle-run-signs-in-nowhere",
        rule="A refused sign-in is asked about by each run.",
        file="run.py",
        lines="access = await self._access(signed_in=bool(due or await ledger.quarantine.standing()))",
        instead="access = await self._access(signed_in=bool(due))",
        found_by=(f"{_UNSHOWN}::test_a_refused_sign_in_is_over_only_once_a_run_has_signed_in",),
    ),
    Bug(
        name="departure-in-quarantine",
        rule="In quarantine the deletes of a departure wait.",
        file="leaving.py",
        lines="deliverable = farewell.left.deletes and barred is None",
        instead="deliverable = farewell.left.deletes",
        found_by=(f"{_QUARANTINE}::TestLeaving::test_a_departure_is_accepted_and_its_deletes_wait",),
    ),
    Bug(
        name="restored-in-quarantine",
        rule="A restoration is admitted by the quarantine as a run is.",
        file="restoration.py",
        lines="probing = await quarantine.admit(clock.now())",
        instead="probing = False",
        found_by=(
            f"{_RESTORED}::test_in_quarantine_nothing_is_put_back_before_a_probe_is_due_and_then_in_one_mailbox_first",
        ),
    ),
    Bug(
        name="restored-whatever-fails",
        rule="A restoration stops where too much fails.",
        file="restoration.py",
        lines="quarantine.limited(charge),",
        instead="charge,",
        found_by=(f"{_RESTORED}::test_too_many_failures_stop_a_restoration",),
    ),
    Bug(
        name="token-never-blamed",
        rule="A 403 that names no code may be the token's: it is asked again once under a fresh one.",
        file="outlook/client.py",
        lines="return answer.status == _FORBIDDEN and not answer.code",
        instead="return False",
        found_by=(
            "tests/outlook/test_refused_tokens.py::test_a_403_that_names_no_code_is_asked_once_more_under_a_fresh_token",
        ),
    ),
)
