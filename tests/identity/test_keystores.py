"""Key material of every form is told apart by its content, opened, and the key that is meant is chosen."""

from dataclasses import replace

import pytest
from asn1crypto import pem as asn1_pem
from asn1crypto.keys import EncryptedPrivateKeyInfo
from cryptography.hazmat.primitives import serialization
from tests.identity.entries import (
    KEY,
    NOW,
    PASSWORDS,
    STORE,
    chained,
    check_words,
    entry,
    foreign,
    opened,
    read,
    refusal,
)
from tests.identity.pfx import clear, hidden, pfx

from classbell.errors import ConfigurationError
from classbell.identity import jks, keystores, making, pem, pkcs12
from classbell.identity.material import Form, KeyEntry, Passwords
from classbell.life import SystemIds

STORE_ONLY = Passwords(store=STORE)


def java(*entries: KeyEntry, key: bytes | None = None) -> bytes:
    return jks.write(entries, STORE, key, ids=SystemIds(), now=NOW)


def in_form(form: Form, one: KeyEntry, passwords: Passwords = STORE_ONLY) -> bytes:
    return making.write(one, form, passwords, ids=SystemIds(), now=NOW)


def same(one: KeyEntry, other: KeyEntry) -> bool:
    return (one.certificate, one.chain, one.key.private_numbers()) == (
        other.certificate,
        other.chain,
        other.key.private_numbers(),
    )


@pytest.mark.parametrize("form", [Form.PEM, Form.PKCS12, Form.JKS])
def test_what_is_written_in_a_form_is_recognised_by_its_content_and_read_back_whole(form: Form) -> None:
    content = in_form(form, chained())
    assert keystores.form_of(content, "cert.txt") is form
    assert keystores.needs_password(content, "cert.txt")
    assert same(opened(content, passwords=STORE_ONLY), chained())


@pytest.mark.parametrize("form", [Form.PEM, Form.DER])
def test_the_public_certificate_alone_has_no_key_and_needs_no_password(form: Form) -> None:
    content = making.public(entry().certificate, form)
    assert not keystores.needs_password(content, "cert")
    assert read(content).certificates == (entry().certificate,)
    error = refusal(content)
    assert error.code == "E-CERT-FILE"
    assert "no private key" in error.what


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"\xce\xce\xce\xce\0\0\0\2\0\0\0\1", "E-CERT-FORM", "keytool -importkeystore"),
        (b"PuTTY-User-Key-File-3: ssh-rsa\n", "E-CERT-FORM", "puttygen"),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "E-CERT-FORM",
            "ssh-keygen",
        ),
        ("-----BEGIN".encode("utf-16"), "E-CERT-FILE", "ascii"),
        (b"", "E-CERT-FILE", "the file you mean"),
        (b"see the other file", "E-CERT-FILE", "the file you mean"),
        (b"\x30\x03\x02\x01\x01", "E-CERT-FILE", "the file you mean"),
    ],
    ids=["jceks", "putty", "openssh", "utf-16", "empty", "text", "der of something"],
)
def test_other_things_are_named_with_what_to_do(content: bytes, code: str, words: str) -> None:
    error = refusal(content)
    assert error.code == code
    assert words in error.do


def test_a_file_that_is_too_large_for_keys_is_not_looked_into() -> None:
    content = in_form(Form.PEM, entry()) + b"\n" * 2_000_000
    error = refusal(content)
    assert error.code == "E-CERT-FILE"
    assert "too large" in error.what


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_pkcs12_keeps_name_chain_and_key_in_either_encryption(*, legacy: bool) -> None:
    content = pkcs12.write(chained(), STORE, legacy=legacy)
    assert same(opened(content, passwords=STORE_ONLY), chained())
    assert read(content).aliases == ("leaf",)


def test_no_key_of_a_pkcs12_with_several_is_lost() -> None:
    content = pfx(clear([entry("one")]), clear([entry("two"), entry("three")]))
    assert read(content).aliases == ("one", "two", "three")
    for name in ("one", "two", "three"):
        assert same(opened(content, name, STORE_ONLY), entry(name))
    unnamed = pfx(clear([entry("one"), entry("two")], named=False))
    assert read(unnamed).aliases == ("1", "2")
    assert same(opened(unnamed, "2", STORE_ONLY), entry("two"))


def test_a_pkcs12_that_hides_how_many_keys_it_has_is_refused() -> None:
    error = refusal(pfx(hidden([entry("one"), entry("two")])))
    assert error.code == "E-CERT-FORM"
    assert "openssl pkcs12" in error.do


@pytest.mark.parametrize("kind", ["pkcs12", "jks"])
def test_of_several_keys_one_must_be_named(kind: str) -> None:
    entries = [entry("one"), entry("two")]
    content = pfx(clear(entries)) if kind == "pkcs12" else java(*entries)
    for alias, words in ((None, "one, two"), ("three", 'no private key "three"')):
        error = refusal(content, alias, STORE_ONLY)
        assert error.code == "E-CERT-ALIAS"
        assert words in f"{error.what} {error.do}"
        assert "one, two" in f"{error.why} {error.do}"
    assert same(opened(content, "TWO", STORE_ONLY), entry("two"))


