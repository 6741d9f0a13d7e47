"""CKAN's read actions, each from its parameters to its result.

A parameter that is unknown is passed over, as CKAN does; one that is wrong is named.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sebalai_shared.caller import Caller
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.datasets import actions, ckan
from sebalai_services_catalog.datasets.ckan import Shape, Site
from sebalai_services_catalog.datasets.metadata import THEMES, Metadata
from sebalai_services_catalog.datasets.queries import (
    QUERY_LENGTH_MAX,
    ROWS_DEFAULT,
    ROWS_MAX,
    START_MAX,
    Filter,
    Wanted,
    parse,
    parse_sort,
)

FACETS = ("organization", "groups", "tags", "res_format", "license_id")
FACET_LIMIT_DEFAULT, FACET_LIMIT_MAX = 50, 500
NAMES_MAX = 1_000
NAME_LENGTH_MAX = 200
LIST_LENGTH_MAX = 4_000  # of characters: five queries of the longest, with their marks


class NotThere(Exception):
    """CKAN's Not Found Error."""


class Wrong(Exception):
    """CKAN's Validation Error of one parameter."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def _listed(value: Any) -> Any:
    """In an address, a list is JSON or one word. What is too long or no JSON stays a text, which
    is then refused as no list.
    """
    if not isinstance(value, str) or len(value) > LIST_LENGTH_MAX:
        return value
    try:
        return orjson.loads(value) if value.startswith("[") else [value]
    except orjson.JSONDecodeError:
        return value


_Text = Annotated[str, Field(max_length=QUERY_LENGTH_MAX, pattern=r"^[^\x00]*$")]
_Texts = Annotated[list[_Text], BeforeValidator(_listed), Field(max_length=len(FACETS))]
_Count = Annotated[int, Field(ge=0)]


class Parameters(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class Named(Parameters):
    id: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX, pattern=r"^[^\x00]*$")]
    include_datasets: bool = False


class Paged(Parameters):
    limit: _Count = NAMES_MAX
    offset: Annotated[int, Field(ge=0, le=START_MAX)] = 0
    all_fields: bool = False
    query: _Text | None = None


class Searched(Parameters):
    """`rows` above ROWS_MAX gives ROWS_MAX, as with CKAN."""

    q: _Text = ""
    fq: _Text = ""
    fq_list: _Texts = []
    sort: _Text = ""
    rows: _Count = ROWS_DEFAULT
    start: Annotated[int, Field(ge=0, le=START_MAX)] = 0
    facet_field: Annotated[_Texts, Field(alias="facet.field")] = []
    facet_limit: Annotated[int, Field(alias="facet.limit", le=FACET_LIMIT_MAX)] = (
        FACET_LIMIT_DEFAULT
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, over which transaction, of which site."""

    session: AsyncSession
    caller: Caller
    site: Site


async def _search(asked: Asked, wanted: Wanted) -> tuple[int, list[Shape]]:
    count, rows = await actions.search_datasets(asked.session, caller=asked.caller, wanted=wanted)
    return count, [ckan.package(asked.site, row) for row in rows]


async def _counts(asked: Asked, field: str) -> dict[str, int]:
    return await actions.count_by(
        asked.session, caller=asked.caller, wanted=Wanted(), field=field, limit=NAMES_MAX
    )


async def package_search(asked: Asked, said: Searched) -> Shape:
    """Datasets that hold all words and filters of `q`, `fq` and `fq_list`."""
    parts = [parse(one) for one in (said.q, said.fq, *said.fq_list)]
    wanted = Wanted(
        words=tuple(word for words, _ in parts for word in words),
        filters=tuple(one for _, filters in parts for one in filters),
        sort=parse_sort(said.sort or "metadata_modified desc"),
        start=said.start,
        rows=min(said.rows, ROWS_MAX),
    )
    count, results = await _search(asked, wanted)
    facets = {field: await _facet(asked, wanted, field, said) for field in said.facet_field}
    return {
        "count": count,
        "results": results,
        "sort": said.sort or "metadata_modified desc",
        "facets": facets,
        "search_facets": {
            field: {"title": field, "items": _items(field, found)}
            for field, found in facets.items()
        },
    }


async def _facet(asked: Asked, wanted: Wanted, field: str, said: Searched) -> dict[str, int]:
    """Raises: Wrong."""
    if field not in FACETS:
        raise Wrong("facet.field", f"There are {', '.join(FACETS)}.")
    limit = FACET_LIMIT_MAX if said.facet_limit < 0 else said.facet_limit
    found = await actions.count_by(
        asked.session, caller=asked.caller, wanted=wanted, field=field, limit=limit
    )
    return {(name.lower() if field == "groups" else name): n for name, n in found.items()}


def _items(field: str, found: dict[str, int]) -> list[Shape]:
    titles = {code.lower(): names[0] for code, names in THEMES.items()}
    return [
        {
            "name": name,
            "display_name": titles.get(name, name) if field == "groups" else name,
            "count": count,
        }
        for name, count in found.items()
    ]


