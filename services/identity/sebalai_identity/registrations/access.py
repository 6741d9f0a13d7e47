"""Who lets clients register, and which changes of theirs another must approve; pure functions."""

from sebalai_shared.caller import Caller

from sebalai_identity.administration import decide
from sebalai_identity.registrations.schema import Plan

APPROVE, MANAGE = "identity.clients", "exchange.manage"
"""What a refusal names; who may is `administration`'s to say."""

_GROWING = ("redirect_uris", "post_logout_redirect_uris")
# People decide by what they are shown, and these addresses are called or shown to them.
_ANY_CHANGE = (
    "kind",
    "names",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "backchannel_logout_uri",
    "sector_identifier_uri",
    "is_pairwise",
)
_LOOSENING = (
    "is_par_required",
    "is_dpop_required",
    "is_request_object_required",
    "is_certificate_bound",
)


def may_issue(caller: Caller, agency: str) -> bool:
    """An agency's own administrator (who manages what it has on the bus), or an approver of
    clients; who issues never approves what registers by it (PP 60/2008 pasal 3 and 18).
    """
    return decide("issue-initial-token", caller, agency=agency).is_allowed


def sees_all(caller: Caller) -> bool:
    return decide("see-initial-tokens", caller).is_allowed


def widens(old: Plan, new: Plan) -> list[str]:
    """What of `new` was not agreed on with `old`, by name; nothing: the client may do it alone.

    Its own keys it changes alone: who holds the registration access token could sign by them anyway
    once the client does, and a leaked key must not wait. RFC 7592 section 2.2.
    """
    found = [] if new.scopes <= old.scopes else ["scope"]
    found += [name for name in _GROWING if not _of(new, name) <= _of(old, name)]
    if not frozenset(new.client.grants or ()) <= frozenset(old.client.grants or ()):
        found.append("grant_types")
    found += [
        name for name in _ANY_CHANGE if getattr(new.client, name) != getattr(old.client, name)
    ]
    found += [
        name for name in _LOOSENING if getattr(old.client, name) and not getattr(new.client, name)
    ]
    return found


def _of(plan: Plan, name: str) -> frozenset[str]:
    return frozenset(getattr(plan.client, name))
