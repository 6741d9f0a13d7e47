"""Config OP: what discovery says (OpenID Connect Discovery 1.0 section 3, RFC 8414), and that it
is true.
"""

from urllib.parse import urlsplit

from oidc_checks.registry import check

REQUIRED = (
    "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported",
    "subject_types_supported", "id_token_signing_alg_values_supported",
)  # fmt: skip
LISTS = (
    "scopes_supported", "response_types_supported", "response_modes_supported",
    "grant_types_supported", "acr_values_supported", "subject_types_supported",
    "id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported", "display_values_supported", "claims_supported",
    "code_challenge_methods_supported", "dpop_signing_alg_values_supported",
)  # fmt: skip
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


async def read_metadata(op):
    answer = await op.http.get(f"{op.issuer}/.well-known/openid-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


@check("Config", "oidcc-discovery-endpoint-verification")
async def discovery(op):
    found = await read_metadata(op)
    assert not [name for name in REQUIRED if name not in found]
    assert found["issuer"] == op.issuer
    for name in LISTS:
        assert isinstance(found.get(name, []), list), name
        assert len(set(found.get(name, []))) == len(found.get(name, [])), name
    assert "code" in found["response_types_supported"]
    assert "openid" in found["scopes_supported"]
    assert set(found["subject_types_supported"]) <= {"public", "pairwise"}
    for name, value in found.items():
        if name.endswith(("_endpoint", "_uri")):
            parts = urlsplit(value)
            is_at_home = value.startswith(op.issuer) and parts.hostname == "127.0.0.1"
            assert parts.scheme == "https" or is_at_home, name
            assert not parts.fragment, name
    await _keys(op, found)
    # RS256 must be offered (section 3); `none` only for the code flow, and never alone.
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    for name in ("claims_parameter_supported", "request_parameter_supported",
                 "request_uri_parameter_supported"):  # fmt: skip
        assert isinstance(found.get(name, False), bool), name


async def _keys(op, found):
    answer = await op.http.get(found["jwks_uri"])
    assert answer.status_code == 200
    keys = answer.json()["keys"]
    names = [key.get("kid") for key in keys]
    assert keys
    assert len(set(names)) == len(names)
    for key in keys:
        assert key["kty"] in {"RSA", "EC", "OKP"}
        assert not PRIVATE & set(key), f"private part of {key.get('kid')}"
    kinds = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    signs = {kinds[one[:2]] for one in found["id_token_signing_alg_values_supported"]}
    assert signs & {key["kty"] for key in keys}
