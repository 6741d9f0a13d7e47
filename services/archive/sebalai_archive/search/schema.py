"""Wire shapes of search."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

QUERY_LENGTH_MAX = 300


class Hit(BaseModel):
    """`snippet` is null where the reader may know of the record but not open it."""

    record: UUID
    agency: str
    title: str
    number: str | None
    classification: str
    security_class: str
    snippet: Annotated[
        str | None, Field(description="plain text around the words, which stand between ⟦ and ⟧")
    ]


class Facet(BaseModel):
    value: str
    count: int


class SearchRead(BaseModel):
    """Hits and facets are over up to CANDIDATES newest matches; `is_complete` says whether there
    were no more.
    """

    items: list[Hit]
    facets: dict[str, list[Facet]]
    matches: int
    is_complete: bool