async def package_list(asked: Asked, said: Paged) -> list[str]:
    """Names of all datasets, by name."""
    wanted = Wanted(sort=(("name", False),), start=said.offset, rows=min(said.limit, NAMES_MAX))
    _, rows = await actions.search_datasets(asked.session, caller=asked.caller, wanted=wanted)
    return [row.slug for row in rows]


async def current_package_list_with_resources(asked: Asked, said: Paged) -> list[Shape]:
    """Whole datasets, the latest changed first."""
    wanted = Wanted(start=said.offset, rows=min(said.limit, ROWS_MAX))
    return (await _search(asked, wanted))[1]


async def package_show(asked: Asked, said: Named) -> Shape:
    """One dataset by name or id."""
    try:
        row = await actions.find_dataset(asked.session, caller=asked.caller, name=said.id)
    except actions.DatasetUnknown as error:
        raise NotThere from error
    return ckan.package(asked.site, row)


async def resource_show(asked: Asked, said: Named) -> Shape:
    """One distribution by its id."""
    slug, _, code = said.id.partition(ckan.RESOURCE_MARK)
    try:
        row = await actions.find_dataset(asked.session, caller=asked.caller, name=slug)
    except actions.DatasetUnknown as error:
        raise NotThere from error
    metadata = Metadata.model_validate(row.shown)
    for one in metadata.distributions:
        if one.code == code:
            return ckan.resource(asked.site, row, metadata, one)
    raise NotThere


async def organization_list(asked: Asked, said: Paged) -> list[Any]:
    """Agencies by name."""
    slugs = sorted(asked.site.agencies)
    if not said.all_fields:
        return _cut(slugs, said)
    counts = await _counts(asked, "organization")
    shapes = [ckan.organization(asked.site, slug) for slug in _cut(slugs, said)]
    return [shape | {"package_count": counts.get(shape["name"], 0)} for shape in shapes]


async def organization_show(asked: Asked, said: Named) -> Shape:
    """One agency, with its datasets where `include_datasets`."""
    if said.id not in asked.site.agencies:
        raise NotThere
    shape = ckan.organization(asked.site, said.id)
    return shape | await _packages(asked, Filter("organization", said.id), said)


async def group_list(asked: Asked, said: Paged) -> list[Any]:
    """Themes by name."""
    names = sorted(code.lower() for code in THEMES)
    if not said.all_fields:
        return _cut(names, said)
    counts = await _counts(asked, "groups")
    shapes = [ckan.group(name.upper()) for name in _cut(names, said)]
    return [shape | {"package_count": counts.get(shape["id"].upper(), 0)} for shape in shapes]


async def group_show(asked: Asked, said: Named) -> Shape:
    """One theme, with its datasets where `include_datasets`."""
    if said.id.upper() not in THEMES:
        raise NotThere
    found = await _packages(asked, Filter("groups", said.id), said)
    return ckan.group(said.id.upper()) | found


async def _packages(asked: Asked, only: Filter, said: Named) -> Shape:
    rows = ROWS_MAX if said.include_datasets else 0
    count, found = await _search(asked, Wanted(filters=(only,), rows=rows))
    return {"package_count": count} | ({"packages": found} if said.include_datasets else {})


async def tag_list(asked: Asked, said: Paged) -> list[str]:
    """Keywords of datasets by name; `query` is a part of one."""
    part = (said.query or "").lower()
    names = sorted(name for name in await _counts(asked, "tags") if part in name.lower())
    return _cut(names, said)


async def license_list(asked: Asked, said: Parameters) -> list[Shape]:  # noqa: ARG001 - one shape
    """Licences a dataset may have."""
    return ckan.licenses()


async def status_show(asked: Asked, said: Parameters) -> Shape:  # noqa: ARG001 - one shape
    """What site this is."""
    return ckan.status(asked.site)


async def site_read(asked: Asked, said: Parameters) -> bool:  # noqa: ARG001 - one shape
    """Whether the catalogue may be read: always."""
    return True


_Name = TypeVar("_Name")


def _cut(names: list[_Name], said: Paged) -> list[_Name]:
    return names[said.offset : said.offset + min(said.limit, NAMES_MAX)]


Action = Callable[[Asked, Any], Awaitable[Any]]
ACTIONS: dict[str, tuple[Action, type[Parameters]]] = {
    "package_list": (package_list, Paged),
    "package_show": (package_show, Named),
    "package_search": (package_search, Searched),
    "current_package_list_with_resources": (current_package_list_with_resources, Paged),
    "resource_show": (resource_show, Named),
    "organization_list": (organization_list, Paged),
    "organization_show": (organization_show, Named),
    "group_list": (group_list, Paged),
    "group_show": (group_show, Named),
    "tag_list": (tag_list, Paged),
    "license_list": (license_list, Parameters),
    "status_show": (status_show, Parameters),
    "site_read": (site_read, Parameters),
}
