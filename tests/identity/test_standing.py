"""How certificates stand: which Microsoft knows, which is used, which runs out, and what is wrong with others."""

from pathlib import Path

import pytest
from tests.identity.keys import settings
from tests.identity.world import World

from classbell.errors import RefusedError
from classbell.identity.certificates import load_credential
from classbell.identity.expiry import due
from classbell.identity.making import new_self_signed
from classbell.identity.standing import certificate_status
from classbell.life import LocalFiles
from classbell.model import CertificateUse
from classbell.settings import CertificateSettings

pytestmark = pytest.mark.anyio


def put(folder: Path, name: str, *, now: float, days: int) -> tuple[CertificateSettings, bytes]:
    pair = new_self_signed(name, now=now, days=days)
    for path, content in (
        (folder / f"{name}-key.pem", pair.key),
        (folder / f"{name}-cert.pem", pair.certificate),
    ):
        path.write_bytes(content)
        path.chmod(0o600)
    return settings(folder, certificate=f"{name}-cert.pem", key=f"{name}-key.pem"), pair.certificate


async def test_each_certificate_is_told_with_what_microsoft_says_of_it(world: World, tmp_path: Path) -> None:
    now = world.clock.now()
    old, pem = put(tmp_path, "old", now=now - 86_400, days=20)
    new, _ = put(tmp_path, "new", now=now - 86_400, days=300)
    gone, _ = put(tmp_path, "gone", now=now - 10 * 86_400, days=5)
    damaged, _ = put(tmp_path, "damaged", now=now, days=5)
    (tmp_path / "damaged-key.pem").write_bytes(b"nothing")
    world.app.add_certificate(pem)
    usable = [load_credential(each, LocalFiles(), {}, now) for each in (old, new)]
    uses = {
        usable[0].sha256: CertificateUse(worked_at=now - 60),
        usable[1].sha256: CertificateUse(refused_at=now),
    }
    found = await certificate_status(
        [old, new, gone, damaged], LocalFiles(), {}, now, uses=uses, tokens=world.tokens(*usable)
    )
    assert [one.registered for one in found] == [True, False, False, None]
    assert [one.in_use for one in found] == [True, False, False, False]
    assert [one.days_left for one in found] == [18, 298, -6, None]
    assert [[warning.code for warning in one.warnings] for one in found] == [
        ["W-CERT-EXPIRES"],
        ["E-CERT-UNREG"],
        ["E-CERT-EXPIRED", "E-CERT-UNREG"],
        ["E-CERT-FILE"],
    ]
    assert found[0].use.worked_at == now - 60
    # Another one runs longer, so that this one is not to be replaced but to be taken out.
    assert "retire" in found[0].warnings[0].do


async def test_nobody_is_asked_unless_that_is_wished_for(world: World, tmp_path: Path) -> None:
    one, _ = put(tmp_path, "one", now=world.clock.now(), days=10)
    (found,) = await certificate_status([one], LocalFiles(), {}, world.clock.now())
    assert (found.registered, found.in_use, world.token_requests()) == (None, False, 0)
    assert "rotate" in found.warnings[0].do


async def test_a_service_that_does_not_answer_leaves_open_what_is_registered(
    world: World, tmp_path: Path
) -> None:
    one, pem = put(tmp_path, "one", now=world.clock.now() - 60, days=90)
    world.app.add_certificate(pem)
    usable = [load_credential(one, LocalFiles(), {}, world.clock.now())]
    world.sandbox.faults.add(lambda info: info.kind == "token", "503", times=None)
    (found,) = await certificate_status(
        [one], LocalFiles(), {}, world.clock.now(), tokens=world.tokens(*usable)
    )
    assert found.registered is None
    assert [warning.code for warning in found.warnings] == ["E-LOGIN-BUSY"]


async def test_a_refusal_that_is_not_about_certificates_ends_the_asking(world: World, tmp_path: Path) -> None:
    one, _ = put(tmp_path, "one", now=world.clock.now() - 60, days=90)
    usable = [load_credential(one, LocalFiles(), {}, world.clock.now())]
    world.app.enabled = False
    with pytest.raises(RefusedError) as caught:
        await certificate_status([one], LocalFiles(), {}, world.clock.now(), tokens=world.tokens(*usable))
    assert caught.value.code == "E-APP-DISABLED"


def test_warnings_begin_at_sixty_thirty_fourteen_seven_three_and_one_days() -> None:
    reached = [(days, due(days)) for days in range(70, -1, -1)]
    first = {limit: days for days, limit in reversed(reached) if limit is not None}
    assert first == {60: 59, 30: 29, 14: 13, 7: 6, 3: 2, 1: 0}
    assert due(60) is None
