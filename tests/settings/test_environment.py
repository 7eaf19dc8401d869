from datetime import timedelta

import pytest
from tests.settings.folder import HOST, INSTITUTION, Folder, another


def test_a_variable_overrules_the_file_and_the_file_the_default(folder: Folder) -> None:
    host = HOST + "[engine]\nin_flight = 7\n"
    path = "engine.in_flight"
    plain, filed = folder.load(), folder.load(host)
    environ = {"CLASSBELL_ENGINE__IN_FLIGHT": "9"}
    set_ = folder.load(host, environ=environ)
    assert [c.host.engine.in_flight for c in (plain, filed, set_)] == [64, 7, 9]
    assert path not in plain.origins
    assert str(filed.origins[path]) == "classbell.toml:4"
    assert str(set_.origins[path]) == "environment CLASSBELL_ENGINE__IN_FLIGHT"


def test_institutions_are_reached_by_id_with_underscores_for_hyphens(folder: Folder) -> None:
    environ = {
        "CLASSBELL_INSTITUTIONS__NORTH_WEST__WINDOW__PAST": "3d",
        "CLASSBELL_INSTITUTIONS__NORTH_WEST__SAFETY__MAX_DELETES__COUNT": "5",
        "CLASSBELL_INSTITUTIONS__NORTH_WEST__SOURCES__0__TIMEZONE": "Europe/Paris",
        "CLASSBELL_INSTITUTIONS__NORTH_WEST__SOURCES__0__MAP__KEY": "number",
        "CLASSBELL_INSTITUTIONS__NORTH_WEST__PROFILES__0__CATEGORIES": '["A", "B"]',
        "CLASSBELL_INSTITUTIONS__NORTH_WEST__PROFILES__0__SUBJECT": "{{ module }}",
    }
    configuration = folder.load(environ=environ, a=INSTITUTION, b=another("north-west"))
    north = configuration.institution("north-west")
    assert north.window.past == timedelta(days=3)
    assert north.safety.max_deletes.count == 5
    assert north.sources[0].timezone == "Europe/Paris"
    assert north.profiles[0].categories == ("A", "B")
    assert north.profiles[0].subject == ("{{ module }}",)
    assert configuration.institution("example").window.past == timedelta(days=7)


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("CLASSBELL_ENGIN__IN_FLIGHT", 'no setting has this name.   Did you mean "CLASSBELL_ENGINE"?'),
        ("CLASSBELL_ENGINE__IN_FLIHGT", 'unknown key "in_flihgt" in [engine].   Did you mean "in_flight"?'),
        ("CLASSBELL_ENGINE__IN_FLIGHT", "engine.in_flight must be a whole number."),
        (
            "CLASSBELL_INSTITUTIONS__EXAMPEL__MODE",
            'no setting has this name.   Did you mean "CLASSBELL_INSTITUTIONS__EXAMPLE"?',
        ),
        ("CLASSBELL_INSTITUTIONS__EXAMPLE__SOURCES__1__TIMEZONE", "no setting has this name."),
    ],
)
def test_a_variable_that_cannot_take_effect_is_a_problem(folder: Folder, variable: str, message: str) -> None:
    (only,) = folder.problems(environ={variable: "x"})
    assert str(only) == f"environment {variable}: {message}"


def test_variables_that_hold_secrets_or_belong_to_others_are_left_alone(folder: Folder) -> None:
    text = INSTITUTION.replace('{ file = "key.pem" }', '{ env = "CLASSBELL_KEY__ONE" }')
    environ = {
        "CLASSBELL_KEY__ONE": "hunter2",
        "CLASSBELL_KEY_PASSWORD": "hunter2",
        "CLASSBELL_CONFIG": "/etc/classbell.toml",
        "HOME": "/root",
    }
    configuration = folder.load(environ=environ, example=text)
    assert "hunter2" not in repr(configuration)


def test_a_secret_in_a_setting_s_variable_is_refused_and_never_repeated(folder: Folder) -> None:
    variable = "CLASSBELL_INSTITUTIONS__EXAMPLE__TENANT__CERTIFICATES__0__PRIVATE_KEY"
    (only,) = folder.problems(environ={variable: "hunter2"})
    assert only.code == "E-CFG-SECRET"
    assert str(only.origin) == f"environment {variable}"
    assert "hunter2" not in str(only)
