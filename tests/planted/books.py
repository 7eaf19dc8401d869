"""Bugs in the books: institutions apart, two processes, the witness, rebuilding, and who wants nothing."""

from tests.planted.bug import Bug

_PAUSED_AMID = (
    "tests/deliver/test_delivery.py::test_who_is_paused_amid_a_delivery_is_left_out_and_all_others_are_served"
)

BUGS = (
    Bug(
        name="institution-forgotten-in-due",
        rule="No institution delivers the changes of another.",
        file="ledger/changes.py",
        lines="_DOABLE: ColumnElement[bool] = _MINE & IS_DUE & OPEN_GATE",
        instead="_DOABLE: ColumnElement[bool] = IS_DUE & OPEN_GATE",
        found_by=(
            "tests/contract/ledger/test_apart.py::test_institutions_that_use_the_same_words_live_side_by_side",
        ),
        schedules=6,
    ),
    Bug(
        name="institution-forgotten-in-intents",
        rule="A change of another institution cannot be sent.",
        file="ledger/changes.py",
        lines='.where(change.c.id == bindparam("number"), change.c.institution_id == bindparam("mine"), IS_DUE)',
        instead='.where(change.c.id == bindparam("number"), bindparam("mine") > 0, IS_DUE)',
        found_by=(
            "tests/contract/ledger/test_apart.py::test_a_change_of_another_institution_cannot_be_sent",
        ),
    ),
    Bug(
        name="gate-asked-once",
        rule="What was read before a pause is not sent after it.",
        file="ledger/changes.py",
        lines=".where(STILL_WANTED)",
        instead=".where(IS_DUE)",
        found_by=(
            "tests/contract/ledger/test_two_processes.py::test_what_was_read_before_its_person_was_suspended_is_not_sent",
        ),
    ),
    Bug(
        name="paused-sent-all-the-same",
        rule="What was paused amid a delivery is not sent.",
        file="deliver/write.py",
        lines="changes, requests = self._without_paused(changes, requests, paused)",
        instead="self._without_paused(changes, requests, paused)",
        found_by=(_PAUSED_AMID,),
    ),
    Bug(
        name="pause-ends-a-run",
        rule="A pause of one person keeps nobody else waiting, also amid a delivery.",
        file="ledger/changes.py",
        lines="if missed != len(paused):",
        instead="if missed:",
        found_by=(_PAUSED_AMID,),
    ),
    Bug(
        name="outlived-deletes-go",
        rule="What has ended is not deleted, however long its deletion waited.",
        file="ledger/gate.py",
        lines='& (change.c.ends_at <= bindparam("now"))',
        instead='& (change.c.ends_at <= 0 * bindparam("now"))',
        found_by=(
            "tests/contract/ledger/test_changes.py::test_a_delete_that_waited_until_its_event_had_ended_is_given_up",
        ),
    ),
    Bug(
        name="outlived-amid-a-delivery",
        rule="What ends while its deletion waits within a delivery is not deleted.",
        file="deliver/write.py",
        lines="changes = await self._without_ended(changes, began)",
        instead="changes = list(changes)",
        found_by=(
            "tests/deliver/test_intents.py::test_what_ends_while_its_deletion_waits_for_the_service_stays",
        ),
    ),
    Bug(
        name="outlived-departures-stay",
        rule="What was approved with a departure goes, also what has ended.",
        file="ledger/gate.py",
        lines="& ~GOES_IN_LEAVING",
        instead="& (change.c.id > 0)",
        found_by=(
            "tests/contract/ledger/test_leaving.py::test_what_has_ended_goes_as_well_if_that_was_approved",
        ),
    ),
    Bug(
        name="wishes-forgotten-in-a-rebuild",
        rule="What its owner has deleted stays deleted where that is respected.",
        file="ledger/rebuilding.py",
        lines="keep_wishes(connection, removed, now)",
        instead="keep_wishes(connection, [], now)",
        found_by=(
            "tests/verify/test_rebuild.py::test_what_its_owner_deleted_stays_deleted_where_the_ledger_was_sound",
        ),
    ),
    Bug(
        name="institution-forgotten-in-postponing",
        rule="A number gone astray touches nothing of another institution.",
        file="ledger/changes.py",
        lines="""_POSTPONE = (
    update(change)
    .where(
        _MINE,""",
        instead="""_POSTPONE = (
    update(change)
    .where(""",
        found_by=(
            "tests/contract/ledger/test_apart.py::test_a_number_of_another_institution_touches_nothing",
        ),
    ),
    Bug(
        name="institution-forgotten-in-giving-way",
        rule="A plan leaves the open changes of other institutions.",
        file="ledger/giving_way.py",
        lines="""_MINE,
        IS_OPEN,
        _NEVER_SENT,""",
        instead="""IS_OPEN,
        _NEVER_SENT,""",
        found_by=(
            "tests/contract/ledger/test_apart.py::test_a_plan_of_one_institution_leaves_the_open_changes_of_others",
        ),
    ),
    Bug(
        name="institution-forgotten-in-holds",
        rule="No institution sees or decides what another holds.",
        file="ledger/holds.py",
        lines="_ALL_LIVE = select(hold).where(_MINE, among(hold.c.state, _LIVE)).order_by(hold.c.id)",
        instead="_ALL_LIVE = select(hold).where(among(hold.c.state, _LIVE)).order_by(hold.c.id)",
        found_by=(
            "tests/contract/ledger/test_holds.py::test_no_institution_sees_or_decides_what_another_holds",
        ),
    ),
    Bug(
        name="overtaken-plan-accepted",
        rule="A plan is accepted only if no other was since it was made.",
        file="ledger/acceptance.py",
        lines="if overtaken(connection, self._institution_id, accepted.basis, saved=bool(accepted.saved_plan)):",
        instead="if accepted.basis == -1:",
        found_by=(
            "tests/contract/ledger/test_two_processes.py::test_a_plan_that_another_one_has_overtaken_is_not_accepted",
        ),
    ),
    Bug(
        name="recorded-since-is-gone",
        rule="What was recorded since a rebuild looked is not taken for gone.",
        file="ledger/rebuilding.py",
        lines="changed = {one.mailbox.id for one in rebuilt if _known(connection, one.mailbox.id) != one.known}",
        instead="changed: set[int] = set()",
        found_by=(
            "tests/contract/ledger/test_sightings.py::test_what_was_recorded_since_a_rebuild_looked_is_not_taken_for_gone",
        ),
    ),
    Bug(
        name="created-beside-delivered",
        rule="Nothing is created that another process has delivered since.",
        file="ledger/acceptance.py",
        lines="            ~_DELIVERED, ~_HELD_THERE",
        instead="            ~_HELD_THERE",
        found_by=(
            "tests/contract/ledger/test_two_processes.py::test_what_was_delivered_since_a_plan_was_made_is_not_created_again",
        ),
    ),
    Bug(
        name="lease-not-taken",
        rule="One process at a time plans and delivers.",
        file="lease.py",
        lines="lock.acquire()",
        instead="lock.is_locked",
        found_by=("tests/unit/test_lease.py::test_only_one_at_a_time_holds_it",),
    ),
    Bug(
        name="witness-not-written",
        rule="A revision is witnessed before any request of it.",
        file="run.py",
        lines="office.witness.bear(accepted.revision)",
        instead="office.witness.known()",
        found_by=(
            "tests/scenarios/test_lost_ledger.py::test_an_older_copy_of_the_database_is_refused_until_the_newest_is_back",
        ),
    ),
    Bug(
        name="old-ledger-believed",
        rule="A ledger older than its witness is not believed.",
        file="witness.py",
        lines="if statement.revision > revision:",
        instead="if statement.revision < 0:",
        found_by=("tests/unit/test_witness.py::test_a_ledger_older_than_its_witness_is_held",),
    ),
    Bug(
        name="packed-rows-trusted",
        rule="No packed row is wrong and trusted.",
        file="ledger/outcomes.py",
        lines="mark_stale(connection, institution_id, {o.change.mailbox.id for o in (*done, *again, *left)})",
        instead="mark_stale(connection, institution_id, {o.change.mailbox.id for o in left})",
        found_by=(
            "tests/contract/ledger/test_packed.py::test_a_mailbox_is_stale_from_the_moment_its_rows_change_until_it_is_packed",
        ),
    ),
    Bug(
        name="rebuild-takes-copies",
        rule="A rebuild adopts only what was made when its mark says.",
        file="verify/adoption.py",
        lines="elif not made_in_time(bearers[0][1], bound):",
        instead="elif bound < 0:",
        found_by=("tests/verify/test_rebuild.py::test_a_copy_whose_original_is_gone_is_its_owners",),
    ),
    Bug(
        name="rebuild-takes-one-of-two",
        rule="Of two that bear one mark a rebuild takes none.",
        file="verify/adoption.py",
        lines="elif len(bearers) > 1:",
        instead="elif not bearers:",
        found_by=(
            "tests/verify/test_rebuild.py::test_of_two_that_bear_one_mark_none_is_taken_and_no_third_is_made",
        ),
    ),
    Bug(
        name="rebuild-in-haste",
        rule="A rebuild waits until nothing sent before can come to light.",
        file="verify/rebuild.py",
        lines="self._decides_at = sent_until + self._bound if sent_until else 0.0",
        instead="self._decides_at = 0.0 * sent_until",
        found_by=(
            "tests/verify/test_rebuild.py::test_a_rebuild_waits_until_nothing_sent_before_can_come_to_light",
        ),
    ),
    Bug(
        name="young-events-missing",
        rule="An event so young that lists may lack it is not missing.",
        file="verify/findings.py",
        lines="return known.delivered_at[entry.meeting_id] + bound >= service_time",
        instead="return bound >= service_time",
        found_by=(
            "tests/verify/test_verify.py::test_a_young_event_that_lists_do_not_show_yet_is_not_missing",
        ),
    ),
    Bug(
        name="paused-person-written",
        rule="Nothing is written to who is paused.",
        file="ledger/gate.py",
        lines="(~_ALL_PAUSED & ~_FOR_THEMSELVES) | (GOES_IN_LEAVING & (_ALL_PAUSED | ~_FOR_THEMSELVES))",
        instead="change.c.mailbox_id > -1",
        found_by=(
            "tests/deliver/test_deleted_calendars.py::test_to_a_paused_person_nothing_is_written_and_resuming_catches_up",
        ),
    ),
    Bug(
        name="paused-institution-written",
        rule="Nothing is written while an institution is paused.",
        file="ledger/gate.py",
        lines="(~_ALL_PAUSED & ~_FOR_THEMSELVES) | (GOES_IN_LEAVING & (_ALL_PAUSED | ~_FOR_THEMSELVES))",
        instead="~_FOR_THEMSELVES | (GOES_IN_LEAVING & (_ALL_PAUSED | ~_FOR_THEMSELVES))",
        found_by=(
            "tests/contract/ledger/test_two_processes.py::test_what_was_read_before_an_institution_was_paused_is_not_sent",
        ),
    ),
    Bug(
        name="unlinked-person-written",
        rule="To who has left nothing is sent but what was agreed to.",
        file="ledger/gate.py",
        lines="change.c.mailbox_id.not_in(UNLINKED)",
        instead="(change.c.mailbox_id > -1)",
        found_by=(
            "tests/deliver/test_deleted_calendars.py::test_of_a_person_who_wants_nothing_more_an_unknown_create_is_looked_for_but_not_sent_again",
        ),
    ),
    Bug(
        name="plan-of-before-somebody-was-forgotten",
        rule="Nothing is accepted for who was forgotten since it was planned.",
        file="ledger/persons.py",
        lines='insert_one(connection, BEGIN, run | {"finished_at": now, "exit_code": 0})',
        instead="run",
        found_by=(
            "tests/contract/ledger/test_forgetting.py::test_it_is_a_run_that_names_nobody_and_nothing_planned_before_is_accepted",
        ),
    ),
    Bug(
        name="deletions-of-the-forgotten",
        rule="What was deleted counts for the day, also of who was forgotten since.",
        file="ledger/persons.py",
        lines="count_on(connection, self._institution_id, number, now)",
        instead="pass",
        found_by=(
            "tests/contract/ledger/test_forgetting.py::test_what_was_deleted_goes_on_counting_for_the_day",
        ),
    ),
    Bug(
        name="purge-forgets-pauses",
        rule="Who is paused stays so, whatever becomes of the institution.",
        file="ledger/leaving.py",
        lines="stays = suspension.c.kind != Suspended.PURGED if number is None else suspension.c.kind == into",
        instead="stays = suspension.c.kind == Suspended.UNLINKED",
        found_by=(
            "tests/contract/ledger/test_leaving.py::test_who_was_stopped_before_stays_so_when_a_purged_institution_comes_back",
        ),
    ),
    Bug(
        name="pause-ends-a-purge",
        rule="Only to resume it ends what an institution wanted without an end.",
        file="ledger/suspensions.py",
        lines="if row is not None and row.until is None and until is not None:",
        instead="if row is not None and row.until is None and until == now:",
        found_by=("tests/contract/ledger/test_leaving.py::test_a_pause_with_an_end_does_not_end_a_purge",),
    ),
    Bug(
        name="leaving-takes-the-past",
        rule="DELETE_FUTURE_EVENTS leaves what has started.",
        file="ledger/leaving.py",
        lines="return known & (entry.c.starts_at > now) if mode is LeaveMode.DELETE_FUTURE_EVENTS else known",
        instead="return known & (entry.c.ends_at > 0 * now)",
        found_by=("tests/contract/ledger/test_leaving.py::test_each_mode_marks_exactly_its_events",),
    ),
    Bug(
        name="leaving-unlike-told",
        rule="As many events go as somebody was told, or none.",
        file="ledger/leaving.py",
        lines="if (found.events, found.deletes, found.digest) == (expected.events, expected.deletes, expected.digest):",
        instead="if found.events >= expected.deletes:",
        found_by=(
            "tests/contract/ledger/test_leaving.py::test_another_number_than_was_told_changes_nothing",
        ),
    ),
    Bug(
        name="leaving-by-number-alone",
        rule="What goes with whoever leaves are the very events of which somebody was told.",
        file="ledger/leaving.py",
        lines="if (found.events, found.deletes, found.digest) == (expected.events, expected.deletes, expected.digest):",
        instead="if (found.events, found.deletes) == (expected.events, expected.deletes):",
        found_by=(
            "tests/contract/ledger/test_leaving.py::test_as_many_other_events_as_were_told_change_nothing",
        ),
    ),
)
