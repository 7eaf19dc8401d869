"""The commands that older guides give, typed as they stand there, lead to a configuration that works."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.cli.classbell import classbell
from tests.identity.terminal import typed
from tests.identity.tools import KEY, STORE, run
from tests.identity.world import World
from tests.settings.folder import INSTITUTION, Folder

from classbell.identity import making
from classbell.identity.certificates import load_credential
from classbell.life import LocalFiles, SystemClock
from classbell.settings import load

pytestmark = [pytest.mark.prove, pytest.mark.anyio]

EXPORT = "export-pass 2f8a"
MAKE_PAIR = "openssl req -x509 -newkey rsa:2048 -keyout key.pem -out cert.pem -days 3650"
TO_PKCS12 = "openssl pkcs12 -export -in cert.pem -inkey key.pem -out cert.pfx"
TO_JKS = (
    "keytool -importkeystore -srckeystore cert.pfx -srcstoretype pkcs12"
    " -destkeystore cert.jks -deststoretype JKS"
)

PAIR = """\
certificate = { file = "cert.pem" }
private_key = { file = "key.pem" }
key_password = { file = "key-password" }
"""
PFX = """\
keystore = { file = "cert.pfx" }
store_password = { file = "export-password" }
"""
# The conversion leaves the key with the password of the file that it was converted from.
JKS = """\
keystore = { file = "cert.jks" }
store_password = { file = "store-password" }
key_password = { file = "export-password" }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the commands make, and with the passwords in files, as an editor leaves them."""
    folder = tmp_path_factory.mktemp("guide")
    run("openssl", "version", cwd=folder)
    run("keytool", "-help", cwd=folder)
    typed(
        MAKE_PAIR.split(),
        [
            ("Enter PEM pass phrase", KEY),
            ("Verifying", KEY),
            ("Country", "NL"),
            ("State", ""),
            ("Locality", ""),
            ("Organization Name", "Example University"),
            ("Unit", ""),
            ("Common Name", "timetable"),
            ("Email", ""),
        ],
        folder,
    )
    typed(
        TO_PKCS12.split(),
        [("Enter pass phrase", KEY), ("Enter Export Password", EXPORT), ("Verifying", EXPORT)],
        folder,
    )
    typed(
        ["env", "LC_ALL=C", *TO_JKS.split()],
        [("destination keystore password", STORE), ("Re-enter", STORE), ("source keystore password", EXPORT)],
        folder,
    )
    for name, password in (("key", KEY), ("export", EXPORT), ("store", STORE)):
        (folder / f"{name}-password").write_text(f"{password}\n")
        (folder / f"{name}-password").chmod(0o644)
    return folder


def set_up(folder: Path, made: Path, block: str) -> None:
    """A configuration with what was made, as it lies there."""
    start, end = INSTITUTION.index("certificate ="), INSTITUTION.index("[[sources]]")
    Folder(folder).write(example=f"{INSTITUTION[:start]}{block}\n{INSTITUTION[end:]}")
    for path in made.iterdir():
        shutil.copy2(path, folder / "conf.d")
    for name in ("meetings.csv", "attendance.csv"):
        (folder / "conf.d" / name).write_text("id,from,to\nmeeting,person\n")


def do_as_told(folder: Path) -> None:
    """Run the commands that ``config check`` asks for."""
    told = classbell("config", "check", cwd=folder)
    commands = re.findall(r"Run: (chmod [^\n]+)", told.err)
    assert commands, told
    for command in commands:
        subprocess.run(command, shell=True, cwd=folder, check=True)  # noqa: S602 - what we tell people to run


@pytest.mark.parametrize("block", [PAIR, PFX, JKS], ids=["pem", "pfx", "jks"])
async def test_what_the_commands_make_signs_in_after_the_chmod_that_we_ask_for(
    world: World, made: Path, tmp_path: Path, block: str
) -> None:
    set_up(tmp_path, made, block)
    do_as_told(tmp_path)
    assert classbell("config", "check", cwd=tmp_path).out == "ok   example   Example University\n"
    configuration = load(tmp_path / "classbell.toml", LocalFiles(), {})
    (configured,) = configuration.institution().tenant.certificates
    credential = load_credential(configured, LocalFiles(), {}, SystemClock().now() + 5)
    world.app.add_certificate(making.public(credential.certificate))
    assert await world.tokens(credential).token()
