"""Decisions about subscriptions: make, pause, resume, end, rotate; and who hears of what."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.actions import Ask, leaves_given
from sebalai_exchange.publishing.actions import head, position_at
from sebalai_exchange.subscriptions import access, direct_store, store
from sebalai_exchange.subscriptions.credentials import Direct, digest_of, fits, new_password
from sebalai_exchange.subscriptions.filters import expressions_in, type_matches
from sebalai_exchange.subscriptions.matching import Matcher, matcher, unread
from sebalai_exchange.subscriptions.retries import Retries
from sebalai_exchange.subscriptions.schema import (
    SubscriptionChange,
    SubscriptionRequest,
)
from sebalai_exchange.subscriptions.secrets import WebhookSecrets, signature, spelled
from sebalai_exchange.subscriptions.store import Standing, Subscription
from sebalai_exchange.subscriptions.wanted import (
    Targets,
    require_direct_types,
    require_filtered,
    require_retried,
    require_sound,
    retried,
    subscription_of,
)
from sebalai_exchange.topics.actions import Offer, offers

__all__ = [
    "Direct",
    "Matcher",
    "Retries",
    "Standing",
    "Subscription",
    "SubscriptionRequest",
    "Targets",
    "WebhookSecrets",
    "signature",
    "spelled",
    "unread",
]

# What rings when a subscription or what it may hear of has changed.
NEWS = ("subscriptions", "routes")
SUBSCRIBE = "SUBSCRIBE"
SUBSCRIPTIONS_MAX = 1_000
# The worst expression takes 2.5 ms an event: no application holds up all others for longer than
# these do together.
EXPRESSIONS_MAX = 100
ROTATION_OVERLAP = timedelta(hours=24)


class NotTheSubscriber(Forbidden):
    slug, title = "not-the-subscriber", "Only the subscribing application may do this"


class NothingToHear(Forbidden):
    slug, title = "nothing-to-hear", "No event type fits that the application may hear of"


def unheard(one: Subscription) -> NothingToHear:
    """Why there is no type at all that it hears of now."""
    return NothingToHear(unread(one) or "No agreement in force is left that it hears by.")


class SubscriptionUnknown(NotFound):
    slug, title = "subscription-unknown", "There is no such subscription, or it is not yours"


class SubscriptionState(Conflict):
    slug, title = "subscription-state", "The subscription's state does not allow this"


class TooManyExpressions(Conflict):
    slug, title = "too-many-expressions", "The application has as many SQL filters as it may"


class TooManySubscriptions(Conflict):
    slug, title = "too-many-subscriptions", "The application has as many as it may"


# By subscription and type: `keep_days` of the purposes by which it hears (`leaves_given`).
Agreed = Mapping[tuple[UUID, str], Sequence[int | None]]


@dataclass(frozen=True)
class Serving:
    """A subscription with what it may hear of now."""

    subscription: Subscription
    matcher: Matcher

    def serves(self, kind: str) -> bool:
        """Whether it is active, of that kind, and has something to hear of."""
        one = self.subscription
        return one.kind == kind and one.state == "active" and bool(self.matcher.modes)


async def subscribe(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    wanted: SubscriptionRequest,
    targets: Targets,
) -> Subscription:
    """Makes a subscription; one to a webhook delivers once its address has agreed.

    Raises `NotTheSubscriber`, `FieldInvalid`, `NothingToHear`, `TooManySubscriptions`,
    `TooManyExpressions`.
    """
    if not access.may_manage(caller, wanted.subscriber):
        raise NotTheSubscriber(f"Call as {wanted.subscriber} with scope {access.CALL}.")
    require_sound(wanted, targets)
    if await store.count_of(session, wanted.subscriber) >= SUBSCRIPTIONS_MAX:
        raise TooManySubscriptions(f"At most {SUBSCRIPTIONS_MAX}; end one first.")
    await _require_room(session, wanted.subscriber, wanted.filters)
    made = subscription_of(caller, wanted, clock.now())
    await _require_something(session, clock, made)
    await store.add(session, made, await _start(session, wanted))
    if made.kind == "nats":
        await direct_store.add(session, made.id, wanted.start.time or made.created_at)
    return made


async def _require_room(
    session: AsyncSession, subscriber: str, filters: Sequence[Any], besides: UUID | None = None
) -> None:
    """Raises `TooManyExpressions`."""
    asked = expressions_in(list(filters))
    if not asked:
        return
    others = expressions_in(await store.filters_of(session, subscriber, besides))
    if others + asked > EXPRESSIONS_MAX:
        raise TooManyExpressions(
            f"At most {EXPRESSIONS_MAX} in all its subscriptions, and {others} stand in others: "
            "say by exact, prefix or suffix what these can say."
        )


async def _require_something(session: AsyncSession, clock: Clock, made: Subscription) -> None:
    known = await offers(session)
    found = await _modes(session, clock, made)
    if made.kind == "nats":
        others = await _modes(session, clock, replace(made, kind="pull"))
        require_direct_types(made.types, found, others)
    if found:
        return
    fits = [kind for kind in known if any(type_matches(p, kind) for p in made.types)]
    raise NothingToHear(
        "Ask for an agreement with the rule SUBSCRIBE /<type> and give its purpose."
        if fits
        else "No such event type; see /v1/topics."
    )


async def _modes(session: AsyncSession, clock: Clock, made: Subscription) -> Mapping[str, bool]:
    return (await matchers(session, clock, subscriptions=[made]))[made.id].modes


async def _start(session: AsyncSession, wanted: SubscriptionRequest) -> int:
    last = await head(session)
    if wanted.start.position is not None:
        return min(wanted.start.position, last)
    if wanted.start.time is not None:
        return await position_at(session, time=wanted.start.time)
    return last


async def matchers(
    session: AsyncSession, clock: Clock, *, subscriptions: Sequence[Subscription]
) -> dict[UUID, Matcher]:
    """What each may hear of now: the types' access, and agreements in force."""
    fitting = _fitting(subscriptions, (await offers(session)).values())
    asks = [
        (one.id, offer.type, _ask(one, offer))
        for one in subscriptions
        for offer in fitting[tuple(one.types)]
        if offer.access == "agreement"
    ]  # fmt: skip
    answers = await leaves_given(session, clock, asks=[ask for _, _, ask in asks])
    agreed = {
        (ident, kind): found for (ident, kind, _), found in zip(asks, answers, strict=True) if found
    }
    now = await store.present(session, clock.now())
    return {one.id: _matcher(one, fitting[tuple(one.types)], agreed, now) for one in subscriptions}


