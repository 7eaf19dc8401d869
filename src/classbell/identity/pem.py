"""
Key material in PEM, the form of OpenSSL: blocks of text, one for each key and certificate, in any order.

The labels are those of RFC 7468 and, for older keys, of OpenSSL's own documentation (openssl-format-options).
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field

from asn1crypto.keys import EncryptedPrivateKeyInfo
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from classbell.errors import ConfigurationError
from classbell.identity import effort, faults
from classbell.identity.material import Form, KeyEntry, Keystore, Passwords, SealedKey, load_certificate

_BEGIN = b"-----BEGIN "
_DASHES = b"-----"
_KEYS = (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"DSA PRIVATE KEY")
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")
_OPENSSH = b"OPENSSH PRIVATE KEY"


@dataclass(frozen=True)
class _Block:
    label: bytes
    text: bytes = field(repr=False)

    @property
    def encrypted(self) -> bool:
        return self.label == b"ENCRYPTED PRIVATE KEY" or b"ENCRYPTED" in _headers(self.text)


def looks_like(content: bytes) -> bool:
    """Whether content has a block of PEM anywhere: text before it is allowed, as openssl pkcs12 writes some."""
    return _BEGIN in content


def is_encrypted(content: bytes) -> bool:
    """Whether a private key in it needs a password."""
    return any(block.encrypted for block in _blocks(content))


def unarmored(content: bytes) -> bytes:
    """
    The binary content of the first block, whatever it is.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    block = next(_blocks(content), None)
    if block is None:
        raise ValueError("no whole block")
    return _content(block)


def read(content: bytes, place: str) -> Keystore:
    """
    The keys and certificates of a PEM file. PEM has no aliases: keys are counted from 1.

    Raises:
        ConfigurationError: ``E-CERT-FILE`` a block is damaged, or none is of use; ``E-CERT-FORM`` a key of OpenSSH.
    """
    keys: list[SealedKey] = []
    certificates: list[x509.Certificate] = []
    for block in _blocks(content):
        if block.label == _OPENSSH:
            raise faults.other_form(place, "a key of OpenSSH", 'ssh-keygen -p -N "" -m PKCS8 -f COPY')
        if block.label in _KEYS:
            keys.append(_sealed(block, str(len(keys) + 1), place))
        elif block.label in _CERTIFICATES:
            certificates.append(_certificate(block, place))
    if not keys and not certificates:
        raise faults.damaged(place, "PEM") if b"-----END" not in content else faults.unknown(place)
    return Keystore(place=place, form=Form.PEM, keys=tuple(keys), certificates=tuple(certificates))


def write_key(entry: KeyEntry, password: bytes) -> bytes:
    """The private key alone; see ``write_private``."""
    return write_private(entry.key, password)


def write_private(key: rsa.RSAPrivateKey, password: bytes) -> bytes:
    """A private key: PKCS#8, encrypted with AES-256; plain if the password is empty."""
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def write_certificates(entry: KeyEntry) -> bytes:
    """The certificate, and its chain behind it."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (entry.certificate, *entry.chain))


def write(entry: KeyEntry, password: bytes) -> bytes:
    """Key, certificate and chain in one file."""
    return write_key(entry, password) + write_certificates(entry)


def _blocks(content: bytes) -> Iterator[_Block]:
    """Whole blocks; one without an end, and all after it, are left out."""
    start = content.find(_BEGIN)
    while start >= 0:
        line = content.find(_DASHES, start + len(_BEGIN))
        label = content[start + len(_BEGIN) : line]
        ending = b"-----END " + label + _DASHES
        end = content.find(ending, line)
        if line < 0 or end < 0:
            return
        end += len(ending)
        yield _Block(label, content[start:end])
        start = content.find(_BEGIN, end)


def _headers(text: bytes) -> bytes:
    """What stands between the first line and the empty line before the content, in legacy keys."""
    head, empty, _ = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    return head if empty else b""


def _certificate(block: _Block, place: str) -> x509.Certificate:
    try:
        return load_certificate(_content(block))
    except ValueError:
        raise faults.damaged(place, "certificate") from None


def _content(block: _Block) -> bytes:
    """
    The bytes of a block.

    Raises:
        ValueError: it is not base64.
    """
    text = block.text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip()
    body = text.split(b"\n\n", 1)[1] if _headers(text) else text.split(b"\n", 1)[-1]
    body = body.rsplit(b"-----END", 1)[0]
    try:
        return b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _sealed(block: _Block, alias: str, place: str) -> SealedKey:
    def unseal(passwords: Passwords) -> PrivateKeyTypes:
        # Whoever says that a keystore is a PEM file may call the password of its key either way.
        password = passwords.key if passwords.key is not None else passwords.store
        if not block.encrypted:
            password = None  # one for a key that is not encrypted does no harm and is not used
        elif not password:
            raise faults.no_password(place, "key_password")
        elif not _bearable(block):
            raise faults.endless(place)
        try:
            return serialization.load_pem_private_key(block.text, password)
        except UnsupportedAlgorithm:
            raise faults.old_cipher(place) from None
        except (ValueError, TypeError) as error:
            raise _refusal(block, place, str(error)) from None

    return SealedKey(alias=alias, unseal=unseal)


def _bearable(block: _Block) -> bool:
    if block.label != b"ENCRYPTED PRIVATE KEY":
        return True  # the older form has one round
    try:
        return effort.bearable(EncryptedPrivateKeyInfo.load(_content(block), strict=True).native)
    except (ValueError, TypeError):
        return True  # it is damaged, and said to be so when it does not open


def _refusal(block: _Block, place: str, reason: str) -> ConfigurationError:
    if not block.encrypted:
        return faults.unread_key(place)
    try:
        content = _content(block)
        if block.label == b"ENCRYPTED PRIVATE KEY":
            EncryptedPrivateKeyInfo.load(content, strict=True).native  # noqa: B018 - it parses when it is asked
    except (ValueError, TypeError):
        return faults.damaged(place, "private key")
    # Of some hundred wrong passwords one unpacks to something that looks right until it is read.
    # The library says so in other words than of the rest; to people it is the same.
    if "unknown" in reason.lower():
        return faults.old_cipher(place)
    return faults.wrong_password(place, "key_password")
