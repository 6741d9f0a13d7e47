"""HTTP of software: `/v1/software`, public; each with its `publiccode.yml`."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import text_of
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.software import actions
from sebalai_services_catalog.software.actions import (
    Described,
    SoftwareChanged,
    SoftwareRefused,
    SoftwareUnknown,
)
from sebalai_services_catalog.software.model import Software
from sebalai_services_catalog.software.publiccode import PublicCode, as_yaml

router = APIRouter(prefix="/v1/software", tags=["software"], route_class=Conditional)

YAML = "application/yaml"
"""RFC 9512."""
PATH = "/api/catalog/v1/software"

Slug = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
AgencySlug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Agency = Annotated[AgencySlug | None, Query()]
Application = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+(/[A-Za-z0-9-]+){3}$", max_length=200)]


class SoftwareWrite(BaseModel):
    """`revision` is the one that was read, 0 for new software."""

    model_config = ConfigDict(extra="forbid")

    agency: AgencySlug
    application: Application | None = None
    revision: Annotated[int, Field(ge=0, le=2**31 - 1)]
    publiccode: PublicCode


class SoftwareRead(BaseModel):
    """`url` is of the file `publiccode.yml`; `publiccode` the same as JSON."""

    slug: str
    agency: str
    application: str | None
    revision: int
    url: str
    publiccode: dict[str, Any]
    changed_at: datetime


def _read(request: Request, row: Software) -> SoftwareRead:
    assert row.publiccode is not None  # noqa: S101 - the withdrawn are not found
    public_url: str = request.app.state.settings.public_url
    return SoftwareRead(
        slug=row.slug,
        agency=row.agency,
        application=row.application,
        revision=row.revision,
        url=f"{public_url}{PATH}/{row.slug}/publiccode.yml",
        publiccode=row.publiccode,
        changed_at=row.changed_at,
    )


@router.get("", responses=responses(BadCursor))
async def list_software(
    request: Request,
    caller: PublicAccess,
    session: Transaction,
    agency: Agency = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[SoftwareRead]:
    """By slug; a crawler takes each one's `url`."""
    rows = await actions.list_software(
        session, caller=caller, agency=agency, after=text_of(cursor), limit=limit
    )
    return page(rows, limit, lambda row: _read(request, row), lambda row: [row.slug])


@router.get("/{slug}", responses=responses(SoftwareUnknown))
async def read_software(
    request: Request, slug: Slug, caller: PublicAccess, session: Transaction
) -> SoftwareRead:
    return _read(request, await actions.find_software(session, caller=caller, slug=slug))


@router.get(
    "/{slug}/publiccode.yml",
    response_class=Response,
    responses=responses(SoftwareUnknown) | {200: {"content": {YAML: {}}}},
)
async def export_publiccode(slug: Slug, caller: PublicAccess, session: Transaction) -> Response:
    """As `publiccode.yml` 0.4, for who harvests public software."""
    row = await actions.find_software(session, caller=caller, slug=slug)
    headers = {"Access-Control-Allow-Origin": "*"}
    return Response(as_yaml(row.publiccode or {}), media_type=YAML, headers=headers)


@router.put("/{slug}", responses=responses(SoftwareRefused, SoftwareChanged))
async def describe_software(
    request: Request,
    slug: Slug,
    wanted: SoftwareWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    clock: Now,
) -> SoftwareRead:
    """An agency's own software, scope `catalog.write`."""
    described = Described(wanted.agency, wanted.application, wanted.revision, wanted.publiccode)
    row = await actions.describe_software(
        session, clock, caller=caller, slug=slug, wanted=described
    )
    return _read(request, row)


@router.delete(
    "/{slug}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(SoftwareUnknown, SoftwareRefused),
)
async def withdraw_software(
    slug: Slug, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> None:
    """It leaves the catalogue; its slug stays its agency's."""
    await actions.withdraw_software(session, clock, caller=caller, slug=slug)
