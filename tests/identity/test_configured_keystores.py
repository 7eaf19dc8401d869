"""What the configuration says of keys is found, opened and used to sign in; what is open to others is not."""

import stat
from pathlib import Path
from typing import Any

import pytest
from tests.identity.entries import KEY, NOW, STORE, chained, check_words, entry
from tests.identity.pfx import clear, pfx
from tests.identity.world import World

from classbell.errors import ConfigurationError
from classbell.identity import jks, making, pem, pkcs12
from classbell.identity.certificates import load_credential, load_entry
from classbell.life import LocalFiles, SystemClock, SystemIds
from classbell.settings import CertificateSettings

pytestmark = pytest.mark.anyio


def put(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def keystore(folder: Path, kind: str) -> dict[str, Any]:
    """The settings of a keystore of this kind, which is then in the folder."""
    store = {"file": put(folder / "store-password", STORE + b"\n")}
    key = {"file": put(folder / "key-password", KEY)}
    more: dict[str, dict[str, Any]] = {
        "PEM": {"key_password": key},
        "PKCS#12": {"store_password": store},
        "PKCS#12 legacy": {"store_password": store},
        "PKCS#12 of two keys": {"store_password": store, "alias": "leaf"},
        "JKS": {"store_password": store, "alias": "leaf"},
        "JKS with a key password": {"store_password": store, "key_password": key, "alias": "LEAF"},
    }
    # The name is of no account.
    return {"keystore": {"file": put(folder / "store.jks", content(kind))}, **more[kind]}


def content(kind: str) -> bytes:
    match kind:
        case "PEM":
            return pem.write(chained(), KEY)
        case "PKCS#12 of two keys":
            return pfx(clear([entry("one"), chained()]))
        case "PKCS#12" | "PKCS#12 legacy":
            return pkcs12.write(chained(), STORE, legacy="legacy" in kind)
        case _:
            return java(KEY if "password" in kind else None)


def java(key: bytes | None) -> bytes:
    return jks.write([entry("one"), chained()], STORE, key, ids=SystemIds(), now=NOW)


@pytest.mark.parametrize(
    "kind", ["PEM", "PKCS#12", "PKCS#12 legacy", "PKCS#12 of two keys", "JKS", "JKS with a key password"]
)
async def test_a_keystore_of_every_kind_signs_in(world: World, tmp_path: Path, kind: str) -> None:
    settings = CertificateSettings.model_validate(keystore(tmp_path, kind))
    credential = load_credential(settings, LocalFiles(), {}, SystemClock().now())
    assert credential.certificate == chained().certificate
    world.app.add_certificate(making.public(credential.certificate))
    assert await world.tokens(credential).token()


@pytest.mark.parametrize("part", ["keystore", "store_password", "key_password"])
def test_a_keystore_or_password_that_others_may_read_is_refused(tmp_path: Path, part: str) -> None:
    given = keystore(tmp_path, "JKS with a key password")
    path = given[part]["file"]
    path.chmod(0o644)
    settings = CertificateSettings.model_validate(given)
    with pytest.raises(ConfigurationError) as caught:
        load_entry(settings, LocalFiles(), {})
    assert caught.value.code == "E-SECRET-MODE"
    assert str(path) in caught.value.do
    check = stat.S_IMODE(path.stat().st_mode)
    assert check == 0o644, "nothing is changed for people"


def test_keystore_and_password_may_be_credentials_of_systemd(tmp_path: Path) -> None:
    # A keystore may end with a line end by chance: nothing of it is cut off.
    put(tmp_path / "store", pkcs12.write(chained(), STORE), 0o440)
    put(tmp_path / "password", STORE + b"\n", 0o440)
    settings = CertificateSettings.model_validate(
        {"keystore": {"credential": "store"}, "store_password": {"credential": "password"}}
    )
    found = load_entry(settings, LocalFiles(), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found.certificate == chained().certificate
    with pytest.raises(ConfigurationError, match="E-SECRET-CREDENTIAL"):
        load_entry(settings, LocalFiles(), {})


def test_passwords_that_are_typed_in_are_asked_for_by_what_they_open(tmp_path: Path) -> None:
    given = keystore(tmp_path, "JKS with a key password")
    given |= {"store_password": {"prompt": True}, "key_password": {"prompt": True}}
    settings = CertificateSettings.model_validate(given)
    path = tmp_path / "store.jks"
    answers = {
        f"the store password of {path}, LEAF": STORE,
        f"the key password of {path}, LEAF": KEY,
    }
    assert load_entry(settings, LocalFiles(), {}, answers.__getitem__).alias == "leaf"
    with pytest.raises(ConfigurationError) as caught:
        load_entry(settings, LocalFiles(), {})
    assert caught.value.code == "E-SECRET-PROMPT"


@pytest.mark.parametrize("setting", ["certificate", "private_key"])
def test_a_keystore_under_the_setting_of_a_pem_file_is_said_to_stand_in_the_wrong_place(
    tmp_path: Path, setting: str
) -> None:
    given = {
        "certificate": {"file": put(tmp_path / "cert.pem", making.public(entry().certificate), 0o644)},
        "private_key": {"file": put(tmp_path / "key.pem", pem.write_key(entry(), b""))},
    }
    given[setting] = {"file": put(tmp_path / "cert.pfx", pkcs12.write(entry(), STORE))}
    with pytest.raises(ConfigurationError) as caught:
        load_entry(CertificateSettings.model_validate(given), LocalFiles(), {})
    check_words(caught.value)
    assert caught.value.code == "E-CERT-FORM"
    assert "keystore =" in caught.value.do
