"""``classbell cert rotate`` and ``retire`` on the sandbox: a new one in, the old one out, asked for and resumable."""

import os
import re
import signal
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.cli.cert.commands import PASSWORD, Installed, installed
from tests.cli.classbell import COMMAND, clean_environment
from tests.identity.terminal import typed

from classbell.identity.certificates import KeyPair
from classbell.lease import lease


def listed(example: Installed) -> list[str]:
    data = tomllib.loads(example.file.read_text())
    return [each["certificate"]["file"] for each in data["tenant"]["certificates"]]


def test_a_new_one_comes_in_and_the_old_one_goes_out(example: Installed) -> None:
    rotated = example.good("rotate", "--yes")
    assert "signs in" in rotated.err
    assert "Thumbprint" in rotated.out
    assert "Next, after a day or more: classbell cert retire -i example" in rotated.err
    old, new = listed(example)
    assert re.fullmatch(r"classbell-example-\d{4}\.crt", new)
    assert f"Files        conf.d/{new}, conf.d/{new.removesuffix('.crt')}.key" in rotated.out
    assert (old, len(example.app.credentials)) == ("old-cert.pem", 2)
    (uploaded,) = (each for each in example.app.credentials if each.sha1 not in rotated.out)
    retired = example.good("retire", "--yes", "--key-id", uploaded.key_id)
    assert "is retired." in retired.out
    assert listed(example) == [new]
    assert len(example.app.credentials) == 1
    assert not (example.conf / "old-key.pem").exists()
    assert example.good("check").out.count("Microsoft gives a token") == 1


def test_a_retirement_that_is_done_already_says_so_again(example: Installed) -> None:
    example.good("rotate", "--yes")
    uploaded, _ = example.app.credentials
    first = example.good("retire", "--yes", "--key-id", uploaded.key_id)
    # Whoever was stopped before reading the answer runs it again, and is not asked what is gone already.
    assert example.good("retire").out == first.out
    assert example.good("retire", "old-cert.pem").out == first.out
    ended = example.cert("retire", "another.pem")
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-CERT-WHICH")


def test_json_lines_tell_each_step_and_the_result(example: Installed) -> None:
    lines = example.good("rotate", "--yes", "--json").json
    assert lines[0] == {"type": "version", "format": "1.0"}
    assert [line["name"] for line in lines if line["type"] == "step"] == [
        "made",
        "registered",
        "works",
        "switched",
    ]
    assert (lines[-1]["type"], lines[-1]["exit"], lines[-1]["fresh"]) == ("result", 0, True)
    again = example.good("rotate", "--yes", "--json").json
    assert again[-1]["fresh"] is False
    assert again[-1]["certificate"]["sha1"] == lines[-1]["certificate"]["sha1"]


def test_without_a_yes_nothing_is_done(example: Installed) -> None:
    before = example.file.read_text()
    ended = example.cert("rotate")
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-ASK")
    assert "--yes" in ended.err
    example.good("rotate", "--yes")
    # What is wrong is told before anybody is asked.
    ended = example.cert("retire")
    assert ended.code == 2
    assert "E-CERT-KEY-ID" in ended.err
    assert "E-ASK" not in ended.err
    ended = example.cert("retire", "--key-id", example.app.credentials[0].key_id)
    assert ended.code == 2
    assert "E-ASK" in ended.err
    assert "old-cert.pem" in ended.err
    assert example.file.read_text() != before
    assert len(listed(example)) == 2


def test_the_only_one_stays_and_an_unknown_id_is_asked_for(example: Installed) -> None:
    ended = example.cert("retire", "--yes")
    assert ended.code == 4
    assert ended.err.startswith("E-CERT-LAST")
    assert "is the only certificate" in ended.err
    ended = example.cert("retire", "old-cert.pem", "--yes")
    assert (ended.code, ended.err.partition("  ")[0]) == (4, "E-CERT-LAST")
    example.good("rotate", "--yes")
    ended = example.cert("retire", "old-cert.pem", "--yes")
    assert (ended.code, ended.err.splitlines()[1].partition("  ")[0]) == (2, "E-CERT-KEY-ID")
    assert "--key-id" in ended.err
    assert len(listed(example)) == 2


def test_two_at_once_do_not_get_in_each_others_way(example: Installed) -> None:
    with lease(example.conf / "example-certificates.json.lease"):
        ended = example.cert("rotate", "--yes")
    assert ended.code == 7
    assert ended.err.startswith(
        "E-LEASE  Another Classbell process is at work on the certificates of example."
    )


def test_a_lack_of_the_object_id_is_said_before_anything_is_made(example: Installed) -> None:
    text = example.file.read_text()
    begin = text.index("application_object_id")
    example.file.write_text(text[:begin] + text[text.index("\n", begin) + 1 :])
    ended = example.cert("rotate", "--yes")
    assert (ended.code, ended.err.partition("  ")[0]) == (2, "E-CERT-OBJECT-ID")
    assert not list(example.conf.glob("classbell-example-*"))


@pytest.mark.prove
def test_ctrl_c_while_it_waits_is_safe_and_the_same_command_goes_on(example: Installed) -> None:
    example.sandbox.switches.key_propagation = 3600.0
    process = subprocess.Popen(
        [*COMMAND, "cert", "rotate", "--yes"],
        cwd=example.folder,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "Trying again" in line:
                break
        os.kill(process.pid, signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.stderr.close()
    assert "Interrupted. What was done is remembered" in said
    assert listed(example) == ["old-cert.pem"]
    later = example.cert("rotate", "--yes", "--wait", "0")
    assert later.code == 5
    assert "E-CERT-WAIT  The new certificate" in later.err
    example.app.credentials[-1] = replace(example.app.credentials[-1], known_from=0.0)  # known by now
    example.good("rotate", "--yes")
    assert len(listed(example)) == len(example.app.credentials) == 2


@pytest.mark.prove
def test_a_password_that_is_typed_in_opens_the_old_key_and_locks_the_new_one(
    tmp_path: Path, sealed_pair: KeyPair
) -> None:
    with installed(tmp_path, sealed_pair, password=PASSWORD) as example:
        text = example.file.read_text()
        example.file.write_text(
            text.replace('key_password = { file = "password" }', "key_password = { prompt = true }")
        )
        shown = typed(
            [*COMMAND, "cert", "rotate", "--yes"], [("he key password of ", PASSWORD)], example.folder
        )
        assert PASSWORD not in shown
        new = example.conf / listed(example)[1]
        key = new.with_suffix(".key")
        assert load_pem_private_key(key.read_bytes(), PASSWORD.encode())
