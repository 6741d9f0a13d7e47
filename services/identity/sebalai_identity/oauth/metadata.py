"""What the server says of itself (RFC 8414, OpenID Connect Discovery): only what exists."""

from typing import Any

from sebalai_identity.oauth import grants, jose

SCOPES = (
    "bus.call",
    "exchange.manage",
    "archive.write",
    "catalog.write",
    "catalog.decide",
    "platform.operate",
)


def document(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "grant_types_supported": [grants.GRANT],
        "response_types_supported": [],
        "scopes_supported": list(SCOPES),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(jose.ALGORITHMS),
    }
