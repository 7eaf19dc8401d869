"""What can be wrong with key material, in words. Never a password, and never what a file holds."""

from collections.abc import Sequence
from pathlib import Path

from classbell.errors import ConfigurationError

NEW_PAIR = "make a new pair and register its certificate: classbell cert new -i ID"


def _thing(setting: str) -> str:
    return "keystore" if "store" in setting else "private key"


def damaged(place: str, form: str) -> ConfigurationError:
    """It is of a known form, but not whole."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"The {form} in {place} is damaged.",
        why="it begins like one, but a part of it is missing or was changed.",
        do="copy it again from where it was made, in binary mode, or restore it from a backup.",
    )


def endless(place: str) -> ConfigurationError:
    """To try a password would take longer than anybody waits."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"The key material in {place} asks for more work than can be done before it opens.",
        why="the number of rounds that its encryption asks for is out of all measure: most likely it is damaged.",
        do="copy it again from where it was made, in binary mode, or restore it from a backup.",
    )


def unknown(place: str) -> ConfigurationError:
    """It is of no known form."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"There is no key and no certificate in {place}.",
        why="it is neither PEM nor PKCS#12 nor a Java keystore, nor a certificate in binary form (DER).",
        do="check that it is the file you mean; how each form begins is in the documentation of certificates.",
    )


def no_password(place: str, setting: str) -> ConfigurationError:
    """It needs a password, and there is none."""
    return ConfigurationError(
        "E-CERT-PASSWORD",
        f"The {_thing(setting)} in {place} is encrypted, and no password for it is given.",
        why=f"{setting} is missing, or what it names is empty.",
        do=f'configure {setting} = {{ file = "..." }} beside it.',
    )


def wrong_password(place: str, setting: str, *, certain: bool = False) -> ConfigurationError:
    """The password does not fit; *certain* if damage can be ruled out."""
    return ConfigurationError(
        "E-CERT-PASSWORD",
        f"The password does not open the {_thing(setting)} in {place}.",
        why=f"{setting} is wrong." if certain else f"{setting} is wrong, or the file is damaged.",
        do="check the password: classbell cert show FILE asks for it and says whether it fits.",
    )


def own_key_password(place: str, alias: str) -> ConfigurationError:
    """The store opens, a key in it does not."""
    return ConfigurationError(
        "E-CERT-PASSWORD",
        f'The key "{alias}" in {place} does not open with the password of the keystore.',
        why="it has a password of its own: keytool keeps the one of the file that it converted.",
        do='configure key_password = { file = "..." } beside store_password; commands take --key-password-file FILE.',
    )


def password_not_text(place: str, setting: str) -> ConfigurationError:
    """A password that is no text at all cannot be one of a Java keystore."""
    return ConfigurationError(
        "E-CERT-PASSWORD",
        f"The password for {place} is not text in UTF-8.",
        why=f"what {setting} names holds other bytes.",
        do="save the password alone as plain text.",
    )


def old_cipher(place: str) -> ConfigurationError:
    """The key is encrypted in a way that the library does not know."""
    return ConfigurationError(
        "E-CERT-KIND",
        f"The private key in {place} is encrypted in a way that is no longer in use.",
        why="only ciphers that are still in use can be read.",
        do="encrypt it anew: openssl pkey -in OLD -aes256 -out NEW",
    )


def utf16(place: str) -> ConfigurationError:
    """Text with two bytes for each letter."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"The file {place} is saved as UTF-16.",
        why="Windows PowerShell's > writes files in this form.",
        do="save it as plain text (ASCII or UTF-8), for instance with: ... | Out-File -Encoding ascii FILE",
    )


