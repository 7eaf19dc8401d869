"""Whatever openssl and keytool make signs in; whatever we write, they read."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.identity.tools import KEY, STORE, chain, configured, generate, keytool, run
from tests.identity.world import World

from classbell.identity import making
from classbell.identity.certificates import load_credential, load_entry
from classbell.identity.facts import facts
from classbell.identity.material import Form, KeyEntry, Passwords
from classbell.life import LocalFiles, SystemClock, SystemIds
from classbell.settings import CertificateSettings

pytestmark = [pytest.mark.prove, pytest.mark.anyio]

FILES = LocalFiles()

# How the key of key.pem is written anew, and whether it then has a password.
PEM_KEYS: dict[str, tuple[tuple[str, ...], bool]] = {
    "PKCS#8 plain": (("pkcs8", "-topk8", "-nocrypt"), False),
    "PKCS#8 AES-256": (("pkcs8", "-topk8", "-v2", "aes-256-cbc"), True),
    "PKCS#8 3DES of PKCS#5": (("pkcs8", "-topk8", "-v2", "des3"), True),
    "PKCS#8 scrypt": (("pkcs8", "-topk8", "-scrypt"), True),
    "PKCS#8 3DES of PKCS#12": (("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"), True),
    "PKCS#8 RC2-40": (("pkcs8", "-topk8", "-v1", "PBE-SHA1-RC2-40", "-provider", "legacy", "-provider", "default"), True),
    "PKCS#1 plain": (("rsa", "-traditional"), False),
    "PKCS#1 AES-256": (("rsa", "-traditional", "-aes256"), True),
    "PKCS#1 AES-128": (("rsa", "-traditional", "-aes128"), True),
    "PKCS#1 3DES": (("rsa", "-traditional", "-des3"), True),
}  # fmt: skip
PEM_FILES: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {
    "one file": lambda key, certificate, _: key + certificate,
    "chain before the key": lambda key, certificate, chain: certificate + chain + key,
    "chain in the wrong order": lambda key, certificate, chain: chain + key + certificate,
    "bag attributes": lambda key, certificate, _: (
        b"Bag Attributes\n    localKeyID: 01 02\nsubject=CN = x\n\n"
        + certificate
        + b"Key Attributes: x\n"
        + key
    ),
    "line ends of Windows": lambda key, certificate, _: (certificate + key).replace(b"\n", b"\r\n"),
    "byte order mark": lambda key, certificate, _: b"\xef\xbb\xbf" + certificate + key,
}


def pem_key(form: str, folder: Path) -> dict[str, str]:
    """``key.pem`` in this form; the setting of its password."""
    conversion, encrypted = PEM_KEYS[form]
    (folder / "key.pem").rename(folder / "plain.pem")
    secret = ("-passout", f"pass:{KEY}") if encrypted else ()
    run("openssl", *conversion, "-in", "plain.pem", "-out", "key.pem", *secret, cwd=folder)
    return {"key_password": KEY} if encrypted else {}


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, its certificate and chain: made once, as keys take time."""
    folder = tmp_path_factory.mktemp("chain")
    chain(folder)
    return folder


