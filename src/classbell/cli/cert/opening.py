"""Opening files of any form: what they hold, and which of their certificates is the one that matters."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from classbell.cli.cert import passwords
from classbell.cli.invocation import Invocation

if TYPE_CHECKING:
    from cryptography import x509

    from classbell.identity.material import Keystore, Passwords


def opened(
    invocation: Invocation, paths: Sequence[Path], opening: "Passwords", *, ask: bool
) -> tuple["Keystore", "Passwords"]:
    """
    What files hold, and the passwords that open it: those given, else one that is typed in where it is needed.

    Args:
        ask: for a key too; without it only for what cannot be looked at otherwise.

    Raises:
        ConfigurationError: as ``keystores.read_files``; ``E-CERT-NO-PASSWORD``, nobody can be asked.
    """
    from classbell.identity import keystores  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form, Keystore, Passwords  # noqa: PLC0415
    from classbell.settings import read_public  # noqa: PLC0415

    found: list[Keystore] = []
    for path in paths:
        content = read_public(path, invocation.files)
        if _holds_certificates_only(content, path):
            found.append(_certificates(content, path))
            continue
        closed = keystores.form_of(content, str(path)) is Form.PKCS12
        lacking = opening.store is None and opening.key is None
        if lacking and (ask or closed) and keystores.needs_password(content, str(path)):
            typed = passwords.asked(invocation, str(path))
            # Nothing typed in is none given, but for PKCS#12, which can be locked with an empty one.
            opening = Passwords(store=typed) if typed or closed else opening
        found.append(keystores.read_files([path], invocation.files, opening))
    return keystores.together(found), opening


def own(store: "Keystore", alias: str | None, opening: "Passwords") -> "x509.Certificate":
    """
    The certificate that is meant: the key's, else the one that issued no other.

    Raises:
        ConfigurationError: ``E-CERT-ALIAS`` several are meant, ``E-CERT-FILE`` there is none; or those of a key that
            must be opened to know.
    """
    from classbell.identity import faults, keystores, material  # noqa: PLC0415 (keeps --help fast)

    kept = {key.alias: key.certificate for key in store.keys if key.certificate is not None}
    if not kept and (alias is not None or len(store.keys) > 1):
        return keystores.choose(store, alias, opening).certificate
    if alias is not None or len(kept) > 1:
        fitting = [one for name, one in kept.items() if alias and name.lower() == alias.lower()]
        if len(fitting) != 1:
            raise (
                faults.no_such_alias(store.place, alias, store.aliases)
                if alias is not None
                else faults.several(store.place, store.aliases)
            )
        return fitting[0]
    if kept:
        return next(iter(kept.values()))
    if not store.certificates:
        raise faults.no_certificate(store.place)
    return material.issuing_none(store.certificates)


def _holds_certificates_only(content: bytes, path: Path) -> bool:
    from classbell.identity import keystores  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form  # noqa: PLC0415

    return b"-----BEGIN PKCS7-----" in content or keystores.form_of(content, str(path)) is Form.DER


def _certificates(content: bytes, path: Path) -> "Keystore":
    """Of a certificate in DER, or of what an authority sends (PKCS#7)."""
    from classbell.identity import making  # noqa: PLC0415 (keeps --help fast)
    from classbell.identity.material import Form, Keystore  # noqa: PLC0415

    return Keystore(place=str(path), form=Form.DER, certificates=making.certificates(content, str(path)))
