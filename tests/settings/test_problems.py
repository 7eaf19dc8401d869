from pathlib import Path

import pytest
from tests.settings.folder import HOST, INSTITUTION, Folder, another

from classbell.errors import ConfigurationError
from classbell.life import LocalFiles
from classbell.settings import InvalidConfiguration, Problem, load


def said(found: list[Problem]) -> list[str]:
    return [f"{problem.code} {problem}" for problem in found]


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_name(folder: Folder) -> None:
    text = INSTITUTION + "\n[safety]\nmax_delete = { count = 500 }\n"
    assert said(folder.problems(example=text)) == [
        'E-CFG-KEY conf.d/example.toml:32: unknown key "max_delete" in [safety].   Did you mean "max_deletes"?'
    ]


def test_an_unknown_key_that_is_near_nothing_is_told_what_is_known(folder: Folder) -> None:
    assert said(folder.problems(HOST + "[engine]\nworkers = 3\n")) == [
        'E-CFG-KEY classbell.toml:4: unknown key "workers" in [engine].   Known here: in_flight.'
    ]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('name = "timetable"', 'nam = "timetable"', 'unknown key "nam" in [[sources]].   Did you mean "name"?'),
        ('file = "cert.pem"', 'fil = "cert.pem"', 'unknown key "fil" in [tenant.certificates.certificate].   Did you mean "file"?'),
        ('id = "example"', 'iD = "example"', 'unknown key "iD" at the top of the file.   Did you mean "id"?'),
        ("client_id", "clientid", 'unknown key "clientid" in [tenant].   Did you mean "client_id"?'),
    ],
)  # fmt: skip
def test_a_misspelled_key_is_one_problem_although_the_right_one_is_missing(
    folder: Folder, before: str, after: str, message: str
) -> None:
    (only,) = folder.problems(example=INSTITUTION.replace(before, after))
    assert f"{only.text}   {only.hint}" == message


@pytest.mark.parametrize(
    ("before", "after", "line", "text"),
    [
        ('id = "example"', 'id = "Example"', 2, "id: an id has small letters, digits and hyphens, at most 63."),
        ('name = "Example University"', "name = 3", 3, "name must be a text in quotes."),
        ('name = "Example University"', 'name = ""', 3, "name must be a text that is not empty."),
        ("schema = 1", "schema = 2", 1, "this Classbell reads files of schema 1."),
        ("example.ac.uk", "example", 6, "tenant.tenant_id: a tenant is named by its GUID, or by a verified domain such as example.ac.uk."),
        ("0b9b1e0a-", "0b9b1e0a", 7, "tenant.client_id: a GUID is written as 00000000-0000-0000-0000-000000000000."),
        ('tenant_id = "example.ac.uk"\n', "", 5, 'the key "tenant_id" is missing in [tenant].'),
        ('kind = "table"\n', "", 13, 'the key "kind" is missing in [[sources]].'),
        ('kind = "table"', 'kind = "tabel"', 15, "sources.kind must be one of ics, table."),
        ('meetings = "meetings.csv"\n', "", 13, 'the key "meetings" is missing in [[sources]].'),
        ('start = "from", ', "", 18, "sources.map: no column is named for start."),
        ('["timetable"]', "[]", 22, "audience.gets needs at least one entry."),
        ('["timetable"]', '"timetable"', 22, "audience.gets must be a list in square brackets."),
        ("Europe/London", "Europe/Londn", 29, "window.timezone: 'Europe/Londn' is not an IANA time zone, such as Europe/London."),
        ("[window]", "[window]\npast = 7", 29, "window.past: a duration needs a unit, as in 30m, 7d or 26h."),
        ("[window]", '[window]\npast = "a week"', 29, "window.past: a duration is written as 30m, 7d, 26h or 1h30m."),
        ("[window]", '[window]\nfuture = "0d"', 29, "window.future: a duration is longer than nothing."),
        ("[window]", "[safety]\nsource_shrink_percent = 101\n[window]", 29, "safety.source_shrink_percent must be at most 100."),
        ("[window]", '[safety]\nmax_deletes.count = "many"\n[window]', 29, "safety.max_deletes.count must be a whole number."),
        ('name = "standard"', 'name = "standard"\nshow_as = "bussy"', 27, "profiles.show_as must be one of free, tentative, busy, oof, workingElsewhere."),
        ('name = "standard"', 'name = "standard"\nreminder = "90s"', 27, "profiles.reminder: a reminder is a number of whole minutes before the start, such as 15m."),
        ("[tenant]", '[tenant]\nlogin_url = "https://localhost:1"', 5, "tenant: login_url and graph_url stand together, or neither does."),
        ("[tenant]", '[tenant]\nlogin_url = "http://localhost"\ngraph_url = "https://localhost"', 6, "tenant.login_url: an address is written as https://host, with a port or a path if need be."),
        ('file = "key.pem"', 'file = "key.pem", env = "KEY"', 11, "tenant.certificates.private_key: a secret has exactly one of file, env, credential and prompt = true."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_said_in_plain_words_with_its_line(
    folder: Folder, before: str, after: str, line: int, text: str
) -> None:
    assert before in INSTITUTION
    (only,) = folder.problems(example=INSTITUTION.replace(before, after, 1))
    assert (only.origin.file, only.origin.line, only.text) == ("conf.d/example.toml", line, text)


@pytest.mark.parametrize(
    "pasted",
    [
        'private_key = "-----BEGIN PRIVATE KEY-----hunter2"',
        'private_key = { file = "-----BEGIN PRIVATE KEY-----hunter2" }',
        'private_key = { file = """hunter2\nhunter2""" }',
        'private_key = { env = "hunter2" }',
        'private_key = { value = "hunter2" }',
        'private_key = ["hunter2"]',
    ],
)
def test_a_secret_pasted_into_the_file_is_refused_and_never_repeated(folder: Folder, pasted: str) -> None:
    found = folder.problems(example=INSTITUTION.replace('private_key = { file = "key.pem" }', pasted))
    assert found
    assert "hunter2" not in "".join(said(found)) + repr(found)


def test_a_pasted_secret_is_told_where_to_go(folder: Folder) -> None:
    text = INSTITUTION.replace('{ file = "key.pem" }', '"hunter2"')
    assert said(folder.problems(example=text)) == [
        (
            'E-CFG-SECRET conf.d/example.toml:11: "private_key" holds the content itself, instead of where it is '
            'kept.   Put it into a file of its own and write private_key = { file = "..." }.'
        )
    ]


def test_all_problems_of_all_files_are_told_together_in_the_order_of_their_lines(folder: Folder) -> None:
    found = folder.problems(
        HOST + "[engine]\nin_flight = 0\n",
        one=INSTITUTION.replace("Europe/London", "Mars/Base").replace('id = "example"', 'id = "ONE"'),
        two="schema = \n",
        three=another("third").replace('profile = "standard"', 'profile = "standart"'),
    )
    assert [(p.origin.file, p.origin.line, p.code) for p in found] == [
        ("classbell.toml", 4, "E-CFG-VALUE"),
        ("conf.d/one.toml", 2, "E-CFG-VALUE"),
        ("conf.d/one.toml", 29, "E-CFG-VALUE"),
        ("conf.d/three.toml", 23, "E-CFG-NAME"),
        ("conf.d/two.toml", 1, "E-CFG-SYNTAX"),
    ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"schema = 1\nname = \n", "classbell.toml:2:8"),
        (b"schema = 1\nschema = 1\n", "classbell.toml:2:11"),
        (b'schema = 1\nname = """never closed', "classbell.toml:2"),
        (b"schema = 1\n\nname = '\xe9'\n", "classbell.toml:3"),
    ],
)
def test_what_is_no_toml_is_told_with_line_and_column(folder: Folder, content: bytes, place: str) -> None:
    path = folder.write()
    path.write_bytes(content)
    with pytest.raises(InvalidConfiguration) as caught:
        load(path, LocalFiles(), {})
    (only,) = caught.value.problems
    assert only.code == "E-CFG-SYNTAX"
    assert str(only.origin).startswith(place)


def test_without_a_configuration_the_way_to_a_first_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "classbell.toml", LocalFiles(), {})
    assert caught.value.code == "E-CFG-NONE"
    assert caught.value.exit_code == 2
    assert "classbell init" in caught.value.do
    assert "classbell demo" in caught.value.do