@pytest.fixture
def folder(chained: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(chained, tmp_path / "chain")
    return tmp_path / "chain"


async def sign_in(world: World, settings: CertificateSettings) -> KeyEntry:
    """Have a token with what is configured; what was read."""
    entry = load_entry(settings, FILES, {})
    world.app.add_certificate(making.public(entry.certificate))
    credential = load_credential(settings, FILES, {}, SystemClock().now() + 5)
    assert await world.tokens(credential).token()
    return entry


@pytest.mark.parametrize("form", PEM_KEYS)
async def test_every_form_of_a_pem_key_beside_its_certificate_signs_in(
    world: World, folder: Path, form: str
) -> None:
    password = pem_key(form, folder)
    await sign_in(world, configured(folder, certificate="cert.pem", private_key="key.pem", **password))


@pytest.mark.parametrize("arrangement", PEM_FILES)
@pytest.mark.parametrize("form", ["PKCS#8 plain", "PKCS#8 AES-256", "PKCS#1 plain", "PKCS#1 AES-256"])
async def test_key_certificate_and_chain_in_one_pem_file_sign_in(
    world: World, folder: Path, form: str, arrangement: str
) -> None:
    password = pem_key(form, folder)
    parts = [(folder / name).read_bytes() for name in ("key.pem", "cert.pem", "chain.pem")]
    (folder / "all.pem").write_bytes(PEM_FILES[arrangement](*parts))
    both = await sign_in(world, configured(folder, certificate="all.pem", private_key="all.pem", **password))
    as_keystore = load_entry(configured(folder, keystore="all.pem", **password), FILES, {})
    assert as_keystore.certificate == both.certificate
    names = [facts(one, 0).subject for one in both.chain]
    assert names == (["CN=middle", "CN=root"] if "chain" in arrangement else [])


PKCS12_OPTIONS: dict[str, tuple[str, ...]] = {
    "as OpenSSL 3 does": (),
    "legacy": ("-legacy",),
    "legacy with 3DES throughout": ("-legacy", "-descert"),
    "with a name": ("-name", "Classbell 2026"),
    "AES-128 and SHA-1": ("-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC", "-macalg", "sha1"),
    "certificate in the open": ("-certpbe", "NONE"),
    "key and certificate in the open": ("-certpbe", "NONE", "-keypbe", "NONE"),
    "many rounds": ("-iter", "100000"),
}


@pytest.mark.parametrize("with_chain", [False, True], ids=["alone", "with chain"])
@pytest.mark.parametrize("options", PKCS12_OPTIONS)
async def test_every_kind_of_pkcs12_that_openssl_writes_signs_in(
    world: World, folder: Path, options: str, *, with_chain: bool
) -> None:
    run(
        *("openssl", "pkcs12", "-export", "-in", "cert.pem", "-inkey", "key.pem", "-out", "store.pfx"),
        *("-passout", f"pass:{STORE}", *PKCS12_OPTIONS[options]),
        *(("-certfile", "chain.pem") if with_chain else ()),
        cwd=folder,
    )
    entry = await sign_in(world, configured(folder, keystore="store.pfx", store_password=STORE))
    assert len(entry.chain) == (2 if with_chain else 0)
    assert entry.alias == ("Classbell 2026" if options == "with a name" else "1")


async def test_a_pkcs12_with_an_empty_password_needs_none(world: World, folder: Path) -> None:
    run(
        *("openssl", "pkcs12", "-export", "-in", "cert.pem", "-inkey", "key.pem", "-out", "store.pfx"),
        *("-passout", "pass:"),
        cwd=folder,
    )
    await sign_in(world, configured(folder, keystore="store.pfx"))


# The options of keytool, and the settings that then open the keystore.
JAVA: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "what keytool writes today": ("", (), {}),
    "PKCS#12 of older Java": ("PKCS12", ("-J-Dkeystore.pkcs12.legacy",), {}),
    "JKS": ("JKS", (), {}),
    "JKS, key password the same": ("JKS", ("-keypass", STORE), {"key_password": STORE}),
    "JKS, key password its own": ("JKS", ("-keypass", KEY), {"key_password": KEY}),
    "JKS, passwords beyond ASCII": ("JKS", ("-keypass", "clé-µ€-9d7e"), {"key_password": "clé-µ€-9d7e"}),
}


@pytest.mark.parametrize("kind", JAVA)
async def test_every_kind_of_keystore_that_keytool_writes_signs_in(
    world: World, tmp_path: Path, kind: str
) -> None:
    storetype, options, more = JAVA[kind]
    # The name says nothing: since Java 9 what people call .jks is PKCS#12.
    generate(tmp_path, "store.jks", *options, storetype=storetype)
    await sign_in(world, configured(tmp_path, keystore="store.jks", store_password=STORE, **more))


