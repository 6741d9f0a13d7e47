"""What registered metadata means here: the kind of client with the least rights that serves it, its
scopes and settings; and how a registration is told again (RFC 7591 section 3.2.1).
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from sebalai_identity.applications.actions import (
    BASIC_SCOPE,
    SENSITIVE_SCOPES,
    CertificateSubject,
    ClientSettings,
    PublicKey,
)
from sebalai_identity.oauth.certificates import PKI
from sebalai_identity.oauth.client_metadata import ClientMetadata, bad_metadata
from sebalai_identity.oauth.policy import CLIENT, CODE, PERSON_SCOPES, POLICIES, REFRESH, SCOPES
from sebalai_identity.registrations.actions import Plan, Registered

KINDS = ("external", "kiosk", "agency_system", "agency_web")
"""Of confidential clients, the least rights first; `portal` is nobody's to register."""
PUBLIC = "public"
_SHOWN = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
# Told from the settings or the request, not from what was sent.
_OWN = {"scope", "jwks", "grant_types", "response_types", "subject_type", "software_statement"}


@dataclass(frozen=True)
class Published:
    """What stands in its JWK set, read and checked: keys, or the thumbprints of certificates."""

    keys: tuple[PublicKey, ...] = ()
    certificates: tuple[str, ...] = ()


def plan_of(metadata: ClientMetadata, names: dict[str, str], published: Published) -> Plan:
    """Raises `OAuthError` invalid_redirect_uri or invalid_client_metadata."""
    kind = _kind(metadata)
    _require_code_whole(metadata)
    _require_own_logo(metadata)
    client = _settings(metadata, names, kind, published.certificates)
    sent = metadata.model_dump(mode="json", exclude_none=True, exclude=_OWN)
    told = {name: value for name, value in sent.items() if value != []} | {
        "grant_types": list(client.grants or ()),
        "response_types": ["code"] if CODE in metadata.grant_types else [],
        "subject_type": "pairwise" if client.is_pairwise else "public",
    }
    told |= {f"client_name#{tag}": name for tag, name in client.names.items() if tag}
    if published.certificates and metadata.jwks is not None:
        told["jwks"] = metadata.jwks
    return Plan(_scopes(metadata, kind), client, published.keys, told)


def _kind(metadata: ClientMetadata) -> str:
    wanted = frozenset(metadata.grant_types)
    kinds = (PUBLIC,) if metadata.is_public else KINDS
    for kind in kinds:
        if wanted <= POLICIES[kind].grants:
            return kind
    served = sorted(frozenset().union(*(POLICIES[kind].grants for kind in kinds)))
    raise bad_metadata("grant_types", f"no kind of client has these together: {', '.join(served)}.")


def _require_code_whole(metadata: ClientMetadata) -> None:
    signs_in = CODE in metadata.grant_types
    if signs_in and not metadata.redirect_uris:
        raise bad_metadata("redirect_uris", "name at least one for authorization_code.")
    if metadata.response_types is not None and bool(metadata.response_types) != signs_in:
        raise bad_metadata("response_types", "code goes with authorization_code, and nothing else.")
    if metadata.application_type == "web":
        for uri in metadata.redirect_uris:
            if urlsplit(uri).scheme not in ("https", "http"):
                raise bad_metadata("redirect_uris", "a scheme of its own is for native clients.")


def _require_own_logo(metadata: ClientMetadata) -> None:
    """Shown while people decide: another's mark could be borrowed (RFC 7591 section 5)."""
    hosts = {urlsplit(uri).hostname for uri in metadata.redirect_uris}
    if metadata.logo_uri is not None and urlsplit(metadata.logo_uri).hostname not in hosts:
        raise bad_metadata("logo_uri", "it stands on a host of the redirect_uris.")


