"""What ``classbell init --sandbox`` writes beside a first configuration: all that a rehearsal needs at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

DOMAIN = "example.edu"
PROBE = f"ada@{DOMAIN}"
_SANDBOX = f"""\
# A stand-in for Microsoft 365, served by: classbell sandbox serve sandbox.toml --data sandbox --port PORT
# Its form: docs/reference/sandbox.md

[[tenants]]
domain = "{DOMAIN}"
mailboxes = ["{PROBE}", "bob@{DOMAIN}"]
"""
_CLOUD = 'cloud = "global"               # "global", "usgov", "usgov-dod" or "china"\n'
_ADDRESSES = f"""\
# In place of Microsoft's cloud, the sandbox of: classbell sandbox serve sandbox.toml --data sandbox --port PORT
login_url = "https://localhost:PORT"
graph_url = "https://localhost:PORT"
ca_file = "../sandbox/sandbox-ca.pem"
probe_mailbox = "{PROBE}"    # classbell doctor makes a test event here, and removes it
"""


def configuration(template: str, port: int) -> str:
    """The file of an institution that lives in the sandbox on this port; only its ids are still to come."""
    changed = template.replace(_CLOUD, _ADDRESSES).replace("REGION/CITY", "Europe/London")
    if changed.count("login_url") != 1:
        raise AssertionError("the template names the cloud in other words")
    return changed.replace("PORT", str(port))


def further_files(folder: Path, port: int, now: float) -> dict[Path, str]:
    """The sandbox's own file, and a timetable of a few meetings in the days to come."""
    return {
        folder / "sandbox.toml": _SANDBOX.replace("PORT", str(port)),
        folder / "conf.d" / "meetings.csv": _meetings(datetime.fromtimestamp(now, UTC)),
        folder / "conf.d" / "attendance.csv": (
            f"meeting,person\nalgebra,{PROBE}\nalgebra,bob@{DOMAIN}\nlogic,{PROBE}\n"
        ),
    }


def _meetings(now: datetime) -> str:
    rows = ["key,start,end,title,room"]
    for days, (key, title, room) in enumerate(
        (("algebra", "Algebra", "Hooke 101"), ("logic", "Logic", "Newton 2")), start=1
    ):
        day = f"{now + timedelta(days=days):%Y-%m-%d}"
        rows.append(f"{key},{day} 10:00,{day} 11:00,{title},{room}")
    return "\n".join(rows) + "\n"
