import json
import tomllib
from typing import Any

import jsonschema
import pytest
from tests.settings.folder import HOST, INSTITUTION, Folder

from classbell.settings import Origin, effective, schemas


def shown(folder: Folder, **given: Any) -> dict[str, tuple[Any, str]]:
    return {row.path: (row.value, str(row.origin)) for row in effective(folder.load(**given))}


def test_every_setting_shows_as_a_file_would_say_it_with_its_origin(folder: Folder) -> None:
    text = INSTITUTION + 'past = "26h"\n'
    rows = shown(folder, example=text.replace("[[profiles]]", '[[profiles]]\nreminder = "90m"'))
    mine = "institutions.example."
    assert rows["installation"] == ("6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11", "classbell.toml:2")
    assert rows["schema"] == (1, "classbell.toml:1")
    assert rows["database.url"] == (f"sqlite:///{folder.path}/classbell.db", "default")
    assert rows[mine + "profiles.0.reminder"] == ("1h30m", "conf.d/example.toml:26")
    assert rows[mine + "window.past"] == ("1d2h", "conf.d/example.toml:31")
    assert rows[mine + "window.future"] == ("200d", "default")
    assert rows[mine + "sources.0.limits.bytes"] == ("64MiB", "default")
    assert rows[mine + "sources.0.map.start"] == ("from", "conf.d/example.toml:18")
    assert rows[mine + "audience.0.gets"] == (["timetable"], "conf.d/example.toml:22")
    assert rows[mine + "tenant.ca_file"] == (None, "default")


def test_an_absent_reminder_shows_as_a_file_says_it(folder: Folder) -> None:
    assert shown(folder)["institutions.example.profiles.0.reminder"] == ("none", "default")


def test_secrets_show_as_the_place_they_are_kept_and_are_never_read(folder: Folder) -> None:
    text = INSTITUTION.replace('"key.pem" }', '"key.pem" }\nkey_password = { env = "PASSWORD" }')
    rows = shown(folder, example=text, environ={"PASSWORD": "hunter2"})
    (folder.path / "conf.d" / "key.pem").write_text("hunter2")
    certificate = "institutions.example.tenant.certificates.0."
    assert rows[certificate + "private_key"][0] == {"file": str(folder.path / "conf.d" / "key.pem")}
    assert rows[certificate + "key_password"] == ({"env": "PASSWORD"}, "conf.d/example.toml:12")
    assert "hunter2" not in json.dumps(rows)


def test_what_shows_could_be_written_to_a_file_and_means_the_same(folder: Folder) -> None:
    before = {path: value for path, (value, _) in shown(folder).items()}
    profile = {path: value for path, value in before.items() if ".profiles.0." in path and value is not None}
    lines = "".join(f"{path.rsplit('.', 1)[1]} = {json.dumps(value)}\n" for path, value in profile.items())
    rewritten = INSTITUTION.replace('[[profiles]]\nname = "standard"\n', "[[profiles]]\n" + lines)
    assert {path: value for path, (value, _) in shown(folder, example=rewritten).items()} == before


@pytest.mark.parametrize(("kind", "text"), [("host", HOST), ("institution", INSTITUTION)])
def test_the_json_schema_accepts_what_is_accepted(kind: str, text: str) -> None:
    jsonschema.validate(tomllib.loads(text), schemas()[kind])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "standard"', 'name = "standard"\nreminder = "fifteen"'),
        ('timezone = "Europe/London"', 'timezone = "Europe/London"\npast = 7'),
        ('id = "example"', 'iD = "example"'),
        ("schema = 1", "schema = 2"),
        ('["timetable"]', "[]"),
    ],
)
def test_the_json_schema_refuses_what_is_refused(before: str, after: str) -> None:
    data = tomllib.loads(INSTITUTION.replace(before, after, 1))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schemas()["institution"])


def test_the_json_schema_accepts_the_short_forms(folder: Folder) -> None:
    text = (
        INSTITUTION.replace(
            'name = "standard"', 'name = "standard"\nsubject = "{{ title }}"\nreminder = "none"'
        )
        + 'past = "1h30m"\n[[sources]]\nname = "f"\nkind = "ics"\nfeeds = "feeds.csv"\nlimits = { bytes = "1MiB" }\n'
    )
    folder.load(example=text)
    jsonschema.validate(tomllib.loads(text), schemas()["institution"])


def test_an_origin_reads_like_a_place() -> None:
    assert str(Origin(file="a.toml", line=3)) == "a.toml:3"
    assert str(Origin(file="a.toml", line=3, column=7)) == "a.toml:3:7"
    assert str(Origin(variable="CLASSBELL_X")) == "environment CLASSBELL_X"
    assert str(Origin()) == "default"
