"""
How much work a file asks for before its password can be tried: a damaged count must not keep us busy for days.

Encrypted keys say themselves how often their password is to be hashed (RFC 8018, RFC 7914).
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

# OpenSSL takes 2,048, keytool 10,000, careful people a million; ten million take some seconds.
MOST_ROUNDS = 10_000_000
# Of scrypt, cost × block size × parallelism: 256 MiB. OpenSSL takes a sixteenth of it.
MOST_SCRYPT = 2**21

_SCRYPT = "1.3.6.1.4.1.11591.4.11"


def bearable(parsed: Any) -> bool:
    """Whether what a parsed structure asks for can be done in seconds; *parsed* is asn1crypto's native form."""
    return all(rounds <= MOST_ROUNDS for rounds in _numbers(parsed)) and all(
        prod(numbers) <= MOST_SCRYPT for numbers in _scrypts(parsed)
    )


def _numbers(parsed: Any) -> Iterator[int]:
    if isinstance(parsed, int):
        yield parsed
    for part in _parts(parsed):
        yield from _numbers(part)


def _scrypts(parsed: Any) -> Iterator[list[int]]:
    if isinstance(parsed, Mapping) and parsed.get("algorithm") == _SCRYPT:
        yield list(_numbers(parsed.get("parameters")))
    for part in _parts(parsed):
        yield from _scrypts(part)


def _parts(parsed: Any) -> Iterator[Any]:
    if isinstance(parsed, Mapping):
        yield from parsed.values()
    elif isinstance(parsed, Sequence) and not isinstance(parsed, str | bytes):
        yield from parsed
