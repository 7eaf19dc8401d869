"""Where keys, certificates and passwords are kept. A configuration names the place, never the content."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from classbell.errors import ConfigurationError
from classbell.ports import Files
from classbell.settings.base import Settings
from classbell.settings.values import CredentialName, EnvironmentName, LocalPath

Ask = Callable[[str], bytes]
"""
Asks the person at the terminal for what the words say, and gives the answer; for the same words, the same answer
without asking again.

Raises:
    ConfigurationError: ``E-SECRET-PROMPT``, nobody can be asked.
"""

_ROOT = 0
_OTHERS = 0o007
_GROUP = 0o070
_GROUP_READS = 0o040


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
        return read_public(self.file, files)


class PrivateFile(Settings):
    """A file that holds a secret: a file of one's own, or a credential that systemd hands over. Read whole."""

    file: LocalPath | None = None
    """A file that other users of the computer may not read."""

    credential: CredentialName | None = None
    """The name of a credential that the service's unit loads (`LoadCredential=NAME:...`)."""

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, given: Any) -> Any:
        return _refuse_text(given)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.file is None) == (self.credential is None):
            raise PydanticCustomError("secret_shape", "it has exactly one of file and credential")
        return self

    @property
    def place(self) -> str:
        """Where it is kept, for messages."""
        return str(self.file) if self.file else f"credential {self.credential}"

    def read(self, files: Files, environ: Mapping[str, str]) -> bytes:
        """
        All of its content, afresh each time.

        Raises:
            ConfigurationError: as ``Secret.reveal``.
        """
        if self.file is not None:
            return read_private(self.file, files)
        return _from_systemd(self.credential or "", files, environ)


class Secret(Settings):
    """Where a secret is kept: exactly one of four places. Never the secret itself."""

    file: LocalPath | None = None
    """A file that other users of the computer may not read."""

    env: EnvironmentName | None = None
    """An environment variable, in capitals. It works, but other programs may see it: prefer a file."""

    credential: CredentialName | None = None
    """The name of a credential that the service's unit loads (`LoadCredential=NAME:...`)."""

    prompt: bool | None = None
    """`true`: it is asked for at the terminal, once per run. Not for a service."""

    @model_validator(mode="before")
    @classmethod
    def _no_literal(cls, given: Any) -> Any:
        return _refuse_text(given)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [
            one for one in (self.file, self.env, self.credential, self.prompt or None) if one is not None
        ]
        if len(named) != 1:
            raise PydanticCustomError(
                "secret_shape", "a secret has exactly one of file, env, credential and prompt = true"
            )
        return self

    @property
    def place(self) -> str:
        """Where it is kept, for messages."""
        if self.file is not None:
            return str(self.file)
        if self.env is not None:
            return f"environment variable {self.env}"
        return f"credential {self.credential}" if self.credential is not None else "what is typed in"

    def reveal(
        self, files: Files, environ: Mapping[str, str], ask: Ask | None = None, *, what: str = "a password"
    ) -> bytes:
        """
        The secret, without one trailing line end. Read afresh each time, so that a rotation needs no restart.

        Args:
            files: the files it may be kept in.
            environ: the environment it may be kept in.
            ask: the way to the person at the terminal; None where there is none.
            what: what to ask for, such as "the password of conf.d/key.pem".

        Raises:
            ConfigurationError: ``E-SECRET-FILE`` it cannot be read, ``E-SECRET-MODE`` other users of
                this computer may read it, ``E-SECRET-ENV`` the variable is not set,
                ``E-SECRET-CREDENTIAL`` systemd hands over none such, ``E-SECRET-PROMPT`` nobody can be asked.
        """
        if self.file is not None:
            content = read_private(self.file, files)
        elif self.env is not None:
            content = _from_environment(self.env, environ)
        elif self.credential is not None:
            content = _from_systemd(self.credential, files, environ)
        elif ask is not None:
            content = ask(what)
        else:
            raise cannot_ask(what)
        return _without_line_end(content)


