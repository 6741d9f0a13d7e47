"""The token endpoint's grants (RFC 6749 section 4): code, refresh, client credentials.

Each gives the body of the answer or raises `OAuthError`; what an attempt used up stays used.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sebalai_identity.oauth import certificates, clients, dpop, families, store, tokens
from sebalai_identity.oauth.clients import Proven
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.dpop import Call
from sebalai_identity.oauth.errors import OAuthError, invalid_grant, invalid_request
from sebalai_identity.oauth.person_tokens import family_key, first_tokens, person_tokens
from sebalai_identity.oauth.policy import PERSON_SCOPES, POLICIES, grants_of
from sebalai_identity.oauth.tokens import LIFETIME, Binding

VERIFIER_LENGTHS = range(43, 129)
REUSED = "authorization code used again"

Grant = Callable[[Desk, Mapping[str, str], Proven, Binding], Awaitable[dict[str, Any]]]


async def grant(
    desk: Desk, parameters: Mapping[str, str], call: Call, grants: Mapping[str, Grant]
) -> dict[str, Any]:
    """The body of a token answer. Raises `OAuthError`."""
    wanted = parameters.get("grant_type")
    if wanted is None:
        raise invalid_request("grant_type is missing.")
    if wanted not in grants:
        raise OAuthError("unsupported_grant_type", f"Served are: {' '.join(grants)}")
    proven = await clients.authenticate(desk, parameters, call)
    settings = proven.client.settings
    clients.require_grant(proven, wanted, grants_of(proven.client))
    if parameters.get("resource", desk.server.audience) != desk.server.audience:
        raise OAuthError("invalid_target", f"resource must be {desk.server.audience}")
    certificates.require_bound(settings, call.certificate)
    jkt = await dpop.check(desk, call)
    if jkt is None and settings.is_dpop_required:
        raise OAuthError("invalid_dpop_proof", "This application must send a DPoP proof.")
    is_certified = jkt is None or settings.is_certificate_bound
    binding = Binding(jkt, proven.certificate if is_certified else None)
    return await grants[wanted](desk, parameters, proven, binding)


async def by_client(
    desk: Desk, parameters: Mapping[str, str], proven: Proven, binding: Binding
) -> dict[str, Any]:
    """An application for itself (RFC 6749 4.4)."""
    client = proven.client
    own = client.scopes - PERSON_SCOPES
    claims = {
        "sub": str(client.client_id),
        "client_id": str(client.client_id),
        "scope": " ".join(_narrowed(parameters, own)),
        "kind": "system",
        "agency": client.agency,
        "application": client.application,
    }
    until = desk.until(LIFETIME, client.valid_until)
    return await tokens.access_token(desk, claims, binding, until)


def _narrowed(parameters: Mapping[str, str], granted: frozenset[str]) -> list[str]:
    if "scope" not in parameters:
        return sorted(granted)
    asked = set(parameters["scope"].split(" "))
    if not asked <= granted:
        raise OAuthError("invalid_scope", f"Granted are: {' '.join(sorted(granted))}")
    return sorted(asked)


async def by_code(
    desk: Desk, parameters: Mapping[str, str], proven: Proven, binding: Binding
) -> dict[str, Any]:
    """RFC 6749 4.1.3 with RFC 7636; a second use ends what the first one gave (4.1.2)."""
    code = parameters.get("code")
    if code is None:
        raise invalid_request("code is missing.")
    row = await store.redeem_code(desk.session, code, desk.now)
    if row is None:
        await _end_reused(desk, code)
        raise _bad_code()
    content = row.content
    _require_code(desk, parameters, proven, content, row.expires_at)
    if content["jkt"] is not None and content["jkt"] != binding.jkt:
        raise OAuthError("invalid_dpop_proof", "The code is bound to another key.")
    return await first_tokens(desk, proven, content, row.grant_id, binding)


async def _end_reused(desk: Desk, code: str) -> None:
    grant_id = await store.grant_of_code(desk.session, code)
    if grant_id is not None:
        await families.end(desk, grant_id, REUSED)


def _bad_code() -> OAuthError:
    return invalid_grant("The code is not known, has ended, or belongs to another request.")


def _require_code(
    desk: Desk, parameters: Mapping[str, str], proven: Proven, content: dict[str, Any], ends: Any
) -> None:
    if content["client_id"] != str(proven.client.client_id) or ends <= desk.now:
        raise _bad_code()
    if content["redirect_uri"] != parameters.get("redirect_uri"):
        raise _bad_code()
    verifier = parameters.get("code_verifier", "")
    challenge = families.thumb(verifier)
    if len(verifier) not in VERIFIER_LENGTHS or not hmac.compare_digest(
        challenge, content["challenge"]
    ):
        raise _bad_code()


def _posting(parameters: Mapping[str, str]) -> str | None:
    named = parameters.get("posting")
    if named is not None and clients.as_id(named) is None:
        raise invalid_request("posting must be the id of a posting.")
    return named


async def by_refresh(
    desk: Desk, parameters: Mapping[str, str], proven: Proven, binding: Binding
) -> dict[str, Any]:
    """RFC 6749 section 6; what was narrowed is narrow for this answer only."""
    token = parameters.get("refresh_token")
    if token is None:
        raise invalid_request("refresh_token is missing.")
    if "offline_access" not in proven.client.scopes:
        raise invalid_grant("The application may not hold refresh tokens any more.")
    policy = POLICIES[proven.client.settings.kind]
    family = await families.refresh(
        desk, token, proven.client.client_id, policy, family_key(proven, binding)
    )
    granted = frozenset(family.content["scopes"])
    content = family.content | {"scopes": _narrowed(parameters, granted), "nonce": None}
    # An official with several postings acts by the one the client names (no new sign-in).
    posting = _posting(parameters)
    if posting is not None and content.get("business") is not None:
        raise invalid_request("Who acts for a business acts by no posting.")
    content |= {"posting": posting or content.get("posting")}
    answer = await person_tokens(desk, proven, content, family.id, binding)
    answer["refresh_token"] = families.write(desk, family)
    return answer