def _fitting(
    subscriptions: Sequence[Subscription], known: Collection[Offer]
) -> dict[tuple[str, ...], list[Offer]]:
    """What each list of types asks for: many subscriptions name the same ones."""
    return {
        types: [offer for offer in known if any(type_matches(p, offer.type) for p in types)]
        for types in {tuple(one.types) for one in subscriptions}
    }


def _ask(one: Subscription, offer: Offer) -> Ask:
    path = f"/{offer.type}"
    return Ask(one.subscriber, str(offer.interface), SUBSCRIBE, path, one.purpose)


def _matcher(one: Subscription, fitting: Sequence[Offer], agreed: Agreed, now: datetime) -> Matcher:
    modes: dict[str, bool] = {}
    horizons: dict[str, datetime] = {}
    for offer in fitting:
        found = agreed.get((one.id, offer.type), [])
        hears_all = access.hears_all(
            offer.access,
            is_operator=one.is_operators,
            is_owner=offer.application == one.subscriber,
            has_agreement=bool(found),
        )
        days = max((named or offer.retention_days for named in found), default=offer.retention_days)
        if access.may_hear(one.kind, offer.access, hears_all=hears_all, days=days):
            modes[offer.type] = hears_all
            horizons[offer.type] = now - timedelta(days=days)
    return matcher(one, modes, horizons)


