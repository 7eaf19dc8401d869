"""Each value of each switch has its turn, in the tests that it can matter to."""

import dataclasses
from pathlib import Path
from typing import get_args, get_type_hints

from tests.simulation.schedule import UNCERTAIN
from tests.switching import NotedSwitches
from tests.trials import OF_SIGN_IN, OF_VIRTUAL_TIME, OTHERS, WAITED_FOR, Trial, has_its_turn, trying

from classbell.sandbox import Switches


def test_every_switch_has_all_its_other_values() -> None:
    hints = get_type_hints(Switches)
    assert list(OTHERS) == [field.name for field in dataclasses.fields(Switches)]
    for field in dataclasses.fields(Switches):
        choices = get_args(hints[field.name]) or ((True, False) if hints[field.name] is bool else ())
        assert field.default not in OTHERS[field.name]
        assert OTHERS[field.name]
        if choices:
            assert {*OTHERS[field.name], field.default} == set(choices)


def test_a_test_runs_again_for_what_was_asked_and_not_for_what_it_sets_itself() -> None:
    with trying(Trial()) as first:
        switches = NotedSwitches()
        switches.lookup_lag = 5.0
        assert (switches.lookup_lag, switches.top_clamp, switches.retry_after) == (5.0, 1000, "seconds")
    further = list(first.further())
    assert [str(trial) for trial in further] == [
        "retry_after=absent",
        "retry_after=decimal",
        "retry_after=silly",
        "top_clamp=2",
    ]
    with trying(further[-1]):
        switches.begin_anew()
        assert (switches.top_clamp, switches.lookup_lag, switches.retry_after) == (2, 0.0, "seconds")
        assert NotedSwitches().top_clamp == 2


def test_what_matters_to_the_sign_in_alone_is_tried_once_in_a_file_that_is_about_something_else() -> None:
    assert set(OTHERS) > OF_SIGN_IN
    sign_in, other = Trial("sign_in_limit", 100.0), Trial("top_clamp", 2)
    made_up = Path("tests/deliver/test_made_up.py")
    assert [has_its_turn(sign_in, made_up), has_its_turn(sign_in, made_up)] == [True, False]
    assert [has_its_turn(other, made_up), has_its_turn(other, made_up)] == [True, True]
    subject = Path("tests/identity/test_made_up.py")
    assert [has_its_turn(sign_in, subject), has_its_turn(sign_in, subject)] == [True, True]


def test_what_scenarios_wait_for_in_life_is_tried_once_in_each_of_their_files() -> None:
    assert set(OTHERS) > WAITED_FOR
    many = Trial("tenant_requests", 200.0)
    for folder, turns in (("scenarios", [True, False]), ("verify", [True, True])):
        file = Path(f"tests/{folder}/test_made_up.py")
        assert [has_its_turn(many, file), has_its_turn(many, file)] == turns


def test_what_depends_on_how_busy_a_machine_is_is_drawn_by_the_simulation_instead() -> None:
    for name in OF_VIRTUAL_TIME:
        assert set(UNCERTAIN[name]) >= {*OTHERS[name], getattr(Switches(), name)}
        assert not has_its_turn(Trial(name, OTHERS[name][0]), Path("tests/deliver/test_made_up.py"))
