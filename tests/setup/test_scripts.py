"""The scripts hold before the parsers of their languages, whatever is known of an institution, and whatever its name."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.setup.grammar import (
    format_offences,
    powershell_calls,
    powershell_faults,
    shellcheck,
    terraform,
)
from tests.setup.institutions import NASTY, NEW, NONE_YET, OLD, facts, registered
from tests.setup.test_quoting import TEXTS

from classbell.setup import Facts, overview, rendered
from classbell.setup.clouds import CLOUD_TOOLS

POWERSHELL = ("powershell", "rbac", "access-policy")
# Every combination of what templates decide by.
ALL = [
    made(cloud=cloud, scope=scope, api=api, certificates=certificates, handover=handover)
    for made, cloud, scope, api, certificates, handover in itertools.product(
        (facts, registered, lambda **changes: registered(object_id="", tenant="example.edu", **changes)),
        CLOUD_TOOLS,
        ("", "timetable@example.edu"),
        ("graph", "outlook-rest-v2"),
        ((NEW,), (NEW, OLD), (NONE_YET,)),
        (False, True),
    )
]


def text(known: Facts, part: str) -> str:
    (script,) = rendered(known, [part])
    return script.text


def test_shell_scripts_have_no_fault_that_shellcheck_knows(tmp_path: Path) -> None:
    files: list[Path] = []
    # Of a cloud only its name is in it, and of a certificate its file's: two of each will do.
    some = [
        known for known in ALL if known.cloud in {"global", "china"} and known.certificates != (NONE_YET,)
    ]
    for script in {text(known, "azure-cli") for known in some}:
        files.append(tmp_path / f"{len(files)}.sh")
        files[-1].write_text(script, encoding="utf-8")
    assert len(files) == 48
    assert shellcheck(files) == ""


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_no_name_makes_a_fault_in_a_shell_script(tmp_path: Path, name: str) -> None:
    (tmp_path / "script.sh").write_text(text(facts(name=name, scope=name), "azure-cli"), encoding="utf-8")
    # Above hints, which rightly wonder at signs in quotation marks; SC1112 is the same for typographic ones.
    assert shellcheck([tmp_path / "script.sh"], "--severity=warning", "--exclude=SC1112") == ""


def test_shellcheck_would_find_a_fault(tmp_path: Path) -> None:
    (tmp_path / "script.sh").write_text("#!/bin/bash\nname='Crafts'' & $Arts'\n", encoding="utf-8")
    assert "SC2" in shellcheck([tmp_path / "script.sh"])


def test_powershell_scripts_follow_the_grammar() -> None:
    for script in {text(known, part) for known in ALL for part in POWERSHELL}:
        assert powershell_faults(script) == [], script


def test_terraform_files_parse_and_have_their_canonical_form() -> None:
    for script in {text(known, "terraform") for known in ALL}:
        assert terraform(script)["resource"]
        assert format_offences(script) == [], script


@pytest.mark.parametrize(
    "wrong",
    [
        "a {\n b = 1\n}\n",
        "a {\n  b = 1\n  long = 2\n}\n",
        "a = 1 \n",
        "a {\n\n\n  b = 1\n}\n",
        "a {\nb = 1\n}\n",
    ],
)
def test_a_form_that_terraform_would_change_is_found(wrong: str) -> None:
    assert format_offences(wrong)


@given(TEXTS, TEXTS)
@settings(max_examples=25, deadline=None)
def test_no_name_makes_a_fault_in_powershell_and_terraform(name: str, scope: str) -> None:
    plain, known = facts(scope="x" if scope else ""), facts(name=name, scope=scope)
    for part in POWERSHELL:
        assert powershell_faults(text(known, part)) == []
        assert powershell_calls(text(known, part)) == powershell_calls(text(plain, part))
    assert terraform(text(known, "terraform")).keys() == terraform(text(plain, "terraform")).keys()


@given(st.sampled_from(NASTY))
def test_a_name_is_never_taken_for_a_template(name: str) -> None:
    assert "49" not in text(facts(name=name), "portal").split("Supported")[0]


@pytest.mark.parametrize("name", ["portal", "consent", "security", "overview"])
def test_what_people_read_fits_a_terminal(name: str) -> None:
    for known in ALL:
        shown = overview(known) if name == "overview" else text(known, name)
        long = [line for line in shown.splitlines() if len(line) > 80 and "https://" not in line]
        assert long == []
        assert "\n\n\n" not in shown
        assert not shown.startswith("\n")
