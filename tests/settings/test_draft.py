"""An institution as guided set-up reads it: the rest of its file may wait."""

from pathlib import Path

import pytest
from tests.settings.folder import INSTITUTION, Folder

from classbell.errors import ConfigurationError
from classbell.life import LocalFiles
from classbell.settings import Draft, InvalidConfiguration, load_draft

NEW = """\
schema = 1
id = "example"
name = "Example University"

[tenant]
tenant_id = "TENANT-GUID"
client_id = "CLIENT-GUID"

[window]
timezone = "REGION/CITY"
"""


def draft(folder: Folder, text: str = NEW, chosen: str | None = None, **environ: str) -> Draft:
    return load_draft(folder.write(example=text), LocalFiles(), environ, chosen)


def test_what_a_first_configuration_leaves_open_is_not_known_yet(folder: Folder) -> None:
    found = draft(folder)
    assert (found.settings.id, found.settings.name) == ("example", "Example University")
    assert (found.settings.tenant.tenant_id, found.settings.tenant.client_id) == (None, None)
    assert found.settings.tenant.certificates == ()
    assert found.path == Path("conf.d/example.toml")


def test_what_is_filled_in_is_read_and_the_environment_overrules_it(folder: Folder) -> None:
    name = "CLASSBELL_INSTITUTIONS__EXAMPLE__TENANT__TENANT_ID"
    tenant = draft(folder, INSTITUTION, **{name: "other.ac.uk"}).settings.tenant
    assert (tenant.tenant_id, tenant.client_id) == ("other.ac.uk", "0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10")
    assert tenant.certificates[0].certificate is not None


@pytest.mark.parametrize(("wrong", "line"), [("CLIENT-GUIDE", 7), ("0b9b1e0a", 7)])
def test_what_is_filled_in_wrongly_is_not_taken_for_unknown(folder: Folder, wrong: str, line: int) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        draft(folder, NEW.replace("CLIENT-GUID", wrong))
    (problem,) = caught.value.problems
    assert (problem.code, problem.origin.line) == ("E-CFG-VALUE", line)


@pytest.mark.parametrize("chosen", ["exampel", None])
def test_an_institution_that_is_not_there_is_told_apart_from_one_that_is_incomplete(
    folder: Folder, chosen: str | None
) -> None:
    folder.write(example=NEW, second=NEW.replace('"example"', '"second"'))
    with pytest.raises(ConfigurationError) as caught:
        load_draft(Path("classbell.toml"), LocalFiles(), {}, chosen)
    assert caught.value.code == "E-CFG-INSTITUTION"
    assert "example, second" in caught.value.why


def test_an_unreadable_file_of_another_institution_is_no_hindrance(folder: Folder) -> None:
    folder.write(example=NEW, second="no toml")
    assert load_draft(Path("classbell.toml"), LocalFiles(), {}, "example").settings.id == "example"
    with pytest.raises(InvalidConfiguration, match="second"):
        load_draft(Path("classbell.toml"), LocalFiles(), {}, "second")


def test_a_configuration_with_ids_not_filled_in_is_checked_with_the_next_step(folder: Folder) -> None:
    text = INSTITUTION.replace('"0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10"', '"CLIENT-GUID"')
    (problem,) = folder.problems(example=text)
    assert str(problem) == (
        "conf.d/example.toml:7: tenant.client_id: not filled in yet; classbell setup says how to come by it."
    )