def too_large(place: str, most: int) -> ConfigurationError:
    """Key material is small."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"{place} is too large to be key material.",
        why=f"keys and certificates take some thousand bytes; more than {most} are not read.",
        do="check that it is the file you mean.",
    )


def other_form(place: str, form: str, conversion: str) -> ConfigurationError:
    """A form that is known, not read, and can be converted."""
    return ConfigurationError(
        "E-CERT-FORM",
        f"{place} is {form}, which is not read here.",
        why="PEM, PKCS#12 and JKS are; what is rare is better converted by the tool that wrote it.",
        do=f"convert it: {conversion}",
    )


def keystore_as_file(place: str, form: str, setting: str) -> ConfigurationError:
    """A keystore stands where a PEM file belongs."""
    return ConfigurationError(
        "E-CERT-FORM",
        f"{place} is a keystore ({form}), and stands under {setting}.",
        why="a keystore holds key and certificate together, and is configured with keys of its own.",
        do='write keystore = { file = "..." } and store_password = { file = "..." } in place of certificate'
        " and private_key.",
    )


def hidden_keys(place: str) -> ConfigurationError:
    """A PKCS#12 file that encrypts even how many keys it has."""
    return ConfigurationError(
        "E-CERT-FORM",
        f"{place} hides how many keys it has.",
        why="its keys are inside an encrypted part, where all but one would be lost without a word.",
        do="write it anew: openssl pkcs12 -in OLD -nodes -out ALL.pem, then openssl pkcs12 -export"
        " -in ALL.pem -out NEW; remove ALL.pem.",
    )


def no_key(place: str) -> ConfigurationError:
    """Certificates only."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"There is no private key in {place}.",
        why="it holds certificates only: the public part, as it is uploaded to Entra ID.",
        do="give the file that was made together with the private key.",
    )


def unreadable(path: Path, error: OSError) -> ConfigurationError:
    """The file of a certificate cannot be read."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"The certificate file {path} cannot be read.",
        why=error.strerror or type(error).__name__,
        do="check the path under [[tenant.certificates]], and that Classbell's account may read the file.",
    )


def no_certificate(place: str) -> ConfigurationError:
    """Keys only."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"There is no readable certificate in {place}.",
        why="it has no whole CERTIFICATE block in PEM form, and is no certificate in binary form.",
        do='give the certificate that was uploaded; as PEM it begins with "-----BEGIN CERTIFICATE-----".',
    )


def unread_key(place: str) -> ConfigurationError:
    """A key block that cannot be made sense of."""
    return ConfigurationError(
        "E-CERT-FILE",
        f"There is no readable private key in {place}.",
        why="it has no whole PRIVATE KEY block in PEM form.",
        do='give the key as PEM, the form that begins with "-----BEGIN".',
    )


def mismatch(place: str) -> ConfigurationError:
    """Key and certificate are not of one pair."""
    return ConfigurationError(
        "E-CERT-MATCH",
        f"The private key in {place} does not belong to a certificate that was given with it.",
        why="they were made at different times, or one of the two was exchanged.",
        do="put the key and the certificate that were made together side by side.",
    )


def several(place: str, aliases: Sequence[str]) -> ConfigurationError:
    """It is not said which key is meant."""
    return ConfigurationError(
        "E-CERT-ALIAS",
        f"There are {len(aliases)} private keys in {place}, and none is named.",
        why="only one can be meant.",
        do=f"name one with alias: {', '.join(aliases)}.",
    )


def no_such_alias(place: str, alias: str, aliases: Sequence[str]) -> ConfigurationError:
    """The alias names nothing."""
    return ConfigurationError(
        "E-CERT-ALIAS",
        f'There is no private key "{alias}" in {place}.',
        why=f"it has: {', '.join(aliases)}.",
        do="correct alias, or leave it out where there is only one key.",
    )


def not_rsa(place: str) -> ConfigurationError:
    """A key of another kind."""
    # The portal accepts such a certificate; signing in with it then fails (certificate credentials page).
    return ConfigurationError(
        "E-CERT-KIND",
        f"The private key in {place} is not an RSA key.",
        why="Microsoft Entra ID takes RSA keys only.",
        do=NEW_PAIR,
    )


def too_short(place: str, bits: int, least: int) -> ConfigurationError:
    """An RSA key of fewer bits."""
    return ConfigurationError(
        "E-CERT-KIND",
        f"The private key in {place} has {bits} bits; {least} are the least.",
        why="shorter RSA keys are no longer safe.",
        do=NEW_PAIR,
    )
