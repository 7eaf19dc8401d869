"""
Refusals of the Entra half, word for word as the service gives them, as far as its words are known.

Source: Entra page "Microsoft Entra authentication and authorization error codes", and issue threads for the
texts behind the codes.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_KEYS_HELP = (
    "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id "
    "'{app}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the "
    "corresponding service endpoint and "
    "https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&tabs=http to build a query "
    "request URL, such as 'https://graph.microsoft.com/beta/applications/{app}'"
)
_ASSERTION_HELP = (
    "Review the documentation at "
    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
)


class EntraRefusal(Exception):
    """
    A refused token request.

    Args:
        status: HTTP status.
        error: the OAuth 2.0 error.
        code: the number after AADSTS.
        text: what follows it.
        further: members of the answer beside those that every refusal has.
    """

    def __init__(
        self, status: int, error: str, code: int, text: str, further: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.status = status
        self.error = error
        self.code = code
        self.text = text
        self.further = further or {}
        self.retry_after: str | None = None


def _client(code: int, text: str) -> EntraRefusal:
    return EntraRefusal(401, "invalid_client", code, text)


def _request(code: int, text: str, error: str = "invalid_request") -> EntraRefusal:
    return EntraRefusal(400, error, code, text)


def key_not_found(app: str, thumbprint: str) -> EntraRefusal:
    """700027: the certificate is not registered."""
    named = f"Thumbprint of key used by client: '{thumbprint}', " if thumbprint else ""
    return _client(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - The key was not found., {named}{_KEYS_HELP.format(app=app)}].",
    )


def key_expired(app: str, thumbprint: str, start: datetime, end: datetime) -> EntraRefusal:
    """700027: the certificate is registered and outside its validity."""
    return _client(
        700027,
        "The certificate with identifier used to sign the client assertion is expired on application. "
        f"[Reason - The key used is expired., {_found(app, thumbprint, start, end)}].",
    )


def signature_wrong(app: str, thumbprint: str, start: datetime, end: datetime) -> EntraRefusal:
    """700027: the certificate is registered, but another key has signed."""
    return _client(
        700027,
        "Client assertion failed signature validation. [Reason - Key was found, but use of the key to verify "
        f"the signature failed., {_found(app, thumbprint, start, end)}].",
    )


def _found(app: str, thumbprint: str, start: datetime, end: datetime) -> str:
    return (
        f"Thumbprint of key used by client: '{thumbprint}', Found key 'Start={start:%m/%d/%Y %H:%M:%S}, "
        f"End={end:%m/%d/%Y %H:%M:%S}', {_KEYS_HELP.format(app=app)}"
    )


def assertion_out_of_time(now: float, begin: float, end: float) -> EntraRefusal:
    """700024: not yet, or no longer."""
    return _client(
        700024,
        f"Client assertion is not within its valid time range. Current time: {_precise(now)}, assertion valid "
        f"from {_precise(begin)}, expiry time of assertion {_precise(end)}. {_ASSERTION_HELP}",
    )


def _precise(seconds: float) -> str:
    bounded = min(max(seconds, 0.0), 253_402_300_799.0)
    moment = datetime.fromtimestamp(bounded, UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "0Z"


def issuer_not_client() -> EntraRefusal:
    """700021."""
    return _client(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")


def audience_wrong() -> EntraRefusal:
    """700023."""
    return _client(700023, f"Client assertion audience claim does not match Realm issuer. {_ASSERTION_HELP}")


def subject_not_issuer() -> EntraRefusal:
    """50048."""
    return _client(50048, "Subject must match the issuer claim in the client assertion.")


def assertion_malformed(status: int) -> EntraRefusal:
    """50027, which was met with either status."""
    text = "JWT token is invalid or malformed."
    return _client(50027, text) if status == 401 else _request(50027, text)  # noqa: PLR2004 - a status


def key_not_supported() -> EntraRefusal:
    """5002730: a certificate that is not RSA."""
    return _client(5002730, "Invalid JWT token. Unsupported key for the signing algorithm.")


def algorithm_not_supported(algorithm: str) -> EntraRefusal:
    """5002738."""
    return _client(5002738, f"Invalid JWT token. '{algorithm}' is not a supported signature algorithm.")


def credential_missing() -> EntraRefusal:
    """7000218."""
    return _client(
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    )


def secret_wrong(app: str) -> EntraRefusal:
    """7000215."""
    return _client(
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
        f"value, not the client secret ID, for a secret added to app '{app}'.",
    )


def secret_expired(app: str) -> EntraRefusal:
    """7000222."""
    return _client(
        7000222,
        f"The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys "
        "for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added "
        "security: https://aka.ms/certCreds.",
    )


def client_public() -> EntraRefusal:
    """700025."""
    return _client(
        700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    )


def app_disabled(app: str, name: str) -> EntraRefusal:
    """7000112: its service principal is switched off."""
    return _request(7000112, f"Application '{app}'({name}) is disabled.", "unauthorized_client")


def blocked_by_policy(policy: str) -> EntraRefusal:
    """53003: a Conditional Access policy for workload identities blocks the place or the risk."""
    refusal = _request(
        53003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        "invalid_grant",
    )
    claims = {"access_token": {"capolids": {"essential": True, "values": [policy]}}}
    refusal.further = {"suberror": "message_only", "claims": json.dumps(claims, separators=(",", ":"))}
    return refusal


def app_not_found(app: str, tenant: str) -> EntraRefusal:
    """700016."""
    return _request(
        700016,
        f"Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any "
        "user in the tenant. You may have sent your authentication request to the wrong tenant.",
        "unauthorized_client",
    )


def tenant_not_found(tenant: str) -> EntraRefusal:
    """90002."""
    return _request(
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
        "the correct cloud. Check with your subscription administrator, this may happen if there are no "
        "active subscriptions for the tenant.",
    )


def tenant_no_name(tenant: str) -> EntraRefusal:
    """900023."""
    return _request(
        900023,
        f"Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    )


def tenant_not_valid() -> EntraRefusal:
    """900021."""
    return _request(900021, "Requested tenant identifier is not valid.")


def shared_tenant() -> EntraRefusal:
    """9001023."""
    return _request(
        9001023,
        "The grant type is not supported over the /common or /consumers endpoints. Please use the "
        "/organizations or tenant-specific endpoint.",
    )


def single_tenant(app: str, name: str) -> EntraRefusal:
    """50194: an application of one tenant at an endpoint of all."""
    return _request(
        50194,
        f"Application '{app}'({name}) is not configured as a multi-tenant application. Usage of the /common "
        "endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or "
        "configure the application to be multi-tenant.",
        "unauthorized_client",
    )


def other_cloud(code: int, tenant: str, cloud: str, here: str) -> EntraRefusal:
    """90038, 900382 or 900432: the tenant lives in another national cloud; all three were met."""
    if code == 90038:  # noqa: PLR2004 - an AADSTS number
        return _request(
            90038,
            f"The specified tenant '{tenant}' belongs to the National Cloud '{cloud}'. Current cloud instance "
            f"'{here}' does not federate with {cloud}. A cloud redirect error is returned.",
        )
    text = "Confidential Client is not supported in Cross Cloud request."
    return _request(900382, text) if code == 900382 else _request(900432, text)  # noqa: PLR2004 - the same


def grant_not_supported(grant: str) -> EntraRefusal:
    """70003."""
    return _request(
        70003, f"The app requested an unsupported grant type '{grant}'.", "unsupported_grant_type"
    )


def parameter_missing(name: str, code: int = 900144) -> EntraRefusal:
    """900144, or 90014, its elder."""
    if code == 90014:  # noqa: PLR2004 - an AADSTS number
        return _request(
            90014,
            f"The required field '{name}' is missing from the credential. Ensure that you have all the necessary "
            "parameters for the login request.",
        )
    return _request(900144, f"The request body must contain the following parameter: '{name}'.")


def resource_parameter() -> EntraRefusal:
    """901002: a parameter of the v1 endpoint at the v2 endpoint."""
    return _request(901002, "The 'resource' request parameter is not supported.")


def resource_not_found(resource: str, tenant: str) -> EntraRefusal:
    """500011."""
    return _request(
        500011,
        f"The resource principal named {resource} was not found in the tenant named {tenant}. This can happen "
        "if the application has not been installed by the administrator of the tenant or consented to by any "
        "user in the tenant. You might have sent your authentication request to the wrong tenant.",
        "invalid_resource",
    )


def scope_not_default(scope: str, code: int = 1002012) -> EntraRefusal:
    """1002012, or 70011, its elder."""
    if code == 70011:  # noqa: PLR2004 - an AADSTS number
        return _request(
            70011,
            f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
            "invalid_scope",
        )
    return _request(
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
        "with /.default suffixed to the resource identifier (application ID URI).",
        "invalid_scope",
    )


def several_resources(error: str) -> EntraRefusal:
    """700022, which was met with either error."""
    return _request(
        700022,
        "The provided value for the input parameter scope isn't valid because it contains more than one "
        "resource.",
        error,
    )


def instance_unknown() -> EntraRefusal:
    """50049: instance discovery for a host that is no sign-in service."""
    return _request(50049, "Unknown or invalid instance.", "invalid_instance")


def discovery_malformed() -> EntraRefusal:
    """50050: instance discovery that names no endpoint."""
    return _request(50050, "The discovery request is malformed.")


# What passes by itself, by AADSTS number; faults name these. The service's words for most are not known.
_PASSING = {
    50033: "A transient error has occurred. Please try again.",
    50196: (
        "The server terminated an operation because it encountered a client request loop. Please contact your "
        "app vendor."
    ),
    90006: "The service is temporarily unavailable. Please retry later.",
    90012: "The request has timed out. Please retry.",
    90024: "A transient error has occurred. Please try again.",
    90033: "A transient error has occurred. Please try again.",
    90055: "There are too many incoming requests from the tenant. Please retry later.",
    90090: "The server is temporarily unavailable. Please retry later.",
}
_LOOP = 50196


def passing(code: str, status: int) -> EntraRefusal | None:
    """What passes by itself, by a name such as ``AADSTS90033``; None if it is none of these."""
    number = int(code.removeprefix("AADSTS")) if code.removeprefix("AADSTS").isdecimal() else 0
    if number not in _PASSING:
        return None
    error = "invalid_grant" if number == _LOOP else "temporarily_unavailable"
    return EntraRefusal(status, error, number, _PASSING[number])


def throttled(retry_after: int) -> EntraRefusal:
    """90055 with status 429: too many requests for tokens; come again after so many seconds."""
    refusal = EntraRefusal(429, "temporarily_unavailable", 90055, _PASSING[90055])
    refusal.retry_after = str(retry_after)
    return refusal


def redirect_not_registered(uri: str, app: str) -> EntraRefusal:
    """50011, on the page for people."""
    return _request(
        50011,
        f"The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the "
        f"application '{app}'. Make sure the redirect URI sent in the request matches one added to your "
        "application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about "
        "how to troubleshoot this error.",
    )


def consent_denied() -> EntraRefusal:
    """65004: the administrator has pressed Cancel."""
    return _request(
        65004, "The resource owner or authorization server denied the request.", "consent_required"
    )
