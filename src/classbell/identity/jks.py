"""
Key material in the older form of Java keystores (JKS), read and written.

The form is that of OpenJDK (sun.security.provider.JavaKeyStore and KeyProtector): big-endian; magic, version, number of
entries; each entry a tag, an alias, a time, and a key with its chain or a certificate; at the end a SHA-1 of the
password and all before. Keys are encrypted with one round of SHA-1, which protects little: this is for what exists.
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from asn1crypto.keys import EncryptedPrivateKeyInfo
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from classbell.errors import ConfigurationError
from classbell.identity import faults
from classbell.identity.material import Form, KeyEntry, Keystore, Passwords, SealedKey, load_certificate
from classbell.ports import Ids

MAGIC = b"\xfe\xed\xfe\xed"

_FORM = "Java keystore"
_VERSIONS = (1, 2)
_PRIVATE_KEY, _TRUSTED = 1, 2
_WHITENER = b"Mighty Aphrodite"
_PROTECTION = "1.3.6.1.4.1.42.2.17.1.1"
_DIGEST = 20


class _Damaged(ValueError):
    """The bytes are not those of a keystore."""


@dataclass(frozen=True)
class _Entry:
    """An entry as it stands there; ``sealed`` is empty for a trusted certificate."""

    alias: str
    sealed: bytes = field(repr=False)
    certificates: tuple[x509.Certificate, ...] = field(repr=False)


def read(content: bytes, place: str, passwords: Passwords) -> Keystore:
    """
    The keys and certificates of a Java keystore; without a store password they are not proven to be whole.

    Raises:
        ConfigurationError: ``E-CERT-FILE`` damaged, ``E-CERT-PASSWORD`` the store password is wrong.
    """
    try:
        entries = list(_Reader(content).entries())
    except ValueError:
        raise faults.damaged(place, _FORM) from None
    keys = [entry for entry in entries if entry.sealed]
    if passwords.store is not None:
        _demand_whole(content, place, passwords.store, keys)
    return Keystore(
        place=place,
        form=Form.JKS,
        keys=tuple(_sealed(entry, place, passwords) for entry in keys),
        certificates=tuple(one for entry in entries for one in entry.certificates),
    )


def write(
    entries: Sequence[KeyEntry],
    store_password: bytes,
    key_password: bytes | None = None,
    *,
    ids: Ids,
    now: float,
) -> bytes:
    """
    A Java keystore with keys, their certificates and chains.

    Args:
        entries: what to write; Java keeps aliases in small letters.
        store_password: of the keystore, in UTF-8.
        key_password: of the keys; None for the same, which is what most programs expect.
        ids: randomness.
        now: seconds since 1970.

    Raises:
        ConfigurationError: ``E-CERT-PASSWORD``, a password is not text.
    """
    whole = _utf16(store_password, "the new keystore", "the store password")
    own = whole if key_password is None else _utf16(key_password, "the new keystore", "the key password")
    content = b"".join(
        (
            MAGIC + struct.pack(">II", _VERSIONS[-1], len(entries)),
            *(_written(entry, own, ids, now) for entry in entries),
        )
    )
    return content + _digest(whole, _WHITENER, content)


def _written(entry: KeyEntry, password: bytes, ids: Ids, now: float) -> bytes:
    plain = entry.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    salt = hashlib.sha1(ids.new_uuid().bytes + ids.new_uuid().bytes).digest()  # noqa: S324 - for its length
    chain = [one.public_bytes(Encoding.DER) for one in (entry.certificate, *entry.chain)]
    return b"".join(
        (
            struct.pack(">I", _PRIVATE_KEY),
            _text(_modified(entry.alias.lower())),
            struct.pack(">Q", int(now * 1000)),
            _sized(_envelope(_protect(plain, password, salt))),
            struct.pack(">I", len(chain)),
            *(_text(b"X.509") + _sized(one) for one in chain),
        )
    )


class _Reader:
    """Reads forward, and never further than there are bytes: a length that lies costs nothing."""

    def __init__(self, content: bytes) -> None:
        # Without the digest at the end.
        self._content = content[:-_DIGEST]
        self._at = len(MAGIC)

    def entries(self) -> Iterator[_Entry]:
        version, count = self._numbers(">II")
        if version not in _VERSIONS:
            raise _Damaged
        self._version = version
        for _ in range(count):
            yield self._entry()
        if self._at != len(self._content):
            raise _Damaged

    def _entry(self) -> _Entry:
        (tag,) = self._numbers(">I")
        alias = _unmodified(self._take(self._numbers(">H")[0]))
        self._numbers(">Q")  # when it was made
        if tag == _TRUSTED:
            return _Entry(alias, b"", (self._certificate(),))
        if tag != _PRIVATE_KEY:
            raise _Damaged
        sealed = self._take(self._numbers(">I")[0])
        (length,) = self._numbers(">I")
        return _Entry(alias, sealed or b"\0", tuple(self._certificate() for _ in range(length)))

    def _certificate(self) -> x509.Certificate:
        if self._version > _VERSIONS[0]:
            self._take(self._numbers(">H")[0])  # its kind: X.509 is the only one
        return load_certificate(self._take(self._numbers(">I")[0]))

    def _numbers(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self._take(struct.calcsize(form)))

    def _take(self, size: int) -> bytes:
        taken = self._content[self._at : self._at + size]
        if len(taken) != size:
            raise _Damaged
        self._at += size
        return taken


def _demand_whole(content: bytes, place: str, password: bytes, keys: list[_Entry]) -> None:
    text = _utf16(password, place, "store_password")
    if hmac.compare_digest(_digest(text, _WHITENER, content[:-_DIGEST]), content[-_DIGEST:]):
        return
    # Wrong password or damage? Most keys have the store's password: one that opens with it tells.
    if any(_unprotected(entry.sealed, text) is not None for entry in keys):
        raise faults.damaged(place, _FORM)
    raise faults.wrong_password(place, "store_password")


def _sealed(entry: _Entry, place: str, opening: Passwords) -> SealedKey:
    def unseal(passwords: Passwords) -> PrivateKeyTypes:
        setting = "key_password" if passwords.key is not None else "store_password"
        password = passwords.key if passwords.key is not None else opening.store
        if password is None:
            raise faults.no_password(place, "store_password")
        plain = _unprotected(entry.sealed, _utf16(password, place, setting))
        if plain is None:
            # The store's digest was right, so that nothing is damaged.
            raise _other_key_password(entry.alias, place, opening, passwords)
        try:
            return load_der_private_key(plain, None)
        except UnsupportedAlgorithm:
            raise faults.not_rsa(place) from None
        except (ValueError, TypeError):
            raise faults.damaged(place, _FORM) from None

    certificate, *chain = entry.certificates or (None,)
    return SealedKey(
        alias=entry.alias,
        certificate=certificate,
        chain=tuple(one for one in chain if one is not None),
        unseal=unseal,
    )


def _other_key_password(
    alias: str, place: str, opening: Passwords, passwords: Passwords
) -> ConfigurationError:
    if passwords.key is not None:
        return faults.wrong_password(place, "key_password", certain=opening.store is not None)
    return faults.own_key_password(place, alias)


def _protect(plain: bytes, password: bytes, salt: bytes) -> bytes:
    cipher = bytes(a ^ b for a, b in zip(plain, _stream(password, salt, len(plain)), strict=True))
    return salt + cipher + _digest(password, plain)


def _unprotected(sealed: bytes, password: bytes) -> bytes | None:
    """The key as PKCS#8; None if the password does not open it."""
    try:
        info = EncryptedPrivateKeyInfo.load(sealed, strict=True)
        octets = info["encrypted_data"].native
        known = info["encryption_algorithm"]["algorithm"].dotted == _PROTECTION
    except (ValueError, TypeError, KeyError):
        return None
    if not known or len(octets) < 2 * _DIGEST:
        return None
    salt, cipher, check = octets[:_DIGEST], octets[_DIGEST:-_DIGEST], octets[-_DIGEST:]
    plain = bytes(a ^ b for a, b in zip(cipher, _stream(password, salt, len(cipher)), strict=True))
    return plain if hmac.compare_digest(_digest(password, plain), check) else None


