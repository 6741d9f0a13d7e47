"""Decisions about agreements: request, amend, grant, suspend, resume, revoke."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock, to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements import access, categories, events, store
from sebalai_exchange.agreements.access import Parties, Step
from sebalai_exchange.agreements.model import Agreement
from sebalai_exchange.agreements.schema import LIFE_MAX, AgreementRequest, Terms
from sebalai_exchange.agreements.steps import MOVES, parties_of, state_at
from sebalai_exchange.agreements.store import AgreementFilter
from sebalai_exchange.agreements.taking_part import EVENT_METHODS, SUBSCRIBE, Ask, leaves, opens
from sebalai_exchange.groups.actions import group_exists, memberships
from sebalai_exchange.interfaces.actions import offered_interface
from sebalai_exchange.names import is_group, speaker_of

__all__ = ["AgreementFilter", "Ask"]


class NotAParty(Forbidden):
    slug, title = "not-a-party", "Only the two sides of an agreement may ask for this"


class StepNotYours(Forbidden):
    slug, title = "step-not-yours", "This decision is another side's"


class OwnRequest(Forbidden):
    slug, title = "own-request", "Nobody grants a request of their own"


class AlreadyApproved(Forbidden):
    slug, title = "already-approved", "The second approval is another's"


class AgreementUnknown(NotFound):
    slug, title = "agreement-unknown", "There is no such agreement, or it is not yours to see"


class WrongState(Conflict):
    slug, title = "agreement-state", "The agreement's state does not allow this step"


def _period(wanted: Terms, now: datetime) -> tuple[datetime, datetime]:
    begins = (wanted.valid_from or now).astimezone(UTC)
    ends = wanted.valid_until.astimezone(UTC)
    if ends <= now or ends <= begins:
        raise FieldInvalid("/valid_until", "must lie after valid_from and in the future")
    if ends - begins > LIFE_MAX:
        raise FieldInvalid("/valid_until", "may lie at most 5 years after valid_from")
    return begins, ends


def _check_categories(wanted: Terms, consumer: str) -> None:
    unknown = categories.unknown(wanted.data_categories)
    if unknown:
        known = ", ".join(categories.CATEGORIES)
        raise FieldInvalid("/data_categories", f"{unknown[0]} is none of: {known}")
    specific = categories.specific(wanted.data_categories)
    if specific and is_group(consumer):
        raise FieldInvalid(
            "/data_categories",
            f"{specific[0]} is specific personal data; name each consumer, not a group",
        )


async def request_agreement(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: AgreementRequest
) -> Agreement:
    """Asks the other side for leave: the consumer to call, or the provider to be called.

    Raises `NotAParty`, `FieldInvalid`, `WrongState` (the interface is retired).
    """
    offered = await offered_interface(session, name=wanted.interface)
    if offered is None:
        raise FieldInvalid("/interface", "no such interface; look it up under /v1/interfaces")
    speaker = speaker_of(wanted.consumer)
    side = access.side_of_request(caller, speaker, offered.provider)
    if side is None:
        raise NotAParty(f"Call as {speaker} or {offered.provider} with scope {access.MANAGE}.")
    if not offered.is_active:
        raise WrongState("The interface is retired; ask its agency for the new one.")
    if is_group(wanted.consumer) and not await group_exists(session, name=wanted.consumer):
        raise FieldInvalid("/consumer", "no such group; make it under /v1/groups")
    number = uuid7()
    agreement = Agreement(
        id=number,
        series=number,
        version=1,
        consumer=wanted.consumer,
        interface_id=offered.id,
        interface=wanted.interface,
        provider=offered.provider,
        asking_side=side,
    )
    return await _ask(session, clock, caller, agreement, wanted)


async def amend_agreement(
    session: AsyncSession, clock: Clock, *, caller: Caller, agreement_id: UUID, wanted: Terms
) -> Agreement:
    """Proposes new terms as the next version; the present one holds until they are granted.

    Raises `AgreementUnknown`, `NotAParty`, `WrongState` (not in force, or another amendment is
    already proposed), `FieldInvalid`.
    """
    present = await store.find(session, caller, agreement_id, is_to_change=True)
    if present is None:
        raise AgreementUnknown("Look it up under /v1/agreements.")
    parties = parties_of(present)
    side = access.side_of_request(caller, parties.consumer, parties.provider)
    if side is None:
        raise NotAParty(f"Call as {parties.consumer} or {parties.provider}.")
    state = state_at(present, clock.now())
    if state != "granted":
        raise WrongState(f"It is {state}; only what is granted is amended.", state=state)
    if await store.is_pending(session, present.series):
        raise WrongState("An amendment is proposed already; grant or revoke it first.")
    amended = Agreement(
        id=uuid7(),
        series=present.series,
        version=present.version + 1,
        replaces=present.id,
        consumer=present.consumer,
        interface_id=present.interface_id,
        interface=present.interface,
        provider=present.provider,
        asking_side=side,
    )
    return await _ask(session, clock, caller, amended, wanted)


async def _ask(
    session: AsyncSession, clock: Clock, caller: Caller, agreement: Agreement, wanted: Terms
) -> Agreement:
    """Writes the terms into a new version in state `requested`."""
    _check_categories(wanted, agreement.consumer)
    by, now = access.who(caller), clock.now()
    agreement.valid_from, agreement.valid_until = _period(wanted, now)
    agreement.rules = [
        {"id": f"r{number}", **rule.model_dump()} for number, rule in enumerate(wanted.rules, 1)
    ]
    agreement.purposes = [purpose.model_dump(exclude_none=True) for purpose in wanted.purposes]
    for name in _PLAIN:
        value = getattr(wanted, name)
        setattr(agreement, name, list(value) if isinstance(value, list) else value)
    agreement.approvals, agreement.state = [], "requested"
    agreement.requested_by, agreement.requested_at = by, now
    agreement.changed_by, agreement.changed_at = by, now
    session.add(agreement)
    await session.flush()
    await publish(session, events.fact(events.REQUESTED, agreement, by, clock))
    return agreement


_PLAIN = (
    "data_categories",
    "quota_per_day",
    "quota_per_month",
    "rate_per_second",
    "burst",
    "min_assurance",
    "bound_addresses",
    "bound_certificates",
    "signing",
)


@dataclass(frozen=True)
class StepWanted:
    """A step on an agreement; `reason` is required for all but granting."""

    step: Step
    agreement_id: UUID
    reason: str | None = None


async def take_step(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: StepWanted
) -> Agreement:
    """Grants (or approves as the first of two), suspends, resumes or revokes.

    Raises `AgreementUnknown`, `OwnRequest`, `AlreadyApproved`, `StepNotYours`, `WrongState`.
    """
    agreement = await store.find(session, caller, wanted.agreement_id, is_to_change=True)
    if agreement is None:
        raise AgreementUnknown("Look it up under /v1/agreements.")
    parties = parties_of(agreement)
    move, state = MOVES[wanted.step], state_at(agreement, clock.now())
    is_open = state in move.before
    # Who approved it once learns that it is over, not that somebody else must decide.
    if is_open or not access.has_approved(caller, parties):
        _require_step(wanted.step, caller, parties)
    if not is_open:
        needed = " or ".join(sorted(move.before))
        raise WrongState(f"It is {state}; to {wanted.step} it, it must be {needed}.", state=state)
    by, fact = access.who(caller), move.fact
    agreement.changed_by, agreement.changed_at = by, clock.now()
    if wanted.step == "grant":
        approval = {"by": by, "at": to_text(clock.now())}
        agreement.approvals = [*agreement.approvals, approval]
        if len(agreement.approvals) < parties.approvals_needed:
            await session.flush()
            await publish(session, events.fact(events.APPROVED, agreement, by, clock))
            return agreement
        await _replace_former(session, clock, agreement, by)
        agreement.granted_by, agreement.granted_at = by, clock.now()
    else:
        agreement.reason = wanted.reason
    agreement.state = move.after
    await session.flush()
    await publish(session, events.fact(fact, agreement, by, clock))
    return agreement


async def _replace_former(
    session: AsyncSession, clock: Clock, agreement: Agreement, by: str
) -> None:
    """The version before ends in the transaction in which this one begins. Raises `WrongState`."""
    if agreement.replaces is None:
        return
    former = await store.locked(session, agreement.replaces)
    state = state_at(former, clock.now())
    if state != "granted":
        raise WrongState(f"The version it amends is {state}; ask anew.", state=state)
    former.state, former.changed_by, former.changed_at = "replaced", by, clock.now()
    await session.flush()
    await publish(session, events.fact(events.REPLACED, former, by, clock))


def _require_step(step: Step, caller: Caller, parties: Parties) -> None:
    if access.may_take(step, caller, parties):
        return
    if step == "grant" and access.is_own_request(caller, parties):
        raise OwnRequest(f"Let {parties.granter} grant it.")
    if step == "grant" and access.has_approved(caller, parties):
        raise AlreadyApproved(
            "Specific personal data need two approvals: let another application of your agency, "
            "or the operator, give the second."
        )
    needed = parties.granter if step == "grant" else parties.provider
    raise StepNotYours(f"Call as {needed} with scope {access.MANAGE}.")


async def list_agreements(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    wanted: AgreementFilter,
    span: tuple[UUID | None, int],
) -> Sequence[Agreement]:
    return await store.page(session, caller, wanted, clock.now(), span)


async def find_agreement(session: AsyncSession, *, caller: Caller, agreement_id: UUID) -> Agreement:
    agreement = await store.find(session, caller, agreement_id)
    if agreement is None:
        raise AgreementUnknown("Look it up under /v1/agreements.")
    return agreement


async def allowed(session: AsyncSession, clock: Clock, *, asks: Sequence[Ask]) -> list[bool]:
    """For each ask, whether a granted agreement in force lets that application take part."""
    return [bool(found) for found in await leaves_given(session, clock, asks=asks)]


async def leaves_given(
    session: AsyncSession, clock: Clock, *, asks: Sequence[Ask]
) -> list[list[int | None]]:
    """For each ask, the `keep_days` of every purpose that lets that application take part; see
    `taking_part.leaves`.
    """
    groups = await memberships(session)
    names = {ask.consumer: {ask.consumer, *groups.get(ask.consumer, ())} for ask in asks}
    consumers = sorted(set[str]().union(*names.values()))
    found = await store.in_force(session, consumers, clock.now())
    return [leaves(ask, names[ask.consumer], found) for ask in asks]


async def longest_keep(session: AsyncSession, clock: Clock, *, interface: str, path: str) -> int:
    """The longest that a purpose now in force may hear events of `path` back; 0 if none says."""
    found = await store.keeping(session, interface, clock.now())
    days = [
        purpose.get("keep_days", 0)
        for agreement in found
        if opens(agreement, SUBSCRIBE, path)
        for purpose in agreement.purposes
    ]
    return max(days, default=0)


async def routed_agreements(session: AsyncSession, clock: Clock) -> Sequence[str]:
    """The agreements of the routing snapshot as JSON (wiring, section 7); gateways check times."""
    return await store.routed(session, clock.now())


async def rerouted_agreements(
    session: AsyncSession, clock: Clock, *, after: int, limit: int
) -> tuple[list[str], list[str]]:
    """Of those changed after a version: JSON of what is routed, ids of what is no more."""
    return await store.routed_since(session, clock.now(), after, limit)


async def consumers_known(session: AsyncSession) -> Sequence[str]:
    """Applications that have an agreement in force in their own name."""
    return [name for name in await store.consumers(session) if not is_group(name)]


async def rules_in_force(
    session: AsyncSession, clock: Clock, *, consumer: str, provider: str
) -> dict[str, list[tuple[str, str]]]:
    """(method, path) of the call rules an application may use at a provider, by interface."""
    groups = await memberships(session)
    names = sorted({consumer, *groups.get(consumer, ())})
    found: dict[str, list[tuple[str, str]]] = {}
    for agreement in await store.in_force(session, names, clock.now()):
        if agreement.provider != provider:
            continue
        for rule in agreement.rules:
            pair = rule["method"], rule["path"]
            listed = found.setdefault(agreement.interface, [])
            if rule["method"] not in EVENT_METHODS and pair not in listed:
                listed.append(pair)
    return {name: rules for name, rules in found.items() if rules}
