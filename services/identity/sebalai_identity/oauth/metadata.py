"""What the server says of itself (RFC 8414, OpenID Connect Discovery): only what exists."""

from typing import Any

from sebalai_identity.assurance import ACR_VALUES
from sebalai_identity.keys.actions import ALGORITHMS
from sebalai_identity.oauth import authorize, jose, policy

AUTHENTICATION = ["private_key_jwt", "self_signed_tls_client_auth", "none"]
CLAIMS = ["sub", "acr", "amr", "auth_time", "sid", "name", "birthdate", "email", "phone_number"]


def document(issuer: str, grants: list[str]) -> dict[str, Any]:
    oauth = f"{issuer}/oauth"
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": f"{oauth}/token",
        "registration_endpoint": f"{oauth}/register",
        "pushed_authorization_request_endpoint": f"{oauth}/par",
        "userinfo_endpoint": f"{oauth}/userinfo",
        "introspection_endpoint": f"{oauth}/introspect",
        "revocation_endpoint": f"{oauth}/revoke",
        "device_authorization_endpoint": f"{oauth}/device_authorization",
        "end_session_endpoint": f"{oauth}/logout",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "jwks_uri": f"{oauth}/jwks",
        "grant_types_supported": grants,
        "response_types_supported": ["code"],
        "response_modes_supported": list(authorize.MODES),
        "scopes_supported": list(policy.SCOPES),
        "claims_supported": CLAIMS,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": list(jose.ALGORITHMS),
        "require_signed_request_object": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": sorted(authorize.PROMPTS),
        "subject_types_supported": ["public", "pairwise"],
        "acr_values_supported": list(ACR_VALUES),
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "userinfo_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_signing_alg_values_supported": list(ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": list(jose.ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "require_pushed_authorization_requests": False,
        "tls_client_certificate_bound_access_tokens": True,
        "ui_locales_supported": ["id", "en"],
        **_authentication("token"),
        **_authentication("introspection"),
        **_authentication("revocation"),
    }


def _authentication(endpoint: str) -> dict[str, list[str]]:
    return {
        f"{endpoint}_endpoint_auth_methods_supported": AUTHENTICATION,
        f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(jose.ALGORITHMS),
    }
