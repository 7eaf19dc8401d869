"""Bugs in what is planned: sources, the difference, and the guards."""

from tests.planted.bug import Bug

BUGS = (
    Bug(
        name="denial-read-as-empty",
        rule="A feed that was answered 403 is not an empty one.",
        file="sources/fetch.py",
        lines="if status == 204:  # noqa: PLR2004 -- No Content",
        instead="if status in {204, 403}:",
        found_by=(
            "tests/sources/test_feeds_over_http.py::test_a_feed_that_is_refused_is_not_an_empty_one_and_deletes_nothing",
        ),
    ),
    Bug(
        name="cut-feed-is-whole",
        rule="A feed that was cut off is not read.",
        file="sources/repair.py",
        lines='raise Unreadable("E-SRC-CUT", f"it stops in the middle of a {kind}")',
        instead="pass",
        found_by=(
            "tests/sources/test_feeds_over_http.py::test_an_answer_that_is_no_timetable_is_an_error_that_says_so_without_secrets",
        ),
    ),
    Bug(
        name="window-closed-on-both-ends",
        rule="The window is half open, by the start.",
        file="plan.py",
        lines="return (starts >= window.begin) & (starts < window.end)",
        instead="return (starts >= window.begin) & (starts <= window.end)",
        found_by=("tests/unit/test_plan.py::test_the_window_is_half_open_by_the_start",),
    ),
    Bug(
        name="past-deleted",
        rule="What has ended is never deleted.",
        file="plan.py",
        lines="mask &= held.ends > self._terms.now",
        instead="mask &= held.ends > 0",
        found_by=("tests/unit/test_plan.py::test_what_has_ended_is_never_deleted",),
        schedules=6,
    ),
    Bug(
        name="coverage-ignored",
        rule="Absence proves something only inside the coverage of a read.",
        file="plan.py",
        lines="mask = (held.starts >= begins[held.source]) & (held.starts < ends[held.source])",
        instead="mask = (held.starts >= 0) & (begins[held.source] < ends[held.source])",
        found_by=("tests/unit/test_plan.py::test_absence_proves_nothing_outside_the_coverage",),
    ),
    Bug(
        name="unread-source-is-empty",
        rule="Nothing is deleted of a source that was not read.",
        file="plan.py",
        lines="ends = np.array([c.window.end for c in coverages] + [0], dtype=np.int64)",
        instead="ends = np.array([c.window.end for c in coverages] + [2**62], dtype=np.int64)",
        found_by=("tests/unit/test_plan.py::test_nothing_is_deleted_of_a_source_that_was_not_read",),
    ),
    Bug(
        name="partial-read-deletes",
        rule="Nobody whose timetable could not be read in full loses anything.",
        file="plan.py",
        lines="return mask & ~np.isin(places, pair_keys(unread[:, 1], unread[:, 0]))",
        instead="return mask & (places >= 0)",
        found_by=("tests/unit/test_plan.py::test_whoever_could_not_be_read_in_full_loses_nothing",),
    ),
    Bug(
        name="unsettled-planned-again",
        rule="Planning leaves a pair alone whose last request is not settled.",
        file="plan.py",
        lines="idle = ~np.isin(want, self._terms.busy) & ~np.isin(mailbox, self._terms.unlinked)",
        instead="idle = ~np.isin(mailbox, self._terms.unlinked)",
        found_by=("tests/unit/test_plan.py::test_a_pair_whose_last_request_is_not_settled_is_left_alone",),
    ),
    Bug(
        name="tombstone-ignored",
        rule="What its owner deleted is not made again where the profile respects that.",
        file="plan.py",
        lines="respected = ~found & wished & _says(policy, Policy.RESPECT_DELETIONS)",
        instead="respected = found & wished & _says(policy, Policy.RESPECT_DELETIONS)",
        found_by=(
            "tests/unit/test_wishes.py::test_what_an_owner_deleted_is_not_made_again_while_its_meeting_is_the_same",
        ),
    ),
    Bug(
        name="edits-put-right-where-kept",
        rule="What drifted is written again only where edits are put right.",
        file="plan.py",
        lines="return np.isin(want, self._terms.drifted) & ~_says(policy, Policy.KEEP_EDITS)",
        instead="return np.isin(want, self._terms.drifted)",
        found_by=(
            "tests/unit/test_wishes.py::test_what_has_drifted_is_written_again_only_where_edits_are_put_right",
        ),
    ),
    Bug(
        name="unlinked-person-loses-more",
        rule="Of who has left only that is deleted which was agreed to.",
        file="plan.py",
        lines="delete &= ~np.isin(held.mailbox, self._terms.unlinked)",
        instead="delete &= held.mailbox >= 0",
        found_by=("tests/unit/test_wishes.py::test_a_mailbox_that_wants_nothing_is_left_alone",),
    ),
    Bug(
        name="guard-after-the-first-write",
        rule="Guards judge the whole plan before its first write.",
        file="run.py",
        lines="plan=passed,",
        instead="plan=review.plan,",
        found_by=(
            "tests/scenarios/test_holds.py::test_what_was_rejected_stays_held_and_is_over_when_the_source_recovers",
        ),
    ),
    Bug(
        name="shrunken-source-passes",
        rule="A source that has lost too much is held.",
        file="guards/losses.py",
        lines="if loss.percent <= limit:",
        instead="if loss.percent <= 100:",
        found_by=(
            "tests/unit/test_guards.py::test_a_source_that_shrank_too_much_is_held_whole_and_others_go_on",
        ),
    ),
    Bug(
        name="run-without-limit",
        rule="More deletions than a run may have are held.",
        file="guards/volume.py",
        lines="if count <= limit.at_least or (count <= limit.count and share <= limit.percent):",
        instead="if count <= limit.at_least or count <= limit.count or share <= limit.percent:",
        found_by=("tests/unit/test_guards.py::test_too_many_deletes_by_count_are_held",),
    ),
    Bug(
        name="mailbox-without-limit",
        rule="A mailbox that would lose too large a share is held.",
        file="guards/volume.py",
        lines="tripped = (coming >= limit.min_events) & (100 * counts > limit.percent * coming)",
        instead="tripped = (coming >= limit.min_events) & (counts > coming)",
        found_by=(
            "tests/unit/test_guards.py::test_a_mailbox_that_would_lose_too_large_a_share_is_held_whole",
        ),
    ),
    Bug(
        name="day-forgotten",
        rule="Deletions of a day are counted together.",
        file="guards/volume.py",
        lines="total = count + recent + waiting",
        instead="total = count + waiting",
        found_by=(
            "tests/unit/test_guards_at_large.py::test_a_trickle_of_deletes_is_held_when_the_day_has_had_enough",
        ),
    ),
    Bug(
        name="accepted-forgotten",
        rule="What was accepted before and will be deleted yet counts for the day as well.",
        file="guards/volume.py",
        lines="total = count + recent + waiting",
        instead="total = count + recent",
        found_by=(
            "tests/deliver/test_deletions_of_a_day.py::test_what_a_source_asked_for_that_is_not_applied_now_counts",
        ),
    ),
    Bug(
        name="everything-may-change",
        rule="A plan that changes most of what stands is held.",
        file="guards/volume.py",
        lines="if count <= safety.max_deletes.at_least or share <= safety.max_changes_percent:",
        instead="if count <= safety.max_deletes.at_least or share <= 100:",
        found_by=(
            "tests/unit/test_guards_at_large.py::test_a_plan_that_changes_most_of_what_stands_is_held_whole",
        ),
    ),
    Bug(
        name="configuration-unseen",
        rule="The first plan after a change of the configuration waits for a person.",
        file="guards/configuration.py",
        lines="if not parts or not matter.open.any():",
        instead="if not parts or matter.open.any():",
        found_by=(
            "tests/unit/test_guards_at_large.py::test_the_first_plan_after_a_change_of_the_configuration_waits",
        ),
    ),
    Bug(
        name="approval-of-anything",
        rule="An approval is of one exact set.",
        file="ledger/holds.py",
        lines="return bool(np.isin(members, self.members).all())",
        instead="return bool(np.isin(members, self.members).any())",
        found_by=(
            "tests/contract/ledger/test_holds.py::test_an_approval_is_void_if_the_set_has_grown_and_that_is_told",
        ),
    ),
    Bug(
        name="approval-used-again",
        rule="An approval is used once.",
        file="ledger/holds.py",
        lines="_USE = update(hold).where(_MINE, _NUMBERED, hold.c.state == HoldState.APPROVED).values(state=HoldState.USED)",
        instead="_USE = update(hold).where(_MINE, _NUMBERED, hold.c.state == HoldState.APPROVED).values(state=HoldState.APPROVED)",
        found_by=(
            "tests/scenarios/test_holds.py::test_sixty_per_cent_gone_is_held_listed_shown_approved_and_passes_once",
        ),
    ),
    Bug(
        name="approval-for-ever",
        rule="An approval holds good for a day.",
        file="ledger/holds.py",
        lines="return self.state is HoldState.APPROVED and now < (self.expires_at or 0.0)",
        instead="return self.state is HoldState.APPROVED and now >= 0.0",
        found_by=(
            "tests/contract/ledger/test_holds.py::test_an_approval_is_of_the_set_that_was_seen_and_lasts_a_day",
        ),
    ),
    Bug(
        name="saved-plan-twice",
        rule="A saved plan is carried out once.",
        file="saved/standing.py",
        lines="if used_at is not None:",
        instead="if used_at == 0.0:",
        found_by=("tests/scenarios/test_saved_plans.py::test_a_plan_is_applied_once",),
    ),
    Bug(
        name="saved-plan-overtaken",
        rule="A saved plan is refused once another was accepted.",
        file="saved/standing.py",
        lines="if newest != saved.basis:",
        instead="if newest < saved.basis:",
        found_by=("tests/scenarios/test_saved_plans.py::test_a_plan_is_stale_once_another_was_accepted",),
    ),
    Bug(
        name="configuration-seen-unread",
        rule="A change of the configuration waits until all that comes of it could be seen.",
        file="configured.py",
        lines='if "E-HOLD-CONFIG" not in codes and (seen or not missed or not review.circumstances.changed):',
        instead='if "E-HOLD-CONFIG" not in codes:',
        found_by=(
            "tests/deliver/test_changed_configuration.py"
            "::test_what_comes_of_it_where_nothing_was_read_or_applied_waits_too",
        ),
    ),
)
