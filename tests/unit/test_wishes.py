"""What owners want: profiles as policies, their effect on plans, and wishes that have nothing left to say."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pytest
from tests.unit.timetables import (
    DAY,
    HOUR,
    NOW,
    WIDE,
    Event,
    audience,
    delivered,
    fingerprint,
    meeting,
    render,
    snapshot,
)

from classbell.deliver.bodies import changed_fields
from classbell.desired import Desired, desired_state
from classbell.model import Action, Coverage, Meeting, Policy, Reason, Window
from classbell.numbering import Numbering
from classbell.people import receipts
from classbell.plan import Plan, Terms, Wishes, plan_changes
from classbell.settings import ProfileSettings
from classbell.wishes import outlived, policies_of

ADA, LOGIC, SETS = 1, 5, 6
ATTENDED = [("ada@u.edu", "Logic"), ("ada@u.edu", "Sets")]


def wanted(meetings: Sequence[Meeting], policy: int = 0, **read: object) -> Desired:
    """Ada attends Logic and Sets, as far as there are such."""
    attends = [(who, key) for who, key in ATTENDED if key in {m.key for m in meetings}]
    served, _ = receipts([audience("timetable")], [snapshot(meetings, attends, **read)])  # type: ignore[arg-type]
    return desired_state(
        served,
        meetings=Numbering({("timetable", "Logic"): LOGIC, ("timetable", "Sets"): SETS}),
        mailboxes=Numbering({"ada@u.edu": ADA}),
        calendars={"standard": ""},
        render=render,
        policies={"standard": Policy(policy)},
    )


def wish(of: int, what: int, starts: int = NOW + HOUR) -> Wishes:
    return Wishes(
        pairs=np.array([ADA << 32 | of]),
        fingerprint=np.array([what], dtype=np.uint64),
        starts=np.array([starts]),
    )


def planned(desired: Desired, held: Mapping[tuple[int, int], Event] | None = None, **terms: object) -> Plan:
    given = {"now": NOW, "window": WIDE, "coverages": [Coverage(window=WIDE)]} | terms
    return plan_changes(desired, [delivered(held or {}, lambda _: 0)], Terms(**given))  # type: ignore[arg-type]


def facts(plan: Plan) -> list[tuple[int, Action, Reason]]:
    return [
        (of, Action(action), Reason(reason))
        for of, action, reason in zip(
            plan.meeting.tolist(), plan.action.tolist(), plan.reason.tolist(), strict=True
        )
    ]


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        ({}, Policy(0)),
        ({"on_user_edit": "keep"}, Policy.KEEP_EDITS),
        ({"on_user_delete": "respect"}, Policy.RESPECT_DELETIONS),
        ({"on_calendar_delete": "stop"}, Policy.STOP_WITHOUT_CALENDAR),
    ],
)
def test_each_policy_of_a_profile_is_understood(given: dict[str, str], policy: Policy) -> None:
    assert policies_of([ProfileSettings.model_validate({"name": "x"} | given)]) == {"x": policy}


def test_what_an_owner_deleted_is_not_made_again_while_its_meeting_is_the_same() -> None:
    logic, sets = meeting("Logic"), meeting("Sets")
    desired = wanted([logic, sets], Policy.RESPECT_DELETIONS)
    plan = planned(desired, wishes=wish(LOGIC, fingerprint("standard", logic)))
    assert facts(plan) == [(SETS, Action.CREATE, Reason.JOINED)]
    assert plan.unchanged == 1


def test_it_is_made_again_when_its_meeting_changes() -> None:
    desired = wanted([meeting("Logic", title="Logic II")], Policy.RESPECT_DELETIONS)
    plan = planned(desired, wishes=wish(LOGIC, fingerprint("standard", meeting("Logic"))))
    assert facts(plan) == [(LOGIC, Action.CREATE, Reason.RESTORED)]


def test_it_is_made_again_where_deletions_are_put_right() -> None:
    logic = meeting("Logic")
    plan = planned(wanted([logic]), wishes=wish(LOGIC, fingerprint("standard", logic)))
    assert facts(plan) == [(LOGIC, Action.CREATE, Reason.RESTORED)]


def test_a_plan_says_of_each_change_what_the_profile_says() -> None:
    plan = planned(wanted([meeting("Logic")], Policy.KEEP_EDITS))
    assert plan.policy.tolist() == [int(Policy.KEEP_EDITS)]


def test_what_has_drifted_is_written_again_only_where_edits_are_put_right() -> None:
    logic = meeting("Logic")
    held = {(ADA, LOGIC): (fingerprint("standard", logic), logic.starts_at, logic.ends_at)}
    drifted = np.array([ADA << 32 | LOGIC])
    assert facts(planned(wanted([logic]), held, drifted=drifted)) == [(LOGIC, Action.UPDATE, Reason.EDITED)]
    assert facts(planned(wanted([logic], Policy.KEEP_EDITS), held, drifted=drifted)) == []


def test_of_what_nobody_can_prove_to_be_a_rendering_nobody_is_said_to_have_changed_it() -> None:
    logic = meeting("Logic")
    held = {(ADA, LOGIC): (0, logic.starts_at, logic.ends_at)}
    assert facts(planned(wanted([logic]), held)) == [(LOGIC, Action.UPDATE, Reason.UNLIKE)]
    assert facts(planned(wanted([logic]), held, anew=True)) == [(LOGIC, Action.UPDATE, Reason.RESET)]


def test_anew_everything_to_come_is_written_again_and_no_edits_or_deletions_count() -> None:
    logic, sets = meeting("Logic", -2 * HOUR), meeting("Sets")
    held = {
        (ADA, one): (fingerprint("standard", of), of.starts_at, of.ends_at)
        for one, of in ((LOGIC, logic), (SETS, sets))
    }
    plan = planned(wanted([logic, sets], Policy(7)), held, anew=True)
    assert facts(plan) == [(SETS, Action.UPDATE, Reason.RESET)]
    assert plan.policy.tolist() == [int(Policy.STOP_WITHOUT_CALENDAR)]


def test_a_mailbox_that_wants_nothing_is_left_alone() -> None:
    held = {(ADA, SETS): (1, NOW + HOUR, NOW + 2 * HOUR)}
    desired = wanted([meeting("Logic")])
    assert len(planned(desired, held)) == 2
    assert len(planned(desired, held, unlinked=np.array([ADA]))) == 0


class TestOutlived:
    """Ada has deleted Sets; what becomes of that wish."""

    @staticmethod
    def pairs(
        desired: Desired, *, source: int = 0, held: frozenset[int] = frozenset()
    ) -> list[tuple[int, int]]:
        window = Window(begin=NOW - DAY, end=NOW + DAY)
        return outlived(
            wish(SETS, 9), desired, np.array([source]), [Coverage(window=window)], now=NOW, held=held
        )

    def test_it_stays_while_the_meeting_is_hers(self) -> None:
        assert self.pairs(wanted([meeting("Sets")])) == []

    def test_it_goes_with_the_meeting(self) -> None:
        assert self.pairs(wanted([meeting("Logic")])) == [(ADA, SETS)]

    def test_it_goes_when_the_meeting_is_cancelled(self) -> None:
        assert self.pairs(wanted([meeting("Logic"), meeting("Sets", cancelled=True)])) == [(ADA, SETS)]

    def test_a_source_that_was_not_read_or_is_held_proves_nothing(self) -> None:
        assert self.pairs(wanted([meeting("Logic")]), source=-1) == []
        assert self.pairs(wanted([meeting("Logic")]), held=frozenset({0})) == []

    def test_nor_does_a_person_who_could_not_be_read(self) -> None:
        assert self.pairs(wanted([meeting("Logic")], unread=["ada@u.edu"])) == []

    def test_nor_what_lies_outside_the_coverage(self) -> None:
        wishes = wish(SETS, 9, NOW + 2 * DAY)
        window = Window(begin=NOW - DAY, end=NOW + DAY)
        assert outlived(wishes, wanted([]), np.array([0]), [Coverage(window=window)], now=NOW) == []

    def test_nor_that_a_meeting_is_missing_which_has_begun(self) -> None:
        """A source that lacks nothing but the past passes every guard, however much of it is lost."""
        window = Window(begin=NOW - DAY, end=NOW + DAY)
        wishes = wish(SETS, 9, NOW - HOUR)
        assert outlived(wishes, wanted([]), np.array([0]), [Coverage(window=window)], now=NOW) == []


def body(**fields: object) -> bytes:
    event = {"subject": "a", "start": 1, "end": 2, "isAllDay": False, "isReminderOn": False}
    return msgspec.json.encode(event | {"reminderMinutesBeforeStart": 0} | fields)


@pytest.mark.parametrize(
    ("changed", "sent"),
    [
        ({"subject": "b"}, {"subject": "b"}),
        ({"start": 0}, {"start": 0, "end": 2, "isAllDay": False}),
        ({"isReminderOn": True}, {"isReminderOn": True, "reminderMinutesBeforeStart": 0}),
        ({"location": "x"}, {"location": "x"}),
    ],
)
def test_only_fields_that_differ_are_sent_and_with_them_what_makes_no_sense_alone(
    changed: dict[str, object], sent: dict[str, object]
) -> None:
    assert msgspec.json.decode(changed_fields(body(), body(**changed))) == sent


def test_where_none_differs_all_is_sent() -> None:
    assert changed_fields(body(), body()) == body()
