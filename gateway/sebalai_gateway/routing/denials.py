"""What a consumer reads when the table does not allow its call: what is missing, who gives it."""

from __future__ import annotations

from sebalai_gateway.admission.faults import step_up
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import Target
from sebalai_gateway.routing.snapshot import Agreement

NAMED_LIMIT = 20
ACR_PREFIX = "urn:sebalai:acr:"
# Of several agreements the refusal that came furthest is the most useful to read.
_ORDER = (
    "agreement-expired", "agreement-not-yet-valid", "rule-missing", "purpose-missing",
    "purpose-not-agreed", "address-not-agreed", "certificate-not-agreed", "assurance-too-low",
    "quota-exceeded", "rate-exceeded",
)  # fmt: skip


def telling(refusal: Refusal) -> int:
    return _ORDER.index(refusal.slug)


def agency_unknown(target: Target) -> Refusal:
    return _unknown(
        "agency-unknown", f"No agency {target.agency} offers anything here; see listed interfaces."
    )


def interface_unknown(target: Target) -> Refusal:
    return _unknown("interface-unknown", f"There is no interface {target.interface}.")


def _unknown(slug: str, detail: str) -> Refusal:
    return Refusal(
        404, slug, "Nothing is offered at this address", detail, "server.unknown_service"
    )


def agreement_missing(consumer: str, interface: str) -> Refusal:
    return _denied(
        "agreement-missing",
        f"{consumer} has no agreement for {interface}. Ask for one by POST "
        "/api/exchange/v1/agreements; the provider grants it.",
        rule=f"agreement {consumer} -> {interface}",
    )


def not_offered(instance: str, interface: str) -> Refusal:
    return _denied(
        "peer-not-offered",
        f"{interface} is not offered to {instance}; the operator here offers it.",
        rule=f"peer {instance}",
    )


def instance_unknown(instance: str) -> Refusal:
    return _denied(
        "peer-unknown",
        f"No calls pass to {instance}; the operators of both sides name each other.",
        rule=f"peer {instance}",
    )


def not_yet_valid(agreement: Agreement) -> Refusal:
    begins = agreement.valid_from.isoformat()
    return _of(agreement, "agreement-not-yet-valid", f"The agreement begins at {begins}.")


def expired(agreement: Agreement) -> Refusal:
    ended = agreement.valid_until.isoformat()
    return _of(
        agreement, "agreement-expired", f"The agreement ended at {ended}; ask for a new one."
    )


def rule_missing(agreement: Agreement, method: str) -> Refusal:
    allowed = ", ".join(f"{r.method} {r.path}" for r in agreement.rules[:NAMED_LIMIT])
    return _of(
        agreement,
        "rule-missing",
        f"No rule of the agreement allows {method} on this path; it allows {allowed}.",
    )


def purpose_missing(agreement: Agreement) -> Refusal:
    return _of(
        agreement,
        "purpose-missing",
        f"Send Sebalai-Purpose with one of the agreed purposes: {_codes(agreement)}.",
    )


def purpose_not_agreed(agreement: Agreement) -> Refusal:
    return _of(
        agreement,
        "purpose-not-agreed",
        f"The purpose sent is not agreed; agreed are: {_codes(agreement)}.",
    )


def address_not_agreed(agreement: Agreement) -> Refusal:
    return _of(
        agreement,
        "address-not-agreed",
        "The agreement is bound to network addresses, and this call comes from another.",
    )


def certificate_not_agreed(agreement: Agreement) -> Refusal:
    return _of(
        agreement,
        "certificate-not-agreed",
        "The agreement is bound to client certificates; call with one of them (mutual TLS).",
    )


def assurance_too_low(agreement: Agreement, *, is_bound: bool) -> Refusal:
    """401 as RFC 9470 has it: another sign-in mends it. `is_bound`: the token to a DPoP key."""
    level = agreement.min_assurance
    refusal = _of(
        agreement,
        "assurance-too-low",
        f"The agreement asks for a person recognised at level {level} or higher; sign in again.",
    )
    challenge = step_up(f"{ACR_PREFIX}{level}", is_bound=is_bound)
    refusal.status, refusal.headers = 401, [(b"www-authenticate", challenge)]
    return refusal


def over_limit(agreement: Agreement, slug: str, seconds: int) -> Refusal:
    refusal = _of(agreement, slug, f"The agreement's limit is reached; try in {seconds} seconds.")
    refusal.status, refusal.title = 429, "Too many calls for this agreement"
    refusal.headers = [(b"retry-after", str(seconds).encode())]
    return refusal


def _codes(agreement: Agreement) -> str:
    return ", ".join(purpose.code for purpose in agreement.purposes[:NAMED_LIMIT])


def _of(agreement: Agreement, slug: str, detail: str) -> Refusal:
    refusal = _denied(slug, detail, rule=f"agreement {agreement.id}")
    refusal.context = {"agreement": agreement.id}
    return refusal


def _denied(slug: str, detail: str, rule: str) -> Refusal:
    return Refusal(403, slug, "This call is not allowed", detail, "server.access_denied", rule=rule)
