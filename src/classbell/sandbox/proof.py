"""
Proof of possession: a token that an application signs with a key it has, to change its keys.

Source: Graph page "Generate proof of possession tokens for rolling keys".
"""

from classbell.sandbox import signed
from classbell.sandbox.app import App
from classbell.sandbox.assertions import SKEW
from classbell.sandbox.refusals import Refusal, directory_denied
from classbell.sandbox.surroundings import Commons

# The retired Azure AD Graph, which stays the audience of proofs.
AUDIENCE = "00000002-0000-0000-c000-000000000000"
LONGEST_LIFE = 600


def check(proof: object, app: App, commons: Commons) -> None:
    """
    Let an application change its keys.

    Raises:
        Refusal: 403 without a proof; 401 if it is not one of this application, as the service tells it: without
            a reason.
    """
    if not proof:
        raise directory_denied()
    if not isinstance(proof, str) or not _holds(proof, app, commons):
        raise Refusal(401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")


def _holds(proof: str, app: App, commons: Commons) -> bool:
    # Padding, which client assertions may have, is an error here.
    if "=" in proof:
        return False
    try:
        header, claims = signed.opened(proof)
    except signed.Unreadable:
        return False
    now = commons.clock.now()
    begin, end = claims.get("nbf"), claims.get("exp")
    if not isinstance(begin, (int, float)) or not isinstance(end, (int, float)):
        return False
    # The object id, and not the client id that assertions name.
    if claims.get("aud") != AUDIENCE or claims.get("iss") != app.object_id:
        return False
    if end - begin > LONGEST_LIFE or not begin - SKEW <= now <= end + SKEW:
        return False
    algorithms = {"RS256", "PS256"} if commons.switches.ps256_proof else {"RS256"}
    key = signed.find(app.credentials, header, now)
    return key is not None and key.valid(now) and signed.is_signed_by(proof, key, algorithms)