async def find_subscription(
    session: AsyncSession, *, caller: Caller, ident: UUID, is_to_change: bool = False
) -> Subscription:
    """Raises `SubscriptionUnknown`."""
    found = await store.find(session, caller, ident, is_to_change=is_to_change)
    if found is None:
        raise SubscriptionUnknown("See /v1/subscriptions.")
    return found


async def own_subscription(
    session: AsyncSession, *, caller: Caller, ident: UUID, is_to_change: bool = False
) -> Subscription:
    """For what is the subscriber's alone: its secrets and its events. Not even the operator's, who
    sees that a subscription is there and how it stands.

    Raises `SubscriptionUnknown`, `NotTheSubscriber`.
    """
    found = await find_subscription(session, caller=caller, ident=ident, is_to_change=is_to_change)
    if not access.is_subscriber(caller, found.subscriber):
        raise NotTheSubscriber(f"Call as {found.subscriber} with scope {access.CALL}.")
    return found


async def subscriptions_to(
    session: AsyncSession, *, caller: Caller, kinds: Sequence[str], is_to_change: bool = False
) -> dict[str, Subscription]:
    """By type, the caller's oldest one to that type alone which delivers and has not ended."""
    found = await store.to_one_type(session, caller, kinds, is_to_change=is_to_change)
    return {one.types[0]: one for one in reversed(found)}


async def subscribers_to(session: AsyncSession, *, kind: str) -> set[str]:
    """Applications with a subscription, not ended, that names the type."""
    known = await store.wanting(session)
    return {who for who, types in known if any(type_matches(one, kind) for one in types)}


async def change(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    ident: UUID,
    wanted: SubscriptionChange,
    targets: Targets,
) -> Subscription:
    """Other filters or another schedule of retries; another address or ordering, as `amend` has it.
    Its place in the log stays. Until the new address is asked whether it agrees, the old one may
    still be sent to.

    Raises `SubscriptionUnknown`, `SubscriptionState`, `FieldInvalid`, `TooManyExpressions`.
    """
    found = await find_subscription(session, caller=caller, ident=ident, is_to_change=True)
    if found.state == "ended":
        raise SubscriptionState("It is ended; make another.", state=found.state)
    if newer := _newer(found, wanted):
        await _require_room(session, found.subscriber, newer.get("filters", ()), found.id)
        found = replace(found, changed_at=clock.now(), **newer)
        await store.amend(session, found)
    chosen = wanted.ordering or found.ordering, wanted.url or found.url
    if chosen == (found.ordering, found.url):
        return found
    return await amend(session, clock, found=found, wanted=chosen, targets=targets)


def _newer(found: Subscription, wanted: SubscriptionChange) -> dict[str, Any]:
    """What is changed without asking the address again. Raises `FieldInvalid`."""
    newer: dict[str, Any] = {}
    if "filters" in wanted.model_fields_set:
        require_filtered(found.kind, wanted.filters)
        newer["filters"] = wanted.filters
    if "retries" in wanted.model_fields_set:
        require_retried(found.kind, wanted.retries)
        newer |= retried(wanted.retries)
    return newer


async def amend(
    session: AsyncSession,
    clock: Clock,
    *,
    found: Subscription,
    wanted: tuple[str, str | None],
    targets: Targets,
) -> Subscription:
    """Another ordering, another address: `wanted`. A webhook's new address must agree first, and
    its lane begins again from the database, in its new order.

    `found` is held by this transaction. Raises `FieldInvalid`.
    """
    ordering, url = wanted
    if (found.kind == "webhook") != (url is not None):
        raise FieldInvalid("/url", "is given for a webhook, and only for one")
    if url is not None:
        targets.require(url)
    is_open = found.kind == "webhook" and found.state != "paused"
    amended = replace(
        found,
        ordering=ordering,
        url=url,
        state="verifying" if is_open else found.state,
        changed_at=clock.now(),
    )
    await store.amend(session, amended)
    return amended


async def list_subscriptions(
    session: AsyncSession, *, caller: Caller, before: UUID | None, limit: int
) -> Sequence[Subscription]:
    return await store.page(session, caller, before, limit)


