"""HTTP of once-only evidence: what a request can have fetched, and the consents to it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response, status
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, NotFound, responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import id_of
from sebalai_services_catalog.evidence import actions
from sebalai_services_catalog.evidence.actions import (
    ConsentImpossible,
    ConsentMissing,
    ConsentOpen,
    ConsentRefused,
    ConsentUnknown,
    EvidenceNotOffered,
)
from sebalai_services_catalog.evidence.fetching import (
    BeingFetched,
    EvidenceNoMatch,
    EvidenceOfAnother,
    EvidenceUnavailable,
    Fetcher,
    FetchesUsedUp,
)
from sebalai_services_catalog.evidence.schema import (
    AskWrite,
    ConsentRead,
    ConsentRef,
    ConsentWhole,
    ConsentWrite,
    EvidenceRead,
    EvidenceTypeRead,
    PreviewRead,
    PreviewWrite,
)
from sebalai_services_catalog.evidence.source import EvidenceSource
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.requests.actions import (
    AnswersLocked,
    DocumentRefused,
    NothingToAsk,
    RequestMovedOn,
    RequestUnknown,
    StepImpossible,
    StepRefused,
)

types = APIRouter(prefix="/v1/evidence-types", tags=["evidence"], route_class=Conditional)
router = APIRouter(prefix="/v1/requests", tags=["evidence"])
consents = APIRouter(prefix="/v1/consents", tags=["consents"])

Kind = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]


async def _place(key: UUID, kind: Kind) -> tuple[UUID, str]:
    return key, kind


Place = Annotated[tuple[UUID, str], Depends(_place)]
"""The request and the evidence type of the path."""


async def _said(wanted: ConsentWrite) -> None:
    """Its only values are what must be said, so a well-formed body says it all."""
    del wanted


async def _fetcher(request: Request, caller: IdentifiedAccess, clock: Now) -> Fetcher:
    """Raises: EvidenceNotOffered, where no gateway is connected."""
    source: EvidenceSource | None = getattr(request.app.state, "evidence", None)
    if source is None:
        raise EvidenceNotOffered("No gateway is connected here.")
    return Fetcher(request.app.state.database, source, clock, caller)


Asking = Annotated[Fetcher, Depends(_fetcher)]


class ReceiptNotReady(NotFound):
    slug, title = "consent-receipt-unknown", "No call receipt is there, or not yet"


@types.get("")
async def list_types(caller: PublicAccess, session: Transaction) -> list[EvidenceTypeRead]:  # noqa: ARG001 - public
    """Which agency holds which evidence, and what is taken over of it."""
    return [EvidenceTypeRead.of(row) for row in await actions.list_types(session)]


@router.get("/{key}/evidence", responses=responses(RequestUnknown))
async def read_evidence(key: UUID, caller: IdentifiedAccess, session: Transaction) -> EvidenceRead:
    """What the request asks for that an agency may hold: fetch it from there, or upload it."""
    return await actions.read_evidence(session, caller=caller, key=key)


@router.post(
    "/{key}/evidence/{kind}/asks",  # noqa: FAST003 - taken by Place
    responses=responses(
        RequestUnknown, RequestMovedOn, StepImpossible, StepRefused, EvidenceNotOffered,
        NothingToAsk, KeyReused,
    ),
)  # fmt: skip
async def ask_for(
    place: Place,
    wanted: AskWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> EvidenceRead:
    """An officer asks while the file is in hand (act `ask_evidence`): the applicant consents and
    the holder answers, or the applicant uploads it; the file's clock runs on meanwhile.
    """

    async def make() -> EvidenceRead:
        return await actions.ask_for(session, clock, caller=caller, place=place, wanted=wanted)

    return await once.answer(session, EvidenceRead, make)


@router.post(
    "/{key}/evidence/{kind}/consents",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(_said)],
    responses=responses(
        RequestUnknown, ConsentRefused, EvidenceNotOffered, ConsentOpen, KeyReused
    ),
)  # fmt: skip
async def give_consent(
    key: UUID,
    kind: Kind,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> ConsentRead:
    """For this evidence in this request alone, by who filed it."""

    async def make() -> ConsentRead:
        row = await actions.give_consent(session, clock, caller=caller, place=(key, kind))
        return ConsentRead.model_validate(row)

    return await once.answer(session, ConsentRead, make)


@router.post(
    "/{key}/evidence/{kind}/preview",
    responses=responses(
        RequestUnknown, ConsentMissing, FieldInvalid, FetchesUsedUp, BeingFetched,
        EvidenceNotOffered, EvidenceOfAnother, EvidenceNoMatch, EvidenceUnavailable,
    ),
)  # fmt: skip
async def preview(
    key: UUID,
    kind: Kind,
    wanted: PreviewWrite,
    caller: IdentifiedAccess,  # noqa: ARG001 - `Asking` asks for this caller
    asking: Asking,
    response: Response,
) -> PreviewRead:
    """Fetched through the bus the first time; held for half an hour, shown to the person alone."""
    response.headers["Cache-Control"] = "no-store"
    return await asking.preview(key, kind, wanted)


USE = responses(
    RequestUnknown, ConsentMissing, ConsentImpossible, StepRefused, AnswersLocked, FieldInvalid,
    DocumentRefused,
)  # fmt: skip


@router.post("/{key}/evidence/{kind}/acceptance", responses=USE)
async def use_evidence(
    key: UUID,
    kind: Kind,
    wanted: ConsentRef,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
) -> ConsentRead:
    """The person saw it and lets it answer the request's requirements."""
    about = (key, kind, wanted.consent)
    row = await actions.use_evidence(session, clock, caller=caller, about=about)
    return ConsentRead.model_validate(row)


