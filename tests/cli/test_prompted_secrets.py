"""Passwords that are typed in: asked for at the terminal, each once; never where nobody sits."""

import os

from tests.cli.classbell import COMMAND, clean_environment
from tests.cli.classbell import classbell as run
from tests.cli.conftest import PASSWORD, put
from tests.identity.terminal import typed
from tests.settings.folder import INSTITUTION, Folder

from classbell.identity.certificates import KeyPair

KEYSTORE = """\
keystore = { file = "all.pem" }
key_password = { prompt = true }
"""


def prompting(folder: Folder, pair: KeyPair) -> None:
    """The same keystore twice, so that its password is needed twice."""
    start, end = INSTITUTION.index("certificate ="), INSTITUTION.index("[[sources]]")
    twice = f"{KEYSTORE}\n[[tenant.certificates]]\n{KEYSTORE}\n"
    folder.write(example=INSTITUTION[:start] + twice + INSTITUTION[end:])
    put(folder.path / "conf.d", "all.pem", pair.key + pair.certificate)


def test_a_password_is_asked_for_once_and_not_shown(folder: Folder, locked_pair: KeyPair) -> None:
    prompting(folder, locked_pair)
    path = f"PATH={os.environ['PATH']}"
    shown = typed(
        ["env", "-i", path, *COMMAND, "config", "check"], [("The key password of", PASSWORD)], folder.path
    )
    assert "ok   example   Example University" in shown
    assert shown.count(f"The key password of {folder.path / 'conf.d/all.pem'}") == 1
    assert PASSWORD not in shown


def test_where_nobody_can_be_asked_that_is_said_with_what_to_configure(
    folder: Folder, locked_pair: KeyPair
) -> None:
    prompting(folder, locked_pair)
    ended = run("config", "check", "--no-input", cwd=folder.path, env=clean_environment())
    assert ended.code == 2
    assert "E-SECRET-PROMPT  conf.d/example.toml:9:" in ended.err
    assert '{ file = "..." }' in ended.err
