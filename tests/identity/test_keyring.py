"""Certificates are read again when they change, tried in a considered order, and remembered."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.identity.keys import settings
from tests.identity.world import World, new_credential

from classbell.errors import ClassbellError, ConfigurationError, RefusedError, TemporaryError
from classbell.identity.certificates import Credential
from classbell.identity.keyring import LOOK_AGAIN, SPARE_REFUSED, Keyring, Shelf
from classbell.identity.making import new_self_signed
from classbell.identity.tokens import Tokens
from classbell.life import LocalFiles, SystemClock, SystemIds
from classbell.model import CertificateUse
from classbell.settings import CertificateSettings

pytestmark = pytest.mark.anyio
NOW = SystemClock().now()


class Remembered:
    """A memory that outlives keyrings, and that can fail."""

    def __init__(self) -> None:
        self.uses: dict[str, CertificateUse] = {}
        self.broken = False

    async def recall(self) -> Mapping[str, CertificateUse]:
        self._check()
        return dict(self.uses)

    async def worked(self, sha256: str, at: float) -> None:
        self._check()
        self.uses[sha256] = CertificateUse(worked_at=at)

    async def refused(self, sha256: str, at: float, code: str) -> None:
        self._check()
        self.uses[sha256] = CertificateUse(refused_at=at, refusal=code)

    def _check(self) -> None:
        if self.broken:
            raise TemporaryError("E-DB-BUSY", "The ledger database did not answer.")


def put(folder: Path, name: str, *, days: int = 365, begin: float = NOW - 3600) -> bytes:
    """Write a pair of this name; its certificate."""
    pair = new_self_signed(name, now=begin, days=days)
    for path, content in (
        (folder / f"{name}-key.pem", pair.key),
        (folder / f"{name}-cert.pem", pair.certificate),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
    return pair.certificate


def named(folder: Path, *names: str) -> list[CertificateSettings]:
    return [settings(folder, certificate=f"{name}-cert.pem", key=f"{name}-key.pem") for name in names]


def keyring(configured: Sequence[CertificateSettings], memory: Remembered | None = None) -> Keyring:
    shelf = Shelf(configured=lambda: configured, files=LocalFiles(), environ={})
    made = Keyring(shelf, memory=memory)
    made.look(NOW)
    return made


async def order(ring: Keyring, now: float = NOW) -> list[str]:
    return [
        credential.name.rpartition("/")[2].removesuffix("-cert.pem")
        for credential in await ring.in_order(now)
    ]


async def test_the_newest_is_tried_first_then_the_one_that_worked_last(tmp_path: Path) -> None:
    for name, days in (("old", 100), ("older", 50), ("newest", 300), ("middle", 200)):
        put(tmp_path, name, days=days)
    ring = keyring(named(tmp_path, "old", "older", "newest", "middle"))
    assert await order(ring) == ["newest", "middle", "old", "older"]
    by_name = {c.name.rpartition("/")[2]: c for c in ring.credentials}
    await ring.worked(by_name["older-cert.pem"], NOW)
    assert await order(ring) == ["newest", "older", "middle", "old"]
    await ring.refused(by_name["newest-cert.pem"], NOW, "AADSTS700027")
    assert await order(ring) == ["older", "middle", "old", "newest"]
    assert (await order(ring, NOW + SPARE_REFUSED))[0] == "newest"


async def test_those_outside_their_dates_are_tried_last_and_all_the_same(tmp_path: Path) -> None:
    put(tmp_path, "expired", days=10, begin=NOW - 20 * 86_400)
    put(tmp_path, "later", days=400, begin=NOW + 86_400)
    put(tmp_path, "good", days=30)
    ring = keyring(named(tmp_path, "expired", "later", "good"))
    assert await order(ring) == ["good", "later", "expired"]
    assert [trouble.code for trouble in ring.troubles(NOW)] == ["E-CERT-EXPIRED", "E-CERT-NOT-YET"]


async def test_what_one_process_has_learnt_the_next_one_knows(tmp_path: Path) -> None:
    put(tmp_path, "new", days=300)
    put(tmp_path, "old", days=100)
    memory = Remembered()
    first = keyring(named(tmp_path, "new", "old"), memory)
    await first.refused((await first.in_order(NOW))[0], NOW, "AADSTS700027")
    assert await order(keyring(named(tmp_path, "new", "old"), memory), NOW + 60) == ["old", "new"]


async def test_a_memory_that_fails_keeps_nobody_from_signing_in(world: World) -> None:
    memory = Remembered()
    memory.broken = True
    ring = Keyring(
        None, credentials=[new_credential("stranger", days=900)[0], world.credential], memory=memory
    )
    tokens = Tokens(world.transport, world.clock, SystemIds(), world.settings(), ring)
    assert await tokens.token()


async def test_a_changed_pair_is_used_without_a_restart(tmp_path: Path) -> None:
    put(tmp_path, "a")
    ring = keyring(named(tmp_path, "a"))
    (before,) = ring.credentials
    put(tmp_path, "a")
    ring.look(NOW + 1)
    assert ring.credentials == (before,), "files are not looked at for every token"
    ring.look(NOW + LOOK_AGAIN)
    (after,) = ring.credentials
    assert after.sha256 != before.sha256


async def test_files_that_have_not_changed_are_not_opened_again(tmp_path: Path) -> None:
    put(tmp_path, "a")
    ring = keyring(named(tmp_path, "a"))
    (before,) = ring.credentials
    os.utime(tmp_path / "a-cert.pem")
    ring.look(NOW + LOOK_AGAIN)
    assert ring.credentials[0] is before


@pytest.mark.parametrize("harm", ["half of a pair", "damaged", "gone", "open to all"])
async def test_a_broken_file_leaves_the_old_credential_in_use_with_a_warning(
    tmp_path: Path, harm: str
) -> None:
    put(tmp_path, "a")
    ring = keyring(named(tmp_path, "a"))
    (before,) = ring.credentials
    if harm == "half of a pair":
        (tmp_path / "a-cert.pem").write_bytes(put(tmp_path, "another"))
    elif harm == "damaged":
        (tmp_path / "a-key.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\nnothing\n")
    elif harm == "gone":
        (tmp_path / "a-cert.pem").unlink()
    else:
        (tmp_path / "a-key.pem").write_bytes((tmp_path / "a-key.pem").read_bytes() + b"\n")
        (tmp_path / "a-key.pem").chmod(0o644)
    ring.look(NOW + LOOK_AGAIN)
    assert ring.credentials == (before,)
    (trouble,) = ring.troubles(NOW)
    assert trouble.code in {"E-CERT-MATCH", "E-CERT-FILE", "E-SECRET-MODE"}
    put(tmp_path, "a")
    ring.look(NOW + 2 * LOOK_AGAIN)
    assert ring.troubles(NOW) == ()
    assert ring.credentials != (before,)


async def test_certificates_that_are_named_later_join_and_those_named_no_more_leave(tmp_path: Path) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b")
    configured = named(tmp_path, "a")
    ring = keyring(configured)
    configured += named(tmp_path, "b")
    ring.look(NOW + LOOK_AGAIN)
    assert len(ring.credentials) == 2
    del configured[0]
    ring.look(NOW + 2 * LOOK_AGAIN)
    assert [c.name.endswith("b-cert.pem") for c in ring.credentials] == [True]


async def test_named_anew_but_not_there_yet_the_old_ones_go_on_with_a_warning(tmp_path: Path) -> None:
    put(tmp_path, "a")
    configured = named(tmp_path, "a")
    ring = keyring(configured)
    (before,) = ring.credentials
    configured[:] = named(tmp_path, "b", "c")
    for count in (1, 2):
        ring.look(NOW + count * LOOK_AGAIN)
        assert ring.credentials == (before,)
        assert [trouble.code for trouble in ring.troubles(NOW)] == ["E-CERT-FILE", "E-CERT-FILE"]
    put(tmp_path, "b")
    ring.look(NOW + 3 * LOOK_AGAIN)
    assert await order(ring) == ["b"]


async def test_a_configuration_that_cannot_be_read_any_more_counts_as_it_was(tmp_path: Path) -> None:
    put(tmp_path, "a")
    good = named(tmp_path, "a")
    broken: list[ClassbellError] = []

    def configured() -> Sequence[CertificateSettings]:
        if broken:
            raise broken[0]
        return good

    ring = Keyring(Shelf(configured=configured, files=LocalFiles(), environ={}))
    ring.look(NOW)
    broken.append(ConfigurationError("E-CFG-SYNTAX", "The file is no TOML."))
    ring.look(NOW + LOOK_AGAIN)
    assert len(ring.credentials) == 1
    assert ring.troubles(NOW) == (broken[0],)


async def test_with_nothing_to_sign_in_with_the_first_trouble_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / "a-cert.pem").unlink()
    with pytest.raises(ConfigurationError) as caught:
        keyring(named(tmp_path, "a"))
    assert caught.value.code == "E-CERT-FILE"


async def test_a_certificate_that_has_run_out_is_told_as_such_and_not_as_unknown(world: World) -> None:
    short, pem = new_credential("short", days=1)
    world.app.add_certificate(pem)
    tokens = world.tokens(short)
    world.pass_time(2 * 86_400)
    with pytest.raises(RefusedError) as caught:
        await tokens.token()
    assert caught.value.code == "E-CERT-EXPIRED"


async def test_of_a_certificate_that_runs_out_is_warned_once_at_each_threshold() -> None:
    credential: Credential = new_credential("ending", days=61)[0]
    ring = Keyring(None, credentials=[credential])
    warned = {}
    begin = credential.not_after - 61 * 86_400
    for day in range(62):
        for hour in (0.1, 0.5, 0.9):
            for warning in ring.warnings(begin + (day + hour) * 86_400):
                warned[60 - day] = warning
    assert {left: warning.code for left, warning in warned.items()} == dict.fromkeys(
        (59, 29, 13, 6, 2, 0), "W-CERT-EXPIRES"
    )
    assert "59 days" in warned[59].what
    assert "less than a day" in warned[0].what
