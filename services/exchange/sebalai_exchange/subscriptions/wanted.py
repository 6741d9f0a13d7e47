"""What a subscriber asks for: whether it can be, and the subscription it makes. Pure."""

from collections.abc import Mapping, Sequence
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
from sebalai_exchange.subscriptions.access import BROKER_DAYS
from sebalai_exchange.subscriptions.filters import (
    MalformedFilterError,
    compile_filters,
    type_matches,
)
from sebalai_exchange.subscriptions.schema import RetriesWanted, SubscriptionRequest
from sebalai_exchange.subscriptions.store import Subscription

_OTHER_KINDS = "take webhook, pull or sse"


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
        raise FieldInvalid("/filters", f"the broker looks into no event: {_OTHER_KINDS}")
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


def require_direct_types(
    types: Sequence[str], direct: Mapping[str, bool], others: Mapping[str, bool]
) -> None:
    """No type is left out in silence: `others` is what a subscription of another kind might hear
    of, and whether all of it; `direct` what the broker may give out of that.
    """
    for kind in sorted(others.keys() - direct.keys()):
        if others[kind]:
            raise FieldInvalid(
                "/purpose",
                f"hears {kind} less than the {BROKER_DAYS} days that the broker keeps it: "
                f"{_OTHER_KINDS}, or a purpose without fewer keep_days",
            )
        place = next(n for n, pattern in enumerate(types) if type_matches(pattern, kind))
        raise FieldInvalid(
            f"/types/{place}",
            f"{kind} is heard by whom each event names, and the broker looks into no event: "
            f"{_OTHER_KINDS}, or leave it out",
        )


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
