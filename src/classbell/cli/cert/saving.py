"""Writing new files: secrets never over anything, the rest only if that is wished for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from classbell.cli.cert.passwords import NewPassword
from classbell.cli.invocation import Invocation
from classbell.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class NewFile:
    """
    A file that is to be written.

    Attributes:
        words: what it is, for people.
        private: it holds a secret: mode 0600, and never over another file.
    """

    path: Path
    content: bytes = field(repr=False)
    words: str
    private: bool = False


def password_files(password: NewPassword) -> list[NewFile]:
    """The file that is to be made for a new password, if one is."""
    if password.to_write is None:
        return []
    content = password.content + b"\n"
    words = "its password, made at random: stays here"
    return [NewFile(path=password.to_write, content=content, words=words, private=True)]


def save(invocation: Invocation, files: Sequence[NewFile], *, force: bool = False) -> list[str]:
    """
    Write files, secrets first, and tell of each.

    Raises:
        ConfigurationError: ``E-CERT-EXISTS`` there is one already, ``E-CERT-WRITE`` it cannot be written.
    """
    from classbell.identity import making  # noqa: PLC0415 (keeps --help fast)

    for each in files:
        if there(each.path) and (each.private or not force or _may_hold_key(each.path, invocation)):
            raise _exists(each, secret=each.private or force)
    ordered = sorted(files, key=lambda each: not each.private)
    for each in ordered:
        try:
            each.path.parent.mkdir(parents=True, exist_ok=True)
            if each.private:
                making.save_private(each.path, each.content, invocation.files)
            else:
                invocation.files.write_durably(each.path, each.content)
        except OSError as error:
            raise ConfigurationError(
                "E-CERT-WRITE",
                f"The file {each.path} cannot be written.",
                why=error.strerror or type(error).__name__,
                do="name a folder in which this account may write.",
            ) from error
    width = max(len(str(each.path)) for each in ordered)
    for each in ordered:
        invocation.output.line(f"wrote {each.path!s:<{width}}   {each.words}")
    return [str(each.path) for each in ordered]


def there(path: Path) -> bool:
    """Whether something has this name, be it a link to nothing."""
    return path.exists() or path.is_symlink()


def _may_hold_key(path: Path, invocation: Invocation) -> bool:
    from classbell.identity import keystores  # noqa: PLC0415 (keeps --help fast)

    try:
        return keystores.may_hold_key(invocation.files.read(path))
    except FileNotFoundError:
        return False  # a link to nothing
    except OSError:
        return True


def _exists(file: NewFile, *, secret: bool) -> ConfigurationError:
    return ConfigurationError(
        "E-CERT-EXISTS",
        f"There is a file {file.path} already.",
        why="files with secrets are never written over: the old one may be the only one that is registered."
        if secret
        else "files are not written over unless that is wished for.",
        effect="nothing was written.",
        do="choose another name, or move the old file away."
        if secret
        else "choose another name, or repeat the command with --force.",
    )
