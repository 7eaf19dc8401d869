"""A configuration in a folder of its own, as an administrator would write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from classbell.life import LocalFiles
from classbell.settings import Configuration, InvalidConfiguration, Problem, load

HOST = """\
schema = 1
installation = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"
"""

INSTITUTION = """\
schema = 1
id = "example"
name = "Example University"

[tenant]
tenant_id = "example.ac.uk"
client_id = "0b9b1e0a-7f0e-4a43-8e52-2f6f7f0f6a10"

[[tenant.certificates]]
certificate = { file = "cert.pem" }
private_key = { file = "key.pem" }

[[sources]]
name = "timetable"
kind = "table"
meetings = "meetings.csv"
attendance = "attendance.csv"
map = { key = "id", start = "from", end = "to" }

[[audience]]
name = "everybody"
gets = ["timetable"]
profile = "standard"

[[profiles]]
name = "standard"

[window]
timezone = "Europe/London"
"""


def another(institution: str) -> str:
    """The file of an institution like the first, with a tenant of its own."""
    return INSTITUTION.replace('"example"', f'"{institution}"').replace(
        "example.ac.uk", f"{institution}.ac.uk"
    )


@dataclass
class Folder:
    """The current folder: messages name its files as a person there would."""

    path: Path

    def write(self, host: str = HOST, **institutions: str) -> Path:
        (self.path / "conf.d").mkdir(exist_ok=True)
        for name, text in (institutions or {"example": INSTITUTION}).items():
            (self.path / "conf.d" / f"{name}.toml").write_text(text, encoding="utf-8")
        (self.path / "classbell.toml").write_text(host, encoding="utf-8")
        return Path("classbell.toml")

    def load(
        self, host: str = HOST, *, environ: Mapping[str, str] | None = None, **institutions: str
    ) -> Configuration:
        return load(self.write(host, **institutions), LocalFiles(), environ or {})

    def problems(
        self, host: str = HOST, *, environ: Mapping[str, str] | None = None, **institutions: str
    ) -> list[Problem]:
        with pytest.raises(InvalidConfiguration) as caught:
            self.load(host, environ=environ, **institutions)
        return list(caught.value.problems)
