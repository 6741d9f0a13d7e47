"""Decisions about agreements: request, grant, suspend, resume, revoke."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock, to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements import access, events, store
from sebalai_exchange.agreements.access import Parties, Step
from sebalai_exchange.agreements.model import Agreement
from sebalai_exchange.agreements.schema import LIFE_MAX, AgreementRequest
from sebalai_exchange.agreements.store import AgreementFilter
from sebalai_exchange.interfaces.actions import offered_interface

__all__ = ["AgreementFilter"]


class NotTheConsumer(Forbidden):
    slug, title = "not-the-consumer", "Only the consuming application may ask for this"


class StepNotYours(Forbidden):
    slug, title = "step-not-yours", "This decision is another side's"


class OwnRequest(Forbidden):
    slug, title = "own-request", "Nobody grants a request of their own"


class AgreementUnknown(NotFound):
    slug, title = "agreement-unknown", "There is no such agreement, or it is not yours to see"


class WrongState(Conflict):
    slug, title = "agreement-state", "The agreement's state does not allow this step"


@dataclass(frozen=True)
class _Step:
    """From which states a step leads to which, and the fact it makes."""

    before: frozenset[str]
    after: str
    fact: str


STEPS: Mapping[Step, _Step] = {
    "grant": _Step(frozenset({"requested"}), "granted", events.GRANTED),
    "suspend": _Step(frozenset({"granted"}), "suspended", events.SUSPENDED),
    "resume": _Step(frozenset({"suspended"}), "granted", events.RESUMED),
    "revoke": _Step(frozenset({"requested", "granted", "suspended"}), "revoked", events.REVOKED),
}


def state_at(agreement: Agreement, now: datetime) -> str:
    """The decided state, or `expired` once its time is over (a revoked one stays revoked)."""
    is_over = agreement.valid_until <= now and agreement.state != "revoked"
    return "expired" if is_over else agreement.state


def _parties(agreement: Agreement) -> Parties:
    return Parties(agreement.consumer, agreement.provider, agreement.requested_by)


def _period(wanted: AgreementRequest, now: datetime) -> tuple[datetime, datetime]:
    begins = (wanted.valid_from or now).astimezone(UTC)
    ends = wanted.valid_until.astimezone(UTC)
    if ends <= now or ends <= begins:
        raise FieldInvalid("/valid_until", "must lie after valid_from and in the future")
    if ends - begins > LIFE_MAX:
        raise FieldInvalid("/valid_until", "may lie at most 5 years after valid_from")
    return begins, ends


async def request_agreement(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: AgreementRequest
) -> Agreement:
    """Asks the provider of an interface for leave to call it.

    Raises `NotTheConsumer`, `FieldInvalid`, `WrongState` (the interface is retired).
    """
    if not access.may_request(caller, wanted.consumer):
        raise NotTheConsumer(f"Call as {wanted.consumer} with scope {access.MANAGE}.")
    begins, ends = _period(wanted, clock.now())
    offered = await offered_interface(session, name=wanted.interface)
    if offered is None:
        raise FieldInvalid("/interface", "no such interface; look it up under /v1/interfaces")
    if not offered.is_active:
        raise WrongState("The interface is retired; ask its agency for the new one.")
    by = str(caller.application or caller.subject)
    agreement = Agreement(
        id=uuid7(),
        consumer=wanted.consumer,
        interface_id=offered.id,
        interface=wanted.interface,
        provider=offered.provider,
        rules=[
            {"id": f"r{number}", **rule.model_dump()}
            for number, rule in enumerate(wanted.rules, start=1)
        ],
        purposes=[purpose.model_dump() for purpose in wanted.purposes],
        data_categories=list(wanted.data_categories),
        valid_from=begins,
        valid_until=ends,
        quota_per_day=wanted.quota_per_day,
        rate_per_second=wanted.rate_per_second,
        burst=wanted.burst,
        state="requested",
        requested_by=by,
        requested_at=clock.now(),
        changed_by=by,
        changed_at=clock.now(),
    )
    session.add(agreement)
    await session.flush()
    await publish(session, events.fact(events.REQUESTED, agreement, by, clock))
    return agreement


@dataclass(frozen=True)
class StepWanted:
    """A step on an agreement; `reason` is required for all but granting."""

    step: Step
    agreement_id: UUID
    reason: str | None = None


async def take_step(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: StepWanted
) -> Agreement:
    """Grants, suspends, resumes or revokes.

    Raises `AgreementUnknown`, `OwnRequest`, `StepNotYours`, `WrongState`.
    """
    agreement = await store.find(session, caller, wanted.agreement_id, is_to_change=True)
    if agreement is None:
        raise AgreementUnknown("Look it up under /v1/agreements.")
    _require_step(wanted.step, caller, _parties(agreement))
    step, state = STEPS[wanted.step], state_at(agreement, clock.now())
    if state not in step.before:
        needed = " or ".join(sorted(step.before))
        raise WrongState(f"It is {state}; to {wanted.step} it, it must be {needed}.", state=state)
    by = str(caller.application or caller.subject)
    agreement.state, agreement.reason = step.after, wanted.reason
    agreement.changed_by, agreement.changed_at = by, clock.now()
    if wanted.step == "grant":
        agreement.granted_by, agreement.granted_at = by, clock.now()
    await session.flush()
    await publish(session, events.fact(step.fact, agreement, by, clock))
    return agreement


def _require_step(step: Step, caller: Caller, parties: Parties) -> None:
    if access.may_take(step, caller, parties):
        return
    if step == "grant" and access.is_own_request(caller, parties):
        raise OwnRequest("Let the interface's provider grant it, with another application.")
    raise StepNotYours(f"Call as {parties.provider} with scope {access.MANAGE}.")


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


async def routed_agreements(session: AsyncSession, clock: Clock) -> list[dict[str, Any]]:
    """The agreements of the routing snapshot (wiring, section 7); gateways check the times."""
    return [_routed(agreement) for agreement in await store.granted(session, clock.now())]


def _routed(agreement: Agreement) -> dict[str, Any]:
    return {
        "id": str(agreement.id),
        "consumer": agreement.consumer,
        "interface": agreement.interface,
        "rules": agreement.rules,
        "purposes": agreement.purposes,
        "valid_from": to_text(agreement.valid_from),
        "valid_until": to_text(agreement.valid_until),
        "quota_per_day": agreement.quota_per_day,
        "rate_per_second": agreement.rate_per_second,
        "burst": agreement.burst,
    }
