"""
Refusals of the token endpoint, word for word as the service gives them.

Source: Entra page "Microsoft Entra authentication and authorization error codes", and issue threads for the
texts behind the codes.
"""

from datetime import UTC, datetime

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
    """

    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.status = status
        self.error = error
        self.code = code
        self.text = text


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


def assertion_malformed() -> EntraRefusal:
    """50027."""
    return _client(50027, "JWT token is invalid or malformed.")


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


def grant_not_supported(grant: str) -> EntraRefusal:
    """70003."""
    return _request(
        70003, f"The app requested an unsupported grant type '{grant}'.", "unsupported_grant_type"
    )


def parameter_missing(name: str) -> EntraRefusal:
    """900144."""
    return _request(900144, f"The request body must contain the following parameter: '{name}'.")


def resource_not_found(resource: str, tenant: str) -> EntraRefusal:
    """500011."""
    return _request(
        500011,
        f"The resource principal named {resource} was not found in the tenant named {tenant}. This can happen "
        "if the application has not been installed by the administrator of the tenant or consented to by any "
        "user in the tenant. You might have sent your authentication request to the wrong tenant.",
        "invalid_resource",
    )


def scope_not_default(scope: str) -> EntraRefusal:
    """1002012."""
    return _request(
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
        "with /.default suffixed to the resource identifier (application ID URI).",
        "invalid_scope",
    )


def several_resources() -> EntraRefusal:
    """700022."""
    return _request(
        700022,
        "The provided value for the input parameter scope isn't valid because it contains more than one "
        "resource.",
        "invalid_scope",
    )
