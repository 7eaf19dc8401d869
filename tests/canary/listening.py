"""
Where the canary learns secrets and listens: at the libraries through which every key and every token passes, at the
one place that reveals passwords, and at everything that product and commands say.
"""

import functools
import subprocess
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from tests.canary.canary import Canary

CANARY = Canary()
_SEEN: set[int] = set()


def install() -> None:
    """Begin to listen. Before anything of the product is imported, for some of it takes functions by name."""
    _after(jwt, "encode", lambda token, *_: CANARY.watch(token.encode(), "a token or an assertion"))
    _after(rsa, "generate_private_key", lambda key, *_: _key(key))
    for place, name in (
        (serialization, "load_pem_private_key"),
        (serialization, "load_der_private_key"),
        (pkcs12, "load_key_and_certificates"),
        (pkcs12, "load_pkcs12"),
    ):
        _after(place, name, _loaded)
    _after(subprocess.Popen, "communicate", _said)

    from classbell import errors  # noqa: PLC0415 - after the libraries have been wrapped
    from classbell.life import LocalFiles  # noqa: PLC0415
    from classbell.settings import references  # noqa: PLC0415

    _after(references.Secret, "reveal", _revealed)
    _after(references.PrivateFile, "read", lambda _, place, *__: _kept(place))
    for name in ("write_durably", "rewrite", "create_private"):
        _after(LocalFiles, name, lambda _, __, path, *___: CANARY.written(path))
    _after(errors.ClassbellError, "__init__", _raised)


def _after(place: Any, name: str, note: Callable[..., object]) -> None:
    original = getattr(place, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **named: Any) -> Any:
        result = original(*args, **named)
        note(result, *args, *named.values())
        return result

    setattr(place, name, wrapped)


def _key(key: object) -> None:
    if not isinstance(key, rsa.RSAPrivateKey):
        return
    modulus = key.public_key().public_numbers().n
    if modulus in _SEEN:
        return
    _SEEN.add(modulus)
    numbers = key.private_numbers()
    for number in (numbers.p, numbers.q, numbers.d):
        CANARY.watch(number.to_bytes((number.bit_length() + 7) // 8, "big"), "a private key")


def _loaded(result: object, _data: object = b"", password: object = None, *_: object) -> None:
    for one in result if isinstance(result, tuple) else (getattr(result, "key", result),):
        _key(one)
    if isinstance(password, bytes):
        CANARY.watch(password, "a password")


def _revealed(result: bytes, place: Any, *_: object) -> None:
    if not result.startswith(b"-----BEGIN"):
        CANARY.watch(result, "a password")
    _kept(place)


def _kept(place: Any) -> None:
    if place.file is not None:
        CANARY.keeper(place.file)


def _raised(_: object, error: Any, *__: object) -> None:
    CANARY.hear(
        "\n".join((str(error), error.why, error.do, error.effect, error.origin)), f"the error {error.code}"
    )


def _said(result: tuple[Any, Any], process: Any, *_: object) -> None:
    words = [process.args] if isinstance(process.args, str) else list(map(str, process.args))
    if words[0].endswith("classbell"):
        for text in result:
            CANARY.hear(text or b"", f"what {' '.join(words)[:80]} printed")
