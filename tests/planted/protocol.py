"""Bugs in the write protocol: intents, unknown outcomes, looks, and what is ours to touch."""

from tests.planted.bug import Bug

BUGS = (
    Bug(
        name="time-not-learnt",
        rule="The time in a mark is the service's, also in what is sent before anything was asked.",
        file="deliver/write.py",
        lines="await self._client.learn_time()",
        instead="await self._bodies.load(())",
        found_by=(
            "tests/deliver/test_lost_answers.py::test_what_was_sent_while_our_clock_was_wrong_is_told_from_a_copy",
        ),
    ),
    Bug(
        name="time-of-then",
        rule="An answer that was read long after it was asked for does not tell what time it is now.",
        file="outlook/client.py",
        lines="if service_time and took <= headers.TELLS_TIME_WITHIN:",
        instead="if service_time and took >= 0.0:",
        found_by=(
            "tests/deliver/test_intents.py::test_whoever_was_stopped_before_reading_an_answer_does_not_take_the_time_of_then_for_now",
        ),
    ),
    Bug(
        name="lost-transaction-is-a-wish",
        rule="What a lost ledger had made and its owner deleted is of another version: it is no wish about this one.",
        file="ledger/outcomes.py",
        lines="if gone.entry is None and not gone.doubted:",
        instead="if gone.entry is None and gone.attempts <= 1:",
        found_by=(
            "tests/contract/ledger/test_wishes.py::test_an_attempt_that_was_refused_or_of_an_earlier_incarnation_makes_no_wish_of_it",
        ),
    ),
    Bug(
        name="stale-intent",
        rule="Nobody sends what another process has sent since it was read.",
        file="ledger/changes.py",
        lines='.where(change.c.attempts == bindparam("tried"))',
        instead='.where(bindparam("tried") > -1)',
        found_by=(
            "tests/contract/ledger/test_two_processes.py::test_what_another_process_has_sent_since_it_was_read_is_not_sent_as_it_was_read",
        ),
    ),
    Bug(
        name="incarnations-of-a-lost-ledger",
        rule="What a lost ledger had made and removed itself is not taken for what was made and removed now.",
        file="ledger/rebuilding.py",
        lines="if self._lost(connection, rebuilt):",
        instead="if not ours:",
        found_by=(
            "tests/verify/test_rebuild.py::test_a_transaction_of_a_lost_ledger_is_not_taken_for_a_wish_of_the_owner",
        ),
    ),
    Bug(
        name="incarnations-of-the-forgotten",
        rule="What was made for somebody before they were forgotten is not taken for what is made now.",
        file="ledger/persons.py",
        lines="go_beyond(connection, self._institution_id, number)",
        instead="pass",
        found_by=("tests/deliver/test_forgotten.py::test_who_comes_back_has_everything_after_the_first_run",),
    ),
    Bug(
        name="update-of-an-earlier-attempt",
        rule="An update that went through is known, also if another process has sent it again meanwhile.",
        file="ledger/outcomes.py",
        lines="if its_own or _updated(outcome, row.action, row.fingerprint):",
        instead="if its_own:",
        found_by=(
            "tests/contract/ledger/test_two_processes.py::test_an_update_that_was_sent_again_meanwhile_is_done_once_its_first_attempt_is",
        ),
    ),
    Bug(
        name="intent-after-sending",
        rule="The intent is durable before its request leaves.",
        file="deliver/write.py",
        lines="""paused = await self._ledger.changes.intend(
            [Intent(change=change, send_until=send_until) for change in changes], began
        )
        changes, requests = self._without_paused(changes, requests, paused)
        if not changes:
            return [], [], []
        try:
            answers = await self._client.send(requests, send_until, barred)""",
        instead="""try:
            answers = await self._client.send(requests, send_until, barred)
            await self._ledger.changes.intend([Intent(change=c, send_until=send_until) for c in changes], began)""",
        found_by=(
            "tests/deliver/test_intents.py::test_every_intent_is_written_down_before_its_request_leaves",
        ),
    ),
    Bug(
        name="intent-not-durable",
        rule="What is committed is there after the power has failed.",
        file="ledger/database.py",
        lines='cursor.execute("PRAGMA synchronous=FULL")',
        instead='cursor.execute("PRAGMA synchronous=OFF")',
        found_by=(
            "tests/contract/ledger/test_opening.py::test_sqlite_writes_ahead_fully_synchronised_and_holds_references",
        ),
    ),
    Bug(
        name="blind-retry",
        rule="An unknown create is never sent again blindly.",
        file="deliver/settle.py",
        lines="return _outcome(change, Became.UNKNOWN, answer, diagnosis, look_at)",
        instead="return _outcome(change, Became.WAITING, answer, diagnosis, situation.now)",
        found_by=(
            "tests/deliver/test_lost_answers.py::test_a_create_that_was_carried_out_is_found_by_its_mark_and_adopted",
        ),
        schedules=6,
    ),
    Bug(
        name="blind-retry-after-death",
        rule="What a dead process had sent is unknown.",
        file="ledger/changes.py",
        lines='"state": ChangeState.UNKNOWN,',
        instead='"state": ChangeState.PENDING,',
        found_by=(
            "tests/contract/ledger/test_unknown.py::test_what_a_dead_process_had_sent_is_unknown_until_a_look_or_a_repeat",
        ),
    ),
    Bug(
        name="look-before-the-bound",
        rule="Only a look at or after the end of sending and the bound decides.",
        file="deliver/prepare.py",
        lines="decides_at = change.send_until + bound",
        instead="decides_at = 0.0",
        found_by=(
            "tests/deliver/test_lost_answers.py::test_a_look_that_the_service_dates_before_the_bound_does_not_decide",
        ),
    ),
    Bug(
        name="failed-look-decides",
        rule="From a look that failed nothing is concluded.",
        file="deliver/prepare.py",
        lines="""if survey.failure is not None:
                outcomes.append(not_looked(change, survey.failure, now))
            elif survey.service_time < decides_at:""",
        instead="if 0.0 < survey.service_time < decides_at:",
        found_by=("tests/deliver/test_lost_answers.py::test_a_look_that_fails_decides_nothing",),
    ),
    Bug(
        name="overtaken-in-silence",
        rule="Events that another ledger of this installation has made show that this one is old.",
        file="deliver/overtaken.py",
        lines="if not marks:",
        instead="if marks or not marks:",
        found_by=(
            "tests/deliver/test_overtaken.py::test_a_delivery_that_meets_events_of_a_newer_ledger_ends_and_holds_everything",
        ),
    ),
    Bug(
        name="adopted-as-untouched",
        rule="An event that is adopted may have been changed since it was made.",
        file="deliver/settle.py",
        lines="created_at=made[0].created_at,",
        instead="created_at=made[0].created_at, etag=made[0].etag,",
        found_by=(
            "tests/verify/test_verify.py::test_what_its_owner_changed_before_we_could_find_it_is_no_less_changed",
        ),
    ),
    Bug(
        name="edit-met-and-forgotten",
        rule="An edit that was met stays known until it is written over.",
        file="ledger/outcomes.py",
        lines="self._connection.execute(_SEE_DRIFTED, rows)",
        instead="self._connection.execute(_FORGET_SEEN, rows)",
        found_by=(
            "tests/deliver/test_our_events.py::test_an_edit_that_was_met_is_put_right_though_the_update_that_met_it_is_wanted_no_more",
        ),
    ),
    Bug(
        name="another-address-another-event",
        rule="What was made for the address that a mailbox had is not made again for the new one.",
        file="verify/adoption.py",
        lines="if there is not None and bears_its_mark(event.mark, there):",
        instead="if there is not None and not bears_its_mark(event.mark, there):",
        found_by=(
            "tests/verify/test_rebuilt_addresses.py::test_what_was_made_for_the_old_address_is_taken_over_and_not_made_twice",
        ),
    ),
    Bug(
        name="first-page-only",
        rule="A look covers every page.",
        file="outlook/client.py",
        lines="if not first.next_link or not _has_list(first, kind):",
        instead="if first is not None:",
        found_by=("tests/outlook/test_looks.py::test_a_long_list_is_found_whole_over_its_pages",),
    ),
    Bug(
        name="half-a-list-is-whole",
        rule="A look of which one page fails has failed.",
        file="outlook/client.py",
        lines="""if not _has_list(page, kind):
                return page""",
        instead="""if not _has_list(page, kind):
                break""",
        found_by=("tests/outlook/test_looks.py::test_a_look_of_which_one_page_fails_has_failed",),
    ),
    Bug(
        name="first-calendar-only",
        rule="A look covers every calendar.",
        file="deliver/survey.py",
        lines="return [calendar for calendar in self.calendars if calendar.editable] if self.prefix else []",
        instead="return list(self.calendars[:1]) if self.prefix else []",
        found_by=(
            "tests/deliver/test_lost_answers.py::test_an_unknown_create_is_found_in_the_calendar_its_owner_moved_it_to",
        ),
        schedules=6,
    ),
    Bug(
        name="no-first-contact",
        rule="Before the first create a mailbox is searched for marks of this installation.",
        file="deliver/backlog.py",
        lines="return mailbox.contacted or mailbox.id in self.contacted",
        instead="return mailbox is not None",
        found_by=(
            "tests/deliver/test_calendars.py::test_marks_that_the_ledger_does_not_know_hold_the_mailbox",
        ),
    ),
    Bug(
        name="unknown-marks-are-nothing",
        rule="Marks that the ledger does not know hold their mailbox.",
        file="deliver/prepare.py",
        lines="return any(event.id not in known for event in survey.events)",
        instead="return any(event.id in known for event in survey.events)",
        found_by=(
            "tests/deliver/test_calendars.py::test_marks_that_the_ledger_does_not_know_hold_the_mailbox",
        ),
    ),
    Bug(
        name="copy-taken-for-ours",
        rule="What bears a mark but was made at another time is a copy.",
        file="deliver/settle.py",
        lines="made = [event for event in bearers if made_in_time(event, bound)]",
        instead="made = list(bearers)",
        found_by=("tests/deliver/test_settle.py::test_a_look_that_finds_only_a_copy_leaves_it_to_a_person",),
    ),
    Bug(
        name="first-of-several",
        rule="Of several bearers of one mark none is taken.",
        file="deliver/settle.py",
        lines="if len(made) == 1:",
        instead="if made:",
        found_by=(
            "tests/deliver/test_lost_answers.py::test_two_events_with_the_mark_of_an_unknown_create_are_left_to_a_person",
        ),
    ),
    Bug(
        name="made-before-is-made",
        rule="An event that was there before its request was sent is looked up.",
        file="deliver/settle.py",
        lines="return 0.0 < answer.created_at < sent_at",
        instead="return 0.0 < sent_at < answer.created_at - sent_at",
        found_by=(
            "tests/deliver/test_settle.py::test_an_event_that_stood_there_before_is_looked_for_whatever_our_clock_says",
        ),
    ),
    Bug(
        name="any-mark-is-ours",
        rule="The mark that is read agrees with the entry.",
        file="deliver/ownership.py",
        lines="return read is not None and read.operation == entry.operation",
        instead="return read is not None",
        found_by=(
            "tests/deliver/test_our_events.py::test_an_event_that_bears_another_mark_is_held_and_left_alone",
        ),
    ),
    Bug(
        name="write-without-an-entry",
        rule="An update or delete needs an entry of the ledger.",
        file="deliver/ownership.py",
        lines="if change.action is Action.CREATE or change.entry is not None:",
        instead="if change.action is not None:",
        found_by=(
            "tests/deliver/test_ownership.py::test_without_an_entry_nothing_is_written_and_the_rest_goes_on",
        ),
    ),
    Bug(
        name="conflict-unread",
        rule="After a conflict the event is read, and its mark, before anything else.",
        file="deliver/settle.py",
        lines="if not bears_its_mark(answer.mark, entry):",
        instead="if answer.mark == entry.event_id:",
        found_by=(
            "tests/deliver/test_ownership.py::test_under_another_mark_nothing_is_written_and_it_is_told",
        ),
    ),
    Bug(
        name="deleted-items-written",
        rule="An event is changed only where it still stands in a calendar.",
        file="deliver/settle.py",
        lines="if any(event.id == answer.event_id for event in survey.events):",
        instead="if answer.event_id:",
        found_by=(
            "tests/deliver/test_uncertain.py::test_what_its_owner_removed_is_made_again_even_if_its_id_still_answers",
        ),
    ),
    Bug(
        name="incarnation-stays-when-planned",
        rule="A deliberate re-creation takes a new incarnation.",
        file="ledger/acceptance.py",
        lines="incarnation = max(names.past.get((box, of), 0), names.used_before) + 1",
        instead="incarnation = max(names.past.get((box, of), 0), 1)",
        found_by=(
            "tests/contract/ledger/test_acceptance.py::test_a_meeting_that_comes_back_is_another_incarnation",
        ),
    ),
    Bug(
        name="incarnation-stays-when-gone",
        rule="What is made again because it is gone takes a new incarnation.",
        file="ledger/outcomes.py",
        lines="""\"next": o.change.incarnation + 1,
                "word": operation_of(o.change, o.change.incarnation + 1),""",
        instead="""\"next": o.change.incarnation,
                "word": operation_of(o.change, o.change.incarnation),""",
        found_by=(
            "tests/deliver/test_our_events.py::test_an_event_its_owner_removed_is_made_again_as_another_one",
        ),
    ),
    Bug(
        name="refusal-proves-the-first-time",
        rule="To be refused later proves nothing of the earlier time.",
        file="ledger/outcomes.py",
        lines="if unsure and outcome.became in {Became.WAITING, Became.RENEWED}:",
        instead="if unsure and outcome.became is None:",
        found_by=(
            "tests/contract/ledger/test_unknown.py::test_an_update_that_may_have_gone_through_stays_unknown_until_it_is_done",
        ),
    ),
    Bug(
        name="answer-of-another-attempt",
        rule="An answer is recorded only for the very attempt that it is of.",
        file="ledger/outcomes.py",
        lines="its_own = row.attempts == outcome.change.attempts + sent",
        instead="its_own = row.attempts >= sent",
        found_by=(
            "tests/contract/ledger/test_two_processes.py::test_an_answer_counts_only_for_the_attempt_that_it_is_of",
        ),
    ),
    Bug(
        name="sent-twice-at-once",
        rule="A change that another process has sent is not sent again.",
        file="ledger/changes.py",
        lines="if missed != len(paused):",
        instead="if missed < len(paused):",
        found_by=("tests/contract/ledger/test_changes.py::test_nothing_may_be_sent_twice_at_once",),
    ),
    Bug(
        name="deletes-for-good",
        rule="What is deleted lies in the owner's Deleted Items.",
        file="deliver/write.py",
        lines="return self._dialect.delete(change.entry)",
        instead="return self._dialect.delete_permanently(change.entry)",
        found_by=("tests/deliver/test_intents.py::test_what_is_deleted_lies_in_its_owners_deleted_items",),
    ),
    Bug(
        name="kept-edit-overwritten",
        rule="Where edits are kept, an update names only what has changed.",
        file="deliver/bodies.py",
        lines="return change.action is Action.UPDATE and bool(change.policy & Policy.KEEP_EDITS)",
        instead="return change.action is Action.CREATE and bool(change.policy & Policy.KEEP_EDITS)",
        found_by=(
            "tests/deliver/test_wishes.py::test_what_an_owner_has_changed_stays_until_the_meetings_own_value_changes",
        ),
    ),
    Bug(
        name="deleted-calendar-made-again",
        rule="Where the profile says so, a deleted calendar stops the delivery.",
        file="deliver/write.py",
        lines="if change.calendar and stops:",
        instead="if not change.calendar and stops:",
        found_by=(
            "tests/deliver/test_deleted_calendars.py::test_where_a_deleted_calendar_stops_us_nothing_is_written_and_the_reason_is_shown",
        ),
    ),
    Bug(
        name="calendar-made-twice",
        rule="A calendar that is there is found by its name, and not made again.",
        file="deliver/prepare.py",
        lines="elif (found := survey.calendar(change.calendar)) is not None:",
        instead="elif (found := survey.calendar(change.calendar)) is not None and not change.calendar:",
        found_by=(
            "tests/deliver/test_calendars.py::test_a_calendar_that_was_made_in_spite_of_a_fault_is_found_and_not_made_twice",
        ),
    ),
)
