"""Bugs where ids do not last, or another interface has given them."""

from tests.planted.bug import Bug

BUGS = (
    Bug(
        name="met-twice",
        rule="What its owner moves amid a look is one event, though it is met twice.",
        file="deliver/survey.py",
        lines="survey.events = tuple(met.values())",
        instead="survey.events += answer.events or tuple(met.values())[:0]",
        found_by=(
            "tests/deliver/test_lost_answers.py::test_an_unknown_create_that_its_owner_moves_amid_the_look_is_one_event",
        ),
    ),
    Bug(
        name="moved-is-gone",
        rule="Where ids do not last, what an id does not find may stand in another calendar.",
        file="deliver/write.py",
        lines="return change.action is not Action.CREATE and not self._dialect.capabilities.immutable_ids",
        instead="return False",
        found_by=("tests/deliver/test_moved_events.py::test_it_is_deleted_where_it_stands",),
    ),
    Bug(
        name="young-is-gone",
        rule="What lists may lack yet is not gone because they lack it.",
        file="deliver/joining.py",
        lines="if survey.service_time <= settled_at or change.code != _NOT_FOUND:",
        instead="if change.code != _NOT_FOUND:",
        found_by=(
            "tests/deliver/test_moved_events.py::test_one_that_lists_cannot_show_yet_is_not_taken_for_gone",
        ),
    ),
    Bug(
        name="one-look-is-enough",
        rule="What is moved amid a look is not gone because that one look has missed it.",
        file="deliver/joining.py",
        lines="if survey.service_time <= settled_at or change.code != _NOT_FOUND:",
        instead="if survey.service_time <= settled_at:",
        found_by=(
            "tests/deliver/test_moved_events.py::test_what_is_dragged_back_amid_a_look_is_not_made_again",
        ),
    ),
    Bug(
        name="forms-not-mixed",
        rule="A mailbox that has got an id of another form is looked through before its ids are used again.",
        file="ledger/outcomes.py",
        lines="books.mix({o.change.mailbox.id for o in (*created, *renewed) if o.event_id}, id_form)",
        instead="pass",
        found_by=(
            "tests/deliver/test_there_and_back.py::test_what_was_made_in_between_is_found_by_reading_back",
        ),
    ),
    Bug(
        name="any-bearer-is-ours",
        rule="Of what bears the mark of an event that moved, only what is proven is taken for it.",
        file="deliver/joining.py",
        lines="return proven[0] if len(proven) == 1 else None",
        instead="return bearers[0] if bearers else None",
        found_by=(
            "tests/deliver/test_moved_events.py::test_a_copy_whose_original_is_gone_is_held_and_neither_written_nor_doubled",
        ),
    ),
    Bug(
        name="lost-among-copies-is-missing",
        rule="What may stand there among others that bear its mark is not missing.",
        file="deliver/joining.py",
        lines="if entry.operation in bearers and (entry.is_lost or not capabilities.immutable_ids)",
        instead="if entry.operation not in bearers",
        found_by=(
            "tests/deliver/test_moved_events.py::test_a_copy_whose_original_is_gone_is_held_and_neither_written_nor_doubled",
        ),
    ),
    Bug(
        name="ids-of-another-interface",
        rule="Ids that another interface has given are not used before the mailbox was looked through.",
        file="deliver/write.py",
        lines="if any(map(self._is_of_another_form, changes)):",
        instead="if not changes:",
        found_by=(
            "tests/deliver/test_two_interfaces.py::test_what_changes_afterwards_is_changed_and_not_made_again_there_and_back",
        ),
    ),
    Bug(
        name="form-not-noted",
        rule="A mailbox is looked through once after a change of the interface.",
        file="ledger/entries.py",
        lines='connection.execute(_IN_FORM, there | {"form": id_form})',
        instead="pass",
        found_by=("tests/deliver/test_two_interfaces.py::test_a_mailbox_is_looked_through_once",),
    ),
)