def read_public(path: Path, files: Files) -> bytes:
    """
    The content of a file that anybody may read.

    Raises:
        ConfigurationError: ``E-SECRET-FILE``, it cannot be read.
    """
    try:
        return files.read(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def read_private(path: Path, files: Files) -> bytes:
    """
    The content of a file that others may not read.

    Raises:
        ConfigurationError: ``E-SECRET-FILE`` it cannot be read, ``E-SECRET-MODE`` others can reach it.
    """
    demand_privacy(path, files)
    return read_public(path, files)


def demand_privacy(path: Path, files: Files) -> None:
    """
    Refuse a file with a secret that other accounts can reach.

    A file of root's may be readable by its group: so service managers and orchestrators hand out secrets to the
    account of a service, which could not change it. The rule is that of PostgreSQL for the key of its server
    (https://www.postgresql.org/docs/current/ssl-tcp.html).

    Raises:
        ConfigurationError: ``E-SECRET-FILE`` there is none, ``E-SECRET-MODE``.
    """
    try:
        mode, owner = files.mode(path), files.owner(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    too_much = mode & (_OTHERS | (_GROUP & ~_GROUP_READS if owner == _ROOT else _GROUP))
    if too_much:
        whom = "every user of this computer" if too_much & _OTHERS else "the users of its group"
        raise ConfigurationError(
            "E-SECRET-MODE",
            f"The secret file {path} is open to {whom} (mode {mode & 0o777:04o}).",
            why="a secret that others can reach is not used.",
            do=f"run: chmod {'o-rwx,g-w' if owner == _ROOT else 'go-rwx'} {path}",
        )


def cannot_ask(what: str) -> ConfigurationError:
    """The error for a secret that is to be typed in where nobody can."""
    return ConfigurationError(
        "E-SECRET-PROMPT",
        f"Nobody can be asked for {what}.",
        why="the configuration says prompt = true, and there is no terminal, or --json or --no-input was given.",
        do='for runs without a terminal, keep it in a file: { file = "..." } in place of { prompt = true }.',
    )


def _refuse_text(given: Any) -> Any:
    # The text may be a pasted key or password: the message must not repeat it.
    if isinstance(given, str | bytes):
        raise PydanticCustomError(
            "secret_literal", "the content itself stands here, instead of where it is kept"
        )
    return given


def _without_line_end(content: bytes) -> bytes:
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        "E-SECRET-FILE",
        f"The file {path} cannot be read.",
        why=error.strerror or type(error).__name__,
        do="check its path, and that the account Classbell runs as may read it.",
    )


def _from_environment(name: str, environ: Mapping[str, str]) -> bytes:
    if name not in environ:
        raise ConfigurationError(
            "E-SECRET-ENV",
            f"The environment variable {name} is not set.",
            why="it is named as the place of a secret.",
            do=f"set {name} for the account Classbell runs as, or keep the secret in a file.",
        )
    # As the operating system gave it, also where that is no text.
    return environ[name].encode(errors="surrogateescape")


def _from_systemd(name: str, files: Files, environ: Mapping[str, str]) -> bytes:
    # systemd.exec(5), "Credentials": a folder for this service alone, whose path is in the environment. Its files are
    # open to the service's account by an access control list, which the mode shows as group bits: it is not judged.
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        why = "systemd hands over credentials to a service only, and this was not started as one that loads any."
    else:
        try:
            return files.read(Path(folder) / name)
        except OSError as error:
            why = f"{error.strerror or type(error).__name__} among the credentials of this service."
    raise ConfigurationError(
        "E-SECRET-CREDENTIAL",
        f"There is no systemd credential {name}.",
        why=why,
        do=f"add LoadCredential={name}:/path/of/the/secret to the [Service] of the unit; for a command by hand,"
        f" systemd-run --pipe -p LoadCredential={name}:/path/of/the/secret classbell ...",
    )
