"""A new certificate comes in without a person and without a moment in which none works; an old one goes out."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.identity.renewing import Deaths, Institute, Killed, MortalFiles, TwoClocks

from classbell.errors import ClassbellError, ConfigurationError, HeldError, RefusedError, ServiceUnavailable
from classbell.identity import making, pem
from classbell.identity.making import Subject
from classbell.identity.retirement import retire
from classbell.identity.rotation import rotate
from classbell.life import SystemClock
from classbell.sandbox import RequestInfo, Sandbox
from classbell.settings import Secret
from classbell.transport import AiohttpTransport

pytestmark = pytest.mark.anyio

New = Callable[..., Institute]


@pytest.fixture
async def sandbox() -> Sandbox:
    return Sandbox(seed=0)


@pytest.fixture
async def new(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[New]:
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(sandbox.serving())
        clock = TwoClocks(sandbox)
        transport = await stack.enter_async_context(AiohttpTransport(clock, address.ca_file, environ={}))

        def make(name: str = "example", **more: object) -> Institute:
            tenant = sandbox.add_tenant(domain=f"{name}.edu")
            return Institute.new(tmp_path / name, address, tenant, clock, transport, **more)  # type: ignore[arg-type]

        yield make


async def test_a_new_certificate_is_registered_tried_and_named_and_the_old_one_stays(new: New) -> None:
    institute = new()
    before = institute.text
    (old,) = institute.credentials()
    done = await rotate(institute.renewal())
    assert institute.told() == ["made", "registered", "works", "switched"]
    assert [c.sha256 for c in institute.credentials()] == [old.sha256, done.credential.sha256]
    assert institute.registered() == {old.sha256, done.credential.sha256}
    assert done.private_key.stat().st_mode & 0o777 == 0o600
    assert done.credential.days_left(institute.clock.now()) >= 363
    # Whatever else the file says stands there as it did.
    at = before.index("\n# Where timetables")
    assert institute.text.startswith(before[:at])
    assert institute.text.endswith(before[at:])


async def test_a_key_with_a_password_is_followed_by_one_with_the_same(new: New) -> None:
    institute = new(password="correct horse")
    done = await rotate(institute.renewal())
    assert b"ENCRYPTED" in done.private_key.read_bytes()
    assert len(institute.credentials()) == 2


async def test_a_new_one_names_whom_the_old_one_named_and_is_as_strong(new: New) -> None:
    whom = Subject(
        common_name="classbell", organization="Example University", country="NL", host="timetable.example.edu"
    )
    old = making.self_signed(making.new_key(3072), whom, now=SystemClock().now() - 60, days=40)
    pair = making.KeyPair(key=pem.write_key(old, b""), certificate=pem.write_certificates(old))
    done = await rotate(new(pair=pair).renewal())
    assert making.subject_of(done.credential.certificate) == whom
    assert done.credential.key.key_size == 3072


async def test_the_new_one_is_not_named_before_microsoft_knows_it(new: New, sandbox: Sandbox) -> None:
    institute = new()
    sandbox.switches.key_propagation = 300.0
    began = institute.clock.now()
    await rotate(institute.renewal())
    assert institute.clock.now() - began >= 300
    assert institute.told().count("waiting") > 3
    assert institute.told()[-2:] == ["works", "switched"]
    assert len(institute.app.credentials) == 2


async def test_patience_that_ends_is_gone_on_with_by_the_next_call(new: New, sandbox: Sandbox) -> None:
    institute = new()
    sandbox.switches.key_propagation = 5000.0
    with pytest.raises(ServiceUnavailable) as caught:
        await rotate(institute.renewal(), patience=600)
    assert caught.value.code == "E-CERT-WAIT"
    assert len(institute.credentials()) == 1
    done = await rotate(institute.renewal(), patience=6000)
    assert institute.told().count("made") == institute.told().count("registered") == 1
    assert institute.registered() >= {done.credential.sha256}


@pytest.mark.parametrize("effect", ["drop-before", "drop-after", "504-before", "504-after", "html-after"])
async def test_a_lost_answer_to_the_registration_ends_in_one_registration(
    new: New, sandbox: Sandbox, effect: str
) -> None:
    institute = new()

    def adding(info: RequestInfo) -> bool:
        return info.path.endswith("/addKey")

    sandbox.switches.key_propagation = 30.0
    sandbox.faults.add(adding, effect)
    done = await rotate(institute.renewal())
    assert len(institute.app.credentials) == 2
    assert institute.credentials()[1].sha256 == done.credential.sha256


async def test_a_rotation_that_has_just_ended_is_not_begun_again(new: New) -> None:
    institute = new()
    first = await rotate(institute.renewal())
    second = await rotate(institute.renewal())
    assert (second.fresh, second.credential.sha256) == (False, first.credential.sha256)
    third = await rotate(institute.renewal(), again=True)
    assert third.fresh
    assert len(institute.credentials()) == len(institute.app.credentials) == 3


async def test_without_the_object_id_nothing_is_begun(new: New) -> None:
    institute = new()
    institute.file.write_text(institute.text.replace("application_object_id", "# application_object_id"))
    with pytest.raises(ConfigurationError) as caught:
        await rotate(institute.renewal())
    assert caught.value.code == "E-CERT-OBJECT-ID"
    assert sorted(path.name for path in institute.file.parent.iterdir()) == [
        "example.toml", "old-cert.pem", "old-key.pem", "password",
    ]  # fmt: skip


async def test_the_id_of_another_application_is_told(new: New) -> None:
    institute = new()
    other = institute.tenant.register_app("another")
    institute.file.write_text(institute.text.replace(institute.app.object_id, other.object_id))
    with pytest.raises(RefusedError) as caught:
        await rotate(institute.renewal())
    assert caught.value.code == "E-CERT-CHANGE"
    assert "application_object_id" in caught.value.do


async def test_a_life_that_a_policy_forbids_is_told_and_a_shorter_one_taken(new: New) -> None:
    institute = new()
    institute.tenant.longest_key_life = timedelta(days=180)
    with pytest.raises(RefusedError) as caught:
        await rotate(institute.renewal())
    assert (caught.value.code, len(institute.app.credentials)) == ("E-CERT-POLICY", 1)
    await rotate(institute.renewal(), days=90)
    assert len(institute.app.credentials) == len(institute.credentials()) == 2
    assert len(list(institute.file.parent.glob("*[.-]key*"))) == 2


async def test_without_a_certificate_that_works_nothing_is_begun(new: New) -> None:
    institute = new()
    institute.app.credentials.clear()
    with pytest.raises(RefusedError) as caught:
        await rotate(institute.renewal())
    assert caught.value.code == "E-CERT-UNREG"
    assert institute.told() == []


async def test_the_old_one_goes_out_with_its_registration_its_place_and_its_key(new: New) -> None:
    institute = new()
    (old,) = institute.credentials()
    key_id = institute.app.credentials[0].key_id
    done = await rotate(institute.renewal())
    gone = await retire(institute.renewal(), key_id=key_id)
    assert institute.told()[4:] == ["proven", "removed", "forgotten", "dropped", "destroyed"]
    assert gone.sha1 == old.sha1
    assert institute.registered() == {done.credential.sha256}
    assert [c.sha256 for c in institute.credentials()] == [done.credential.sha256]
    assert not (institute.file.parent / "old-key.pem").exists()
    assert await institute.signs_in()
    assert "# Where timetables come from.\n" in institute.text


async def test_one_that_classbell_registered_needs_no_id(new: New) -> None:
    institute = new()
    key_id = institute.app.credentials[0].key_id
    await rotate(institute.renewal())
    await retire(institute.renewal(), key_id=key_id)
    await institute.clock.sleep(30 * 86_400)
    second = await rotate(institute.renewal())
    await retire(institute.renewal())
    assert institute.registered() == {second.credential.sha256}


async def test_without_the_id_of_an_uploaded_one_nothing_is_taken_away(new: New) -> None:
    institute = new()
    await rotate(institute.renewal())
    with pytest.raises(ConfigurationError) as caught:
        await retire(institute.renewal())
    assert caught.value.code == "E-CERT-KEY-ID"
    assert len(institute.app.credentials) == len(institute.credentials()) == 2
    # Deleted by a person in the admin center, it is registered no more, and the rest needs no id.
    institute.app.remove_certificate(institute.credentials()[0].sha1)
    await retire(institute.renewal())
    assert len(institute.credentials()) == 1


async def test_who_may_read_registrations_needs_no_id_either(new: New) -> None:
    institute = new()
    institute.app.grant("Directory.Read.All")
    await rotate(institute.renewal())
    await retire(institute.renewal())
    assert len(institute.app.credentials) == len(institute.credentials()) == 1


async def test_the_last_one_that_works_is_not_taken_out(new: New) -> None:
    institute = new()
    with pytest.raises(HeldError) as caught:
        await retire(institute.renewal(), "old-cert.pem")
    assert caught.value.code == "E-CERT-LAST"
    done = await rotate(institute.renewal())
    institute.app.remove_certificate(done.credential.sha1)
    with pytest.raises(HeldError) as caught:
        await retire(institute.renewal())
    assert caught.value.code == "E-CERT-LAST"
    assert await institute.signs_in()


async def test_a_wrong_id_costs_a_registration_and_never_the_way_in(new: New) -> None:
    institute = new()
    await rotate(institute.renewal())
    # The journal that knows the id of the new one is lost, and a person names that very id.
    (institute.file.parent / "example-certificates.json").unlink()
    wrong = institute.app.credentials[1].key_id
    with pytest.raises(HeldError) as caught:
        await retire(institute.renewal(), key_id=wrong)
    assert caught.value.code == "E-CERT-STAYS"
    assert len(institute.credentials()) == 2
    assert await institute.signs_in()


async def test_the_id_of_the_one_that_stays_is_refused(new: New) -> None:
    institute = new()
    await rotate(institute.renewal())
    with pytest.raises(ConfigurationError) as caught:
        await retire(institute.renewal(), key_id=institute.app.credentials[1].key_id)
    assert caught.value.code == "E-CERT-KEY-ID"
    assert len(institute.app.credentials) == 2


@pytest.mark.parametrize("work", [rotate, retire])
async def test_where_the_environment_overrules_the_file_nothing_is_begun(
    new: New, work: Callable[..., Any]
) -> None:
    institute = new(password="correct horse")
    await rotate(institute.renewal())
    registered, text = institute.registered(), institute.text
    overruled = institute.settings.model_copy(
        update={
            "certificates": tuple(
                each.model_copy(update={"key_password": Secret(env="KEY_PASSWORD")})
                for each in institute.settings.certificates
            )
        }
    )
    renewal = replace(institute.renewal(), tenant=overruled, environ={"KEY_PASSWORD": "correct horse"})
    with pytest.raises(ConfigurationError) as caught:
        await work(renewal, **({"again": True} if work is rotate else {"key_id": "x"}))
    assert caught.value.code == "E-CFG-EDIT"
    assert (institute.registered(), institute.text) == (registered, text)
    assert len(list(institute.file.parent.glob("*[.-]key*"))) == 2


async def test_an_expired_one_is_taken_out_without_an_id(new: New) -> None:
    institute = new(days=2)
    await rotate(institute.renewal())
    await institute.clock.sleep(3 * 86_400)
    await retire(institute.renewal())
    assert len(institute.credentials()) == 1
    assert not (institute.file.parent / "old-key.pem").exists()


async def test_a_key_that_the_service_could_not_read_is_not_registered(new: New) -> None:
    institute = new()

    class OfAnother(MortalFiles):
        """The present key belongs to the account of the service, and we are another one."""

        def owner(self, path: Path) -> int:
            return 999 if path.name == "old-key.pem" else super().owner(path)

    with pytest.raises(ConfigurationError) as caught:
        await rotate(replace(institute.renewal(), files=OfAnother(Deaths())))
    assert caught.value.code == "E-CERT-ACCOUNT"
    assert len(institute.app.credentials) == 1
    assert [path.name for path in institute.file.parent.glob("*[.-]key*")] == ["old-key.pem"]
    await rotate(institute.renewal())
    assert len(institute.credentials()) == 2


async def test_a_group_that_reads_the_present_key_is_told_of(new: New) -> None:
    institute = new()
    (institute.file.parent / "old-key.pem").chmod(0o640)
    await rotate(institute.renewal())
    assert "remark" in institute.told()


async def until_done(institute: Institute, death: Deaths, days: int = 365) -> bool:
    """Rotate and retire, killed once on the way and begun again; whether the death was met."""
    met = False
    key_id = institute.app.credentials[0].key_id
    for work in (lambda r: rotate(r, days=days), lambda r: retire(r, key_id=key_id)):
        try:
            await work(institute.renewal(death))
        except Killed:
            met = True
            assert await institute.signs_in()
            await work(institute.renewal())
    return met


@pytest.mark.parametrize(
    ("after", "every"),
    [
        (False, 19),
        pytest.param(False, 1, marks=pytest.mark.prove),
        pytest.param(True, 1, marks=pytest.mark.prove),
    ],
)
async def test_killed_at_any_step_and_begun_again_it_ends_well(new: New, *, after: bool, every: int) -> None:
    counting = Deaths()
    assert not await until_done(new("counted"), counting)
    assert counting.counted > 20
    for at in range(every, counting.counted + 1, every):
        institute = new(f"killed{at}")
        assert await until_done(institute, Deaths(at=at, after=after)), counting.seen[at - 1]
        (left,) = institute.credentials()
        assert institute.registered() == {left.sha256}
        keys = sorted(path.name for path in institute.file.parent.glob("*[.-]key*"))
        assert len(keys) == 1, counting.seen[at - 1]
        assert await institute.signs_in()


async def test_errors_tell_what_why_and_what_to_do(new: New) -> None:
    institute = new()
    await rotate(institute.renewal())
    found: list[ClassbellError] = []
    for which in ("", "nonsense", "ABCDEF"):
        with pytest.raises(ClassbellError) as caught:
            await retire(institute.renewal(), which)
        found.append(caught.value)
    assert [error.code for error in found] == ["E-CERT-KEY-ID", "E-CERT-WHICH", "E-CERT-WHICH"]
    assert all(error.what and error.why and error.do for error in found)
