"""The demo's stage: a folder with certificate, configuration and timetable, and a sandbox in a process."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from classbell.errors import ClassbellError, ConfigurationError
from classbell.identity.certificates import new_self_signed
from classbell.life import LocalFiles, SystemClock, SystemIds

DOMAIN = "example.edu"
TIMEZONE = "Europe/London"
INSTITUTION = "example"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the demo was asked to be."""

    serve: bool
    port: int
    people: int
    seed: int
    directory: Path | None


class Addressed(Protocol):
    """Somebody with a mailbox."""

    @property
    def address(self) -> str:
        """The mailbox's address."""
        ...


class Timetabled(Protocol):
    """A university to be set on stage."""

    @property
    def people(self) -> Sequence[Addressed]:
        """Everybody who gets a mailbox."""
        ...

    def write(self, directory: Path) -> None:
        """Write ``meetings.csv`` and ``attendance.csv``."""
        ...


@dataclass(kw_only=True)
class Stage:
    """
    What stands ready. ``served`` is what the sandbox counted, once it has ended.

    ``somebody`` is the address of a person with a timetable.
    """

    folder: Path
    client_id: str
    somebody: str
    login_url: str
    pages: str
    notice: str
    served: dict[str, int] | None = None


@contextmanager
def built(setting: Setting, university: Timetabled) -> Iterator[Stage]:
    """Build the stage, and clear it away at the end."""
    files, ids = LocalFiles(), SystemIds()
    with _folder(setting) as folder:
        pair = new_self_signed("classbell-demo", now=SystemClock().now(), days=365)
        files.write_durably(folder / "cert.pem", pair.certificate)
        files.write_durably(folder / "key.pem", pair.key, private=True)
        university.write(folder / "timetable")
        people = "".join(f"{person.address}\n" for person in university.people)
        files.write_durably(folder / "mailboxes.txt", people.encode())
        tenant_id, client_id = str(ids.new_uuid()), str(ids.new_uuid())
        files.write_durably(
            folder / "sandbox.toml",
            _SANDBOX.format(
                seed=setting.seed, domain=DOMAIN, tenant_id=tenant_id, client_id=client_id
            ).encode(),
        )
        with _sandbox(folder / "sandbox.toml", setting.port) as (serving, served):
            files.write_durably(folder / "classbell.toml", _HOST.format(installation=ids.new_uuid()).encode())
            (folder / "conf.d").mkdir(exist_ok=True)
            files.write_durably(
                folder / "conf.d" / f"{INSTITUTION}.toml",
                _INSTITUTION.format(
                    tenant_id=tenant_id, client_id=client_id, timezone=TIMEZONE, **serving
                ).encode(),
            )
            stage = Stage(
                folder=folder,
                client_id=client_id,
                somebody=university.people[0].address,
                login_url=serving["login_url"],
                pages=serving["pages"],
                notice=serving["notice"],
            )
            yield stage
        stage.served = served


@contextmanager
def _sandbox(file: Path, port: int) -> Iterator[tuple[dict[str, str], dict[str, int]]]:
    """A sandbox in a process of its own: where it serves, and (filled in at the end) what it counted."""
    command = [
        sys.executable,
        "-m",
        "classbell",
        "--json",
        "sandbox",
        "serve",
        str(file),
        "--port",
        str(port),
    ]
    # A session of its own, so that Ctrl-C lets what is on its way be finished; and it ends when its
    # standard input does, so that it never outlives the demo.
    with subprocess.Popen(  # noqa: S603 (our own program)
        [*command, "--while-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both were asked for")
        served: dict[str, int] = {}
        try:
            yield _line(process.stdout, "serving"), served
        finally:
            process.stdin.close()
            served.update({key: int(value) for key, value in _line(process.stdout, "served").items()})
            process.stdout.read()


def _line(lines: Iterator[str], kind: str) -> dict[str, str]:
    for line in lines:
        found = json.loads(line)
        if found.pop("type") == kind:
            return {key: str(value) for key, value in found.items()}
    raise ClassbellError(
        "E-DEMO",
        "The sandbox of the demo has ended too soon.",
        why="its own message stands above",
        do="with --port: choose another port, or 0 for any",
    )


@contextmanager
def _folder(setting: Setting) -> Iterator[Path]:
    """A folder for the demo's files: the one that was named, else one that goes with the demo."""
    if setting.directory is None:
        with tempfile.TemporaryDirectory(prefix="classbell-demo-") as made:
            yield Path(made)
        return
    folder = setting.directory.absolute()
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            "E-DEMO-DIR",
            f"The folder {folder} is not empty.",
            why="the demo writes a configuration, a ledger and a timetable there",
            do="name a new folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


_SANDBOX = """\
seed = {seed}

[[tenants]]
domain = "{domain}"
tenant_id = "{tenant_id}"
mailboxes_file = "mailboxes.txt"

[[tenants.apps]]
name = "Classbell"
client_id = "{client_id}"
certificates = ["cert.pem"]
permissions = ["Calendars.ReadWrite"]
"""

_HOST = """\
schema = 1
installation = "{installation}"
include = ["conf.d/*.toml"]
"""

_INSTITUTION = """\
schema = 1
id = "example"
name = "Example University"
mode = "approve"

[tenant]
tenant_id = "{tenant_id}"
client_id = "{client_id}"
login_url = "{login_url}"
graph_url = "{graph_url}"
ca_file = "{ca_file}"

[[tenant.certificates]]
certificate = {{ file = "../cert.pem" }}
private_key = {{ file = "../key.pem" }}

[[sources]]
name = "timetable"
kind = "table"
meetings = "../timetable/meetings.csv"
attendance = "../timetable/attendance.csv"

[sources.map]
key = "key"
start = "start"
end = "end"
title = "title"
module = "module"
type = "type"
room = "room"
building = "building"
staff = "staff"
groups = "groups"
cancelled = "cancelled"

[[audience]]
name = "everybody"
gets = ["timetable"]
profile = "standard"

[[profiles]]
name = "standard"
subject = ["{{{{ title }}}} ({{{{ type }}}})", "{{{{ title }}}}"]
location = ["{{{{ room }}}}, {{{{ building }}}}", "{{{{ room }}}}"]
show_as = "busy"
reminder = "none"

[window]
past = "7d"
future = "200d"
timezone = "{timezone}"
"""