def test_the_key_of_a_java_keystore_may_have_a_password_of_its_own() -> None:
    content = java(entry(), key=KEY)
    assert same(opened(content, passwords=PASSWORDS), entry())
    own = refusal(content, passwords=STORE_ONLY)
    assert own.code == "E-CERT-PASSWORD"
    assert "password of its own" in own.why
    wrong = refusal(content, passwords=Passwords(store=STORE, key=b"no"))
    assert wrong.why == "key_password is wrong."
    assert same(opened(java(entry()), passwords=Passwords(store=STORE, key=STORE)), entry())


def test_a_java_keystore_can_be_listed_without_its_password_but_not_opened() -> None:
    content = java(entry("one"), entry("two"))
    listed = read(content, Passwords())
    assert listed.aliases == ("one", "two")
    assert listed.certificates == (entry("one").certificate, entry("two").certificate)
    assert refusal(content, "one", Passwords()).code == "E-CERT-PASSWORD"


@pytest.mark.parametrize("alias", ["Grüße", "名前", "😀 key", "a\0b", ""])
def test_aliases_in_any_script_survive_a_java_keystore(alias: str) -> None:
    assert read(java(replace(entry(), alias=alias))).aliases == (alias.lower(),)


@pytest.mark.parametrize("form", [Form.PKCS12, Form.JKS, Form.PEM])
def test_a_wrong_a_missing_and_an_empty_password_are_each_said_as_such(form: Form) -> None:
    content = in_form(form, entry())
    for number in range(10):
        error = refusal(content, passwords=Passwords(store=b"wrong %d" % number))
        assert error.code == "E-CERT-PASSWORD"
        assert "does not open" in error.what
        assert "is wrong" in error.why
    for absent in (Passwords(), Passwords(store=b"")):
        error = refusal(content, passwords=absent)
        assert error.code == "E-CERT-PASSWORD"
        assert "no password" in error.what or (form is Form.JKS and "does not open" in error.what)


@pytest.mark.parametrize("form", [Form.PKCS12, Form.JKS])
def test_damage_is_not_taken_for_a_wrong_password(form: Form) -> None:
    """A key that opens proves the password; what does not agree with it then is the file."""
    content = bytearray(in_form(form, chained()))
    # In the last of a Java keystore's certificates; in the check at the end of a PKCS#12 file.
    content[-60 if form is Form.JKS else -45] ^= 1
    error = refusal(bytes(content), passwords=STORE_ONLY)
    assert error.code == "E-CERT-FILE"
    assert "damaged" in error.what


def test_a_password_that_is_no_text_is_said_as_such() -> None:
    error = refusal(java(entry()), passwords=Passwords(store=b"\xff\xfe"))
    assert error.code == "E-CERT-PASSWORD"
    assert "not text" in error.what


@pytest.mark.parametrize("form", [Form.PEM, Form.PKCS12, Form.JKS])
@pytest.mark.parametrize(("kind", "words"), [("ec", "not an RSA key"), ("short", "1024 bits")])
def test_keys_that_entra_does_not_take_are_refused_in_every_form(form: Form, kind: str, words: str) -> None:
    error = refusal(in_form(form, foreign(kind)), passwords=STORE_ONLY)
    assert error.code == "E-CERT-KIND"
    assert words in error.what
    assert "classbell cert new" in error.do


def test_a_key_whose_certificate_is_another_is_refused_in_every_form() -> None:
    wrong = replace(entry("one"), certificate=entry("two").certificate)
    for content in (pem.write(wrong, b""), java(wrong), pfx(clear([wrong]))):
        assert refusal(content, passwords=STORE_ONLY).code == "E-CERT-MATCH"
    without = pem.write_key(entry(), b"")
    assert refusal(without).code == "E-CERT-FILE"


def test_several_files_count_as_one() -> None:
    parts = [pem.write_key(chained(), KEY), making.public(chained().certificate, Form.DER)]
    chain = b"".join(making.public(one) for one in reversed(chained().chain))
    store = keystores.together([keystores.read(part, f"file {n}") for n, part in enumerate([*parts, chain])])
    assert store.place == "file 0 and file 1 and file 2"
    assert same(keystores.choose(store, passwords=PASSWORDS), chained())


def test_two_keys_in_a_pem_file_are_counted() -> None:
    content = pem.write(entry("one"), b"") + pem.write(entry("two"), b"")
    assert refusal(content).code == "E-CERT-ALIAS"
    assert same(opened(content, "2"), entry("two"))


def test_a_count_of_rounds_that_would_take_days_is_refused_at_once() -> None:
    sealed = EncryptedPrivateKeyInfo.load(
        entry().key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(KEY),
        )
    )
    derivation = sealed["encryption_algorithm"]["parameters"]["key_derivation_func"]["parameters"]
    derivation["iteration_count"] = 2**31
    content = asn1_pem.armor("ENCRYPTED PRIVATE KEY", sealed.dump(force=True))
    error = refusal(content + making.public(entry().certificate))
    assert error.code == "E-CERT-FILE"
    assert "out of all measure" in error.why


def test_errors_hold_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(java(entry(), key=KEY), passwords=Passwords(store=KEY, key=STORE))
    check_words(caught.value)
    assert "pass " not in repr(PASSWORDS)
    assert capsys.readouterr() == ("", "")
