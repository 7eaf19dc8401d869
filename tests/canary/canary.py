"""
The canary: it knows the secrets of a session of tests, and looks for them in all that the session left behind.

A secret counts in plain, in base64 at any offset, in hexadecimal, and percent-encoded. Of long secrets pieces are
looked for, several of each, so that a line break or the page of a database in between hides none of them.
"""

import base64
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

from ahocorasick_rs import BytesAhoCorasick

# What looks like a token or an assertion, or like a key in a file that is none, is a leak whoever made it.
SHAPES = (
    ("a JSON Web Token", re.compile(rb"eyJ[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}")),
    (
        "a private key",
        re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\\r|\\n|\s)+[A-Za-z0-9+/]{40}"),
    ),
)
_PIECE = 24
_SHORTEST = 7
_LONGEST_WORD = 14
_DEEPEST = 3
# A file that begins so is key material as a whole: that is what it is for.
_KEY_FILES = (
    *(mark + b"-----BEGIN" for mark in (b"", b"\xef\xbb\xbf")),
    *("-----BEGIN".encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be")),
    b"\xfe\xff\x00-\x00-",
    b"Bag Attributes",
    b"\xfe\xed\xfe\xed",
    b"\xce\xce\xce\xce",
    b"\x30\x82",
    b"\x30\x83",
)
_ZIP = b"PK\x03\x04"


class Canary:
    """Secrets, and where they must not be."""

    def __init__(self) -> None:
        self._patterns: dict[bytes, str] = {}
        self._whole: set[bytes] = set()
        self._keepers: set[Path] = set()
        self._written: set[Path] = set()
        self._heard: dict[bytes, str] = {}

    def watch(self, secret: bytes, name: str) -> None:
        """
        Look for a secret from now on; one that cannot be told from other text, such as a word, is left out. So is a
        file in PEM that somebody gave as a password by mistake: its last line stands in every certificate.
        """
        is_word = secret.isalpha() and len(secret) < _LONGEST_WORD
        if len(secret) < _SHORTEST or is_word or b"-----BEGIN" in secret or secret in self._whole:
            return
        self._whole.add(secret)
        for piece in _pieces(secret):
            for form in _forms(piece):
                self._patterns.setdefault(form, name)

    def keeper(self, path: Path) -> None:
        """This file is supposed to hold a secret."""
        self._keepers.add(path.resolve())

    def written(self, path: Path) -> None:
        """The product itself wrote this file."""
        self._written.add(path.resolve())

    def hear(self, text: str | bytes, where: str) -> None:
        """What somebody could have read: an output, a log, an error."""
        content = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        if content:
            self._heard.setdefault(content, where)

    def leaks(self, folder: Path | None = None) -> list[str]:
        """Every place where a secret stands that must not, among what was heard and in the files below *folder*."""
        searcher = BytesAhoCorasick(list(self._patterns)) if self._patterns else None
        names = list(self._patterns.values())
        found = []
        for place, content in self._places(folder):
            told = {name for name, shape in SHAPES if shape.search(content)}
            if searcher is not None:
                told |= {names[number] for number, _, _ in searcher.find_matches_as_indexes(content)}
            found += [f"{place}: {name}" for name in sorted(told)]
        return found

    def _places(self, folder: Path | None) -> Iterator[tuple[str, bytes]]:
        for content, where in self._heard.items():
            yield where, content
        for path in sorted(folder.rglob("*")) if folder is not None else ():
            if path.is_symlink() or not path.is_file() or path.resolve() in self._keepers:
                continue
            if path.suffix == ".toml" and path.resolve() not in self._written:
                continue  # a configuration as a test wrote it, perhaps with a secret pasted in on purpose
            content = path.read_bytes()
            if not self._is_key_file(content):
                yield from _opened(str(path), content)

    def _is_key_file(self, content: bytes) -> bool:
        # By identity of content too: a file that holds nothing but one secret is where it is kept.
        return content.startswith(_KEY_FILES) or content.strip() in self._whole


def _pieces(secret: bytes) -> Iterable[bytes]:
    if len(secret) <= 2 * _PIECE:
        return (secret,)
    middle = len(secret) // 2
    return (secret[:_PIECE], secret[middle : middle + _PIECE], secret[-_PIECE:])


def _forms(piece: bytes) -> Iterator[bytes]:
    yield piece
    yield piece.hex().encode()
    yield piece.hex().upper().encode()
    yield quote_from_bytes(piece, safe="").encode()
    for offset in range(3):
        # Characters that hold bits of what stands before or after are left out.
        encoded = base64.b64encode(bytes(offset) + piece)
        core = encoded[(0, 2, 3)[offset] : len(encoded) - (0, 3, 2)[(offset + len(piece)) % 3]]
        if len(core) >= _SHORTEST:
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")
            yield core.replace(b"+", b"%2B").replace(b"/", b"%2F")


def _opened(name: str, content: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """A file, and what is inside it if it is an archive."""
    yield name, content
    if not content.startswith(_ZIP) or depth == _DEEPEST:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from _opened(f"{name}!{member}", archive.read(member), depth + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return  # a test made it so
