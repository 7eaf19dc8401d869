"""When to warn of a certificate that runs out."""

from classbell.errors import ClassbellError
from classbell.identity.certificates import Credential
from classbell.zones import utc_text

# Days before its end at which a certificate is warned of, again each time.
WARN_AT = (60, 30, 14, 7, 3, 1)


def due(days_left: int) -> int | None:
    """The threshold of ``WARN_AT`` that so many whole days have reached; None if there is time."""
    return min((limit for limit in WARN_AT if days_left < limit), default=None)


def expiry_warning(credential: Credential, now: float, *, last: bool = True) -> ClassbellError | None:
    """
    What to say of a certificate that runs out within 60 days; None before, and when it has run out.

    Args:
        credential: the certificate.
        now: seconds since 1970.
        last: whether no other runs longer; else it is merely to be retired.
    """
    days = credential.days_left(now)
    if days < 0 or due(days) is None:
        return None
    left = "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"
    return ClassbellError(
        "W-CERT-EXPIRES",
        f"The certificate {credential.name} runs out in {left} (thumbprint {credential.sha1}).",
        why=f"it is valid until {utc_text(credential.not_after)}.",
        do="classbell cert rotate"
        if last
        else "another one takes over; once it works: classbell cert retire",
        effect="after that nothing is delivered until there is another one." if last else "",
    )
