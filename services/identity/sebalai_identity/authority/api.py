"""HTTP of authority: `GET /v1/persons/{id}/authority?at=`."""

from uuid import UUID

from fastapi import APIRouter, Response
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_identity.authority import actions
from sebalai_identity.authority.actions import NotYoursToAsk
from sebalai_identity.authority.schema import AuthorityRead
from sebalai_identity.desk import AtDesk
from sebalai_identity.persons.actions import PersonUnknown
from sebalai_identity.wording import Instant

router = APIRouter(prefix="/v1/persons", tags=["authority"])


@router.get("/{person_id}/authority", responses=responses(NotYoursToAsk, PersonUnknown))
async def read_authority(
    person_id: UUID,
    desk: AtDesk,
    session: Transaction,
    response: Response,
    at: Instant | None = None,
) -> AuthorityRead:
    """What the person may act as at `at` (now when left out), and until when."""
    response.headers["Cache-Control"] = "no-store"
    found = await actions.ask_authority(session, desk, person_id=person_id, at=at)
    return AuthorityRead.model_validate(found, from_attributes=True)
