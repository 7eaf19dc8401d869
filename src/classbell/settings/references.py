"""Where keys, certificates and passwords are kept. A configuration names the place, never the content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from classbell.errors import ConfigurationError
from classbell.ports import Files
from classbell.settings.base import Settings
from classbell.settings.values import EnvironmentName, LocalPath

_OTHERS = 0o007


class FileReference(Settings):
    """A public file. No care is taken who may read it."""

    file: LocalPath
    """The file."""

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, given: Any) -> Any:
        return _refuse_text(given)

    def read(self, files: Files) -> bytes:
        """
        The content of the file.

        Raises:
            ConfigurationError: ``E-SECRET-FILE``, it cannot be read.
        """
        return _read(self.file, files)


class Secret(Settings):
    """Where a secret is kept: exactly one of a file and an environment variable. Never the secret itself."""

    file: LocalPath | None = None
    """A file that other users of the computer may not read."""

    env: EnvironmentName | None = None
    """An environment variable, in capitals. It works, but other programs may see it: prefer a file."""

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, given: Any) -> Any:
        return _refuse_text(given)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise PydanticCustomError("secret_shape", "a secret has exactly one of file and env")
        return self

    def reveal(self, files: Files, environ: Mapping[str, str]) -> bytes:
        """
        The secret, without one trailing line end. Read afresh each time, so that a rotation needs no restart.

        Raises:
            ConfigurationError: ``E-SECRET-FILE`` it cannot be read, ``E-SECRET-MODE`` other users of
                this computer may read it, ``E-SECRET-ENV`` the variable is not set.
        """
        if self.file is None:
            return _without_line_end(_from_environment(self.env or "", environ))
        _demand_privacy(self.file, files)
        return _without_line_end(_read(self.file, files))


def _refuse_text(given: Any) -> Any:
    # The text may be a pasted key or password: the message must not repeat it.
    if isinstance(given, str | bytes):
        raise PydanticCustomError(
            "secret_literal", "the content itself stands here, instead of where it is kept"
        )
    return given


def _without_line_end(content: bytes) -> bytes:
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _read(path: Path, files: Files) -> bytes:
    try:
        return files.read(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        "E-SECRET-FILE",
        f"The file {path} cannot be read.",
        why=error.strerror or type(error).__name__,
        do="check its path in the configuration, and that the account Classbell runs as may read it.",
    )


def _demand_privacy(path: Path, files: Files) -> None:
    try:
        mode = files.mode(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if mode & _OTHERS:
        raise ConfigurationError(
            "E-SECRET-MODE",
            f"The secret file {path} is open to every user of this computer (mode {mode & 0o777:04o}).",
            why="a secret that others can reach is not used.",
            do=f"run: chmod o-rwx {path}",
        )


def _from_environment(name: str, environ: Mapping[str, str]) -> bytes:
    if name not in environ:
        raise ConfigurationError(
            "E-SECRET-ENV",
            f"The environment variable {name} is not set.",
            why="the configuration names it as the place of a secret.",
            do=f"set {name} for the account Classbell runs as, or keep the secret in a file.",
        )
    return environ[name].encode()