def _stream(password: bytes, salt: bytes, length: int) -> bytes:
    stream = bytearray()
    block = salt
    while len(stream) < length:
        block = _digest(password, block)
        stream += block
    return bytes(stream[:length])


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha1(b"".join(parts)).digest()  # noqa: S324 - the form's own


def _envelope(octets: bytes) -> bytes:
    info = EncryptedPrivateKeyInfo(
        {"encryption_algorithm": {"algorithm": _PROTECTION}, "encrypted_data": octets}
    )
    return bytes(info.dump())


def _utf16(password: bytes, place: str, setting: str) -> bytes:
    try:
        return password.decode().encode("utf-16-be")
    except UnicodeError:
        raise faults.password_not_text(place, setting) from None


def _sized(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _text(content: bytes) -> bytes:
    return struct.pack(">H", len(content)) + content


def _modified(text: str) -> bytes:
    """Java's own UTF-8 (java.io.DataInput): what lies beyond 16 bits as two surrogates, and no zero byte."""
    units = text.encode("utf-16-be", "surrogatepass")
    return b"".join(
        b"\xc0\x80"
        if unit == b"\0\0"
        else unit.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")
        for unit in (units[at : at + 2] for at in range(0, len(units), 2))
    )


def _unmodified(content: bytes) -> str:
    text = content.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")
