"""``classbell init``: a first configuration, with a comment beside each key."""

from pathlib import Path
from typing import Annotated

import typer

from classbell.cli import rehearsal
from classbell.cli.invocation import DEFAULT_CONFIG, Invocation, command
from classbell.errors import ConfigurationError


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(init)


SandboxOption = Annotated[
    int | None,
    typer.Option(
        "--sandbox",
        metavar="PORT",
        min=1,
        max=65535,
        help="For a rehearsal with a sandbox on this port: with a file for it, and a small timetable.",
    ),
]
DirectoryArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to.")]


def init(
    invocation: Invocation,
    directory: DirectoryArgument = Path(),
    *,
    sandbox: SandboxOption = None,
) -> None:
    """
    Write a first configuration: classbell.toml, and a file for one institution.

    Files that exist are never overwritten. Where a classbell.toml is there already, --institution adds
    another institution to it.
    """
    from classbell.life import SystemClock, SystemIds  # noqa: PLC0415 (keeps --help fast)
    from classbell.settings import is_slug  # noqa: PLC0415
    from classbell.settings.values import UNKNOWN_NAME  # noqa: PLC0415

    name = invocation.institution or "example"
    if not is_slug(name):
        raise ConfigurationError(
            "E-INIT-ID",
            f'"{name}" cannot be the id of an institution.',
            why="an id has small letters, digits and hyphens, at most 63.",
            do="choose another: it is permanent, for it becomes part of every event's mark.",
        )
    host = directory / DEFAULT_CONFIG
    content = _INSTITUTION.replace("INSTITUTION-ID", name)
    if invocation.institution is not None and sandbox is None:
        content = content.replace("Example University", UNKNOWN_NAME)
    wanted = {directory / "conf.d" / f"{name}.toml": content}
    if invocation.institution is None or not host.exists():
        wanted = {host: _HOST.replace("NEW-GUID", str(SystemIds().new_uuid())), **wanted}
    if sandbox is not None:
        (file,) = (path for path in wanted if path != host)
        wanted[file] = rehearsal.configuration(wanted[file], sandbox)
        wanted |= rehearsal.further_files(directory, sandbox, SystemClock().now())
    _refuse_existing(wanted)
    for path, content in wanted.items():
        _write(path, content, invocation)
    places = [str(path) for path in wanted]
    invocation.output.answer({"written": places})
    for place in places:
        invocation.output.line(f"wrote {place}")
    if sandbox is not None:
        invocation.output.note(
            f"Next, in {directory}: classbell sandbox serve sandbox.toml --data sandbox --port {sandbox}"
        )
        return
    named = "" if host == DEFAULT_CONFIG else f" -c {host}"
    invocation.output.note(
        f"Next: fill in {places[-1]}; classbell{named} cert new -i {name} --configure; then"
        f" classbell{named} setup -i {name}; then classbell{named} config check"
    )


def _refuse_existing(wanted: dict[Path, str]) -> None:
    for path in wanted:
        if path.exists() or path.is_symlink():
            raise ConfigurationError(
                "E-INIT-EXISTS",
                f"{path} is there already.",
                why="classbell init never overwrites a file.",
                effect="nothing was written.",
                do="name another folder, or add an institution with --institution.",
            )


def _write(path: Path, content: str, invocation: Invocation) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        invocation.files.write_durably(path, content.encode())
    except OSError as error:
        raise ConfigurationError(
            "E-INIT-WRITE",
            f"{path} cannot be written.",
            why=f"{error.strerror or type(error).__name__}.",
            do="name a folder in which you may write.",
        ) from error


_HOST = """\
# Classbell, the host file: what all institutions of this installation share.
# All keys: docs/reference/configuration.md, or: classbell config schema host
schema = 1

# Made once, for this installation. It is part of the hidden mark of every event that Classbell makes:
# keep this file with your backups, and never change the id.
installation = "NEW-GUID"

# The files of the institutions; paths start at this file.
include = ["conf.d/*.toml"]

[database]
# What was delivered, and what is under way. Three slashes: a path that starts at this file.
url = "sqlite:///classbell.db"
"""

_INSTITUTION = """\
# Classbell: one institution. Words in CAPITALS wait for you; then: classbell config check
# All keys: docs/reference/configuration.md, or: classbell config schema
# Paths start at this file: "cert.pem" lies beside it, "../cert.pem" one folder up.
schema = 1
id = "INSTITUTION-ID"   # permanent: part of the hidden mark of every event
name = "Example University"
mode = "observe"               # what the service may do alone: "observe", "approve" or "auto"

# How to come by both ids: classbell setup -i INSTITUTION-ID
[tenant]
tenant_id = "TENANT-GUID"      # Entra admin center > Overview; or a verified domain
client_id = "CLIENT-GUID"      # App registrations > your application > Application (client) ID
cloud = "global"               # "global", "usgov", "usgov-dod" or "china"

# What Classbell signs in with. This command makes it, and writes its names here:
#   classbell cert new -i INSTITUTION-ID --configure
# Or name your own: PEM as here, or a keystore (docs/how-to/certificates.md); chmod 600 key.pem key-password
[[tenant.certificates]]
certificate = { file = "cert.pem" }
private_key = { file = "key.pem" }
key_password = { file = "key-password" }       # leave this line out if the key has no password

# Where timetables come from: two tables, as here ...
[[sources]]
name = "timetable"
kind = "table"
meetings = "meetings.csv"      # one meeting a row; CSV or XLSX
attendance = "attendance.csv"  # header: meeting,person; a person is the address of a mailbox
map = { key = "key", start = "start", end = "end", title = "title", location = "room" }

# ... or calendar feeds:
# [[sources]]
# name = "feeds"
# kind = "ics"
# feeds = "feeds.csv"          # header: person,url

# Who receives what: everybody whom these sources attach.
[[audience]]
name = "everybody"
gets = ["timetable"]
profile = "standard"

# How meetings look.
[[profiles]]
name = "standard"
subject = "{{ title }}"
location = "{{ location }}"
show_as = "busy"
reminder = "none"              # or "15m"
categories = ["Timetable"]

[window]
past = "7d"                    # older events are left alone, never deleted
future = "200d"
timezone = "REGION/CITY"       # such as "Europe/London"

# A plan that would delete more than this waits for a person.
[safety]
max_deletes = { count = 500, percent = 5 }
per_mailbox = { percent = 60, min_events = 10 }
source_shrink_percent = 15
"""
