"""How the certificates of an institution stand: which of them Microsoft knows, which is used, which runs out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classbell.errors import ClassbellError, RefusedError, ServiceUnavailable
from classbell.identity.certificates import Credential, load_credential
from classbell.identity.expiry import expiry_warning
from classbell.identity.keyring import out_of_dates
from classbell.identity.renewal import UNKNOWN_CERTIFICATE
from classbell.identity.tokens import Tokens
from classbell.model import CertificateUse
from classbell.ports import Files
from classbell.settings import Ask, CertificateSettings


@dataclass(frozen=True, kw_only=True)
class CertificateStanding:
    """
    One configured certificate.

    Attributes:
        place: where it is kept.
        credential: what was read; None if it cannot be used, and ``trouble`` says why.
        days_left: whole days until it ends, negative afterwards; None if it cannot be read.
        registered: whether it signs in; None if nobody asked, or Microsoft did not answer.
        in_use: whether it is the one that got the last token that is known of.
        use: what is remembered of it.
        warnings: what to say of it, most serious first.
    """

    place: str
    credential: Credential | None
    trouble: ClassbellError | None
    days_left: int | None
    registered: bool | None
    in_use: bool
    use: CertificateUse
    warnings: tuple[ClassbellError, ...]


async def certificate_status(
    certificates: Sequence[CertificateSettings],
    files: Files,
    environ: Mapping[str, str],
    now: float,
    *,
    uses: Mapping[str, CertificateUse] | None = None,
    tokens: Tokens | None = None,
    ask: Ask | None = None,
) -> tuple[CertificateStanding, ...]:
    """
    How each configured certificate stands.

    Args:
        certificates: as they are configured.
        files: the files they are read from.
        environ: the environment, for secrets kept there.
        now: seconds since 1970.
        uses: what is remembered of them, by SHA-256 thumbprint.
        tokens: asks Microsoft for a token with each; None to ask nothing.
        ask: the way to a person for passwords that are typed in.

    Raises:
        RefusedError: Microsoft refuses us for another reason than the certificate.
    """
    opened = [_opened(each, files, environ, ask) for each in certificates]
    known = uses or {}
    worked = {
        credential.sha256: known[credential.sha256].worked_at
        for credential, _ in opened
        if credential is not None and credential.sha256 in known
    }
    latest = max(worked, key=lambda sha256: worked[sha256], default="")
    lasting = max((c.not_after for c, trouble in opened if c is not None and trouble is None), default=0.0)
    found = []
    for settings, (credential, trouble) in zip(certificates, opened, strict=True):
        registered, refusal = None, None
        if tokens is not None and credential is not None:
            registered, refusal = await _registered(tokens, credential)
        outside = out_of_dates(credential, now) if credential is not None else None
        wrong = [each for each in (trouble, outside, refusal) if each is not None]
        ending = expiry_warning(credential, now, last=credential.not_after == lasting) if credential else None
        found.append(
            CertificateStanding(
                place=settings.place,
                credential=credential,
                trouble=trouble,
                days_left=credential.days_left(now) if credential else None,
                registered=registered,
                in_use=bool(credential and credential.sha256 == latest and worked[latest]),
                use=known.get(credential.sha256, CertificateUse()) if credential else CertificateUse(),
                warnings=(*wrong, *([ending] if ending and not outside else [])),
            )
        )
    return tuple(found)


def _opened(
    settings: CertificateSettings, files: Files, environ: Mapping[str, str], ask: Ask | None
) -> tuple[Credential | None, ClassbellError | None]:
    try:
        return load_credential(settings, files, environ, None, ask), None
    except ClassbellError as trouble:
        return None, trouble.with_traceback(None)


async def _registered(tokens: Tokens, credential: Credential) -> tuple[bool | None, ClassbellError | None]:
    try:
        await tokens.probe(credential)
    except RefusedError as refusal:
        if refusal.origin != UNKNOWN_CERTIFICATE:
            raise
        return False, refusal.with_traceback(None)
    except ServiceUnavailable as trouble:
        return None, trouble.with_traceback(None)
    return True, None
