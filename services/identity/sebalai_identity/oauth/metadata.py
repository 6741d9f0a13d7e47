"""What the server says of itself (RFC 8414, OpenID Connect Discovery): only what exists."""

from typing import Any

from sebalai_identity.assurance import ACR_VALUES
from sebalai_identity.keys.actions import ALGORITHMS
from sebalai_identity.oauth import authorize, certificates, jose, policy
from sebalai_identity.oauth.desk import Server

# RFC 8705 section 5: those a client calls where it shows its certificate.
ALIASED = (
    "token_endpoint", "pushed_authorization_request_endpoint", "userinfo_endpoint",
    "introspection_endpoint", "revocation_endpoint", "device_authorization_endpoint",
)  # fmt: skip
CLAIMS = [
    "sub", "acr", "amr", "auth_time", "sid", "name", "birthdate", "email", "phone_number",
    "acting_for",
]  # fmt: skip


def document(server: Server, grants: list[str], *, has_authorities: bool) -> dict[str, Any]:
    """`has_authorities`: a certificate by one of them may prove a client."""
    found = _everywhere(server.issuer, grants) | _authentication(server, has_authorities)
    if server.mtls_url:
        aliases = {n: found[n].replace(server.issuer, server.mtls_url, 1) for n in ALIASED}
        found["mtls_endpoint_aliases"] = aliases
    return found


def _everywhere(issuer: str, grants: list[str]) -> dict[str, Any]:
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
        "ui_locales_supported": ["id", "en"],
    }


def _authentication(server: Server, has_authorities: bool) -> dict[str, Any]:  # noqa: FBT001 - one caller, above
    methods = [] if not server.mtls_url else [certificates.SELF_SIGNED]
    if server.mtls_url and has_authorities:
        methods.append(certificates.PKI)
    found: dict[str, Any] = {"tls_client_certificate_bound_access_tokens": bool(server.mtls_url)}
    for endpoint in ("token", "introspection", "revocation"):
        found |= {
            f"{endpoint}_endpoint_auth_methods_supported": ["private_key_jwt", *methods, "none"],
            f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(jose.ALGORITHMS),
        }
    return found