@router.post(
    "/{key}/evidence/{kind}/refusal",
    responses=responses(RequestUnknown, ConsentMissing, ConsentImpossible),
)
async def decline_evidence(
    key: UUID,
    kind: Kind,
    wanted: ConsentRef,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
) -> ConsentRead:
    """The person saw it and does not want it used; what was fetched is forgotten."""
    about = (key, kind, wanted.consent)
    row = await actions.decline_evidence(session, clock, caller=caller, about=about)
    return ConsentRead.model_validate(row)


@consents.get("", responses=responses(BadCursor))
async def list_consents(
    caller: IdentifiedAccess,
    session: Transaction,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ConsentRead]:
    """What the caller gave, and what its agency holds or decides by; the latest first."""
    rows = await actions.list_consents(session, caller=caller, after=id_of(cursor), limit=limit)
    return page(rows, limit, ConsentRead.model_validate, lambda row: [row.id])


@consents.get("/{key}", responses=responses(ConsentUnknown))
async def read_consent(key: UUID, caller: IdentifiedAccess, session: Transaction) -> ConsentWhole:
    """With every act, so that a holder can check what it is asked in the name of."""
    return await actions.read_consent(session, caller=caller, key=key)


@consents.post(
    "/{key}/withdrawal", responses=responses(ConsentUnknown, ConsentRefused, ConsentImpossible)
)
async def withdraw_consent(
    key: UUID, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> ConsentWhole:
    """Stops later fetches; `was_used` tells what a request was answered with before."""
    return await actions.withdraw_consent(session, clock, caller=caller, key=key)


@consents.get(
    "/{key}/receipt",
    response_class=Response,
    responses=responses(ConsentUnknown, ReceiptNotReady, EvidenceNotOffered, EvidenceUnavailable)
    | {200: {"content": {"application/json": {}}, "description": "For sebalai-verify"}},
)
async def read_receipt(
    key: UUID,
    caller: IdentifiedAccess,  # noqa: ARG001 - `Asking` asks for this caller
    asking: Asking,
) -> Response:
    """The call receipt of the fetch, as the ledger gives it, into the hands of who consented."""
    found = await asking.receipt(key)
    if found is None:
        raise ReceiptNotReady("It comes within seconds of a fetch.", headers={"Retry-After": "1"})
    return Response(found, media_type="application/json")
