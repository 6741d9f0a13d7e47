"""HTTP of outside providers: `/v1/outside-providers`, and our public keys towards them."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.desk import AtDesk
from sebalai_identity.names import cursor_id
from sebalai_identity.outside_providers import actions
from sebalai_identity.outside_providers.actions import (
    KeepersOnly,
    OwnProvider,
    ProviderDecided,
    ProvidersFull,
    ProviderUnknown,
    ProviderWaits,
)
from sebalai_identity.outside_providers.model import OutsideProvider
from sebalai_identity.outside_providers.schema import (
    ProviderAsk,
    ProviderDecide,
    ProviderDisable,
    ProviderRead,
)

router = APIRouter(prefix="/v1/outside-providers", tags=["outside-providers"])

State = Literal["requested", "enabled", "refused", "replaced", "disabled"]


def _read(row: OutsideProvider) -> ProviderRead:
    return ProviderRead.model_validate(row, from_attributes=True)


@router.post("", status_code=201, responses=responses(KeepersOnly, ProviderWaits, FieldInvalid))
async def ask_provider(
    request: Request, desk: AtDesk, session: Transaction, once: Idempotent, wanted: ProviderAsk
) -> ProviderRead:
    """A new provider, or new settings of one; it waits for somebody else's approval."""

    async def make() -> ProviderRead:
        keys = request.app.state.outside.keys
        return _read(await actions.ask_provider(session, desk, keys=keys, wanted=wanted))

    return await once.answer(session, ProviderRead, make)


@router.get("", responses=responses(KeepersOnly))
async def list_providers(
    caller: IdentifiedAccess,
    session: Transaction,
    response: Response,
    state: State | None = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ProviderRead]:
    response.headers["Cache-Control"] = "no-store"
    rows = await actions.list_providers(
        session, caller=caller, state=state, after=cursor_id(cursor), limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.id])


@router.post(
    "/{provider_id}/decide",
    responses=responses(KeepersOnly, OwnProvider, ProviderUnknown, ProviderDecided, ProvidersFull),
)
async def decide_provider(
    provider_id: UUID, desk: AtDesk, session: Transaction, wanted: ProviderDecide
) -> ProviderRead:
    """By another than who asked; approved it is on the sign-in page at once."""
    row = await actions.decide_provider(
        session,
        desk,
        provider_id=provider_id,
        is_approved=wanted.decision == "approve",
        reason=wanted.reason,
    )
    return _read(row)


@router.post(
    "/{provider_id}/disable", responses=responses(KeepersOnly, ProviderUnknown, ProviderDecided)
)
async def disable_provider(
    provider_id: UUID, desk: AtDesk, session: Transaction, wanted: ProviderDisable
) -> ProviderRead:
    """By any keeper alone; enabling it again takes two."""
    row = await actions.disable_provider(
        session, desk, provider_id=provider_id, reason=wanted.reason
    )
    return _read(row)
