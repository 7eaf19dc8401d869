"""
Key material in PKCS#12 (.pfx, .p12): what openssl pkcs12, Windows and, since Java 9, keytool write.

The library reads one key of such a file and drops others without a word. So the keys are taken out of
the file's structure one by one (RFC 7292, section 4), and the library is left to open each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from asn1crypto import pkcs12 as asn1
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)

from classbell.identity import effort, faults
from classbell.identity.material import Form, KeyEntry, Keystore, Passwords, SealedKey

_FORM = "PKCS#12 file"


@dataclass(frozen=True)
class _Bag:
    """A private key in the file's structure: as PKCS#8, encrypted or not."""

    name: str
    content: bytes = field(repr=False)
    encrypted: bool
    bearable: bool = True


def looks_like(content: bytes) -> bool:
    """Whether content begins as a PKCS#12 file: a sequence of the version 3 and something else."""
    # Also with a length that the file's end makes plain (BER), as Java and Windows have written it.
    after = {0x80: 2, 0x81: 3, 0x82: 4, 0x83: 5, 0x84: 6}.get(content[1], 2) if len(content) > 1 else 0
    return content[:1] == b"\x30" and content[after : after + 3] == b"\x02\x01\x03"


def read(content: bytes, place: str, passwords: Passwords) -> Keystore:
    """
    The keys and certificates of a PKCS#12 file. A key without a name is called by its number, as Java does.

    Raises:
        ConfigurationError: ``E-CERT-PASSWORD`` missing or wrong, ``E-CERT-FILE`` damaged, ``E-CERT-FORM`` written
            so that its keys cannot be counted.
    """
    try:
        file = asn1.Pfx.load(content, strict=True)
        bags = list(_keys(file))
        bearable = effort.bearable(file["mac_data"].native) and all(
            effort.bearable(part["content"].native)
            for part in file.authenticated_safe
            if part["content_type"].native == "encrypted_data"
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        # What the parser raises on structures that are not as they should be; it promises ValueError only.
        raise faults.damaged(place, _FORM) from None
    if not bearable or not all(bag.bearable for bag in bags):
        raise faults.endless(place)
    opened = _opened(content, place, passwords, bags)
    if opened.key is not None and not bags:
        raise faults.hidden_keys(place)
    certificates = _certificates(opened)
    alone = None if passwords.store or len(bags) > 1 else opened.key
    keys = tuple(
        _sealed(bag, bag.name or str(number), place, passwords, certificates)
        if alone is None
        # With the empty password only the whole opens: the library takes none for a single key.
        else _open(alone, bag.name or str(number))
        for number, bag in enumerate(bags, 1)
    )
    return Keystore(place=place, form=Form.PKCS12, keys=keys, certificates=certificates)


def write(entry: KeyEntry, password: bytes, *, legacy: bool = False) -> bytes:
    """
    Key, certificate and chain in a PKCS#12 file, encrypted with AES-256.

    Args:
        entry: what to write, under its alias.
        password: of the file and the key; it must not be empty.
        legacy: encrypt with 3DES and SHA-1 instead, for Java 8 and Windows before 2019, which read nothing newer.
    """
    encryption: KeySerializationEncryption = BestAvailableEncryption(password)
    if legacy:
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(50_000)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())  # noqa: S303 - it is what the old readers know
            .build(password)
        )
    return pkcs12.serialize_key_and_certificates(
        entry.alias.encode(), entry.key, entry.certificate, entry.chain or None, encryption
    )


def _keys(file: asn1.Pfx) -> Iterator[_Bag]:
    """
    The private keys in those parts of the file that are not encrypted as a whole.

    Raises:
        ValueError: and others, the structure is damaged.
    """
    for part in file.authenticated_safe:
        if part["content_type"].native == "data":
            yield from _keys_of(asn1.SafeContents.load(part["content"].native, strict=True))


def _keys_of(bags: asn1.SafeContents) -> Iterator[_Bag]:
    for bag in bags:
        kind = bag["bag_id"].native
        value = bag["bag_value"]
        if kind == "safe_contents":
            yield from _keys_of(value)
        elif kind == "key_bag":
            yield _Bag(_name(bag), value.untag().dump(), encrypted=False)
        elif kind == "pkcs8_shrouded_key_bag":
            yield _Bag(
                _name(bag), value.untag().dump(), encrypted=True, bearable=effort.bearable(value.native)
            )


def _name(bag: asn1.SafeBag) -> str:
    for attribute in bag["bag_attributes"] or ():
        if attribute["type"].native == "friendly_name":
            return str(attribute["values"][0].native)
    return ""


def _opened(
    content: bytes, place: str, passwords: Passwords, bags: list[_Bag]
) -> pkcs12.PKCS12KeyAndCertificates:
    password = passwords.store
    # A file may be encrypted with the empty password, and then opens without any.
    try:
        return pkcs12.load_pkcs12(content, password or None)
    except UnsupportedAlgorithm:
        raise faults.old_cipher(place) from None
    except (ValueError, TypeError):
        pass
    if not password:
        raise faults.no_password(place, "store_password")
    # The check over the whole fails for a wrong password and for damage alike; a key that opens tells which.
    if any(bag.encrypted and _opens(bag, password) for bag in bags):
        raise faults.damaged(place, _FORM)
    raise faults.wrong_password(place, "store_password")


def _opens(bag: _Bag, password: bytes) -> bool:
    try:
        load_der_private_key(bag.content, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _certificates(opened: pkcs12.PKCS12KeyAndCertificates) -> tuple[x509.Certificate, ...]:
    held = (opened.cert, *opened.additional_certs)
    return tuple(one.certificate for one in held if one is not None)


def _open(key: PrivateKeyTypes, alias: str) -> SealedKey:
    return SealedKey(alias=alias, unseal=lambda _: key)


def _sealed(
    bag: _Bag, alias: str, place: str, opening: Passwords, certificates: tuple[x509.Certificate, ...]
) -> SealedKey:
    def unseal(passwords: Passwords) -> PrivateKeyTypes:
        # keytool and OpenSSL give the key the file's password; other tools can give it one of its own.
        password = passwords.key if passwords.key is not None else opening.store
        try:
            return load_der_private_key(bag.content, (password or b"") if bag.encrypted else None)
        except UnsupportedAlgorithm:
            raise faults.old_cipher(place) from None
        except (ValueError, TypeError):
            raise faults.wrong_password(place, "key_password") from None

    return SealedKey(alias=alias, chain=certificates, unseal=unseal)
