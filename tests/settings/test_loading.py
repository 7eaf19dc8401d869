from datetime import timedelta
from pathlib import Path

import pytest
from tests.settings.folder import HOST, INSTITUTION, Folder, another

from classbell.errors import ConfigurationError
from classbell.life import LocalFiles
from classbell.settings import Configuration, IcsSource, InvalidConfiguration, load, load_sound


def test_the_smallest_configuration_has_the_documented_defaults(folder: Folder, tmp_path: Path) -> None:
    configuration = folder.load()
    example = configuration.institution()
    assert configuration.host.database.url == f"sqlite:///{tmp_path}/classbell.db"
    assert configuration.host.engine.in_flight == 64
    assert example.mode == "observe"
    assert example.tenant.login == "https://login.microsoftonline.com"
    assert example.tenant.graph == "https://graph.microsoft.com"
    assert example.window.past == timedelta(days=7)
    assert example.window.future == timedelta(days=200)
    assert example.safety.max_deletes.count == 500
    assert example.profiles[0].subject == ("{{ title }}",)
    assert example.profiles[0].reminder is None
    assert example.sources[0].limits.bytes == 64 * 2**20
    assert configuration.warnings == ()


def test_paths_start_at_the_file_that_names_them(folder: Folder, tmp_path: Path) -> None:
    text = INSTITUTION.replace('"key.pem"', '"/etc/keys/key.pem"')
    (pair,) = folder.load(example=text).institution().tenant.certificates
    assert pair.certificate is not None
    assert pair.private_key is not None
    assert pair.certificate.file == tmp_path / "conf.d" / "cert.pem"
    assert pair.private_key.file == Path("/etc/keys/key.pem")


def test_feeds_written_inline_have_paths_that_start_at_the_file_and_addresses_that_do_not(
    folder: Folder, tmp_path: Path
) -> None:
    text = INSTITUTION.replace(
        "[[audience]]",
        '[[sources]]\nname = "f"\nkind = "ics"\n'
        'feeds = [{ person = "a@x.org", url = "a.ics" }, { person = "b@x.org", url = "https://x.org/b" }]\n'
        "[[audience]]",
    )
    source = folder.load(example=text).institution().sources[1]
    assert isinstance(source, IcsSource)
    feeds = source.feeds
    assert isinstance(feeds, tuple)
    assert [feed.url for feed in feeds] == [str(tmp_path / "conf.d" / "a.ics"), "https://x.org/b"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///data/bell.db", "sqlite:///{here}/data/bell.db"),
        ("sqlite:////var/lib/bell.db", "sqlite:////var/lib/bell.db"),
    ],
)
def test_a_relative_database_starts_at_the_host_file(
    folder: Folder, tmp_path: Path, written: str, meant: str
) -> None:
    url = folder.load(HOST + f'[database]\nurl = "{written}"\n').host.database.url
    assert url == meant.format(here=tmp_path)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://u:hunter2@h/db", "classbell.db"]
)
def test_a_database_that_would_forget_or_is_not_supported_is_refused(folder: Folder, url: str) -> None:
    (only,) = folder.problems(HOST + f'[database]\nurl = "{url}"\n')
    assert str(only).startswith("classbell.toml:4: database.url: the database is an SQLite file")
    assert "hunter2" not in str(only)