def _settings(
    metadata: ClientMetadata, names: dict[str, str], kind: str, certificates: tuple[str, ...]
) -> ClientSettings:
    document: dict[str, Any] = {
        "kind": kind,
        "redirect_uris": metadata.redirect_uris,
        "post_logout_redirect_uris": metadata.post_logout_redirect_uris,
        "backchannel_logout_uri": metadata.backchannel_logout_uri,
        "is_par_required": metadata.require_pushed_authorization_requests,
        "is_dpop_required": metadata.dpop_bound_access_tokens,
        "is_request_object_required": metadata.require_signed_request_object,
        "is_pairwise": _is_pairwise(metadata, kind),
        "id_token_algorithm": metadata.id_token_signed_response_alg,
        "userinfo_algorithm": metadata.userinfo_signed_response_alg,
        "introspection_algorithm": metadata.introspection_signed_response_alg,
        "names": names,
        "grants": sorted(set(metadata.grant_types)),
        "jwks_uri": metadata.jwks_uri,
        "sector_identifier_uri": metadata.sector_identifier_uri,
        "certificate_thumbprints": certificates,
        "certificate_subject": _subject(metadata),
        "authentication": None if metadata.is_public else metadata.token_endpoint_auth_method,
        "is_certificate_bound": metadata.tls_client_certificate_bound_access_tokens,
    } | {name: getattr(metadata, name) for name in _SHOWN}
    try:
        return ClientSettings.model_validate(document)
    except ValidationError as error:
        place = error.errors(include_input=False)[0]["loc"]
        name = "client_name" if place and place[0] == "names" else "sector_identifier_uri"
        raise bad_metadata(name, _WHY[name]) from error


def _subject(metadata: ClientMetadata) -> CertificateSubject | None:
    """RFC 8705 section 2.1.2: exactly one of the five, for `tls_client_auth` alone."""
    given = {name: getattr(metadata, name) for name in _SUBJECTS if getattr(metadata, name)}
    name = next(iter(given), "tls_client_auth_subject_dn")
    if len(given) != (metadata.token_endpoint_auth_method == PKI):
        raise bad_metadata(name, f"tls_client_auth has exactly one of {', '.join(_SUBJECTS)}.")
    if not given:
        return None
    try:
        return CertificateSubject.model_validate({_SUBJECTS[name]: given[name]})
    except ValidationError as error:
        raise bad_metadata(name, "it is no name of this form.") from error


_SUBJECTS = {
    "tls_client_auth_subject_dn": "dn",
    "tls_client_auth_san_dns": "dns",
    "tls_client_auth_san_uri": "uri",
    "tls_client_auth_san_ip": "ip",
    "tls_client_auth_san_email": "email",
}
_WHY = {
    "client_name": "a printable text of 1 to 100 characters, in up to ten languages (BCP 47).",
    "sector_identifier_uri": "pairwise subjects of several hosts need it, or ask for public ones.",
}


def _is_pairwise(metadata: ClientMetadata, kind: str) -> bool:
    """Where nothing is asked for, outside clients see subjects of their own (field notes 4.4)."""
    if metadata.subject_type is None:
        return kind == "external" or metadata.sector_identifier_uri is not None
    return metadata.subject_type == "pairwise"


def _scopes(metadata: ClientMetadata, kind: str) -> frozenset[str]:
    if metadata.scope is None:
        return _usual_scopes(metadata)
    wanted = frozenset(metadata.scope.split())
    for scope in sorted(wanted):
        if scope not in SCOPES:
            raise bad_metadata("scope", "one of it is not served; see scopes_supported.")
        if scope in SENSITIVE_SCOPES:
            raise bad_metadata("scope", f"{scope} is asked for under /v1/client-requests.")
        if scope not in PERSON_SCOPES | {BASIC_SCOPE} and CLIENT not in POLICIES[kind].grants:
            raise bad_metadata("scope", f"{scope} is for clients with client_credentials.")
    if not wanted:
        raise bad_metadata("scope", "name at least one.")
    return wanted


def _usual_scopes(metadata: ClientMetadata) -> frozenset[str]:
    if frozenset(metadata.grant_types) <= POLICIES["agency_system"].grants:
        return frozenset({BASIC_SCOPE})
    more = {"offline_access"} if REFRESH in metadata.grant_types else set[str]()
    return frozenset({"openid", *more})


def told(issuer: str, found: Registered) -> dict[str, Any]:
    """`sebalai_state` is requested, approved or refused; `sebalai_change` the state of a wish that
    is not in force, where there is one; `sebalai_reason` why it was refused.
    """
    more: dict[str, Any] = {"sebalai_change": found.change, "sebalai_reason": found.reason}
    if found.plan.keys and found.plan.client.jwks_uri is None:
        more["jwks"] = {"keys": [key.model_dump(exclude_none=True) for key in found.plan.keys]}
    return {
        "client_id": str(found.client_id),
        "client_id_issued_at": int(found.registered_at.timestamp()),
        "registration_client_uri": f"{issuer}/oauth/register/{found.client_id}",
        "registration_access_token": found.token,
        **found.plan.metadata,
        "scope": " ".join(sorted(found.plan.scopes)),
        "sebalai_state": found.state,
    } | {name: value for name, value in more.items() if value is not None}
