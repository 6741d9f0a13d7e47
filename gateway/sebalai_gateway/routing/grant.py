"""One agreement, compiled for one consumer: rules, purposes, bindings and limits.

Compiled when first asked, because of a hundred thousand agreements few are used in an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network

import msgspec

from sebalai_gateway.admission.token import Claims
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing import denials
from sebalai_gateway.routing.buckets import Bucket
from sebalai_gateway.routing.globs import compile_glob
from sebalai_gateway.routing.snapshot import Agreement, Purpose

ANY_METHOD = "*"
RANGES_CACHED = 4_096
GLOBS_CACHED = 8_192


class Presented(msgspec.Struct, frozen=True):
    """What a call shows besides its token: the peer's address, and the hex SHA-256 of the client
    certificate it proved to hold, if any. `used_up` are the agreements, by id, whose quota it has
    found used up; another one may serve it.
    """

    address: str | None = None
    certificate: str | None = None
    used_up: dict[str, Refusal] = msgspec.field(default_factory=dict[str, Refusal])


NOTHING = Presented()


Buckets = dict[tuple[str, str], Bucket]
_glob = lru_cache(GLOBS_CACHED)(compile_glob)


class Grant:
    """`buckets` outlive the grant: a new version of an agreement forgives no use of a limit."""

    __slots__ = ("_buckets", "_compiled", "agreement", "consumer")

    def __init__(self, agreement: Agreement, consumer: str, buckets: Buckets) -> None:
        self.agreement, self.consumer, self._buckets = agreement, consumer, buckets
        self._compiled: _Compiled | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What grants are looked up by: consumer and interface."""
        return self.consumer, self.agreement.interface

    @property
    def series(self) -> str:
        """What all versions of an agreement have in common."""
        return self.agreement.series or self.agreement.id

    @property
    def bucket_key(self) -> tuple[str, str]:
        return self.series, self.consumer

    def compiled(self) -> _Compiled:
        if self._compiled is None:
            self._compiled = _Compiled(self.agreement, self._bucket())
        return self._compiled

    def _bucket(self) -> Bucket:
        terms = self.agreement.rate_per_second, self.agreement.burst
        bucket = self._buckets.get(self.bucket_key)
        if bucket is None:
            bucket = self._buckets[self.bucket_key] = Bucket(*terms)
        else:
            bucket.adjust(*terms)
        return bucket


class _Compiled:
    __slots__ = ("_begins", "_is_bound", "_rules", "agreement", "bucket", "ends", "purposes")

    def __init__(self, agreement: Agreement, bucket: Bucket) -> None:
        self.agreement, self.bucket = agreement, bucket
        self.purposes = {purpose.code: purpose for purpose in agreement.purposes}
        self._begins, self.ends = (
            agreement.valid_from.timestamp(),
            agreement.valid_until.timestamp(),
        )
        self._rules: list[tuple[str, str, Callable[[str], bool]]] = [
            (rule.id, rule.method, _glob(rule.path)) for rule in agreement.rules
        ]
        self._is_bound = bool(
            agreement.bound_addresses or agreement.bound_certificates or agreement.min_assurance
        )

    def allow(self, path: str, method: str, purpose: str | None, now: float) -> tuple[str, Purpose]:
        """The deciding rule and the purpose. Raises: Refusal."""
        if now < self._begins:
            raise denials.not_yet_valid(self.agreement)
        if now >= self.ends:
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
            raise denials.assurance_too_low(agreement, is_bound="jkt" in claims.cnf)

    def take(self, now: float) -> None:
        """Counts one call against the rate. Raises: Refusal."""
        seconds = self.bucket.take(now)
        if seconds is not None:
            raise denials.over_limit(self.agreement, "rate-exceeded", seconds)

    def _matching(self, path: str, method: str) -> str | None:
        for rule, wanted, matches in self._rules:
            if wanted in (method, ANY_METHOD) and matches(path):
                return rule
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
