"""Tokens of a person: given out for what was agreed, showing what the person may at this moment by
posting and roles, and never good for longer than that holds.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sebalai_identity.applications.actions import KnownClient
from sebalai_identity.assurance import LIMITS, level_of
from sebalai_identity.consents import actions as consents
from sebalai_identity.grants.actions import note_listener
from sebalai_identity.oauth import families, tokens
from sebalai_identity.oauth.clients import Proven
from sebalai_identity.oauth.desk import Authority, Desk
from sebalai_identity.oauth.errors import OAuthError, invalid_grant
from sebalai_identity.oauth.policy import (
    BUSINESS,
    PERSON_SCOPES,
    POLICIES,
    REFRESH,
    ROLES_LEVEL,
    Policy,
    grants_of,
    role_scopes,
)
from sebalai_identity.oauth.tokens import LIFETIME, Binding
from sebalai_identity.sessions import actions as sessions


async def first_tokens(
    desk: Desk, proven: Proven, content: dict[str, Any], grant_id: UUID, binding: Binding
) -> dict[str, Any]:
    """The first tokens of a grant, and its refresh family where one was agreed."""
    policy = POLICIES[proven.client.settings.kind]
    await _require_standing(desk, policy, content)
    answer = await person_tokens(desk, proven, content, grant_id, binding)
    if proven.client.settings.backchannel_logout_uri is not None:
        await note_listener(
            desk.session,
            session_id=UUID(content["sid"]),
            client_id=proven.client.client_id,
            subject=tokens.subject_for(desk, proven.client, UUID(content["subject"])),
        )
    if (
        "offline_access" in content["scopes"]
        and "offline_access" in proven.client.scopes
        and REFRESH in grants_of(proven.client)
    ):
        answer["refresh_token"] = await families.begin(
            desk, grant_id, content, policy, family_key(proven, binding)
        )
    return answer


async def _require_standing(desk: Desk, policy: Policy, content: dict[str, Any]) -> None:
    """Between the person's agreement and the redemption they may have signed out or taken consent
    back; what that ended could not name the tokens that did not exist yet.
    """
    if not await sessions.hold(desk.session, session_id=UUID(content["sid"])):
        raise invalid_grant("The person has signed out meanwhile.")
    if policy.asks_consent and not await consents.hold(
        desk.session,
        desk.clock,
        subject=UUID(content["subject"]),
        client_id=UUID(content["client_id"]),
        scopes=consents.scopes_of(content["scopes"], _business(content)),
    ):
        raise invalid_grant("The person has taken back what they agreed to.")


def _business(content: dict[str, Any]) -> UUID | None:
    named = content.get("business")
    return UUID(named) if named is not None else None


def family_key(proven: Proven, binding: Binding) -> str | None:
    """A public client's family is held by its DPoP key; others prove themselves by their own key
    and may change the other (RFC 9449 section 5).
    """
    return binding.jkt if proven.client.settings.kind == "public" else None


async def person_tokens(
    desk: Desk, proven: Proven, content: dict[str, Any], grant_id: UUID, binding: Binding
) -> dict[str, Any]:
    """Access and ID token of a person. Raises `OAuthError` for who may not act now."""
    client, authority = proven.client, await _usable(desk, content)
    by_role = _scopes_by_role(client, authority, content, desk.now)
    # What the client was given once it may have lost since.
    scopes = frozenset(content["scopes"]) & client.scopes & PERSON_SCOPES | by_role.keys()
    if not scopes:
        raise OAuthError("invalid_scope", "Nothing of what was asked is granted any more.")
    if content.get("business") is not None and BUSINESS not in scopes:
        raise OAuthError("invalid_scope", f"Who acts for a business needs the scope {BUSINESS}.")
    if authority.posting is not None:
        content = content | {"posting": str(authority.posting)}
    if authority.acting_for is not None:
        content = content | {"acting_for": authority.acting_for}
    claims = {
        "sub": tokens.subject_for(desk, client, UUID(content["subject"])),
        "client_id": str(client.client_id),
        "scope": " ".join(sorted(scopes)),
        "kind": authority.kind,
        "agency": authority.agency,
        "posting": str(authority.posting) if authority.posting else None,
        "acting_for": authority.acting_for,
        "person": tokens.hidden_person(desk, client, UUID(content["subject"])),
        "sid": content["sid"],
        "rjti": str(grant_id),
        "acr": content["acr"],
        "amr": content["amr"],
        "auth_time": content["auth_time"],
        "userinfo": sorted((content.get("claims") or {}).get("userinfo") or {}) or None,
    }
    until = desk.until(LIFETIME, client.valid_until, authority.ends_at, *by_role.values())
    answer = await tokens.access_token(desk, claims, binding, until)
    if "openid" in scopes:
        answer["id_token"] = await tokens.id_token(desk, client, content, answer["access_token"])
    return answer


async def _usable(desk: Desk, content: dict[str, Any]) -> Authority:
    subject, posting, business = (
        UUID(content["subject"]),
        content.get("posting"),
        _business(content),
    )
    if business is not None:
        authority = await desk.authority_for(subject, business)
    else:
        authority = await desk.authority(subject, UUID(posting) if posting else None)
    if not authority.is_usable or (authority.ends_at and authority.ends_at <= desk.now):
        raise invalid_grant("The person, the posting or the representation may not act.")
    return authority


def _scopes_by_role(
    client: KnownClient, authority: Authority, content: dict[str, Any], now: datetime
) -> dict[str, datetime]:
    """What of the asked the person holds by a role now, and until when: no longer than a sign-in of
    that level is worth, however often its token is refreshed.
    """
    signed_in = datetime.fromtimestamp(content["auth_time"], UTC)
    until = signed_in + LIMITS[ROLES_LEVEL].whole
    if level_of(content["acr"]) < ROLES_LEVEL or until <= now:
        return {}
    asked = role_scopes(client) & frozenset(content["scopes"])
    held = {scope: end for scope, end in authority.scopes.items() if scope in asked}
    return {scope: min(end or until, until) for scope, end in held.items()}
