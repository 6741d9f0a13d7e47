"""What persons and their postings are, asked of their registers: the provider's tokens are capped
by it. A posting that ends at noon signs nothing afterwards, whatever a token says.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.authority import actions as registers
from sebalai_identity.businesses.actions import named, represented_by
from sebalai_identity.oauth.desk import Authority
from sebalai_identity.persons.actions import get_person
from sebalai_identity.vault import NumberVault

CIVIL_SERVANT = "civil_servant"
BUSINESS = "business"
DEFINITIVE = "definitive"


class Registers:
    def __init__(self, vault: NumberVault | None = None) -> None:
        self._vault = vault

    async def authority(
        self, session: AsyncSession, subject: UUID, posting: UUID | None, at: datetime
    ) -> Authority:
        """The named posting; without a name the only one held, or the only definitive one."""
        found = await registers.authority_at(session, person_id=subject, at=at)
        if found is None or not found.is_active:
            return Authority(is_usable=False)
        chosen = found.posting(posting) if posting is not None else _usual(found)
        if posting is not None and chosen is None:
            return Authority(is_usable=False)
        if chosen is None:
            return Authority(ends_at=found.person_until, scopes=_scopes(found, None))
        ends = (found.end_of_posting(chosen.id), found.person_until)
        return Authority(
            kind=CIVIL_SERVANT,
            agency=chosen.agency,
            posting=chosen.id,
            ends_at=min((end for end in ends if end is not None), default=None),
            scopes=_scopes(found, chosen.agency),
        )

    async def authority_for(
        self, session: AsyncSession, subject: UUID, business: UUID, at: datetime
    ) -> Authority:
        """A representation that ended acts no longer, whatever was agreed while it held."""
        found = await registers.authority_at(session, person_id=subject, at=at)
        held = found.representing(business) if found is not None else None
        if held is None:
            return Authority(is_usable=False)
        told = (await named(session, self._vault, business_ids=[business]))[business]
        acting_for: dict[str, Any] = {
            "business": str(business),
            "nib": told.nib,
            "capacity": held.capacity,
            "representation": str(held.representation_id),
        }
        if held.matters is not None:
            acting_for["matters"] = list(held.matters)
        return Authority(BUSINESS, None, None, held.until, True, acting_for, told.name)

    async def businesses(
        self, session: AsyncSession, subject: UUID, at: datetime
    ) -> frozenset[UUID]:
        held = await represented_by(session, person_id=subject, at=at)
        return frozenset(one.business_id for one in held)

    async def claims(
        self, session: AsyncSession, subject: UUID, names: frozenset[str]
    ) -> dict[str, Any]:
        """Name and birth date, no more: what is not kept is not told."""
        person = await get_person(session, subject) if names else None
        if person is None:
            return {}
        known: dict[str, Any] = {"name": person.name}
        if person.birth_date is not None:
            known["birthdate"] = person.birth_date.isoformat()
        return {name: value for name, value in known.items() if name in names}


def _scopes(found: registers.Authority, agency: str | None) -> dict[str, datetime | None]:
    """A role of an agency holds for who acts by a posting there; of two the later end counts."""
    scopes: dict[str, datetime | None] = {}
    for role in found.roles:
        if role.agency in (None, agency):
            for scope in role.scopes:
                scopes[scope] = _later(scopes.get(scope, role.until), role.until)
    return scopes


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """None has no end."""
    return max(one, other) if one is not None and other is not None else None


def _usual(found: registers.Authority) -> Any:
    held = found.postings
    chief = [one for one in held if one.kind == DEFINITIVE]
    return held[0] if len(held) == 1 else chief[0] if len(chief) == 1 else None
