"""
PKCS#12 files built bag by bag, in ways that no tool at hand writes them. RFC 7292; the password is PASSWORD.

``cryptography`` writes one key into a file and encrypts its certificates; here a file may hold several keys, or hide
them in an encrypted part.
"""

import hashlib
import hmac
from collections.abc import Sequence
from itertools import cycle, islice

from asn1crypto import algos, cms, core, keys, pkcs12
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from classbell.identity.material import KeyEntry

PASSWORD = b"store-pass 4c1b"
SALT = b"8 bytes!"
ROUNDS = 2048


def pfx(*parts: cms.ContentInfo) -> bytes:
    """A file of these parts, with the check over the whole."""
    whole = pkcs12.AuthenticatedSafe(list(parts)).dump()
    digest = hmac.new(_derived(3, 20), whole, "sha1").digest()
    file = pkcs12.Pfx(
        {
            "version": "v3",
            "auth_safe": {"content_type": "data", "content": core.OctetString(whole)},
            "mac_data": {
                "mac": {"digest_algorithm": {"algorithm": "sha1"}, "digest": digest},
                "mac_salt": SALT,
                "iterations": ROUNDS,
            },
        }
    )
    return bytes(file.dump())


def clear(entries: Sequence[KeyEntry], *, named: bool = True) -> cms.ContentInfo:
    """A part with encrypted keys, as all tools write it, and their certificates beside them."""
    content = core.OctetString(_bags(entries, named=named).dump())
    return cms.ContentInfo({"content_type": "data", "content": content})


def hidden(entries: Sequence[KeyEntry]) -> cms.ContentInfo:
    """A part that is encrypted as a whole, with the keys in it."""
    padder = padding.PKCS7(64).padder()
    padded = padder.update(_bags(entries, named=True).dump()) + padder.finalize()
    encryptor = Cipher(TripleDES(_derived(1, 24)), modes.CBC(_derived(2, 8))).encryptor()
    algorithm = algos.EncryptionAlgorithm(
        {"algorithm": "pkcs12_sha1_tripledes_3key", "parameters": {"salt": SALT, "iterations": ROUNDS}}
    )
    content = cms.EncryptedData(
        {
            "version": "v0",
            "encrypted_content_info": {
                "content_type": "data",
                "content_encryption_algorithm": algorithm,
                "encrypted_content": encryptor.update(padded) + encryptor.finalize(),
            },
        }
    )
    return cms.ContentInfo({"content_type": "encrypted_data", "content": content})


def _bags(entries: Sequence[KeyEntry], *, named: bool) -> pkcs12.SafeContents:
    found = []
    for entry in entries:
        sealed = entry.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD),
        )
        key = {
            "bag_id": "pkcs8_shrouded_key_bag",
            "bag_value": keys.EncryptedPrivateKeyInfo.load(sealed),
            "bag_attributes": [{"type": "friendly_name", "values": [entry.alias]}] if named else [],
        }
        certificate = entry.certificate.public_bytes(serialization.Encoding.DER)
        value = {"cert_id": "x509", "cert_value": core.ParsableOctetString(certificate)}
        found += [
            pkcs12.SafeBag(key),
            pkcs12.SafeBag({"bag_id": "cert_bag", "bag_value": pkcs12.CertBag(value)}),
        ]
    return pkcs12.SafeContents(found)


def _derived(purpose: int, length: int) -> bytes:
    """Appendix B.2, for one block of SHA-1 and as many as a key takes."""
    password = PASSWORD.decode().encode("utf-16-be") + b"\0\0"
    block = bytearray(_filled(SALT) + _filled(password))
    found = b""
    while len(found) < length:
        digest = hashlib.sha1(bytes([purpose]) * 64 + bytes(block)).digest()  # noqa: S324 - RFC 7292 has no other
        for _ in range(ROUNDS - 1):
            digest = hashlib.sha1(digest).digest()  # noqa: S324
        found += digest
        step = int.from_bytes(_filled(digest)) + 1
        for at in range(0, len(block), 64):
            number = (int.from_bytes(block[at : at + 64]) + step) % 2**512
            block[at : at + 64] = number.to_bytes(64)
    return found[:length]


def _filled(text: bytes) -> bytes:
    blocks = -(-len(text) // 64)
    return bytes(islice(cycle(text), blocks * 64))