@pytest.mark.parametrize("storetype", ["", "JKS"])
async def test_of_several_keys_the_one_that_alias_names_signs_in(
    world: World, tmp_path: Path, storetype: str
) -> None:
    for alias in ("first", "Second"):
        generate(tmp_path, "store.jks", alias=alias, storetype=storetype)
    keytool(
        *(
            "exportcert",
            "-alias",
            "first",
            "-keystore",
            "store.jks",
            "-storepass",
            STORE,
            "-file",
            "first.cer",
        ),
        cwd=tmp_path,
    )
    keytool(
        *(
            "importcert",
            "-alias",
            "trusted",
            "-keystore",
            "store.jks",
            "-storepass",
            STORE,
            "-file",
            "first.cer",
        ),
        cwd=tmp_path,
    )
    for alias, subject in (("first", "CN=first"), ("Second", "CN=Second"), ("second", "CN=Second")):
        entry = await sign_in(
            world, configured(tmp_path, keystore="store.jks", store_password=STORE, alias=alias)
        )
        assert facts(entry.certificate, 0).subject.startswith(subject)


@pytest.mark.parametrize("same", [True, False], ids=["same key password", "its own key password"])
async def test_a_jks_that_keytool_converted_signs_in(world: World, folder: Path, *, same: bool) -> None:
    run(
        *("openssl", "pkcs12", "-export", "-in", "cert.pem", "-inkey", "key.pem", "-out", "cert.pfx"),
        *("-passout", f"pass:{KEY}"),
        cwd=folder,
    )
    keytool(
        *("importkeystore", "-srckeystore", "cert.pfx", "-srcstoretype", "pkcs12", "-srcstorepass", KEY),
        *("-destkeystore", "cert.jks", "-deststoretype", "JKS", "-deststorepass", STORE),
        *(("-srcalias", "1", "-destkeypass", STORE) if same else ()),
        cwd=folder,
    )
    more = {} if same else {"key_password": KEY}
    await sign_in(world, configured(folder, keystore="cert.jks", store_password=STORE, **more))


@pytest.fixture
def entry(folder: Path) -> KeyEntry:
    """A key with a certificate and a chain of two."""
    (folder / "all.pem").write_bytes(
        b"".join((folder / name).read_bytes() for name in ("key.pem", "cert.pem", "chain.pem"))
    )
    return load_entry(configured(folder, keystore="all.pem"), FILES, {})


def written(
    entry: KeyEntry,
    folder: Path,
    form: Form,
    store: str = STORE,
    key: str | None = None,
    *,
    legacy: bool = False,
) -> Path:
    passwords = Passwords(store=store.encode(), key=key.encode() if key else None)
    path = folder / "ours"
    now = SystemClock().now()
    content = making.write(entry, form, passwords, ids=SystemIds(), now=now, legacy=legacy)
    making.save_private(path, content, FILES)
    return path


def plain_key(entry: KeyEntry) -> str:
    return entry.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def subjects(printed: str) -> list[str]:
    return re.findall(r"^Owner: CN=(\w+)", printed, re.MULTILINE)


def test_openssl_reads_the_pem_that_we_write(entry: KeyEntry, folder: Path) -> None:
    written(entry, folder, Form.PEM, key=KEY)
    printed = run("openssl", "pkey", "-in", "ours", "-passin", f"pass:{KEY}", cwd=folder)
    assert plain_key(entry) in printed
    assert "AES" in run("openssl", "asn1parse", "-in", "ours", cwd=folder).upper()
    run("openssl", "verify", "-CAfile", "root.pem", "-untrusted", "ours", "ours", cwd=folder)


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_openssl_and_keytool_read_the_pkcs12_that_we_write(
    entry: KeyEntry, folder: Path, *, legacy: bool
) -> None:
    written(entry, folder, Form.PKCS12, legacy=legacy)
    # Without -legacy: also the older ciphers are such as OpenSSL 3 still reads by itself.
    printed = run(
        "openssl", "pkcs12", "-in", "ours", "-passin", f"pass:{STORE}", "-nodes", "-info", cwd=folder
    )
    assert plain_key(entry) in printed
    assert printed.count("BEGIN CERTIFICATE") == 3
    assert ("3-KeyTripleDES-CBC" if legacy else "AES-256-CBC") in printed
    listed = keytool("list", "-v", "-keystore", "ours", "-storepass", STORE, cwd=folder)
    assert "Alias name: classbell" in listed or "Alias name: 1" in listed
    assert "Certificate chain length: 3" in listed
    assert subjects(listed) == ["classbell", "middle", "root"]


