"""Certificates in words, as people compare them with what the Entra admin center shows, and as JSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography import x509

    from classbell.cli.output import Output
    from classbell.identity.facts import Facts

_LABEL = 12


def lines(facts: "Facts") -> Iterator[str]:
    """What is to be known of a certificate, a line each."""
    days = facts.days_left
    left = f"{days} days left" if days >= 0 else "expired"
    begin, end = (_day(each) for each in (facts.not_before, facts.not_after))
    if facts.alias:
        yield line("Alias", plain(facts.alias))
    yield line("Subject", plain(facts.subject) or "(empty)")
    yield line("Issuer", "itself" if facts.self_signed else plain(facts.issuer))
    yield line("Valid", f"{begin} until {end}, {left}")
    yield line("Key", f"{facts.key_kind}, {facts.bits} bits" if facts.bits else facts.key_kind)
    yield line("Serial", facts.serial)
    yield line("Thumbprint", f"{facts.sha1}   (SHA-1, as the Entra admin center shows it)")
    yield line("SHA-256", facts.sha256)
    yield line("In base64", f"{facts.sha1_base64}   (SHA-1, as customKeyIdentifier in the manifest)")


def fields(facts: "Facts") -> dict[str, Any]:
    """The same as JSON."""
    from classbell.zones import utc_text  # noqa: PLC0415 (keeps --help fast)

    return {
        "alias": facts.alias or None,
        "subject": facts.subject,
        "issuer": facts.issuer,
        "self_signed": facts.self_signed,
        "serial": facts.serial,
        "valid_from": utc_text(facts.not_before),
        "valid_until": utc_text(facts.not_after),
        "days_left": facts.days_left,
        "key": facts.key_kind,
        "bits": facts.bits or None,
        "sha1": facts.sha1,
        "sha256": facts.sha256,
        "sha1_base64": facts.sha1_base64,
        "sha256_base64": facts.sha256_base64,
    }


def line(label: str, text: str) -> str:
    """A label and what it labels."""
    return f"{label:<{_LABEL}} {text}"


def plain(text: str) -> str:
    """Text that others have chosen, with nothing in it that a terminal would obey."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def place(text: str) -> str:
    """Where something is kept, from the present folder on where it lies in it."""
    here = Path.cwd()
    path = Path(text)
    return plain(str(path.relative_to(here)) if path.is_relative_to(here) else text)


def print_public(certificate: "x509.Certificate", output: "Output") -> str:
    """Print the public part, which is what is uploaded; and give it back."""
    from classbell.identity.making import public  # noqa: PLC0415 (keeps --help fast)

    pem = public(certificate).decode()
    output.line()
    output.line("The public part, which is what is uploaded:", style="bold")
    output.line(pem.rstrip())
    return pem


def _day(moment: float) -> str:
    from classbell.zones import utc_text  # noqa: PLC0415 (keeps --help fast)

    return utc_text(moment).replace("T", " ").replace("Z", " UTC")
