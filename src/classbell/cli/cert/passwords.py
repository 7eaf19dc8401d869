"""
Passwords of keys and keystores: from a file, from the environment, or typed in.

Never an argument: those are seen by everybody who lists processes.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.invocation import Invocation
from classbell.errors import ConfigurationError

if TYPE_CHECKING:
    from classbell.settings import Secret

PasswordEnv = Annotated[
    str | None, typer.Option(metavar="NAME", help="The environment variable that holds the password.")
]
PasswordFile = Annotated[Path | None, typer.Option(metavar="FILE", help="The file that holds the password.")]
NewPasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The file that holds the password. If there is none yet, it is made, with a random password in it.",
    ),
]
KeyPasswordEnv = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The same of the key's own password, where it is not the keystore's."),
]
KeyPasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The same of the key's own password, where it is not the keystore's."),
]
NoPassword = Annotated[
    bool, typer.Option("--no-password", help="Leave the private key without encryption. Not advised.")
]

# 192 bits, in letters that every program and every keyboard has.
_RANDOM_BYTES = 24


@dataclass(frozen=True, kw_only=True)
class NewPassword:
    """
    The password of a key that is to be written.

    Attributes:
        content: the password; empty for none.
        kept: where, as a configuration names it; None if nowhere.
        to_write: the file that is to be made for it; None if there is nothing to make.
    """

    content: bytes = field(repr=False)
    kept: dict[str, object] | None
    to_write: Path | None = None


def source(env: str | None, file: Path | None, option: str = "--password") -> "Secret | None":
    """
    The place that options name; None if they name none.

    Raises:
        typer.BadParameter: they name two, or no variable that a configuration could name.
    """
    from classbell.settings import Secret  # noqa: PLC0415 (keeps --help fast)

    if env is not None and file is not None:
        raise typer.BadParameter(f"{option}-env and {option}-file exclude each other.")
    if file is not None:
        return Secret.model_validate({"file": str(file)}, context={"base": Path.cwd()})
    if env is not None:
        try:
            return Secret.model_validate({"env": env})
        except ValueError:
            raise typer.BadParameter(
                f"{option}-env takes the name of an environment variable, in capitals, and never a password."
            ) from None
    return None


def given(
    invocation: Invocation, env: str | None, file: Path | None, option: str = "--password"
) -> bytes | None:
    """
    The password that options name; None if they name none.

    Raises:
        ConfigurationError: it cannot be read.
    """
    import os  # noqa: PLC0415 (keeps --help fast)

    secret = source(env, file, option)
    return None if secret is None else secret.reveal(invocation.files, os.environ)


def asked(invocation: Invocation, what: str, option: str = "--password") -> bytes:
    """
    Have the password of something that exists typed in.

    Raises:
        ConfigurationError: ``E-CERT-NO-PASSWORD``, nobody can be asked.
    """
    if not invocation.output.interactive:
        raise _nobody(f"The password of {what} is needed.", option)
    return invocation.ask(f"the password of {what}")


def chosen(
    invocation: Invocation,
    env: str | None,
    file: Path | None,
    *,
    what: str,
    none: bool = False,
    option: str = "--password",
    no_option: str = "--no-password",
) -> NewPassword:
    """
    The password of something new: given by options, or typed in twice.

    Args:
        none: it is wished that there is no password.
        what: such as "the new private key".
        option: how the options that give it begin.
        no_option: the option that wishes for none; empty where there must be one.

    Raises:
        ConfigurationError: ``E-CERT-NO-PASSWORD`` nobody can be asked, or it is empty; ``E-CERT-RETYPE`` two
            different ones were typed in; or it cannot be read.
    """
    if none:
        if env is not None or file is not None:
            raise typer.BadParameter(f"{no_option} excludes {option}-env and {option}-file.")
        invocation.output.remark(
            "W-CERT-PLAIN",
            "The private key is not encrypted: whoever can read the file, or a backup of it, can sign in with it.",
        )
        return NewPassword(content=b"", kept=None)
    if file is not None and env is None and not (file.exists() or file.is_symlink()):
        return NewPassword(content=_random(), kept={"file": str(file.absolute())}, to_write=file)
    content = given(invocation, env, file, option)
    kept: dict[str, object] = {"prompt": True}
    if content is None:
        content = _typed_twice(invocation, what, option, no_option)
    else:
        kept = {"file": str(file.absolute())} if file is not None else {"env": env}
    if not content:
        raise ConfigurationError(
            "E-CERT-NO-PASSWORD",
            f"The password of {what} is empty.",
            why="an empty password protects nothing, and many programs do not take one.",
            effect="nothing was written.",
            do="choose one" + (f", or say {no_option} if none is wanted." if no_option else "."),
        )
    return NewPassword(content=content, kept=kept)


def _random() -> bytes:
    import secrets  # noqa: PLC0415 (rarely needed)

    return secrets.token_urlsafe(_RANDOM_BYTES).encode()


def _typed_twice(invocation: Invocation, what: str, option: str, no_option: str) -> bytes:
    if not invocation.output.interactive:
        raise _nobody(f"A password for {what} is needed.", option, no_option)
    first = invocation.output.ask_secret(f"a password for {what}")
    if first != invocation.output.ask_secret("the same again"):
        raise ConfigurationError(
            "E-CERT-RETYPE",
            "The two passwords are not the same.",
            why="one of them was mistyped.",
            effect="nothing was written.",
            do="run the command again.",
        )
    return first


def _nobody(what: str, option: str, no_option: str = "") -> ConfigurationError:
    ways = f"give {option}-file FILE or {option}-env NAME"
    return ConfigurationError(
        "E-CERT-NO-PASSWORD",
        what,
        why="there is no terminal to ask at, or --json or --no-input was given.",
        effect="nothing was written.",
        do=f"{ways}, or {no_option} if none is wanted." if no_option else f"{ways}.",
    )
