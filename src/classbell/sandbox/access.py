"""
Access tokens: issued by the Entra half, checked by the Graph half. A client must take them as opaque.

Source: Entra page "Access token claims reference".
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from classbell.sandbox.app import App
from classbell.sandbox.refusals import token_refused
from classbell.sandbox.surroundings import Commons
from classbell.sandbox.tenant import GRAPH, GRAPH_APP_ID, Tenant

SHORTEST_LIFE, LONGEST_LIFE = 3600, 5400
# Tokens are dated back, so that a clock that is behind takes them. Met in published tokens.
BACKDATED = 300
_REMEMBERED = 10_000
_REVOKED = (
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
    "TokenIssuedBeforeRevocationTimestamp"
)


@dataclass(frozen=True, slots=True)
class Access:
    """
    What a good token allows: one application, one tenant, some roles, until a time.

    ``proved`` tells what the client has proved itself with: "1" a secret, "2" a certificate. ``generation``
    is that of the application's tokens. ``audience`` is the resource that the token is for.
    """

    tenant: Tenant
    app: App
    roles: frozenset[str]
    expires: float
    proved: str = "2"
    generation: int = 0
    audience: str = GRAPH


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    """Microsoft signs for all tenants with the same keys as well; to make one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Tokens:
    """Issues and checks the access tokens of one sandbox."""

    def __init__(self, commons: Commons, lifetime: int | None) -> None:
        self._commons = commons
        self._lifetime = lifetime
        self._known: dict[str, Access] = {}

    @cached_property
    def key_id(self) -> str:
        """The id of the signing key."""
        number = _signing_key().public_key().public_numbers().n
        return base64.urlsafe_b64encode(number.to_bytes(256)[:20]).decode().rstrip("=")

    def jwks(self) -> dict[str, Any]:
        """The public signing key as a JSON Web Key Set."""
        key = json.loads(RSAAlgorithm.to_jwk(_signing_key().public_key()))
        return {
            "keys": [
                {"kty": "RSA", "use": "sig", "kid": self.key_id, "x5t": self.key_id}
                | {"n": key["n"], "e": key["e"]}
            ]
        }

    def issue(self, tenant: Tenant, app: App, audience: str, proved: str) -> tuple[str, int, int]:
        """A token for one resource, from which second on, and for how many seconds from now it is good."""
        now = int(self._commons.clock.now())
        random = self._commons.random
        life = (self._lifetime or random.randint(SHORTEST_LIFE, LONGEST_LIFE)) - 1
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant.tenant_id}/",
            "iat": now - BACKDATED,
            "nbf": now - BACKDATED,
            "exp": now + life,
            "aio": f"{random.getrandbits(128):032x}",
            "app_displayname": app.name,
            "appid": app.client_id,
            "appidacr": proved,
            "idp": f"https://sts.windows.net/{tenant.tenant_id}/",
            "idtyp": "app",
            "oid": app.principal_id,
            # Opaque to everybody else: how often the application's tokens had been revoked.
            "rh": f"1.{app.generation}.",
            "sub": app.principal_id,
            "tid": tenant.tenant_id,
            "uti": f"{random.getrandbits(96):024x}",
            "ver": "1.0",
        }
        roles = app.roles if is_graph(audience) else app.exchange_roles
        if roles:
            claims["roles"] = sorted(roles)
        headers = {"kid": self.key_id, "x5t": self.key_id}
        return jwt.encode(claims, _signing_key(), "RS256", headers=headers), now - BACKDATED, life

    def check(self, authorization: str | None, tenants: Mapping[str, Tenant]) -> Access:
        """
        What the bearer of a token may do at Graph.

        Raises:
            Refusal: 401, it is missing, garbled, forged, for another resource, or expired.
        """
        access = self.bearer(authorization, tenants)
        if not is_graph(access.audience):
            raise token_refused("Access token validation failure. Invalid audience.")
        return access

    def bearer(self, authorization: str | None, tenants: Mapping[str, Tenant]) -> Access:
        """
        What the bearer of a token may do at the resource that it is for.

        Raises:
            Refusal: 401, it is missing, garbled, forged, or expired.
        """
        kind, _, token = (authorization or "").partition(" ")
        if kind.casefold() != "bearer" or not token.strip():
            raise token_refused("Access token is empty.")
        access = self._known.get(token) or self._read(token.strip(), tenants)
        if access.expires <= self._commons.clock.now():
            raise token_refused("Lifetime validation failed, the token is expired.")
        if access.generation < access.app.generation:
            raise token_refused(_REVOKED)
        return access

    def _read(self, token: str, tenants: Mapping[str, Tenant]) -> Access:
        if token.count(".") != 2:  # noqa: PLR2004 - header, claims, signature
            raise token_refused("CompactToken parsing failed with error code: 80049217")
        try:
            claims = jwt.decode(
                token,
                _signing_key().public_key(),
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            raise token_refused("Access token validation failure. Invalid signature.") from None
        except jwt.PyJWTError:
            raise token_refused("CompactToken parsing failed with error code: 80049217") from None
        tenant = tenants[claims["tid"]]
        app = tenant.apps.get(claims["appid"])
        if app is None:
            raise token_refused("Access token validation failure. The application is deleted.")
        access = Access(
            tenant,
            app,
            frozenset(claims.get("roles", ())),
            claims["exp"],
            claims["appidacr"],
            int(claims["rh"].split(".")[1]),
            claims["aud"],
        )
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[token] = access
        return access


def is_graph(audience: str) -> bool:
    """Whether a token's audience means Graph."""
    return audience.rstrip("/") in {GRAPH, GRAPH_APP_ID}
