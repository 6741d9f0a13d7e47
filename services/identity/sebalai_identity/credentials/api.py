"""HTTP of invitations: `POST /v1/invitations`."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import AgencyUnknown
from sebalai_identity.credentials import issuing
from sebalai_identity.credentials.invitations import Terms
from sebalai_identity.credentials.issuing import InviteKeepersOnly
from sebalai_identity.credentials.keeper import Keeper
from sebalai_identity.credentials.schema import InvitationMake, InvitationRead
from sebalai_identity.persons.actions import PersonUnknown

router = APIRouter(prefix="/v1/invitations", tags=["invitations"])


@router.post(
    "",
    responses=responses(InviteKeepersOnly, PersonUnknown, AgencyUnknown, FieldInvalid),
)
async def make_invitation(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: InvitationMake,
) -> InvitationRead:
    """Issues a code, as a token endpoint issues a token: nothing is created that stays, a repeated
    call ends the code before it, and a kept answer would be a kept secret.
    """
    keeper: Keeper = request.app.state.keeper
    response.headers["Cache-Control"] = "no-store"
    made = await issuing.issue(
        session,
        keeper,
        caller=caller,
        person_id=wanted.person_id,
        terms=Terms(wanted.sponsor, timedelta(hours=wanted.hours), wanted.forgets_factors),
    )
    address = issuing.address_of(request.app.state.settings.public_url, made.code)
    return InvitationRead(code=made.code, address=address, expires_at=made.expires_at)
