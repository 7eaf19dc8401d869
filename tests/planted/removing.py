"""Bugs in removing and putting back: Deleted Items, lost deletions, departures, restorations."""

from tests.planted.bug import Bug

BUGS = (
    Bug(
        name="delete-repeated-blindly",
        rule="Before an unknown delete is repeated, its event is looked for: in Deleted Items it would be gone for good.",
        file="deliver/write.py",
        lines="unsure = change.action is Action.DELETE and change.state is ChangeState.UNKNOWN",
        instead="unsure = change.action is Action.CREATE and change.state is ChangeState.UNKNOWN",
        found_by=(
            "tests/deliver/test_uncertain.py::test_a_delete_whose_answer_was_lost_leaves_its_event_in_deleted_items",
        ),
    ),
    Bug(
        name="wanted-again-deleted",
        rule="What may have been deleted, and is wanted again, is not deleted a second time.",
        file="ledger/giving_way.py",
        lines="wanted = (row.mailbox_id, row.meeting_id) in accepted.wanted_again",
        instead="wanted = row.mailbox_id < 0",
        found_by=(
            "tests/deliver/test_uncertain.py::test_what_may_have_been_deleted_and_is_wanted_again_is_not_deleted_a_second_time",
        ),
    ),
    Bug(
        name="unapplied-source-deletes",
        rule="Of a source that is not applied nothing goes, not even what waited.",
        file="ledger/giving_way.py",
        lines="return not (accepted.is_of_now and row.action == Action.DELETE)",
        instead="return True",
        found_by=(
            "tests/scenarios/test_holds.py::test_a_source_that_is_not_applied_deletes_nothing_that_waited_either",
        ),
    ),
    Bug(
        name="restoration-carries-on",
        rule="Who puts something back carries out nothing else that is open.",
        file="restoration.py",
        lines="                run=accepted.run_id,",
        instead="                run=None,",
        found_by=(
            "tests/scenarios/test_restored.py::test_what_a_run_was_still_to_delete_stays_when_it_is_taken_back",
        ),
    ),
    Bug(
        name="saved-plan-does-more",
        rule="A saved plan does what is in it, and nothing that was open before.",
        file="run.py",
        lines="run=accepted.run_id if review.saved else None,",
        instead="run=None,",
        found_by=(
            "tests/scenarios/test_saved_plans.py::test_nothing_that_was_open_before_is_carried_out_with_a_saved_plan",
        ),
    ),
    Bug(
        name="deleted-items-emptied",
        rule="An event is deleted only where it still stands in a calendar.",
        file="deliver/write.py",
        lines="renewed = [place for place, outcome in enumerate(outcomes) if outcome.became is Became.RENEWED]",
        instead="""renewed = [
            place
            for place, outcome in enumerate(outcomes)
            if outcome.became is Became.RENEWED and outcome.change.action is Action.UPDATE
        ]""",
        found_by=(
            "tests/deliver/test_uncertain.py::test_an_event_that_its_owner_removed_before_us_stays_in_their_deleted_items",
        ),
    ),
    Bug(
        name="reset-unasked",
        rule="What somebody has changed in their calendar is written over only after a yes.",
        file="cli/running.py",
        lines="if wish.yes or (wish.person is not None and not wish.show and not wish.reset):",
        instead="if wish.yes or (wish.person is not None and not wish.show):",
        found_by=(
            "tests/scenarios/test_leaving.py::TestReset::test_edits_deletions_and_a_deleted_calendar_are_undone",
        ),
    ),
    Bug(
        name="missing-told-once",
        rule="What is missing goes on being told until it is put right.",
        file="cli/gone.py",
        lines="missing=len(missing) + len(verdict.missing - pairs),",
        instead="missing=len(verdict.missing),",
        found_by=("tests/scenarios/test_wishes.py::test_what_is_missing_is_told_until_it_is_put_right",),
    ),
    Bug(
        name="lost-delete-is-the-owners",
        rule="What was deleted by a request whose answer was lost can be put back.",
        file="deliver/settle.py",
        lines="if change.state is ChangeState.UNKNOWN:",
        instead="if change.attempts < 0:",
        found_by=(
            "tests/deliver/test_uncertain.py::test_a_delete_whose_answer_was_lost_leaves_its_event_in_deleted_items",
        ),
    ),
    Bug(
        name="put-back-and-unprotected",
        rule="What was put back stays until a timetable names it or somebody agrees that it goes.",
        file="restoration.py",
        lines="await ledger.restoring.protect([*pairs, *found.open], now)",
        instead="await ledger.restoring.protect([], now)",
        found_by=(
            "tests/scenarios/test_restored.py::test_what_was_put_back_stays_until_somebody_agrees_that_it_goes",
        ),
    ),
    Bug(
        name="put-back-elsewhere",
        rule="What is put back comes into the calendar in which it stood.",
        file="restoration.py",
        lines='calendar=np.fromiter((calendars.index(one.calendar or "") for one in events), np.int16, count),',
        instead="calendar=np.zeros(count, dtype=np.int16),",
        found_by=(
            "tests/scenarios/test_restored.py::test_what_stood_in_a_calendar_of_its_own_comes_back_there",
        ),
    ),
    Bug(
        name="uncertain-given-up",
        rule="Whoever leaves gives up what is open, but not a create of which nobody knows what became of it.",
        file="ledger/leaving.py",
        lines="update(change).where(self._open(number), ~_uncertain()).values(state=ChangeState.SUPERSEDED)",
        instead="update(change).where(self._open(number)).values(state=ChangeState.SUPERSEDED)",
        found_by=(
            "tests/contract/ledger/test_leaving.py::test_what_was_open_gives_way_but_not_a_create_of_which_nobody_knows",
        ),
    ),
    Bug(
        name="departures-uncounted",
        rule="What goes with whoever leaves counts for the day.",
        file="ledger/deletes.py",
        lines=""".where(_MINE, IS_DELETE, change.c.finished_at >= bindparam("moment"), change.c.state == ChangeState.DONE)
    .group_by(change.c.mailbox_id, change.c.meeting_id)""",
        instead=""".where(_MINE, IS_DELETE, change.c.finished_at >= bindparam("moment"), change.c.state == ChangeState.DONE)
    .where(change.c.mailbox_id.not_in(UNLINKED))
    .group_by(change.c.mailbox_id, change.c.meeting_id)""",
        found_by=(
            "tests/contract/ledger/test_leaving.py::test_what_goes_with_who_leaves_counts_for_the_day",
        ),
    ),
    Bug(
        name="departure-unwitnessed",
        rule="A departure is witnessed before any request of it.",
        file="leaving.py",
        lines="office.witness.bear(accepted.revision)",
        instead="office.witness.known()",
        found_by=(
            "tests/scenarios/test_lost_ledger.py::test_what_is_no_run_of_timetables_is_witnessed_before_it_is_sent_as_well",
        ),
    ),
    Bug(
        name="restoration-unwitnessed",
        rule="What is put back is witnessed before any request of it.",
        file="restoration.py",
        lines="office.witness.bear(accepted.revision)",
        instead="office.witness.known()",
        found_by=(
            "tests/scenarios/test_lost_ledger.py::test_what_is_no_run_of_timetables_is_witnessed_before_it_is_sent_as_well",
        ),
    ),
)
