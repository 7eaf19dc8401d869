"""``classbell cert import``: the answer of a certificate authority to a request that was made here."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classbell.cli.cert import passwords
from classbell.cli.cert.home import Home, demand_file, home
from classbell.cli.cert.new import ConfigureOption
from classbell.cli.cert.outcome import KeyFiles, tell
from classbell.cli.cert.passwords import PasswordEnv, PasswordFile
from classbell.cli.cert.saving import NewFile, save
from classbell.cli.invocation import Invocation, command
from classbell.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography import x509

    from classbell.identity.material import KeyEntry


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "import")(import_answer)


AnswerArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="What the authority has sent, chain or not: PEM, DER or PKCS#7, in any order."
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="The private key; else the one whose request stands beside."),
]
DirOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="Where the request is; else beside the institution's file, or here."
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Overwrite the certificate of an earlier answer. Never a key.")
]


def import_answer(
    invocation: Invocation,
    answer: AnswerArgument,
    *,
    key: KeyOption = None,
    folder: DirOption = None,
    password_env: PasswordEnv = None,
    password_file: PasswordFile = None,
    configure: ConfigureOption = False,
    force: ForceOption = False,
) -> None:
    """
    Take in the certificate that an authority has made upon a request of `classbell cert new --csr`.

    It is proven to belong to the key, whose password is asked for unless an option gives it, and is written beside
    it. Needs no configuration.

    Example: classbell cert import answer.p7b -i example --configure
    """
    from classbell.identity import making  # noqa: PLC0415 (keeps --help fast)
    from classbell.life import SystemClock  # noqa: PLC0415
    from classbell.settings import read_public  # noqa: PLC0415

    where = home(invocation, folder)
    if configure:
        demand_file(where)
    sent = [
        one for path in answer for one in making.certificates(read_public(path, invocation.files), str(path))
    ]
    path = key or _key_of_request(where, sent, invocation)
    entry, kept = _opened(invocation, path, sent, password_env, password_file)
    certificate = NewFile(
        path=path.with_name(f"{path.stem}.crt"),
        content=making.public(entry.certificate),
        words="certificate: public, to be uploaded",
    )
    files = [certificate]
    if entry.chain:
        chain = b"".join(making.public(one) for one in entry.chain)
        files.append(
            NewFile(
                path=path.with_name(f"{path.stem}-chain.crt"),
                content=chain,
                words="the authorities above it: public, not needed to sign in",
            )
        )
    written = save(invocation, files, force=force)
    key_files = KeyFiles(certificate=certificate.path, private_key=path, kept=kept)
    told = tell(invocation, where, key_files, entry.certificate, now=SystemClock().now(), configure=configure)
    invocation.output.answer({"written": written, **told})


def _key_of_request(where: Home, sent: Sequence["x509.Certificate"], invocation: Invocation) -> Path:
    """
    The key whose request an answer fits.

    Raises:
        ConfigurationError: ``E-CERT-REQUEST``, there is none such.
    """
    from cryptography import x509  # noqa: PLC0415 (keeps --help fast)
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    for path in invocation.files.matching(where.folder, "*.csr"):
        try:
            wanted = x509.load_pem_x509_csr(invocation.files.read(path)).public_key()
            if any(one.public_key() == wanted for one in sent):
                return path.with_suffix(".key")
        except (OSError, ValueError, UnsupportedAlgorithm):
            continue  # another one's request, or none at all
    raise ConfigurationError(
        "E-CERT-REQUEST",
        f"No request in {where.folder} fits this answer.",
        why="it is of another key, or the request (.csr) was moved away.",
        effect="nothing was written.",
        do="name the private key with --key FILE, or the folder of the request with --dir.",
    )


def _opened(
    invocation: Invocation,
    path: Path,
    sent: Sequence["x509.Certificate"],
    env: str | None,
    file: Path | None,
) -> tuple["KeyEntry", dict[str, object] | None]:
    """The key with its certificate; and where its password is kept, as a configuration names it."""
    from classbell.identity import keystores  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form, Keystore, Passwords  # noqa: PLC0415
    from classbell.settings import read_private  # noqa: PLC0415

    content = read_private(path, invocation.files)
    password = passwords.given(invocation, env, file)
    kept: dict[str, object] | None = None
    if keystores.needs_password(content, str(path)):
        if password is None:
            password, kept = passwords.asked(invocation, str(path)), {"prompt": True}
        else:
            kept = {"env": env} if env is not None else {"file": str(Path(file or "").absolute())}
    opening = Passwords(store=password, key=password)
    answered = Keystore(place="the answer", form=Form.PEM, certificates=tuple(sent))
    store = keystores.together([keystores.read(content, str(path), opening), answered])
    return keystores.choose(store, passwords=opening), kept
