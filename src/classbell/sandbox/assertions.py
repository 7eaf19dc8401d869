"""
Whether a client is who it says: the checks of a client assertion, or of a secret.

Source: Entra pages "Application authentication certificate credentials" and "Microsoft Entra authentication and
authorization error codes".
"""

from collections.abc import Mapping
from typing import Any

from classbell.sandbox import aadsts, signed
from classbell.sandbox.aadsts import EntraRefusal
from classbell.sandbox.app import App
from classbell.sandbox.credentials import KeyCredential
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import Tenant

# Not documented; five minutes is what other Microsoft components allow.
SKEW = 300
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_ALGORITHMS = ("RS256", "PS256")
# How a token tells what its client has proved itself with.
BY_SECRET, BY_CERTIFICATE = "1", "2"


class Authentication:
    """
    The check of one client at one token endpoint.

    Args:
        commons: clock and switches.
        tenant: whose endpoint it is.
        app: who the client says it is.
        base: scheme and host asked.
    """

    def __init__(self, commons: Commons, tenant: Tenant, app: App, base: str) -> None:
        self._switches = commons.switches
        self._now = commons.clock.now()
        self._tenant = tenant
        self._app = app
        self._base = base

    def check(self, form: Mapping[str, str]) -> str:
        """
        How the client has proved itself: ``BY_SECRET`` or ``BY_CERTIFICATE``.

        Raises:
            EntraRefusal: it has not.
        """
        assertion, secret = form.get("client_assertion", ""), form.get("client_secret", "")
        if self._app.public and (assertion or secret):
            raise aadsts.client_public()
        if assertion:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise aadsts.parameter_missing("client_assertion_type", self._switches.missing_parameter_code)
            self._check_assertion(assertion)
            return BY_CERTIFICATE
        if not secret:
            raise aadsts.credential_missing()
        self._check_secret(secret)
        return BY_SECRET

    def _check_secret(self, value: str) -> None:
        ends = [known.end for known in self._app.secrets if known.value == value]
        if not ends:
            raise aadsts.secret_wrong(self._app.client_id)
        if max(ends) < self._now:
            raise aadsts.secret_expired(self._app.client_id)

    def _check_assertion(self, assertion: str) -> None:
        try:
            header, claims = signed.opened(assertion)
        except signed.Unreadable:
            raise self._malformed() from None
        self._check_claims(claims)
        credential = signed.find(self._app.credentials, header, self._now)
        if credential is None:
            raise aadsts.key_not_found(self._app.client_id, signed.named(header))
        self._check_signature(assertion, header, credential)
        self._check_times(claims)

    def _check_claims(self, claims: dict[str, Any]) -> None:
        issuer, subject, audience = claims.get("iss"), claims.get("sub"), claims.get("aud")
        if not isinstance(audience, str) or not isinstance(issuer, str):
            raise self._malformed()
        if subject != issuer:
            raise aadsts.subject_not_issuer()
        if issuer.casefold() != self._app.client_id:
            raise aadsts.issuer_not_client()
        names = (self._tenant.tenant_id, self._tenant.domain.casefold())
        good = {f"{self._base}/{name}/oauth2/{version}token" for name in names for version in ("v2.0/", "")}
        if self._switches.issuer_audience:
            good |= {f"{self._base}/{name}/v2.0" for name in names}
        if audience.casefold() not in {url.casefold() for url in good}:
            raise aadsts.audience_wrong()

    def _check_signature(self, assertion: str, header: dict[str, Any], credential: KeyCredential) -> None:
        if credential.key is None:
            raise aadsts.key_not_supported()
        if header.get("alg") not in _ALGORITHMS:
            raise aadsts.algorithm_not_supported(str(header.get("alg")))
        told = (self._app.client_id, signed.named(header), credential.start, credential.end)
        if not credential.valid(self._now):
            raise aadsts.key_expired(*told)
        if not signed.is_signed_by(assertion, credential, _ALGORITHMS):
            raise aadsts.signature_wrong(*told)

    def _check_times(self, claims: dict[str, Any]) -> None:
        begin, end = claims.get("nbf", 0), claims.get("exp")
        # MSAL sends floats, others integers.
        if not isinstance(begin, (int, float)) or not isinstance(end, (int, float)):
            raise self._malformed()
        if not begin - SKEW <= self._now <= end + SKEW:
            raise aadsts.assertion_out_of_time(self._now, begin, end)

    def _malformed(self) -> EntraRefusal:
        return aadsts.assertion_malformed(self._switches.malformed_assertion_status)
