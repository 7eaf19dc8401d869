"""
Key material of any form: which form it is, what is in it, and the one key that is meant.

The form is told by the content, never by the name: keytool writes PKCS#12 into files that people call .jks.
"""

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from classbell.identity import faults, jks, pem, pkcs12
from classbell.identity.material import (
    Form,
    KeyEntry,
    Keystore,
    Passwords,
    SealedKey,
    belongs,
    chain_of,
    load_certificate,
)
from classbell.ports import Files
from classbell.settings import demand_privacy, read_public

SMALLEST_KEY = 2048
# A hundred times what a keystore with a dozen keys takes.
LARGEST = 1024 * 1024

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_JCEKS = b"\xce\xce\xce\xce"
_PUTTY = b"PuTTY-User-Key-File"


def form_of(content: bytes, place: str) -> Form:
    """
    The form that content is written in.

    Raises:
        ConfigurationError: ``E-CERT-FILE`` none of ours, or UTF-16; ``E-CERT-FORM`` a form to be converted.
    """
    if len(content) > LARGEST:
        raise faults.too_large(place, LARGEST)
    if content.startswith(_UTF16):
        raise faults.utf16(place)
    if content.startswith(jks.MAGIC):
        return Form.JKS
    if content.startswith(_JCEKS):
        raise faults.other_form(
            place,
            "a Java keystore of the kind JCEKS",
            "keytool -importkeystore -srckeystore OLD -srcstoretype JCEKS"
            " -destkeystore NEW.p12 -deststoretype PKCS12",
        )
    if content.startswith(_PUTTY):
        raise faults.other_form(place, "a key of PuTTY", "puttygen OLD -O private-openssh -o NEW")
    if pkcs12.looks_like(content):
        return Form.PKCS12
    if content.startswith(b"\x30"):
        return Form.DER
    if pem.looks_like(content):
        return Form.PEM
    raise faults.unknown(place)


def read(content: bytes, place: str, passwords: Passwords | None = None) -> Keystore:
    """
    What a file of any form holds. Keys stay closed; certificates can be looked at.

    Args:
        content: the file's content.
        place: what messages call it.
        passwords: needed for PKCS#12. A Java keystore can be listed without any, then nothing proves that it is whole.

    Raises:
        ConfigurationError: ``E-CERT-FILE``, ``E-CERT-FORM``, ``E-CERT-PASSWORD``.
    """
    passwords = passwords or Passwords()
    match form_of(content, place):
        case Form.PEM:
            return pem.read(content, place)
        case Form.PKCS12:
            return pkcs12.read(content, place, passwords)
        case Form.JKS:
            return jks.read(content, place, passwords)
        case Form.DER:
            return Keystore(place=place, form=Form.DER, certificates=(_binary(content, place),))


def read_files(paths: Sequence[Path], files: Files, passwords: Passwords | None = None) -> Keystore:
    """
    What several files hold together, such as a key and its certificate in PEM.

    Raises:
        ConfigurationError: as ``read``; also ``E-SECRET-FILE`` a file cannot be read, ``E-SECRET-MODE`` one with a
            private key is open to others.
    """
    return together([_read_file(path, files, passwords) for path in paths])


def together(stores: Sequence[Keystore]) -> Keystore:
    """Several files as if they were one; the form is the first one's."""
    return Keystore(
        place=" and ".join(store.place for store in stores),
        form=stores[0].form,
        keys=tuple(key for store in stores for key in store.keys),
        certificates=tuple(one for store in stores for one in store.certificates),
    )


def needs_password(content: bytes, place: str) -> bool:
    """
    Whether a password is needed to open what is here.

    Raises:
        ConfigurationError: as ``form_of``.
    """
    form = form_of(content, place)
    return form in {Form.PKCS12, Form.JKS} or (form is Form.PEM and pem.is_encrypted(content))


def may_hold_key(content: bytes) -> bool:
    """Whether a private key may be in here, be it of a form that is not read, or damaged."""
    return (
        content.startswith((jks.MAGIC, _JCEKS, _PUTTY))
        or pkcs12.looks_like(content)
        or b"PRIVATE KEY" in content
    )


def choose(store: Keystore, alias: str | None = None, passwords: Passwords | None = None) -> KeyEntry:
    """
    Open the key with this alias; without an alias, the only one.

    Raises:
        ConfigurationError: ``E-CERT-ALIAS`` there is none such, or there are several; ``E-CERT-FILE`` no key,
            ``E-CERT-PASSWORD`` it does not open, ``E-CERT-MATCH`` no certificate of the key,
            ``E-CERT-KIND`` a key that Entra ID does not take.
    """
    sealed = _named(store, alias)
    key = demand_rsa(sealed.unseal(passwords or Passwords()), store.place)
    if sealed.certificate is None and not store.certificates:
        raise faults.no_certificate(store.place)
    candidates = store.certificates if sealed.certificate is None else (sealed.certificate,)
    certificate = next((one for one in candidates if belongs(one, key)), None)
    if certificate is None:
        raise faults.mismatch(store.place)
    return KeyEntry(
        alias=sealed.alias,
        key=key,
        certificate=certificate,
        chain=chain_of(certificate, (*sealed.chain, *store.certificates)),
    )


def demand_rsa(key: PrivateKeyTypes, place: str) -> rsa.RSAPrivateKey:
    """
    The key, if Entra ID takes its kind.

    Raises:
        ConfigurationError: ``E-CERT-KIND``.
    """
    if not isinstance(key, rsa.RSAPrivateKey):
        raise faults.not_rsa(place)
    if key.key_size < SMALLEST_KEY:
        raise faults.too_short(place, key.key_size, SMALLEST_KEY)
    return key


def _named(store: Keystore, alias: str | None) -> SealedKey:
    if not store.keys:
        raise faults.no_key(store.place)
    if alias is None:
        if len(store.keys) > 1:
            raise faults.several(store.place, store.aliases)
        return store.keys[0]
    exact = [key for key in store.keys if key.alias == alias]
    # Java compares aliases without regard to case, and writes them in lower case.
    alike = exact or [key for key in store.keys if key.alias.lower() == alias.lower()]
    if not alike:
        raise faults.no_such_alias(store.place, alias, store.aliases)
    if len(alike) > 1:
        raise faults.several(store.place, store.aliases)
    return alike[0]


def _read_file(path: Path, files: Files, passwords: Passwords | None) -> Keystore:
    found = read(read_public(path, files), str(path), passwords)
    if found.keys:
        # Asked only now: a certificate may be read by everybody.
        demand_privacy(path, files)
    return found


def _binary(content: bytes, place: str) -> x509.Certificate:
    try:
        return load_certificate(content)
    except ValueError:
        raise faults.unknown(place) from None
