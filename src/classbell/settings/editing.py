"""
Changes of the file of an institution by Classbell itself: certificates that come in and go out.

Whatever else stands in the file stays as its author wrote it, comments and order included. A change that would
do anything more than it should is refused rather than written.
"""

import copy
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
import tree_sitter_toml
from pydantic import ValidationError
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable
from tree_sitter import Language, Node, Parser

from classbell.errors import ConfigurationError
from classbell.ports import Files
from classbell.settings.references import Secret
from classbell.settings.tenant import CertificateSettings

_BOM = b"\xef\xbb\xbf"
# The certificate that ``classbell init`` writes into a first configuration, in place of one that is to be made.
PLACEHOLDER = {
    "certificate": {"file": "cert.pem"},
    "private_key": {"file": "key.pem"},
    "key_password": {"file": "key-password"},
}


class InstitutionFile:
    """
    The file of one institution.

    Args:
        path: the file.
        files: the way to it.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self._path = path
        self._files = files

    def add_certificate(self, certificate: Path, private_key: Path, *, like: int, note: str = "") -> None:
        """
        Name a further certificate with its key behind those there are; nothing is done if it is named already.

        Args:
            certificate: its file.
            private_key: its key's file.
            like: which of the certificates there are, counted from 0, has the password that opens the new key.
            note: a comment to put above it.

        Raises:
            ConfigurationError: ``E-CFG-EDIT``, the file does not allow it.
            OSError: the file could not be written.
        """
        if any(self._is(each, "certificate", certificate) for each in self._data()):
            return
        self._add(self._block(certificate, private_key, self.password_of(like)), note)

    def name_certificate(
        self, certificate: Path, private_key: Path, password: Mapping[str, Any] | None, *, note: str = ""
    ) -> None:
        """
        Name a certificate with its key, also as the first; nothing is done if it is named already.

        It takes the place of what ``PLACEHOLDER`` has, if that is all there is, and neither certificate nor key are there.

        Args:
            certificate: its file; all paths are absolute.
            private_key: its key's file.
            password: where the key's password is kept, such as ``{"file": "/etc/..."}``; None for none.
            note: a comment to put above it.

        Raises:
            ConfigurationError: ``E-CFG-EDIT``, the file does not allow it.
            OSError: the file could not be written.
        """
        listed = _tables(self._parsed()) or []
        if any(self._is(each, "certificate", certificate) for each in listed):
            return
        block = self._block(certificate, private_key, self._placed(password))
        if listed != [PLACEHOLDER] or any(
            self._is_there(PLACEHOLDER[one]["file"]) for one in ("certificate", "private_key")
        ):
            self._add(block, note)
            return
        lines = _lines_of(block, note)
        self._change([block], lambda text: _without_lines(_with_lines(text, lines), 0))

    def block(self, certificate: Path, private_key: Path, password: Mapping[str, Any] | None) -> str:
        """The lines that name a certificate in this file, for people to copy; see ``name_certificate``."""
        return "\n".join(_lines_of(self._block(certificate, private_key, self._placed(password)), ""))

    def _placed(self, password: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if password is None:
            return None
        return {key: self._written(Path(one)) if key == "file" else one for key, one in password.items()}

    def _block(self, certificate: Path, private_key: Path, password: Any) -> dict[str, Any]:
        block: dict[str, Any] = {
            "certificate": {"file": self._written(certificate)},
            "private_key": {"file": self._written(private_key)},
        }
        if password is not None:
            block["key_password"] = password
        return block

    def _add(self, block: dict[str, Any], note: str) -> None:
        """Put a certificate behind those there are, or behind the tenant's own keys as the first."""
        lines = _lines_of(block, note)
        self._change(
            [*(_tables(self._parsed()) or []), block],
            lambda text: _with_lines(text, lines),
            lambda text: _with_element(text, block),
            lambda text: _with_first(text, lines),
        )

    def _is_there(self, name: str) -> bool:
        try:
            self._files.mode(self._path.parent / name)
        except OSError:
            return False
        return True

    def remove_certificate(self, place: int) -> None:
        """
        Name a certificate no more.

        Args:
            place: which, counted from 0.

        Raises:
            ConfigurationError: ``E-CFG-EDIT``, the file does not allow it, or it names no other.
            OSError: the file could not be written.
        """
        left = self._data()
        del left[place]
        if not left:
            raise self._unfit("it names no other certificate")
        self._change(
            left, lambda text: _without_lines(text, place), lambda text: _without_element(text, place)
        )

    def password_of(self, place: int) -> Any:
        """What a certificate's key is opened with, as the file has it; None if that needs no password."""
        block = self._data()[place]
        return block.get("key_password") or block.get("store_password")

    def place_of(self, settings: CertificateSettings) -> int:
        """
        Which certificate of the file these settings are, counted from 0.

        Raises:
            ConfigurationError: ``E-CFG-EDIT``, it has none such: the environment overrules it, or it has changed.
        """
        context = {"base": self._path.parent.absolute()}
        for place, each in enumerate(self._data()):
            try:
                if CertificateSettings.model_validate(each, context=context) == settings:
                    return place
            except ValidationError:
                continue  # somebody is at work on it
        raise self._unfit(
            f"it does not say of {settings.place} what counts now: the environment overrules it, or it has changed"
        )

    def _is(self, block: dict[str, Any], name: str, path: Path) -> bool:
        named = block.get(name)
        if not isinstance(named, dict) or "file" not in named:
            return False
        return bool(self._path.parent.absolute() / str(named["file"]) == self._path.parent.absolute() / path)

    def _written(self, path: Path) -> str:
        """A path as the file is to name it: from its own folder on where it can."""
        folder = self._path.parent.absolute()
        whole = folder / path
        return whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else str(whole)

    def _data(self) -> list[dict[str, Any]]:
        listed = _tables(self._parsed())
        if listed is None:
            raise self._unfit("the certificates are not named in this file")
        return listed

    def _parsed(self) -> dict[str, Any]:
        return self._read()[1]

    def _read(self) -> tuple[str, dict[str, Any]]:
        """The file as text, and as data."""
        try:
            text = self._files.read(self._path).removeprefix(_BOM).decode()
            return text, tomllib.loads(text)
        except OSError as error:
            raise self._unfit(f"it cannot be read ({error.strerror or type(error).__name__})") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise self._unfit("it has been changed, and is no TOML now") from error

    def _change(self, wanted: list[dict[str, Any]], *ways: Callable[[str], str]) -> None:
        """Change the file in the first of several ways that does what is wanted and nothing else."""
        text, expected = self._read()
        if not isinstance(expected.get("tenant"), dict):
            raise self._unfit("it has no table [tenant]")
        expected["tenant"]["certificates"] = wanted
        for way in ways:
            try:
                changed = way(text)
                if tomllib.loads(changed) == expected:
                    self._files.rewrite(self._path, changed.encode())
                    return
            except (TOMLKitError, tomllib.TOMLDecodeError, LookupError, TypeError, AttributeError):
                continue
        raise self._unfit("it is written in a way that cannot be changed safely")

    def _unfit(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            "E-CFG-EDIT",
            f"The file {self._path} cannot be changed by Classbell.",
            why=f"{why}.",
            do="write the certificates as [[tenant.certificates]] tables in this file, then run the command again.",
            effect="the file is as it was.",
        )


