"""``classbell cert`` as a user meets it; nothing that it prints may ever hold a key or a password."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.classbell import Ended, classbell
from tests.cli.conftest import put
from tests.identity.renewing import INSTALLATION, INSTITUTION
from tests.switching import NotedSwitches, registered_before

from classbell.identity.certificates import KeyPair
from classbell.sandbox import App, Sandbox, Tenant

PASSWORD = "hunter2-3f1c"
OTHER = "correct-horse-77"


def cert(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    ended = classbell("cert", *map(str, arguments), cwd=cwd, env=env)
    said = ended.out + ended.err
    for secret in ("PRIVATE KEY", PASSWORD, OTHER):
        assert secret not in said
    for path in (each for each in cwd.rglob("*") if each.is_file()):
        content = path.read_bytes()
        if b"PRIVATE KEY" in content:
            assert not any(line.decode() in said for line in content.splitlines()[1:4])
    return ended


def good(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    ended = cert(*arguments, cwd=cwd, env=env)
    assert ended.code == 0, ended.err + ended.out
    return ended


@dataclass(frozen=True)
class Installed:
    """A configured institution with its tenant in a sandbox that serves."""

    folder: Path
    sandbox: Sandbox
    tenant: Tenant
    app: App

    @property
    def conf(self) -> Path:
        return self.folder / "conf.d"

    @property
    def file(self) -> Path:
        return self.conf / "example.toml"

    def cert(self, *arguments: str | Path) -> Ended:
        return cert(*arguments, cwd=self.folder)

    def good(self, *arguments: str | Path) -> Ended:
        return good(*arguments, cwd=self.folder)


@contextmanager
def installed(folder: Path, pair: KeyPair, *, password: str = "") -> Iterator[Installed]:
    """An institution with one certificate, which a person has uploaded yesterday."""
    sandbox = Sandbox(seed=0, switches=NotedSwitches())
    tenant = sandbox.add_tenant("example.edu")
    app = tenant.register_app("classbell")
    with registered_before(sandbox.clock):
        app.add_certificate(pair.certificate)
    app.grant("Calendars.ReadWrite")
    conf = folder / "conf.d"
    conf.mkdir()
    (folder / "classbell.toml").write_text(INSTALLATION)
    put(conf, "old-cert.pem", pair.certificate)
    put(conf, "old-key.pem", pair.key)
    put(conf, "password", password.encode())
    with sandbox.serve() as address:
        (conf / "example.toml").write_text(
            INSTITUTION.format(
                id="example",
                tenant=tenant.tenant_id,
                client=app.client_id,
                object=app.object_id,
                url=address.url,
                ca=address.ca_file,
                password='key_password = { file = "password" }' if password else "",
            )
        )
        yield Installed(folder, sandbox, tenant, app)
