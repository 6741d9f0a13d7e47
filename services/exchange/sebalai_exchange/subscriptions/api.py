"""HTTP of subscriptions: `/v1/subscriptions`."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, responses
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.subscriptions import actions
from sebalai_exchange.subscriptions.actions import (
    NothingToHear,
    NotTheSubscriber,
    Standing,
    Subscription,
    SubscriptionState,
    SubscriptionUnknown,
    TooManyExpressions,
    TooManySubscriptions,
    WebhookSecrets,
    spelled,
    unread,
)
from sebalai_exchange.subscriptions.schema import (
    Reason,
    RetriesRead,
    SecretRead,
    SubscriptionChange,
    SubscriptionRead,
    SubscriptionRequest,
)

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"], responses=INPUT)

_STEP_PROBLEMS = responses(SubscriptionUnknown, SubscriptionState)
_SECRET_PROBLEMS = _STEP_PROBLEMS | responses(NotTheSubscriber)


def _read(one: Subscription, standing: Standing) -> SubscriptionRead:
    names = SubscriptionRead.model_fields
    fields: dict[str, Any] = {n: getattr(one, n) for n in names if hasattr(one, n)}
    fields |= {n: getattr(standing, n) for n in names if hasattr(standing, n)}
    fields |= {"retries": _retries(one), "reason": one.reason or unread(one)}
    return SubscriptionRead(**fields)


def _retries(one: Subscription) -> RetriesRead | None:
    if one.kind != "webhook":
        return None
    held, is_own = one.retries, one.retry_pauses is not None
    return RetriesRead(pauses_seconds=list(held.pauses), days=held.days, is_own=is_own)


async def _stand(session: AsyncSession, one: Subscription) -> SubscriptionRead:
    return _read(one, (await actions.standings(session, idents=[one.id]))[one.id])


@router.post(
    "",
    status_code=201,
    responses=responses(NothingToHear, TooManyExpressions, TooManySubscriptions, FieldInvalid),
)
async def subscribe(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: SubscriptionRequest,
) -> SubscriptionRead:
    state = request.app.state

    async def make() -> SubscriptionRead:
        made = await actions.subscribe(
            session, state.clock, caller=caller, wanted=wanted, targets=state.targets
        )
        return await _stand(session, made)

    answer = await once.answer(session, SubscriptionRead, make)
    response.headers["Location"] = f"/v1/subscriptions/{answer.id}"
    return answer


@router.get("")
async def list_subscriptions(
    caller: IdentifiedAccess, session: Transaction, cursor: CursorText = None, limit: Limit = 20
) -> Page[SubscriptionRead]:
    rows = await actions.list_subscriptions(
        session, caller=caller, before=_before(cursor), limit=limit
    )
    found = await actions.standings(session, idents=[row.id for row in rows])
    return page(rows, limit, lambda row: _read(row, found[row.id]), lambda row: [row.id])


def _before(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, 1)
    try:
        return UUID(str(key[0])) if key else None
    except ValueError as error:
        raise BadCursor("The cursor belongs to another list.") from error


@router.get("/{ident}", responses=responses(SubscriptionUnknown))
async def read_subscription(
    ident: UUID, caller: IdentifiedAccess, session: Transaction
) -> SubscriptionRead:
    found = await actions.find_subscription(session, caller=caller, ident=ident)
    return await _stand(session, found)


@router.patch(
    "/{ident}",
    responses=responses(SubscriptionUnknown, SubscriptionState, TooManyExpressions, FieldInvalid),
)
async def change_subscription(
    request: Request,
    ident: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    change: SubscriptionChange,
) -> SubscriptionRead:
    state = request.app.state
    changed = await actions.change(
        session, state.clock, caller=caller, ident=ident, wanted=change, targets=state.targets
    )
    return await _stand(session, changed)


@router.post("/{ident}/pause", responses=_STEP_PROBLEMS)
async def pause_subscription(
    request: Request, ident: UUID, caller: IdentifiedAccess, session: Transaction, why: Reason
) -> SubscriptionRead:
    return await _step(request, session, caller, ident, ("paused", why.reason))


@router.post("/{ident}/resume", responses=_STEP_PROBLEMS)
async def resume_subscription(
    request: Request, ident: UUID, caller: IdentifiedAccess, session: Transaction
) -> SubscriptionRead:
    return await _step(request, session, caller, ident, ("active", None))


@router.post("/{ident}/end", responses=_STEP_PROBLEMS)
async def end_subscription(
    request: Request, ident: UUID, caller: IdentifiedAccess, session: Transaction, why: Reason
) -> SubscriptionRead:
    return await _step(request, session, caller, ident, ("ended", why.reason))


async def _step(
    request: Request,
    session: AsyncSession,
    caller: IdentifiedAccess,
    ident: UUID,
    wanted: tuple[str, str | None],
) -> SubscriptionRead:
    clock: Clock = request.app.state.clock
    done = await actions.set_state(session, clock, caller=caller, ident=ident, wanted=wanted)
    return await _stand(session, done)


@router.get("/{ident}/secret", responses=_SECRET_PROBLEMS)
async def read_secret(
    request: Request, ident: UUID, caller: IdentifiedAccess, session: Transaction
) -> SecretRead:
    found = await actions.own_subscription(session, caller=caller, ident=ident)
    return _secret(request, found)


@router.post("/{ident}/rotate-secret", responses=_SECRET_PROBLEMS)
async def rotate_secret(
    request: Request, ident: UUID, caller: IdentifiedAccess, session: Transaction
) -> SecretRead:
    clock: Clock = request.app.state.clock
    return _secret(request, await actions.rotate_secret(session, clock, caller=caller, ident=ident))


def _secret(request: Request, found: Subscription) -> SecretRead:
    secrets: WebhookSecrets | None = request.app.state.secrets
    if found.kind != "webhook" or secrets is None:
        raise SubscriptionState("Only a webhook has a secret.", state=found.state)
    return SecretRead(
        secret=spelled(secrets.secret(found.id, found.secret_generation)),
        generation=found.secret_generation,
        previous_until=found.previous_until,
    )
