"""``classbell sandbox serve`` beyond what the demo uses of it."""

import json
import re
import signal
import socket
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest
from tests.cli.classbell import COMMAND, classbell, clean_environment

from classbell.sandbox import Sandbox


def serve(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The command, which ends with its standard input."""
    return subprocess.Popen(
        [*COMMAND, *arguments, "--while-stdin"],
        cwd=folder,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_without_a_file_it_starts_empty_and_names_the_pages_to_look_at(tmp_path: Path) -> None:
    with serve(tmp_path, "--json", "sandbox", "serve") as process:
        assert process.stdout is not None
        told = next(line for line in map(json.loads, process.stdout) if line["type"] == "serving")
        context = ssl.create_default_context(cafile=told["ca_file"])
        with urllib.request.urlopen(told["pages"], context=context) as page:  # noqa: S310 - https
            assert "0 mailboxes" in page.read().decode()
        process.communicate("")
    assert told["pages"] == f"{told['login_url']}/_sandbox/"
    assert process.returncode == 0


def test_the_pages_are_named_to_people_too(tmp_path: Path) -> None:
    with serve(tmp_path, "sandbox", "serve") as process:
        out, _ = process.communicate("")
    assert "This is NOT Microsoft 365" in out
    assert "To look at: https://localhost:" in out


def test_what_it_is_told_to_keep_is_there_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "sandbox.toml").write_text(
        "[[tenants]]\ndomain = 'example.edu'\nmailboxes = ['ada@example.edu']"
    )
    with serve(tmp_path, "sandbox", "serve", "sandbox.toml", "--data", "kept") as process:
        process.communicate("")
    assert process.returncode == 0
    with serve(tmp_path, "sandbox", "serve", "--data", "kept") as process:
        process.communicate("")
    assert process.returncode == 0
    sandbox = Sandbox(data=tmp_path / "kept")
    assert [mailbox.address for mailbox in sandbox.tenants[0].mailboxes()] == ["ada@example.edu"]
    sandbox.close()


def test_a_folder_in_use_is_told_with_what_to_do(tmp_path: Path) -> None:
    holder = Sandbox(data=tmp_path / "kept")
    with serve(tmp_path, "sandbox", "serve", "--data", "kept") as process:
        _, err = process.communicate("")
    holder.close()
    assert process.returncode == 2
    assert "E-SANDBOX-DATA" in err
    assert "Another sandbox keeps its state in kept." in " ".join(err.split())
    assert "end the other one, or name another folder" in err


@pytest.mark.parametrize(
    ("host", "told"), [("192.0.2.1", "add --beyond-loopback"), ("example.edu", "such as 127.0.0.1")]
)
def test_an_address_that_others_can_reach_or_that_is_none_is_told_in_words(
    tmp_path: Path, host: str, told: str
) -> None:
    ended = classbell("sandbox", "serve", "--host", host, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("E-USAGE")
    assert told in ended.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "E-SANDBOX-FILE  file.toml cannot be read: No such file or directory."),
        ("schema = 1\n", 'E-SANDBOX-FILE  file.toml: unknown key "schema".'),
        ("[[tenants]]\ndomain = 'e.edu'\nx = 1\n", 'E-SANDBOX-FILE  file.toml: unknown key "x" in tenants['),
    ],
)
def test_a_file_that_it_cannot_use_is_told_in_words(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "file.toml").write_text(content)
    ended = classbell("sandbox", "serve", "file.toml", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith(told)


def test_a_port_in_use_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(tmp_path, "sandbox", "serve", "--port", str(port)) as process:
            _, err = process.communicate("")
    assert process.returncode == 2
    assert f"E-SANDBOX-PORT  The sandbox cannot listen on 127.0.0.1, port {port}." in err
    assert "name another --port" in err


@pytest.mark.prove
def test_the_demo_names_the_pages_of_the_sandbox_that_it_keeps_up(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "--json", "demo", "--people", "20", "--serve", "--dir", str(tmp_path / "demo")],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pages = next(line["pages"] for line in map(json.loads, process.stdout) if line["type"] == "look")
        configuration = (tmp_path / "demo" / "conf.d" / "example.toml").read_text()
        ca_file = re.search(r'ca_file = "(.*)"', configuration)
        assert ca_file
        context = ssl.create_default_context(cafile=ca_file[1])
        with urllib.request.urlopen(pages, context=context) as page:  # noqa: S310 - https
            assert "by application Classbell" in page.read().decode()
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 0