async def standings(session: AsyncSession, *, idents: Sequence[UUID]) -> dict[UUID, Standing]:
    return await store.standing(session, idents)


_BEFORE: Mapping[str, frozenset[str]] = {
    "paused": frozenset({"verifying", "active"}),
    "active": frozenset({"paused", "disabled"}),
    "ended": frozenset({"verifying", "active", "paused", "disabled"}),
}


async def set_state(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    ident: UUID,
    wanted: tuple[str, str | None],
) -> Subscription:
    """Pauses, resumes (a webhook is verified again) or ends; `wanted` is (state, reason).

    Raises `SubscriptionUnknown`, `SubscriptionState`.
    """
    found = await find_subscription(session, caller=caller, ident=ident, is_to_change=True)
    state, reason = wanted
    if found.state not in _BEFORE[state]:
        raise SubscriptionState(f"It is {found.state}.", state=found.state)
    if state == "active" and found.kind == "webhook":
        state = "verifying"
    await store.set_state(session, ident, state, reason, clock.now())
    return await find_subscription(session, caller=caller, ident=ident)


async def rotate_secret(
    session: AsyncSession, clock: Clock, *, caller: Caller, ident: UUID
) -> Subscription:
    """A new secret signs at once; the one before signs beside it for ROTATION_OVERLAP.

    Raises `SubscriptionUnknown`, `NotTheSubscriber`, `SubscriptionState`.
    """
    found = await own_subscription(session, caller=caller, ident=ident, is_to_change=True)
    if found.kind != "webhook" or found.state == "ended":
        raise SubscriptionState("Only a webhook has a secret.", state=found.state)
    now = clock.now()
    await store.rotate(session, ident, now + ROTATION_OVERLAP, now)
    return await find_subscription(session, caller=caller, ident=ident)


async def issue_credential(
    session: AsyncSession, clock: Clock, *, caller: Caller, ident: UUID
) -> tuple[str, str]:
    """A new user and password of a direct subscription; those before open nothing any more.

    Raises `SubscriptionUnknown`, `NotTheSubscriber`, `SubscriptionState`.
    """
    found = await own_subscription(session, caller=caller, ident=ident, is_to_change=True)
    if found.kind != "nats" or found.state == "ended":
        raise SubscriptionState("Only a subscription of kind nats has one.", state=found.state)
    password = new_password()
    made = await direct_store.issue(session, ident, digest_of(password), clock.now())
    return made.user, password


async def opens(session: AsyncSession, *, ident: UUID, by: tuple[str, str]) -> bool:
    """Whether `by`, user and password, is the present credential."""
    found = await direct_store.credential(session, ident)
    user, password = by
    return found is not None and found[0].user == user and fits(password, found[1])


async def directs(session: AsyncSession) -> Sequence[Direct]:
    """All direct subscriptions that have not ended."""
    return await direct_store.all_open(session)


async def place(session: AsyncSession, *, ident: UUID, at: datetime) -> datetime:
    """Where a direct subscription begins, by the broker's clock: `at`, or what was told before."""
    return await direct_store.place(session, ident, at)


async def live_subscriptions(session: AsyncSession) -> Sequence[Subscription]:
    return await store.live(session)


async def servings(
    session: AsyncSession, clock: Clock, *, idents: Sequence[UUID]
) -> dict[UUID, Serving]:
    """Those subscriptions as they are now, whoever asks: who may see them was settled before."""
    found = await store.of_idents(session, idents)
    heard = await matchers(session, clock, subscriptions=found)
    return {one.id: Serving(one, heard[one.id]) for one in found}


async def conclude(
    session: AsyncSession, clock: Clock, *, of: Subscription, wanted: tuple[str, str, str | None]
) -> None:
    """What dispatch found out at the address of `of`; `wanted` is (state before, after, reason).

    Changes nothing when the state or the address is another by now.
    """
    await store.conclude(session, of, wanted, clock.now())