def names_file(settings: CertificateSettings, path: Path) -> bool:
    """Whether a certificate is kept in a file, wholly or in part."""
    secrets = (settings.private_key, settings.key_password, settings.store_password)
    places = [each.file for each in secrets if isinstance(each, Secret)]
    places += [each.file for each in (settings.certificate, settings.keystore) if each is not None]
    return path in places


def _tables(data: dict[str, Any]) -> list[dict[str, Any]] | None:
    tenant = data.get("tenant")
    listed = tenant.get("certificates") if isinstance(tenant, dict) else None
    return list(copy.deepcopy(listed)) if isinstance(listed, list) and listed else None


def _lines_of(block: dict[str, Any], note: str) -> list[str]:
    lines = ["[[tenant.certificates]]", *([f"# {note}"] if note else [])]
    # With spaces inside the braces, as everywhere in our files.
    return lines + [f"{name} = {{ {_inline(value).as_string()[1:-1]} }}" for name, value in block.items()]


def _with_lines(text: str, lines: Sequence[str]) -> str:
    """Put a table behind the last one, before the comments that lead to what follows."""
    end = _spans(text)[-1][1]
    line_end = "\r\n" if "\r\n" in text else "\n"
    before = text[:end] if text[:end].endswith("\n") else text[:end] + line_end
    return before + line_end + "".join(line + line_end for line in lines) + text[end:]


def _with_first(text: str, lines: Sequence[str]) -> str:
    """Put the first table behind the last line of the table [tenant]."""
    for node in Parser(Language(tree_sitter_toml.language())).parse(text.encode()).root_node.children:
        if node.type == "table" and _header(node) == ["tenant"]:
            line_end = "\r\n" if "\r\n" in text else "\n"
            begin, end = _span(node, text.encode())
            before = text[:end] if text[begin:end].endswith("\n") else text[:end] + line_end
            return before + line_end + "".join(line + line_end for line in lines) + text[end:]
    raise LookupError


def _without_lines(text: str, place: int) -> str:
    """Cut a table out, from its header to its last value, and one empty line behind it."""
    begin, end = _spans(text)[place]
    rest = text[end:]
    return text[:begin] + (rest.removeprefix("\r\n").removeprefix("\n"))


def _spans(text: str) -> list[tuple[int, int]]:
    """Where each table of certificates begins, and where the line of its last value ends, in characters."""
    content = text.encode()
    found = []
    for node in Parser(Language(tree_sitter_toml.language())).parse(content).root_node.children:
        if node.type != "table_array_element" or _header(node) != ["tenant", "certificates"]:
            continue
        found.append(_span(node, content))
    return found


def _span(node: Node, content: bytes) -> tuple[int, int]:
    """Where a table begins, and where the line of its last value ends, in characters."""
    last = ([child for child in node.children if child.type == "pair"] or node.children)[-1]
    line_end = content.find(b"\n", last.end_byte)
    end = len(content) if line_end < 0 else line_end + 1
    return len(content[: node.start_byte].decode()), len(content[:end].decode())


def _header(node: Node) -> list[str]:
    name = next(child for child in node.children if child.type in {"dotted_key", "bare_key", "quoted_key"})
    return [part.strip(" \t\"'") for part in (name.text or b"").decode().split(".")]


def _with_element(text: str, block: dict[str, Any]) -> str:
    document = tomlkit.parse(text)
    document["tenant"]["certificates"].append(_inline(block))
    return tomlkit.dumps(document)


def _without_element(text: str, place: int) -> str:
    document = tomlkit.parse(text)
    del document["tenant"]["certificates"][place]
    return tomlkit.dumps(document)


def _inline(value: dict[str, Any]) -> InlineTable:
    made = tomlkit.inline_table()
    for name, inner in value.items():
        made.add(name, _inline(inner) if isinstance(inner, dict) else inner)
    return made
