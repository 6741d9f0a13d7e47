"""Which events a subscription hears of: its types, its filters, and its right to each type.

Pure. Rights are looked up for all subscriptions at once and kept in a `Matcher` until refreshed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sebalai_exchange.publishing.actions import Stored
from sebalai_exchange.subscriptions.filters import (
    MalformedFilterError,
    Predicate,
    compile_filters,
    type_matches,
)
from sebalai_exchange.subscriptions.store import Subscription


@dataclass(frozen=True)
class Matcher:
    """`modes`: for each type the subscription may hear of, whether all of it (True) or only what
    names the subscriber or its agency as a party (False). `horizons`: of each type, what was stored
    earlier is no longer for it to hear.
    """

    names: frozenset[str]
    modes: Mapping[str, bool]
    predicate: Predicate | None = None
    horizons: Mapping[str, datetime] = field(default_factory=dict[str, datetime])

    def hears(self, event: Stored) -> bool:
        if not self.may_hear(event):
            return False
        return self.predicate is None or self.predicate(event.attributes)

    def may_hear(self, event: Stored) -> bool:
        """Whether it has the right to, whatever its filters say: those choose once, before the
        first try, and the right is looked at for every try.
        """
        is_all = self.modes.get(event.type)
        if is_all is None or self.is_over(event):
            return False
        return is_all or not self.names.isdisjoint(event.parties)

    def is_over(self, event: Stored) -> bool:
        """Whether the time for which it might hear of the event has passed."""
        begins = self.horizons.get(event.type)
        return begins is not None and event.stored_at < begins


def matcher(
    subscription: Subscription, modes: Mapping[str, bool], horizons: Mapping[str, datetime]
) -> Matcher:
    """Filters that a newer release reads no more let nothing through, and pass nothing by: there is
    then no type to hear of, so the subscription stands still until its filters are changed.
    """
    names = frozenset({subscription.subscriber, subscription.agency})
    try:
        predicate = compile_filters(subscription.filters) if subscription.filters else None
    except MalformedFilterError:
        return Matcher(names, {})
    wanted = {
        kind: is_all
        for kind, is_all in modes.items()
        if any(type_matches(pattern, kind) for pattern in subscription.types)
    }
    return Matcher(names, wanted, predicate, horizons)


def unread(subscription: Subscription) -> str | None:
    """What can be read no more of its filters."""
    try:
        compile_filters(subscription.filters)
    except MalformedFilterError as error:
        return f"filters{error.pointer}: {error.detail}"
    return None
