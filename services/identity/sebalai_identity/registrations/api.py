"""HTTP of initial access tokens: `/v1/initial-access-tokens`. The registration endpoint itself is
the provider's (`oauth.registering`).
"""

from uuid import UUID

from fastapi import APIRouter, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import AgencyUnknown
from sebalai_identity.desk import AtDesk
from sebalai_identity.names import cursor_id
from sebalai_identity.registrations import tokens
from sebalai_identity.registrations.model import InitialToken
from sebalai_identity.registrations.schema import (
    InitialTokenIssue,
    InitialTokenIssued,
    InitialTokenRead,
)
from sebalai_identity.registrations.tokens import (
    AdministratorsOnly,
    InitialTokensFull,
    InitialTokenUnknown,
)

router = APIRouter(prefix="/v1/initial-access-tokens", tags=["initial-access-tokens"])


def _read(row: InitialToken) -> InitialTokenRead:
    return InitialTokenRead.model_validate(row, from_attributes=True)


@router.post(
    "",
    responses=responses(AdministratorsOnly, AgencyUnknown, InitialTokensFull, FieldInvalid),
)
async def issue_token(
    desk: AtDesk, session: Transaction, response: Response, wanted: InitialTokenIssue
) -> InitialTokenIssued:
    """For clients that register themselves. As a token endpoint issues a token: a kept answer would
    be a kept secret, and one whose answer was lost is revoked or ends by itself.
    """
    response.headers["Cache-Control"] = "no-store"
    row, secret = await tokens.issue_token(session, desk, wanted=wanted)
    return InitialTokenIssued(**_read(row).model_dump(), token=secret)


@router.get("", responses=responses(AdministratorsOnly, BadCursor))
async def list_tokens(
    caller: IdentifiedAccess,
    session: Transaction,
    response: Response,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[InitialTokenRead]:
    response.headers["Cache-Control"] = "no-store"
    rows = await tokens.list_tokens(session, caller=caller, after=cursor_id(cursor), limit=limit)
    return page(rows, limit, _read, lambda row: [row.id])


@router.post("/{token_id}/revoke", responses=responses(InitialTokenUnknown, AdministratorsOnly))
async def revoke_token(token_id: UUID, desk: AtDesk, session: Transaction) -> InitialTokenRead:
    return _read(await tokens.revoke_token(session, desk, token_id=token_id))
