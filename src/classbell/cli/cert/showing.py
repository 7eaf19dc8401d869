"""``classbell cert show``: what is in a file of any form. Never a key."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classbell.cli.cert import passwords, words
from classbell.cli.cert.opening import opened, own
from classbell.cli.cert.passwords import KeyPasswordEnv, KeyPasswordFile, PasswordEnv, PasswordFile
from classbell.cli.invocation import Invocation, command
from classbell.errors import ConfigurationError

if TYPE_CHECKING:
    from classbell.identity.material import Keystore, Passwords, SealedKey


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(show)


FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="PEM, DER, PKCS#12, JKS, PKCS#7, or a request; more where they belong together.",
    ),
]
AliasOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Which key of a keystore; needed where it has several.")
]


def show(
    invocation: Invocation,
    files: FilesArgument,
    *,
    alias: AliasOption = None,
    password_env: PasswordEnv = None,
    password_file: PasswordFile = None,
    key_password_env: KeyPasswordEnv = None,
    key_password_file: KeyPasswordFile = None,
) -> None:
    """
    Show the certificates in a file: whom they name, how long they are valid, their thumbprints, and the public part.

    The form is told by the content, not by the name. With a password it is also seen whether it opens the key; keys
    are never shown. Needs no configuration.

    Example: classbell cert show conf.d/classbell-example-2026.crt
    """
    from classbell.identity import faults, keystores  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.facts import all_facts  # noqa: PLC0415
    from classbell.identity.material import Passwords  # noqa: PLC0415
    from classbell.life import SystemClock  # noqa: PLC0415

    if len(files) == 1 and _showed_request(invocation, files[0]):
        return
    given = Passwords(
        store=passwords.given(invocation, password_env, password_file),
        key=passwords.given(invocation, key_password_env, key_password_file, "--key-password"),
    )
    store, opening = opened(invocation, files, given, ask=invocation.output.interactive)
    keys, wrong = _keys(store, opening, alias)
    found = all_facts(store, SystemClock().now())
    output = invocation.output
    output.line(f"{store.place}   {store.form.label}", style="bold")
    for facts in found:
        output.line()
        for line in words.lines(facts):
            output.line(line)
        if facts.key_kind != "RSA":
            output.warning("E-CERT-KIND", f"{faults.not_rsa(store.place).why} This one is {facts.key_kind}.")
        elif facts.bits < keystores.SMALLEST_KEY:
            output.warning(
                "E-CERT-KIND", f"The key has {facts.bits} bits; {keystores.SMALLEST_KEY} are the least."
            )
    output.line()
    for key in keys:
        output.line(words.line("Private key", f"{words.plain(key['alias'])}: {key['state']}"))
    if not keys:
        output.line(words.line("Private key", "none"))
    pem = None
    if store.certificates and (alias is not None or len(store.keys) <= 1):
        pem = words.print_public(own(store, alias, opening), output)
    output.answer(
        {
            "place": store.place,
            "form": store.form.value,
            "certificates": [words.fields(facts) for facts in found],
            "keys": keys,
            "public": pem,
        }
    )
    if wrong is not None:
        raise wrong


def _keys(
    store: "Keystore", opening: "Passwords", alias: str | None
) -> tuple[list[dict[str, Any]], ConfigurationError | None]:
    """How each key stands; and what is wrong with the first that does not open although there is a password."""
    found, wrong = [], None
    for key in store.keys:
        state, error = _state(key, opening, store.place)
        found.append({"alias": key.alias, "state": state})
        if alias is None or key.alias.lower() == alias.lower():
            wrong = wrong or error
    return found, wrong


def _state(key: "SealedKey", opening: "Passwords", place: str) -> tuple[str, ConfigurationError | None]:
    from classbell.identity import keystores  # noqa: PLC0415 (keeps --help fast)

    try:
        keystores.demand_rsa(key.unseal(opening), place)
    except ConfigurationError as error:
        if opening.store is None and opening.key is None and error.code == "E-CERT-PASSWORD":
            return "encrypted", None
        return f"cannot be used ({error.code})", error
    return ("opens with this password" if opening.store or opening.key else "not encrypted"), None


def _showed_request(invocation: Invocation, path: Path) -> bool:
    """Show a request to an authority, if it is one."""
    from cryptography import x509  # noqa: PLC0415 (keeps --help fast)

    from classbell.identity import faults  # noqa: PLC0415
    from classbell.settings import read_public  # noqa: PLC0415

    content = read_public(path, invocation.files)
    if not any(b"-----BEGIN " + kind in content for kind in (b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQ")):
        return False
    try:
        request = x509.load_pem_x509_csr(content)
        subject, bits = request.subject.rfc4514_string(), getattr(request.public_key(), "key_size", 0)
    except ValueError:
        raise faults.damaged(str(path), "request") from None
    output = invocation.output
    output.line(f"{path}   request to a certificate authority (CSR)", style="bold")
    output.line()
    output.line(words.line("Subject", words.plain(subject)))
    output.line(words.line("Key", f"{bits} bits"))
    output.note("It waits for an answer: classbell cert import ANSWER")
    output.answer({"place": str(path), "form": "request", "subject": subject, "bits": bits})
    return True
