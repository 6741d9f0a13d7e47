"""HTTP of drafts: `POST /v1/services`, `/v1/services/{slug}/draft`; officers of the agency."""

from fastapi import APIRouter, status
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.now import Now
from sebalai_services_catalog.services import drafting
from sebalai_services_catalog.services.actions import (
    ServiceActRefused,
    ServiceStateConflict,
    ServiceUnknown,
)
from sebalai_services_catalog.services.drafting import (
    DraftChanged,
    DraftUnknown,
    SlugTaken,
    StandardIncomplete,
    Writing,
)
from sebalai_services_catalog.services.readings import draft_read
from sebalai_services_catalog.services.schema import (
    DraftRead,
    DraftWrite,
    PublishedRead,
    Reason,
    ServiceCreate,
)
from sebalai_services_catalog.services.shapes import Slug

router = APIRouter(prefix="/v1/services", tags=["drafts"])

COMMON = responses(ServiceUnknown, DraftUnknown, ServiceActRefused, ServiceStateConflict)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=responses(ServiceActRefused, SlugTaken, FieldInvalid, KeyReused),
)
async def begin_service(
    wanted: ServiceCreate,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> DraftRead:
    """A new service of the caller's agency, as a draft that may lack anything."""

    async def make() -> DraftRead:
        names = (wanted.slug, wanted.agency)
        writing = Writing(wanted.standard, wanted.template, 0)
        draft = await drafting.begin_service(
            session, clock, caller=caller, names=names, wanted=writing
        )
        return draft_read(draft)

    return await once.answer(session, DraftRead, make)


@router.get("/{slug}/draft", responses=COMMON)
async def read_draft(slug: Slug, caller: IdentifiedAccess, session: Transaction) -> DraftRead:
    """The draft, with what is missing for publication by component."""
    return draft_read(await drafting.read_draft(session, caller=caller, slug=slug))


@router.put("/{slug}/draft", responses=COMMON | responses(DraftChanged, FieldInvalid))
async def write_draft(
    slug: Slug, wanted: DraftWrite, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> DraftRead:
    writing = Writing(wanted.standard, wanted.template, wanted.revision)
    return draft_read(
        await drafting.write_draft(session, clock, caller=caller, slug=slug, wanted=writing)
    )


@router.post("/{slug}/draft/review", responses=COMMON)
async def submit_draft(
    slug: Slug, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> DraftRead:
    return draft_read(await drafting.submit_draft(session, clock, caller=caller, slug=slug))


@router.post("/{slug}/draft/rejection", responses=COMMON)
async def reject_draft(
    slug: Slug, wanted: Reason, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> DraftRead:
    draft = await drafting.reject_draft(
        session, clock, caller=caller, slug=slug, reason=wanted.reason
    )
    return draft_read(draft)


@router.post("/{slug}/draft/publication", responses=COMMON | responses(StandardIncomplete))
async def publish_draft(
    slug: Slug, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> PublishedRead:
    """Refused with the list of what is missing; the one who wrote the draft may not."""
    version = await drafting.publish_draft(session, clock, caller=caller, slug=slug)
    return PublishedRead(slug=slug, version=version)
