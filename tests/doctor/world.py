"""An installation whose set-up is examined: a small timetable, two certificates, a mailbox for probing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.classbell import Ended, classbell
from tests.scenarios.world import Institution, World, put_secret, table

from classbell.identity.certificates import KeyPair
from classbell.sandbox import Mailbox

PILOT, CLOSED = "pilot@example.edu", "vc@example.edu"
CERTIFICATE = """
[[tenant.certificates]]
certificate = {{ file = "{name}-cert.pem" }}
private_key = {{ file = "{name}-key.pem" }}
"""


@dataclass
class Clinic:
    """One institution and what a test can turn."""

    world: World
    institution: Institution

    @property
    def folder(self) -> Path:
        return self.world.folder

    @property
    def app(self) -> Any:
        return self.institution.app

    @property
    def pilot(self) -> Mailbox:
        return self.institution.tenant.mailbox(PILOT)

    def doctor(self, *arguments: str) -> Ended:
        return classbell("doctor", *arguments, cwd=self.folder)

    def findings(self, *checks: str) -> list[dict[str, Any]]:
        (answer,) = self.doctor(*checks, "--json").json
        found: list[dict[str, Any]] = answer["findings"]
        return found

    def change(self, old: str, new: str) -> None:
        """Edit the institution's file."""
        text = self.institution.file.read_text(encoding="utf-8")
        assert old in text
        self.institution.file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def add_certificate(self, name: str, pair: KeyPair, *, registered: bool = True) -> None:
        conf = self.folder / "conf.d"
        put_secret(conf / f"{name}-cert.pem", pair.certificate)
        put_secret(conf / f"{name}-key.pem", pair.key)
        self.change("[[sources]]", f"{CERTIFICATE.format(name=name)}\n[[sources]]")
        if registered:
            self.app.add_certificate(pair.certificate)


def write_timetable(folder: Path, person: str = PILOT) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "meetings.csv").write_text(
        "key,start,end,title,room,cancelled\nm1,2026-11-24T09:00,2026-11-24T10:00,Chemistry,B12,\n",
        encoding="utf-8",
    )
    (folder / "attendance.csv").write_text(f"meeting,person\nm1,{person}\n", encoding="utf-8")


def open_clinic(world: World, id: str = "example") -> Clinic:  # noqa: A002 -- as the file calls it
    """Scoped in Exchange to the pilot's mailbox, as the guide advises; nothing is wrong with it."""
    folder = world.folder / f"{id}-timetable"
    write_timetable(folder)
    institution = world.add_institution(table(folder), ["pilot", "vc"], id=id)
    domain = institution.domain
    institution.app.exchange.assign("Application Calendars.ReadWrite", [f"pilot@{domain}"])
    institution.app.roles.clear()
    clinic = Clinic(world, institution)
    probe = f'probe_mailbox = "pilot@{domain}"\nexpect_denied = ["vc@{domain}"]\n'
    clinic.change("login_url", f"{probe}login_url")
    return clinic


def of(findings: list[dict[str, Any]], check: str) -> list[tuple[str, str]]:
    """State and code of each finding of one check."""
    return [(one["state"], one["code"]) for one in findings if one["check"] == check]
