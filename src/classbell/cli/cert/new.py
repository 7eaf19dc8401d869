"""``classbell cert new``: a key, with a certificate signed by itself, or with a request to an authority."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.cert import passwords
from classbell.cli.cert.home import Home, demand_file, home
from classbell.cli.cert.outcome import KeyFiles, tell
from classbell.cli.cert.passwords import NewPassword, NewPasswordFile, NoPassword, PasswordEnv
from classbell.cli.cert.saving import NewFile, password_files, save
from classbell.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from classbell.identity.making import Subject

_DAYS = 365


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(new)


NameOption = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="Whom it names (CN); else classbell, and the institution's id."
    ),
]
OrganizationOption = Annotated[
    str | None,
    typer.Option(
        "--organization", "--organisation", metavar="NAME", help="Its O; else the institution's name."
    ),
]
CountryOption = Annotated[
    str, typer.Option(metavar="CODE", help="Its C: the two letters of ISO 3166, such as NL.")
]
HostOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="A host name, as its alternative name (SAN): timetable.example.edu."),
]
DaysOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help=f"How long it is valid; else {_DAYS} days.")
]
BitsOption = Annotated[int, typer.Option(metavar="N", help="Of the RSA key: 2048, 3072 or 4096.")]
CsrOption = Annotated[
    bool,
    typer.Option("--csr", help="Make a request for the institution's certificate authority, no certificate."),
]
DirOption = Annotated[
    Path | None,
    typer.Option("--dir", metavar="DIR", help="Where to write; else beside the institution's file, or here."),
]
ConfigureOption = Annotated[
    bool, typer.Option("--configure", help="Name the new certificate in the institution's file.")
]


def new(
    invocation: Invocation,
    *,
    name: NameOption = None,
    organization: OrganizationOption = None,
    country: CountryOption = "",
    host: HostOption = "",
    days: DaysOption = None,
    bits: BitsOption = 2048,
    csr: CsrOption = False,
    folder: DirOption = None,
    password_env: PasswordEnv = None,
    password_file: NewPasswordFile = None,
    no_password: NoPassword = False,
    configure: ConfigureOption = False,
) -> None:
    """
    Make a private key with a certificate for it, or with a request to a certificate authority.

    The key is encrypted, and its file closed to others; its password is typed in twice unless an option gives it. No
    file is ever overwritten. Needs no configuration.

    Example: classbell cert new -i example --configure
    """
    from classbell.identity import making, pem  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form  # noqa: PLC0415
    from classbell.life import SystemClock  # noqa: PLC0415

    if csr and (configure or days is not None):
        raise typer.BadParameter(
            "--csr makes no certificate yet: how long it is valid is up to the authority, and it is configured by"
            " classbell cert import --configure."
        )
    where = home(invocation, folder)
    if configure:
        demand_file(where)
    subject = _subject(where, name, organization, country, host)
    password = passwords.chosen(
        invocation, password_env, password_file, what="the new private key", none=no_password
    )
    for concern in making.password_concerns(password.content, Form.PEM):
        invocation.output.remark("W-CERT-PASSWORD", concern)
    now = float(int(SystemClock().now()))  # certificates know whole seconds
    stem = where.stem(now, ".key", ".crt", ".csr")
    key = making.new_key(bits)
    begin = now - making.HEAD_START
    entry = None if csr else making.self_signed(key, subject, now=begin, days=days or _DAYS)
    private = NewFile(
        path=stem.with_name(f"{stem.name}.key"),
        content=pem.write_private(key, password.content),
        words=f"private key, RSA {bits}, {'encrypted' if password.content else 'not encrypted'}: stays here",
        private=True,
    )
    if entry is None:
        to = f" --dir {folder}" if folder is not None else ""
        _requested(invocation, where.option + to, making.request(key, subject), private, password)
        return
    certificate = NewFile(
        path=stem.with_name(f"{stem.name}.crt"),
        content=making.public(entry.certificate),
        words="certificate: public, to be uploaded",
    )
    written = save(invocation, [*password_files(password), private, certificate])
    key_files = KeyFiles(certificate=certificate.path, private_key=private.path, kept=password.kept)
    told = tell(invocation, where, key_files, entry.certificate, now=now, configure=configure)
    invocation.output.answer({"written": written, **told})


def _requested(
    invocation: Invocation, option: str, request: bytes, private: NewFile, password: NewPassword
) -> None:
    path = private.path.with_suffix(".csr")
    file = NewFile(path=path, content=request, words="request: public, for the certificate authority")
    written = save(invocation, [*password_files(password), private, file])
    invocation.output.line()
    invocation.output.line(request.decode().rstrip())
    invocation.output.note(
        f"Next: send {path} to the institution's certificate authority; with its answer:"
        f" classbell cert import ANSWER {option} --configure"
    )
    invocation.output.answer({"written": written, "request": request.decode()})


def _subject(where: Home, name: str | None, organization: str | None, country: str, host: str) -> "Subject":
    from classbell.identity.making import Subject  # noqa: PLC0415 (keeps --help fast)

    return Subject(
        common_name=name if name is not None else "-".join(filter(None, ("classbell", where.id)))[:64],
        organization=organization if organization is not None else where.organization,
        country=country,
        host=host,
    )
