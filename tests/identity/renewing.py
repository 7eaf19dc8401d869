"""An institution's folder beside the sandbox, and renewal of its certificates with ports that may die."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.identity.world import AdvancingClock

from classbell.identity.certificates import Credential, load_credential
from classbell.identity.keyring import Keyring, Shelf
from classbell.identity.making import KeyPair, new_self_signed
from classbell.identity.renewal import Renewal, Step
from classbell.identity.tokens import Tokens
from classbell.life import LocalFiles, SystemClock, SystemIds
from classbell.ports import Response
from classbell.sandbox import Address, App, Sandbox, Tenant
from classbell.settings import TenantSettings, load
from classbell.transport import AiohttpTransport

INSTALLATION = 'schema = 1\ninstallation = "6f1c1c62-6c0e-4b57-9a5e-0d9d4d8f2a11"\n'

INSTITUTION = """\
schema = 1
id = "{id}"
name = "University of {id}"

[tenant]   # ours
tenant_id = "{tenant}"
client_id = "{client}"
application_object_id = "{object}"
login_url = "{url}"
graph_url = "{url}"
ca_file = "{ca}"

[[tenant.certificates]]
certificate = {{ file = "old-cert.pem" }}
private_key = {{ file = "old-key.pem" }}   # made by hand
{password}

# Where timetables come from.
[[sources]]
name = "timetable"
kind = "ics"
feeds = [{{ person = "ada@{id}.edu", url = "https://example.edu/feed.ics" }}]

[[audience]]
name = "everybody"
gets = ["timetable"]
profile = "standard"

[[profiles]]
name = "standard"

[window]
timezone = "Europe/London"
"""


@cache
def uploaded(days: int, password: str) -> KeyPair:
    """What a person made and uploaded; the same for the same arguments."""
    now = SystemClock().now() - 60
    return new_self_signed("Example University", now=now, days=days, password=password.encode())


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Deaths:
    """Counts effects, and dies at one of them: before it is done, or when it is done and nobody has heard."""

    at: int = 0
    after: bool = False
    counted: int = 0
    seen: list[str] = field(default_factory=list)

    def before(self, what: str) -> None:
        self.counted += 1
        self.seen.append(what)
        if self.counted == self.at and not self.after:
            raise Killed(what)

    def done(self, what: str) -> None:
        if self.counted == self.at and self.after:
            raise Killed(what)


class MortalFiles(LocalFiles):
    def __init__(self, deaths: Deaths) -> None:
        self._deaths = deaths

    def write_durably(self, path: Path, content: bytes, *, private: bool = False) -> None:
        self._deaths.before(f"write {path.name}")
        super().write_durably(path, content, private=private)
        self._deaths.done(path.name)

    def rewrite(self, path: Path, content: bytes) -> None:
        self._deaths.before(f"rewrite {path.name}")
        super().rewrite(path, content)
        self._deaths.done(path.name)

    def remove(self, path: Path) -> None:
        self._deaths.before(f"remove {path.name}")
        super().remove(path)
        self._deaths.done(path.name)


class MortalTransport:
    def __init__(self, inner: AiohttpTransport, deaths: Deaths) -> None:
        self._inner = inner
        self._deaths = deaths

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", **more: Any
    ) -> Response:
        what = f"{method} {url.rpartition('/')[2].partition('?')[0]}"
        self._deaths.before(what)
        response = await self._inner.request(method, url, headers=headers, body=body, **more)
        self._deaths.done(what)
        return response


class TwoClocks(AdvancingClock):
    """Time that passes for us passes for Microsoft."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self._sandbox.clock.advance(max(seconds, 0.0))
        await asyncio.sleep(0)


@dataclass
class Institute:
    """One institution: its folder, its tenant, and its application with one certificate that a person uploaded."""

    folder: Path
    tenant: Tenant
    app: App
    clock: TwoClocks
    transport: AiohttpTransport
    steps: list[Step] = field(default_factory=list)

    @classmethod
    def new(
        cls,
        folder: Path,
        address: Address,
        tenant: Tenant,
        clock: TwoClocks,
        transport: AiohttpTransport,
        *,
        password: str = "",
        days: int = 40,
        pair: KeyPair | None = None,
    ) -> "Institute":
        conf = folder / "conf.d"
        conf.mkdir(parents=True)
        app = tenant.register_app("classbell")
        pair = pair or new_self_signed(
            "Example University", now=clock.now() - 60, days=days, password=password.encode()
        )
        app.add_certificate(pair.certificate)
        app.grant("Calendars.ReadWrite")
        (folder / "classbell.toml").write_text(INSTALLATION)
        (conf / "old-cert.pem").write_bytes(pair.certificate)
        for name, secret in (("old-key.pem", pair.key), ("password", password.encode())):
            (conf / name).write_bytes(secret)
            (conf / name).chmod(0o600)
        (conf / "example.toml").write_text(
            INSTITUTION.format(
                id=tenant.domain.partition(".")[0],
                tenant=tenant.tenant_id,
                client=app.client_id,
                object=app.object_id,
                url=address.url,
                ca=address.ca_file,
                password='key_password = { file = "password" }' if password else "",
            )
        )
        return cls(folder=folder, tenant=tenant, app=app, clock=clock, transport=transport)

    @property
    def file(self) -> Path:
        return self.folder / "conf.d" / "example.toml"

    @property
    def text(self) -> str:
        return self.file.read_text()

    @property
    def settings(self) -> TenantSettings:
        return load(self.folder / "classbell.toml", LocalFiles(), {}).institution().tenant

    def renewal(self, deaths: Deaths | None = None) -> Renewal:
        deaths = deaths or Deaths()
        configuration = load(self.folder / "classbell.toml", LocalFiles(), {})
        institution = configuration.institution()
        return Renewal(
            institution=institution.id,
            tenant=institution.tenant,
            file=Path(configuration.origin("institutions", institution.id, "id").file),
            transport=MortalTransport(self.transport, deaths),
            clock=self.clock,
            ids=SystemIds(),
            files=MortalFiles(deaths),
            environ={},
            tell=self.steps.append,
        )

    def told(self) -> list[str]:
        return [step.name for step in self.steps]

    def credentials(self) -> list[Credential]:
        """What is configured now, readable and with its key."""
        return [load_credential(each, LocalFiles(), {}, None) for each in self.settings.certificates]

    def registered(self) -> set[str]:
        return {key.sha256 for key in self.app.credentials}

    async def signs_in(self) -> bool:
        """Whether a process that starts now gets a token."""
        shelf = Shelf(configured=lambda: self.settings.certificates, files=LocalFiles(), environ={})
        tokens = Tokens(self.transport, self.clock, SystemIds(), self.settings, Keyring(shelf))
        return bool(await tokens.token())
