"""HTTP of roles: `/v1/roles` (the catalogue) and `/v1/role-grants`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import AgencyUnknown
from sebalai_identity.desk import AtDesk
from sebalai_identity.names import cursor_id
from sebalai_identity.persons.actions import PersonUnknown
from sebalai_identity.roles import actions
from sebalai_identity.roles.actions import (
    DutiesSeparate,
    GrantDecided,
    GrantFilter,
    GrantKnown,
    GrantUnknown,
    RoleKeepersOnly,
)
from sebalai_identity.roles.model import ROLES, RoleCode, RoleGrant
from sebalai_identity.roles.schema import GrantAsk, GrantDecide, GrantRead, GrantRevoke, RoleRead

router = APIRouter(prefix="/v1", tags=["roles"])

State = Literal["requested", "active", "refused", "revoked"]


async def _filter(
    person_id: UUID | None = None, role: RoleCode | None = None, state: State | None = None
) -> GrantFilter:
    return GrantFilter(person_id, role, state)


def _read(row: RoleGrant) -> GrantRead:
    return GrantRead.model_validate(row, from_attributes=True)


@router.get("/roles")
async def list_roles(_: PublicAccess) -> list[RoleRead]:
    """The whole catalogue: what each role opens, and whether two must agree on it."""
    return [
        RoleRead(
            code=code,
            scopes=sorted(role.scopes),
            is_sensitive=role.is_sensitive,
            is_of_agency=role.is_of_agency,
        )
        for code, role in ROLES.items()
    ]


@router.post(
    "/role-grants",
    status_code=201,
    responses=responses(
        RoleKeepersOnly, DutiesSeparate, PersonUnknown, AgencyUnknown, GrantKnown, FieldInvalid
    ),
)
async def ask_grant(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: GrantAsk
) -> GrantRead:
    async def make() -> GrantRead:
        return _read(await actions.ask_grant(session, desk, wanted=wanted))

    return await once.answer(session, GrantRead, make)


@router.get("/role-grants")
async def list_grants(
    caller: IdentifiedAccess,
    session: Transaction,
    response: Response,
    wanted: Annotated[GrantFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[GrantRead]:
    response.headers["Cache-Control"] = "no-store"
    rows = await actions.list_grants(
        session, caller=caller, wanted=wanted, after=cursor_id(cursor), limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.id])


@router.post(
    "/role-grants/{grant_id}/decide",
    responses=responses(RoleKeepersOnly, DutiesSeparate, GrantUnknown, GrantDecided),
)
async def decide_grant(
    grant_id: UUID, desk: AtDesk, session: Transaction, wanted: GrantDecide
) -> GrantRead:
    """By another than who asked and who would get the role."""
    row = await actions.decide_grant(
        session, desk, grant_id=grant_id, is_approved=wanted.decision == "approve"
    )
    return _read(row)


@router.post("/role-grants/{grant_id}/revoke", responses=responses(RoleKeepersOnly, GrantUnknown))
async def revoke_grant(
    grant_id: UUID, desk: AtDesk, session: Transaction, wanted: GrantRevoke
) -> GrantRead:
    row = await actions.revoke_grant(session, desk, grant_id=grant_id, reason=wanted.reason)
    return _read(row)
