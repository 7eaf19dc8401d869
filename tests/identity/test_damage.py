"""Damaged key material of any form gives an error of ours, quickly, in little memory, without a password in its text."""

import struct
import tracemalloc
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.identity.entries import KEY, NOW, PASSWORDS, STORE, chained, check_words, entry, read
from tests.identity.pfx import clear, pfx

from classbell.errors import ConfigurationError
from classbell.identity import jks, keystores, making, pem, pkcs12
from classbell.identity.facts import all_facts
from classbell.identity.material import Form, Passwords, belongs
from classbell.life import SystemIds


@cache
def whole(form: str) -> bytes:
    """One file of each form; the same for the same name in one run."""
    entries = [entry("one"), chained()]
    written: dict[str, Callable[[], bytes]] = {
        "PEM": lambda: pem.write(chained(), KEY),
        "PEM without password": lambda: pem.write(chained(), b""),
        "DER": lambda: making.public(entry().certificate, Form.DER),
        "PKCS#12": lambda: pkcs12.write(chained(), STORE),
        "PKCS#12 legacy": lambda: pkcs12.write(chained(), STORE, legacy=True),
        "PKCS#12 of two keys": lambda: pfx(clear(entries)),
        "JKS": lambda: jks.write(entries, STORE, KEY, ids=SystemIds(), now=NOW),
    }
    return written[form]()


FORMS = ["PEM", "PEM without password", "DER", "PKCS#12", "PKCS#12 legacy", "PKCS#12 of two keys", "JKS"]
LENGTHS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]

place = st.floats(0, 1, exclude_max=True)
Damage = Callable[[bytes], bytes]


def flipped(at: float, bit: int) -> Damage:
    def damage(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[int(at * len(content))] ^= 1 << bit
        return bytes(changed)

    return damage


def exchanged(at: float, number: int, size: int) -> Damage:
    """Other bytes of the same number: such as a length that lies."""

    def damage(content: bytes) -> bytes:
        spot = int(at * len(content))
        new = (number & ((1 << 8 * size) - 1)).to_bytes(size)
        return content[:spot] + new + content[spot + size :]

    return damage


def moved(one: float, other: float, size: int) -> Damage:
    """Two stretches in each other's place."""

    def damage(content: bytes) -> bytes:
        first, second = sorted((int(one * len(content)), int(other * len(content))))
        second = max(second, first + size)
        return b"".join(
            (
                content[:first],
                content[second : second + size],
                content[first + size : second],
                content[first : first + size],
                content[second + size :],
            )
        )

    return damage


def replaced(at: float, size: int, more: bytes) -> Damage:
    """Bytes left out, put in, or both."""

    def damage(content: bytes) -> bytes:
        spot = int(at * len(content))
        return content[:spot] + more + content[spot + size :]

    return damage


def cut(at: float) -> Damage:
    return lambda content: content[: int(at * len(content))]


damages = st.one_of(
    st.builds(flipped, place, st.integers(0, 7)),
    st.builds(cut, place),
    st.builds(replaced, place, st.integers(1, 40), st.just(b"")),
    st.builds(replaced, place, st.just(0), st.binary(min_size=1, max_size=40)),
    st.builds(exchanged, place, st.sampled_from(LENGTHS), st.sampled_from([1, 2, 4])),
    st.builds(moved, place, place, st.integers(1, 20)),
)


@pytest.mark.parametrize("form", FORMS)
# Half of what is usual: opening keys is slow on purpose.
@settings(max_examples=settings().max_examples // 2)
@given(damage=st.lists(damages, min_size=1, max_size=3))
def test_damage_gives_an_error_of_ours_or_leaves_the_key_as_it_was(form: str, damage: list[Damage]) -> None:
    content = whole(form)
    for one in damage:
        assume(content)
        content = one(content)
    try:
        store = read(content)
        assert all(facts.subject is not None for facts in all_facts(store, NOW))
        for alias in store.aliases or (None,):
            found = keystores.choose(store, alias, PASSWORDS)
            assert belongs(found.certificate, found.key)
    except ConfigurationError as error:
        check_words(error)


def java(count: int, *entries: bytes) -> bytes:
    return jks.MAGIC + struct.pack(">II", 2, count) + b"".join(entries) + b"\0" * 20


HEAD = struct.pack(">IH", 1, 1) + b"a" + struct.pack(">Q", 0)


@pytest.mark.parametrize(
    "content",
    [
        java(0xFFFFFFFF),
        java(1, HEAD, struct.pack(">I", 0xFFFFFFFF), b"x" * 100),
        java(1, HEAD, struct.pack(">I", 4), b"key.", struct.pack(">I", 0xFFFFFFFF)),
        java(0xFFFFFFFF, *([HEAD + struct.pack(">II", 1, 0) + b"x"] * 40_000)),
        java(1, HEAD, struct.pack(">I", 900_000), b"\x30" * 900_000, struct.pack(">I", 0)),
        b"-----BEGIN CERTIFICATE-----\n" * 30_000,
        b"-----BEGIN PRIVATE KEY-----" + b"A" * 1_000_000,
        b"\x30\x80\x02\x01\x03" + b"\x30\x80" * 200_000,
        b"\x30\x84\xff\xff\xff\xff\x02\x01\x03",
    ],
    ids=[
        *("count", "length of a key", "number of certificates", "many entries", "long key"),
        *("beginnings without end", "no end", "nested", "length of the whole"),
    ],
)
def test_counts_and_lengths_that_lie_take_no_memory(content: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ConfigurationError) as caught:
            keystores.choose(read(content, Passwords()), None, PASSWORDS)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.code in {"E-CERT-FILE", "E-CERT-PASSWORD", "E-CERT-ALIAS"}
    assert most < 64 * 2**20
