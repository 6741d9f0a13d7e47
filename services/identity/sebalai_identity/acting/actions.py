"""What a person represents, with names: for the pages where they choose it and see it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.businesses.actions import KnownRepresentation, named, represented_by
from sebalai_identity.vault import NumberVault


@dataclass(frozen=True, slots=True)
class Represented:
    representation: KnownRepresentation
    name: str
    nib: str


async def represented(
    session: AsyncSession, vault: NumberVault | None, *, person_id: UUID, at: datetime
) -> list[Represented]:
    """By name."""
    held = await represented_by(session, person_id=person_id, at=at)
    known = await named(session, vault, business_ids={one.business_id for one in held})
    found = [
        Represented(one, known[one.business_id].name, known[one.business_id].nib)
        for one in held
        if one.business_id in known
    ]
    return sorted(found, key=lambda one: one.name)
