"""The routing table: who may call what, for which purpose, decided from memory. Deny by default.

The deciding rule is named in the receipt of an allowed call; a refusal says precisely what is
missing and who can give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network

from sebalai_gateway.admission.token import Claims
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing import denials
from sebalai_gateway.routing.buckets import Bucket
from sebalai_gateway.routing.globs import compile_glob
from sebalai_gateway.routing.paths import Target
from sebalai_gateway.routing.snapshot import Agreement, Interface, Purpose, Rule, Snapshot, decode

ANY_METHOD = "*"
RANGES_CACHED = 4_096


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a call is allowed."""

    interface: Interface
    agreement: Agreement
    rule: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Presented:
    """What a call shows besides its token: the peer's address, and the hex SHA-256 of the client
    certificate it proved to hold, if any.
    """

    address: str | None = None
    certificate: str | None = None


NOTHING = Presented()


class Grant:
    """One agreement, compiled, for one consumer."""

    __slots__ = ("_begins", "_ends", "_is_bound", "_rules", "agreement", "bucket", "purposes")

    def __init__(self, agreement: Agreement, bucket: Bucket) -> None:
        self.agreement, self.bucket = agreement, bucket
        self.purposes = {purpose.code: purpose for purpose in agreement.purposes}
        self._begins, self._ends = (
            agreement.valid_from.timestamp(),
            agreement.valid_until.timestamp(),
        )
        self._rules: list[tuple[Rule, Callable[[str], bool]]] = [
            (rule, compile_glob(rule.path)) for rule in agreement.rules
        ]
        self._is_bound = bool(
            agreement.bound_addresses or agreement.bound_certificates or agreement.min_assurance
        )

    def allow(self, path: str, method: str, purpose: str | None, now: float) -> tuple[str, Purpose]:
        """The deciding rule and the purpose. Raises: Refusal."""
        if now < self._begins:
            raise denials.not_yet_valid(self.agreement)
        if now >= self._ends:
            raise denials.expired(self.agreement)
        rule = self._matching(path, method)
        if rule is None:
            raise denials.rule_missing(self.agreement, method)
        if purpose is None:
            raise denials.purpose_missing(self.agreement)
        agreed = self.purposes.get(purpose)
        if agreed is None:
            raise denials.purpose_not_agreed(self.agreement)
        return rule, agreed

    def check_bindings(self, claims: Claims, presented: Presented) -> None:
        """Where the call comes from and how surely its person is known. Raises: Refusal."""
        if not self._is_bound:
            return
        agreement = self.agreement
        if agreement.bound_addresses and not _is_within(
            presented.address, agreement.bound_addresses
        ):
            raise denials.address_not_agreed(agreement)
        certificates = agreement.bound_certificates
        if certificates and presented.certificate not in certificates:
            raise denials.certificate_not_agreed(agreement)
        if _assurance(claims.acr) < agreement.min_assurance:
            raise denials.assurance_too_low(agreement)

    def take(self, now: float) -> None:
        """Counts one call against rate and quota. Raises: Refusal."""
        over = self.bucket.take(now)
        if over is not None:
            raise denials.over_limit(self.agreement, *over)

    def _matching(self, path: str, method: str) -> str | None:
        for rule, matches in self._rules:
            if rule.method in (method, ANY_METHOD) and matches(path):
                return rule.id
        return None


def _assurance(acr: str) -> int:
    level = acr.removeprefix(denials.ACR_PREFIX)
    return int(level) if level in {"1", "2", "3"} else 0


@lru_cache(RANGES_CACHED)
def _is_within(address: str | None, ranges: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in ip_network(one) for one in ranges)


class Table:
    """Built whole from a snapshot and never changed but for its buckets."""

    def __init__(self, snapshot: Snapshot, before: Table | None = None) -> None:
        self.version = snapshot.version
        self._interfaces = {i.name: i for i in snapshot.interfaces if i.state == "active"}
        self._agencies = {interface.agency for interface in self._interfaces.values()}
        self._groups = {group.name: group.members for group in snapshot.groups}
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._grants: dict[tuple[str, str], list[Grant]] = {}
        for agreement in snapshot.agreements:
            for consumer in self._consumers(agreement):
                grant = Grant(agreement, self._bucket(agreement, consumer, before))
                self._grants.setdefault((consumer, agreement.interface), []).append(grant)

    @classmethod
    def build(cls, payload: bytes, before: Table | None = None) -> Table:
        """Raises: ValueError, when the payload is not a snapshot."""
        return cls(decode(payload), before)

    def _consumers(self, agreement: Agreement) -> Iterator[str]:
        """The applications an agreement serves; nobody is in a group that is not told of."""
        if "/groups/" in agreement.consumer:
            yield from self._groups.get(agreement.consumer, ())
        else:
            yield agreement.consumer

    def _bucket(self, agreement: Agreement, consumer: str, before: Table | None) -> Bucket:
        """One a consumer and series: a new version of an agreement forgives nothing either."""
        key = agreement.series or agreement.id, consumer
        terms = (
            agreement.rate_per_second,
            agreement.burst,
            agreement.quota_per_day,
            agreement.quota_per_month,
        )
        bucket = before._buckets.get(key) if before else None  # noqa: SLF001
        if bucket is None:
            bucket = Bucket(*terms)
        else:
            bucket.adjust(*terms)
        self._buckets[key] = bucket
        return bucket

    def decide(
        self,
        claims: Claims,
        target: Target,
        method: str,
        purpose: str | None,
        now: float,
        presented: Presented = NOTHING,
    ) -> Decision:
        """The decision for one call.

        Raises:
            Refusal: 404 for what does not exist, 403 with the missing rule, 429 over a limit.
        """
        interface = self._interfaces.get(target.interface)
        if interface is None:
            is_known = target.agency in self._agencies
            raise denials.interface_unknown(target) if is_known else denials.agency_unknown(target)
        grants = self._grants.get((claims.application, interface.name))
        if not grants:
            raise denials.agreement_missing(claims.application, interface.name)
        refusals: list[Refusal] = []
        for grant in grants:
            try:
                rule, agreed = grant.allow(target.path, method, purpose, now)
                grant.check_bindings(claims, presented)
                grant.take(now)
            except Refusal as refusal:
                refusals.append(refusal)
                continue
            return Decision(interface, grant.agreement, rule, agreed)
        raise max(refusals, key=denials.telling)
