"""``classbell cert convert``: key and certificate from any form to another, or the public certificate alone."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.cert import passwords
from classbell.cli.cert.opening import opened, own
from classbell.cli.cert.passwords import (
    KeyPasswordEnv,
    KeyPasswordFile,
    NewPassword,
    NewPasswordFile,
    PasswordEnv,
    PasswordFile,
)
from classbell.cli.cert.saving import NewFile, password_files, save
from classbell.cli.cert.showing import AliasOption
from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from cryptography import x509

    from classbell.identity.material import KeyEntry


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(convert)


class Target(StrEnum):
    """What can be made."""

    PEM = "pem"
    PKCS12 = "pkcs12"
    JKS = "jks"
    PUBLIC = "public"
    PUBLIC_DER = "public-der"


_ENDINGS = {
    Target.PEM: ".pem",
    Target.PKCS12: ".p12",
    Target.JKS: ".jks",
    Target.PUBLIC: ".crt",
    Target.PUBLIC_DER: ".cer",
}
_PUBLIC = {Target.PUBLIC, Target.PUBLIC_DER}

FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="A file with key and certificate, or one of each. Their form is found out."
    ),
]
ToOption = Annotated[
    Target,
    typer.Option(
        "--to",
        metavar="FORM",
        help="pem, pkcs12 or jks; or public, public-der: the certificate alone, without a key.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="The new file; else beside the first, with another ending."),
]
LegacyOption = Annotated[
    bool,
    typer.Option("--legacy", help="PKCS#12 for programs that cannot read today's: 3DES and SHA-1. Weak."),
]
NewPasswordEnv = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The environment variable that holds the new file's password."),
]
NewKeyPasswordEnv = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="JKS: of a key password that is not the keystore's; the variable."),
]
NewKeyPasswordFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="JKS: of a key password that is not the keystore's; the file."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite a public file. Never one with a key.")]


def convert(
    invocation: Invocation,
    files: FilesArgument,
    *,
    to: ToOption,
    out: OutOption = None,
    alias: AliasOption = None,
    legacy: LegacyOption = False,
    password_env: PasswordEnv = None,
    password_file: PasswordFile = None,
    key_password_env: KeyPasswordEnv = None,
    key_password_file: KeyPasswordFile = None,
    new_password_env: NewPasswordEnv = None,
    new_password_file: NewPasswordFile = None,
    new_key_password_env: NewKeyPasswordEnv = None,
    new_key_password_file: NewKeyPasswordFile = None,
    no_new_password: Annotated[
        bool, typer.Option("--no-new-password", help="PEM: leave the key without encryption. Not advised.")
    ] = False,
    force: ForceOption = False,
) -> None:
    """
    Write a key with its certificate in another form: PEM, PKCS#12, Java keystore; or the certificate alone.

    Passwords are asked for unless options give them. The old file stays as it is. Needs no configuration.

    Example: classbell cert convert cert.pfx --to jks --new-password-file jks-password
    """
    from classbell.identity import keystores, making  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form, Passwords  # noqa: PLC0415

    _demand_sense(
        to,
        legacy=legacy,
        key=new_key_password_env is not None or new_key_password_file is not None,
        new=new_password_env is not None or new_password_file is not None,
        none=no_new_password,
    )
    given = Passwords(
        store=passwords.given(invocation, password_env, password_file),
        key=passwords.given(invocation, key_password_env, key_password_file, "--key-password"),
    )
    path = out or files[0].with_suffix(_ENDINGS[to])
    if to in _PUBLIC:
        store, opening = opened(invocation, files, given, ask=False)
        _write_public(invocation, own(store, alias, opening), to, path, force=force)
        return
    store, opening = opened(invocation, files, given, ask=True)
    entry = keystores.choose(store, alias, opening)
    if store.form is Form.PEM:
        # There it has no name, only a number.
        entry = replace(entry, alias=making.ALIAS)
    new = passwords.chosen(
        invocation,
        new_password_env,
        new_password_file,
        what=f"the new file {path}",
        none=no_new_password,
        option="--new-password",
        no_option="--no-new-password" if to is Target.PEM else "",
    )
    key = passwords.given(invocation, new_key_password_env, new_key_password_file, "--new-key-password")
    _write_private(invocation, entry, to, path, new, key, legacy=legacy)


def _demand_sense(to: Target, *, legacy: bool, key: bool, new: bool, none: bool) -> None:
    wrong = {
        "--legacy is for --to pkcs12 only.": legacy and to is not Target.PKCS12,
        "--new-key-password-... is for --to jks only.": key and to is not Target.JKS,
        "--no-new-password is for --to pem only: a keystore has a password.": none and to is not Target.PEM,
        "A certificate alone has no password.": new and to in _PUBLIC,
    }
    for message, is_so in wrong.items():
        if is_so:
            raise typer.BadParameter(message)


def _write_public(
    invocation: Invocation, certificate: "x509.Certificate", to: Target, path: Path, *, force: bool
) -> None:
    from classbell.identity import making  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form  # noqa: PLC0415

    form = Form.PEM if to is Target.PUBLIC else Form.DER
    content = making.public(certificate, form)
    file = NewFile(path=path, content=content, words="certificate: public, to be uploaded")
    invocation.output.answer({"written": save(invocation, [file], force=force)})


def _write_private(
    invocation: Invocation,
    entry: "KeyEntry",
    to: Target,
    path: Path,
    new: NewPassword,
    key: bytes | None,
    *,
    legacy: bool,
) -> None:
    from classbell.identity import making  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form, Passwords  # noqa: PLC0415
    from classbell.life import SystemClock, SystemIds  # noqa: PLC0415

    form = Form(to.value)
    for concern in making.password_concerns(new.content, form) if new.content else ():
        invocation.output.remark("W-CERT-PASSWORD", concern)
    locking = Passwords(store=new.content, key=new.content if form is Form.PEM else key)
    content = making.write(entry, form, locking, ids=SystemIds(), now=SystemClock().now(), legacy=legacy)
    named = f', alias "{entry.alias}"' if form is not Form.PEM else ""
    private = NewFile(path=path, content=content, words=f"{form.label}{named}: stays here", private=True)
    written = save(invocation, [*password_files(new), private])
    invocation.output.answer({"written": written, "form": form.value, "alias": entry.alias})
    kept = "certificate and private_key" if form is Form.PEM else "keystore"
    invocation.output.note(f"In a configuration it is named under {kept}: docs/how-to/certificates.md")
