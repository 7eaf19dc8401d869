"""The ids that come back: read out of a form or a mail, and written where they belong and nowhere else."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.settings.folder import INSTITUTION
from tests.setup.institutions import CLIENT, OBJECT, TENANT, facts

from classbell.cli.init import _INSTITUTION as FIRST
from classbell.errors import ConfigurationError
from classbell.setup import amended, answer_form, parse_answer

IDS = {"tenant_id": TENANT, "client_id": CLIENT, "application_object_id": OBJECT}
OTHER = "deadbeef-8f3d-4a67-9b10-2c4d6e8f0a12"


def filled_in(form: str) -> str:
    for key, value in IDS.items():
        form = form.replace(f'{key} = ""', f'{key} = "{value}"')
    return form


def quoted_in_a_mail(form: str) -> str:
    lines = [f"> > {line}" for line in form.replace('"', "\u201d").splitlines()]
    return "\r\n".join(
        ["Dear all,", "here they are. client_id is from the portal.", "", *lines, "-- ", "Ada"]
    )


@pytest.mark.parametrize("way", [str, quoted_in_a_mail, str.upper], ids=["form", "mail", "shouted"])
def test_the_form_is_read_back_however_it_travelled(way: object) -> None:
    assert callable(way)
    form = filled_in(answer_form(facts()))
    if way is str.upper:
        form = "\n".join(
            line.partition("=")[0] + "=" + line.partition("=")[2].upper() for line in form.splitlines()
        )
    else:
        form = way(form)
    assert parse_answer(form) == IDS


def test_ids_may_be_given_one_by_one_and_without_quotation_marks() -> None:
    assert parse_answer(f"client_id={CLIENT}\ntenant_id: Example.AC.UK  # ours") == {
        "client_id": CLIENT,
        "tenant_id": "example.ac.uk",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no id in the answer"),
        (answer_form(facts()), "no id in the answer"),
        ("client_id = 0b9b1e0a", "client_id: a GUID is written as"),
        ("tenant_id = our tenant", "tenant_id: a tenant is named by"),
        ("tenant_id = 'x'; rm -rf /", "tenant_id: a tenant is named by"),
        (f"client_id = {CLIENT}\nclient_id = {OTHER}", "client_id stands there twice"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_answer(text)
    assert caught.value.code == "E-SETUP-ANSWER"
    assert words in caught.value.what


@given(st.text(), st.sampled_from(list(IDS)))
def test_no_text_is_too_strange_for_an_answer_in_words(text: str, key: str) -> None:
    with pytest.raises(ConfigurationError, match="E-SETUP-ANSWER"):
        parse_answer(f"{key} = {text}\n{key} = {TENANT}\n{key} = {OTHER}")


def test_a_first_configuration_gets_its_ids_and_keeps_every_comment() -> None:
    content, changes = amended(FIRST.encode(), "example.toml", IDS)
    assert [(each.key, each.old, each.new) for each in changes] == [(key, "", IDS[key]) for key in IDS]
    kept = content.decode().splitlines()
    assert [line for line in FIRST.splitlines() if line not in kept] == [
        line for line in FIRST.splitlines() if line.startswith(("tenant_id", "client_id"))
    ]
    at = next(number for number, line in enumerate(kept) if line.startswith("tenant_id"))
    assert kept[at].endswith("# Entra admin center > Overview; or a verified domain")
    assert kept[at + 1].startswith(f'client_id = "{CLIENT}"')
    assert kept[at + 2] == f'application_object_id = "{OBJECT}"'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_marks_of_other_systems_stay(end: str, mark: str) -> None:
    before = mark + INSTITUTION.replace("\n", end)
    content, _ = amended(before.encode(), "example.toml", IDS)
    after = content.decode()
    assert after.startswith(mark)
    assert after.count(end) == after.count("\n") == before.count("\n") + 1
    assert tomllib.loads(after.removeprefix(mark))["tenant"]["application_object_id"] == OBJECT


def test_ids_that_are_there_are_changed_and_told() -> None:
    content, (change,) = amended(INSTITUTION.encode(), "example.toml", {"client_id": OTHER})
    assert (change.old, change.new) == ("0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10", OTHER)
    assert content.decode() == INSTITUTION.replace(change.old, OTHER)
    assert amended(content, "example.toml", {"client_id": OTHER}) == (content, [])


@pytest.mark.parametrize(
    "tenant",
    [
        'tenant.client_id = "CLIENT-GUID"\ntenant.cloud = "global"',
        'tenant = { client_id = "CLIENT-GUID" } # all in one',
        '[tenant] # no ids yet\ncloud = "global"\n\n# the certificate\n[[tenant.certificates]]\nalias = "x"',
        '["tenant"]\n"client_id" = \'CLIENT-GUID\'',
    ],
)
def test_other_ways_to_write_the_table_are_understood(tenant: str) -> None:
    before = f'id = "example" # permanent\n{tenant}\n'
    after = tomllib.loads(amended(before.encode(), "example.toml", IDS)[0].decode())
    wanted = tomllib.loads(before)
    wanted["tenant"].update(IDS)
    assert after == wanted


def test_a_file_that_cannot_be_changed_safely_is_left_alone() -> None:
    with pytest.raises(ConfigurationError) as caught:
        amended(b'id = "example"\n', "example.toml", IDS)
    assert caught.value.code == "E-SETUP-FILE"


@given(
    st.lists(
        st.sampled_from(["# a comment", "", "  ", "\t# tenant_id = 'x'", "[window]", 'past = "7d" # x']),
        max_size=6,
    ),
    st.permutations(["tenant_id", "client_id", "cloud"]),
    st.sampled_from(["  # why", "", "   "]),
)
def test_all_else_in_the_file_stays_as_it_was(around: list[str], keys: list[str], comment: str) -> None:
    lines = [f'{key} = "old"{comment}' for key in keys]
    before = "\n".join(
        ['id = "e"', "# [tenant]", "[tenant]", *lines, "", "# below", "[[tenant.certificates]]", *around]
    )
    try:
        wanted = tomllib.loads(before)
    except tomllib.TOMLDecodeError:
        return
    content, _ = amended(before.encode(), "example.toml", IDS)
    after = content.decode()
    wanted["tenant"].update(IDS)
    assert tomllib.loads(after) == wanted
    untouched = [line for line in before.split("\n") if not line.startswith(("tenant_id", "client_id"))]
    assert [
        line for line in after.split("\n") if not line.startswith(("tenant_id", "client_id", "application"))
    ] == untouched
    assert after.count(comment.strip() or "\0") == before.count(comment.strip() or "\0")
