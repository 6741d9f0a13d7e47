"""What a subscriber asks for: whether it can be, and the subscription it makes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sebalai_shared.addresses import Reach
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import FieldInvalid

from sebalai_exchange.names import agency_of
from sebalai_exchange.subscriptions.filters import MalformedFilterError, compile_filters
from sebalai_exchange.subscriptions.schema import RetriesWanted, SubscriptionRequest
from sebalai_exchange.subscriptions.store import Subscription


@dataclass(frozen=True)
class Targets:
    """Where webhooks may stand: what `reach` names inside, and all public addresses; and whether
    the broker takes subscribers of its own.
    """

    reach: Reach
    has_direct: bool = False

    def require(self, url: str) -> None:
        """Raises `FieldInvalid`. What the name resolves to is checked again at each connect."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if not host or parts.username or parts.password:
            raise FieldInvalid("/url", "names a host, without a user")
        if parts.scheme != "https" and not self._is_named(host):
            raise FieldInvalid("/url", "must be https; http only at hosts the operator has named")

    def _is_named(self, host: str) -> bool:
        if host in self.reach.hosts:
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.reach.networks)


def require_sound(wanted: SubscriptionRequest, targets: Targets) -> None:
    if wanted.kind == "nats":
        _require_direct(wanted, targets)
    require_filtered(wanted.kind, wanted.filters)
    if (wanted.kind == "webhook") != (wanted.url is not None):
        raise FieldInvalid("/url", "is given for a webhook, and only for one")
    if wanted.url is not None:
        targets.require(wanted.url)
    require_retried(wanted.kind, wanted.retries)
    if wanted.start.position is not None and wanted.start.time is not None:
        raise FieldInvalid("/start", "give a position or a time, not both")


def require_filtered(kind: str, filters: Sequence[Any]) -> None:
    if filters and kind == "nats":
        raise FieldInvalid("/filters", "the broker looks into no event: take webhook, pull or sse")
    try:
        compile_filters(filters)
    except MalformedFilterError as error:
        raise FieldInvalid(f"/filters{error.pointer}", error.detail) from error


def require_retried(kind: str, retries: RetriesWanted | None) -> None:
    if retries is not None and kind != "webhook":
        raise FieldInvalid("/retries", "is given for a webhook; others fetch when they want to")


def _require_direct(wanted: SubscriptionRequest, targets: Targets) -> None:
    """The broker gives out whole types by the time it stored them; it looks into no event."""
    if not targets.has_direct:
        raise FieldInvalid("/kind", "this platform's broker takes no subscribers")
    if wanted.start.position is not None:
        raise FieldInvalid("/start/position", "begin at a time, or with what comes from now on")


def subscription_of(caller: Caller, wanted: SubscriptionRequest, now: datetime) -> Subscription:
    return Subscription(
        id=uuid7(),
        subscriber=wanted.subscriber,
        agency=agency_of(wanted.subscriber),
        title=wanted.title,
        types=list(wanted.types),
        filters=wanted.filters,
        purpose=wanted.purpose,
        kind=wanted.kind,
        url=wanted.url,
        ordering=wanted.ordering,
        state="verifying" if wanted.kind == "webhook" else "active",
        reason=None,
        is_operators=caller.is_operator and caller.application == wanted.subscriber,
        secret_generation=1,
        previous_until=None,
        created_at=now,
        changed_at=now,
        **retried(wanted.retries),
    )


def retried(wanted: RetriesWanted | None) -> dict[str, Any]:
    if wanted is None:
        return {"retry_pauses": None, "retry_days": None}
    return {"retry_pauses": wanted.pauses_seconds, "retry_days": wanted.days}
