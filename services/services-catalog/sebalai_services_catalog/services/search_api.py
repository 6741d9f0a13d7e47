"""HTTP of search: `/v1/search`, public; synonyms and misses for the officers who keep them."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status
from pydantic import BaseModel, ConfigDict, Field
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import Forbidden, responses

from sebalai_services_catalog.now import Now
from sebalai_services_catalog.services import search, store
from sebalai_services_catalog.services.api import KnownFacts, Within
from sebalai_services_catalog.services.readings import places_read, read
from sebalai_services_catalog.services.schema import PlaceRead, ServiceRead

router = APIRouter(prefix="/v1/search", tags=["search"])

Q_LENGTH_MAX = 150
LIMIT_DEFAULT = 10
DECIDE = "catalog.decide"

Words = Annotated[str, Query(min_length=1, max_length=Q_LENGTH_MAX, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=search.ROWS_MAX)]
Word = Annotated[str, Path(pattern=r"^[a-z0-9]{1,40}$")]
Meaning = Annotated[str, Field(pattern=r"^[a-z0-9]+( [a-z0-9]+){0,4}$", max_length=80)]


class SynonymRefused(Forbidden):
    slug, title = "synonym-refused", "This caller may not keep the synonyms"


class Found(BaseModel):
    """The best first. Nothing found: `items` is empty, and the words are kept for the officers.
    `places` counts, among all that matched, those with a service point in a kabupaten or kota.
    """

    items: list[ServiceRead]
    places: list[PlaceRead]


class SynonymWrite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    means: Annotated[list[Meaning], Field(min_length=1, max_length=10)]


class SynonymRead(BaseModel):
    word: str
    means: list[str]


class MissRead(BaseModel):
    """`unfitting` of the `times`, something was found and somebody said that nothing fits."""

    model_config = ConfigDict(from_attributes=True)

    words: str
    times: int
    unfitting: int
    last_on: date


class MissWrite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(min_length=1, max_length=Q_LENGTH_MAX, pattern=r"^[^\x00]*$")]


class Suggestion(BaseModel):
    slug: str
    name: dict[str, str | None]


class Asked(BaseModel):
    words: str
    limit: int


async def _asked(q: Words, limit: Limit = LIMIT_DEFAULT) -> Asked:
    return Asked(words=q, limit=limit)


@router.get("")
async def find_services(
    caller: PublicAccess,
    session: Transaction,
    asked: Annotated[Asked, Depends(_asked)],
    within: Within,
    facts: KnownFacts,
    clock: Now,
) -> Found:
    """Services for what people type, in everyday words and with errors."""
    hits = await search.search(session, clock, query=asked.words, within=within, limit=asked.limit)
    rows = await store.by_slugs(session, caller, hits.slugs)
    items = [read(rows[slug], facts) for slug in hits.slugs if slug in rows]
    return Found(items=items, places=places_read(hits.places))


def _may_keep(caller: IdentifiedAccess) -> None:
    if not caller.has_scope(DECIDE):
        raise SynonymRefused(f"It needs scope {DECIDE}.")


@router.get("/misses", responses=responses(SynonymRefused))
async def list_misses(caller: IdentifiedAccess, session: Transaction) -> list[MissRead]:
    """What people looked for in vain, the most often first: candidates for synonyms."""
    _may_keep(caller)
    return [MissRead.model_validate(row) for row in await search.misses(session)]


@router.post("/misses", status_code=status.HTTP_204_NO_CONTENT)
async def tell_unfitting(
    wanted: MissWrite,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    clock: Now,
) -> None:
    """Nothing of what was found fits: kept without long numbers, and without who says so."""
    await search.tell_unfitting(session, clock, query=wanted.q)


@router.get("/suggestions")
async def suggest(
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    q: Words,
) -> list[Suggestion]:
    """While somebody types: services whose words begin so."""
    found = await search.suggest(session, begun=q)
    return [Suggestion(slug=slug, name={"id": own, "en": other}) for slug, own, other in found]


@router.put("/synonyms/{word}", responses=responses(SynonymRefused))
async def keep_synonym(
    word: Word, wanted: SynonymWrite, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> SynonymRead:
    """What an everyday word means; loading the file again keeps it."""
    _may_keep(caller)
    await search.keep_synonym(session, clock, word=word, means=wanted.means, by=str(caller.subject))
    return SynonymRead(word=word, means=wanted.means)