def test_a_folder_in_place_of_the_configuration_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, LocalFiles(), {})
    assert caught.value.code == "E-CFG-NONE"


def test_two_files_with_one_id_are_a_problem_that_names_both(folder: Folder) -> None:
    (only,) = folder.problems(a=INSTITUTION, b=INSTITUTION)
    assert str(only) == 'conf.d/b.toml:2: the id "example" is also in conf.d/a.toml.'
    assert only.code == "E-CFG-TWICE"


def test_two_institutions_in_one_tenant_are_a_problem(folder: Folder) -> None:
    (only,) = folder.problems(a=INSTITUTION, b=INSTITUTION.replace('"example"', '"second"'))
    assert str(only) == (
        'conf.d/b.toml:6: the tenant "example.ac.uk" is also in conf.d/a.toml.'
        "   Institutions do not share mailboxes: put the sources of both into one file."
    )
    assert only.code == "E-CFG-TWICE"


def test_names_given_twice_and_names_of_nothing_are_problems(folder: Folder) -> None:
    text = (
        INSTITUTION.replace('gets = ["timetable"]', 'gets = ["timetabel", "rooms"]')
        + '\n[[profiles]]\nname = "standard"\n'
    )
    assert said(folder.problems(example=text)) == [
        'E-CFG-NAME conf.d/example.toml:22: there is no source "timetabel".   Did you mean "timetable"?',
        'E-CFG-NAME conf.d/example.toml:22: there is no source "rooms".   There are: timetable.',
        'E-CFG-TWICE conf.d/example.toml:32: profiles has the name "standard" twice.',
    ]


def test_a_missing_quotation_mark_is_told_as_such(folder: Folder) -> None:
    (only,) = folder.problems(example=INSTITUTION.replace('id = "example"', 'id = "example'))
    assert (only.code, only.origin.line) == ("E-CFG-SYNTAX", 2)
    assert only.hint == "A quotation mark or a bracket is missing in this line, or in the one above it."