@pytest.mark.parametrize(
    ("cloud", "login", "graph"),
    [
        ("usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        ("usgov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        ("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_a_national_cloud_has_its_own_addresses(folder: Folder, cloud: str, login: str, graph: str) -> None:
    tenant = folder.load(example=INSTITUTION.replace("[tenant]", f'[tenant]\ncloud = "{cloud}"'))
    assert (tenant.institution().tenant.login, tenant.institution().tenant.graph) == (login, graph)


def test_explicit_addresses_overrule_the_cloud(folder: Folder) -> None:
    urls = 'login_url = "https://localhost:8443/"\ngraph_url = "https://localhost:8443/graph"'
    tenant = folder.load(example=INSTITUTION.replace("[tenant]", f"[tenant]\n{urls}")).institution().tenant
    assert (tenant.login, tenant.graph) == ("https://localhost:8443", "https://localhost:8443/graph")


def test_institutions_are_found_by_their_ids_and_guessed_from_near_ones(folder: Folder) -> None:
    configuration = folder.load(a=INSTITUTION, b=another("second"))
    assert list(configuration.institutions) == ["example", "second"]
    assert configuration.institution("second").id == "second"
    with pytest.raises(ConfigurationError) as several:
        configuration.institution()
    assert several.value.why == "configured: example, second."
    with pytest.raises(ConfigurationError) as unknown:
        configuration.institution("secnd")
    assert unknown.value.what == 'There is no institution "secnd".   Did you mean "second"?'


def sound(folder: Folder, **institutions: str) -> Configuration:
    return load_sound(folder.write(HOST, **institutions), LocalFiles(), {})


def test_what_is_wrong_with_one_institution_keeps_no_other_from_being_used(folder: Folder) -> None:
    found = sound(folder, a=INSTITUTION.replace("Europe/London", "REGION/CITY"), b=another("second"))
    assert list(found.institutions) == ["second"]
    assert [(one.id, one.file, len(one.problems)) for one in found.unsound] == [
        ("example", "conf.d/a.toml", 1)
    ]
    with pytest.raises(InvalidConfiguration) as unsound:
        found.institution("example")
    assert unsound.value.problems == found.unsound[0].problems
    with pytest.raises(ConfigurationError) as several:
        found.institution()
    assert several.value.why == "configured: example, second."
    assert found.only("second").unsound == ()


def test_a_file_that_cannot_be_read_may_be_the_one_that_is_meant(folder: Folder) -> None:
    found = sound(folder, a="id = \n", b=another("second"))
    assert found.institution("second").id == "second"
    with pytest.raises(InvalidConfiguration) as unread:
        found.institution("example")
    assert unread.value.code == "E-CFG-SYNTAX"


def test_of_two_files_for_one_institution_or_tenant_neither_is_used(folder: Folder) -> None:
    same_id = another("second").replace('"second"', '"example"')
    same_tenant = another("second").replace("second.ac.uk", "example.ac.uk")
    for twin in (same_id, same_tenant):
        found = sound(folder, a=INSTITUTION, b=twin, c=another("third"))
        assert list(found.institutions) == ["third"]
        assert [problem.code for problem in found.problems()] == ["E-CFG-TWICE"]


def test_an_unfinished_file_keeps_a_copy_of_it_from_being_used(folder: Folder) -> None:
    unfinished = INSTITUTION.replace("Europe/London", "REGION/CITY")
    found = sound(folder, a=unfinished, b=INSTITUTION, c=another("third"))
    assert list(found.institutions) == ["third"]
    assert [problem.code for problem in found.problems()] == ["E-CFG-VALUE", "E-CFG-TWICE"]


def test_what_is_wrong_with_the_host_file_concerns_all(folder: Folder) -> None:
    folder.write(HOST + "[engine]\nin_flight = 0\n")
    with pytest.raises(InvalidConfiguration):
        load_sound(Path("classbell.toml"), LocalFiles(), {})


def test_each_included_file_counts_once_and_a_pattern_without_files_is_a_warning(
    folder: Folder, tmp_path: Path
) -> None:
    include = (
        f'include = ["conf.d/*.toml", "conf.d/example.toml", "{tmp_path}/conf.d/*.toml", "more/*.toml"]\n'
    )
    configuration = folder.load(HOST + include)
    assert [str(warning) for warning in configuration.warnings] == [
        'classbell.toml:3: "more/*.toml" matches no file.   Each institution has a file of its own.'
    ]


def test_what_nobody_uses_and_secrets_in_the_environment_are_warnings(folder: Folder) -> None:
    text = (
        INSTITUTION.replace('{ file = "key.pem" }', '{ env = "KEY" }')
        + '\n[[profiles]]\nname = "students"\n[[sources]]\nname = "rooms"\nkind = "ics"\nfeeds = "f.csv"\n'
    )
    assert [(w.code, w.origin.line) for w in folder.load(example=text).warnings] == [
        ("W-CFG-ENV", 11),
        ("W-CFG-UNUSED", 32),
        ("W-CFG-UNUSED", 34),
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Folder) -> None:
    path = folder.write()
    path.write_bytes(b"\xef\xbb\xbf" + HOST.replace("\n", "\r\n").encode())
    assert load(path, LocalFiles(), {}).host.engine.in_flight == 64


@pytest.mark.parametrize("include", ["conf.d/*.toml", "conf.d/gone.toml"])
def test_an_institution_file_that_cannot_be_read_is_a_problem_and_no_omission(
    folder: Folder, tmp_path: Path, include: str
) -> None:
    folder.write()
    (tmp_path / "conf.d" / "gone.toml").symlink_to(tmp_path / "nowhere")
    found = folder.problems(HOST + f'include = ["{include}"]\n')
    assert [(p.code, p.origin.file, p.hint) for p in found] == [
        ("E-CFG-NONE", "conf.d/gone.toml", "No such file or directory.")
    ]