@pytest.mark.parametrize("key", [None, KEY], ids=["same key password", "its own key password"])
def test_keytool_reads_the_jks_that_we_write_and_openssl_what_it_makes_of_it(
    entry: KeyEntry, folder: Path, key: str | None
) -> None:
    written(entry, folder, Form.JKS, key=key)
    listed = keytool("list", "-v", "-keystore", "ours", "-storepass", STORE, cwd=folder)
    assert "Keystore type: JKS" in listed
    assert "PrivateKeyEntry" in listed
    assert subjects(listed) == ["classbell", "middle", "root"]
    keytool(
        *("importkeystore", "-srckeystore", "ours", "-srcstorepass", STORE, "-srckeypass", key or STORE),
        *("-srcalias", entry.alias, "-destkeystore", "theirs.p12", "-deststoretype", "PKCS12"),
        *("-deststorepass", STORE, "-destkeypass", STORE),
        cwd=folder,
    )
    printed = run("openssl", "pkcs12", "-in", "theirs.p12", "-passin", f"pass:{STORE}", "-nodes", cwd=folder)
    assert plain_key(entry) in printed


def test_the_tools_read_what_is_made_here_and_the_public_part_alone(tmp_path: Path) -> None:
    subject = making.Subject(
        common_name="Classbell",
        organization="Université d'Exemple",
        country="NL",
        host="timetable.example.edu",
    )
    key = making.new_key(3072)
    entry = making.self_signed(key, subject, now=SystemClock().now() - 60, days=730)
    (tmp_path / "cert.pem").write_bytes(making.public(entry.certificate))
    (tmp_path / "cert.cer").write_bytes(making.public(entry.certificate, Form.DER))
    (tmp_path / "request.pem").write_bytes(making.request(key, subject))
    text = run("openssl", "x509", "-in", "cert.pem", "-noout", "-text", cwd=tmp_path)
    asked = run("openssl", "req", "-in", "request.pem", "-noout", "-text", "-verify", cwd=tmp_path)
    for described in (text, asked):
        for words in (
            "CA:FALSE",
            "Digital Signature\n",
            "TLS Web Client Authentication",
            "DNS:timetable.example.edu",
            "3072 bit",
            "sha256WithRSAEncryption",
            "CN = Classbell",
        ):
            assert words in described
    printed = keytool("printcert", "-file", "cert.cer", cwd=tmp_path)
    shown = facts(x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes()), 0)
    assert f"SHA1: {':'.join(re.findall('..', shown.sha1))}" in printed
    assert f"SHA256: {':'.join(re.findall('..', shown.sha256))}" in printed
    assert f"Serial number: {shown.serial.lower()}" in printed


@pytest.mark.parametrize("sent", ["pem", "der", "pkcs7 pem", "pkcs7 der"])
async def test_the_answer_of_an_authority_to_our_request_signs_in(
    world: World, folder: Path, sent: str
) -> None:
    key = making.new_key()
    (folder / "request.pem").write_bytes(making.request(key, making.Subject(common_name="classbell")))
    run(
        *("openssl", "x509", "-req", "-in", "request.pem", "-CA", "middle.pem", "-CAkey", "middle-key.pem"),
        *("-CAcreateserial", "-days", "365", "-out", "answer.pem"),
        cwd=folder,
    )
    if sent == "pem":
        (folder / "sent").write_bytes(
            (folder / "chain.pem").read_bytes() + (folder / "answer.pem").read_bytes()
        )
    elif sent == "der":
        run("openssl", "x509", "-in", "answer.pem", "-outform", "der", "-out", "sent", cwd=folder)
    else:
        run(
            *("openssl", "crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-certfile", "answer.pem"),
            *("-out", "sent", "-outform", sent.removeprefix("pkcs7 ")),
            cwd=folder,
        )
    entry = making.answered([((folder / "sent").read_bytes(), "sent")], key)
    assert [facts(one, 0).subject for one in entry.chain] == (
        [] if sent == "der" else ["CN=middle", "CN=root"]
    )
    written(entry, folder, Form.JKS)
    await sign_in(world, configured(folder, keystore="ours", store_password=STORE))
