"""HTTP of maklumat pelayanan: `/v1/maklumat/{agency}`, read by everybody."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_services_catalog.maklumat import actions
from sebalai_services_catalog.maklumat.actions import MaklumatRefused, Promise
from sebalai_services_catalog.now import Now

router = APIRouter(prefix="/v1/maklumat", tags=["maklumat"])

TEXT_LENGTH_MAX = 2_500
LINE_LENGTH_MAX = 200

Agency = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$")]
Line = Annotated[str, Field(min_length=1, max_length=LINE_LENGTH_MAX, pattern=r"^[^\x00-\x1f]*$")]


class MaklumatWrite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text_id: Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^\x00]*$")]
    signer: Line
    signer_position: Line
    signed_on: date


class MaklumatRead(MaklumatWrite):
    """`replaced_at` null: the one in force."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)

    id: UUID
    agency: str
    entered_by: str
    entered_at: datetime
    replaced_at: datetime | None


@router.get("/{agency}")
async def list_maklumat(
    agency: Agency,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
) -> list[MaklumatRead]:
    rows = await actions.list_maklumat(session, agency=agency)
    return [MaklumatRead.model_validate(row) for row in rows]


@router.put("/{agency}", responses=responses(MaklumatRefused))
async def enter_maklumat(
    agency: Agency,
    wanted: MaklumatWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
) -> MaklumatRead:
    """The head's new signed promise; the one before stays readable."""
    promise = Promise.model_validate(wanted.model_dump())
    row = await actions.enter_maklumat(
        session, clock, caller=caller, agency=agency, promise=promise
    )
    return MaklumatRead.model_validate(row)
