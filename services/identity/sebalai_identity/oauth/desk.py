"""The provider at work in one transaction: what every grant and endpoint needs of the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from sebalai_shared.addresses import Reach
from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.keys.actions import Ring
from sebalai_identity.oauth.certificates import Authorities
from sebalai_identity.oauth.client_documents import ClientDocuments


@dataclass(frozen=True)
class Server:
    """Who we are: the issuer, and the audience of our access tokens; `mtls_url` is the issuer's
    other address, where clients show certificates, empty where they cannot.
    """

    issuer: str
    audience: str
    mtls_url: str = ""


@dataclass(frozen=True)
class Authority:
    """What a person acts as: `kind` citizen, civil_servant or business; until when at most.
    `scopes`: those of roles granted to them that hold so, each with its end (None: open).
    `acting_for`: the business, as tokens tell it; `business_name` is told to its client alone.
    """

    kind: str = "citizen"
    agency: str | None = None
    posting: UUID | None = None
    ends_at: datetime | None = None
    is_usable: bool = True
    acting_for: Mapping[str, Any] | None = None
    business_name: str | None = None
    scopes: Mapping[str, datetime | None] = field(default_factory=dict[str, datetime | None])


class Register(Protocol):
    """What the provider asks of the registers of persons and postings."""

    async def authority(
        self, session: AsyncSession, subject: UUID, posting: UUID | None, at: datetime
    ) -> Authority: ...

    async def authority_for(
        self, session: AsyncSession, subject: UUID, business: UUID, at: datetime
    ) -> Authority:
        """Of one who acts for a business: none of their own, no posting and no role."""
        ...

    async def businesses(
        self, session: AsyncSession, subject: UUID, at: datetime
    ) -> frozenset[UUID]:
        """Those the person may act for."""
        ...

    async def claims(
        self, session: AsyncSession, subject: UUID, names: frozenset[str]
    ) -> dict[str, Any]:
        """Those of the names that are known."""
        ...


class Unregistered:
    """Whoever signed in acts for themself, and nothing is known of them but that."""

    async def authority(
        self, session: AsyncSession, subject: UUID, posting: UUID | None, at: datetime
    ) -> Authority:
        del session, subject, posting, at
        return Authority()

    async def authority_for(
        self, session: AsyncSession, subject: UUID, business: UUID, at: datetime
    ) -> Authority:
        del session, subject, business, at
        return Authority(is_usable=False)

    async def businesses(
        self, session: AsyncSession, subject: UUID, at: datetime
    ) -> frozenset[UUID]:
        del session, subject, at
        return frozenset()

    async def claims(
        self, session: AsyncSession, subject: UUID, names: frozenset[str]
    ) -> dict[str, Any]:
        del session, subject, names
        return {}


@dataclass(frozen=True)
class Desk:
    """Of one request; `now` is one instant, from before anything was read: what is issued is never
    younger than what it stands on was seen.
    """

    session: AsyncSession
    clock: Clock
    server: Server
    ring: Ring
    register: Register = field(default_factory=Unregistered)
    documents: ClientDocuments = field(default_factory=lambda: ClientDocuments(Reach()))
    authorities: Authorities | None = None

    @cached_property
    def now(self) -> datetime:
        return self.clock.now()

    async def authority(self, subject: UUID, posting: UUID | None = None) -> Authority:
        return await self.register.authority(self.session, subject, posting, self.now)

    async def authority_for(self, subject: UUID, business: UUID) -> Authority:
        return await self.register.authority_for(self.session, subject, business, self.now)

    async def businesses(self, subject: UUID) -> frozenset[UUID]:
        return await self.register.businesses(self.session, subject, self.now)

    async def person_claims(self, subject: UUID, names: frozenset[str]) -> dict[str, Any]:
        return await self.register.claims(self.session, subject, names)

    def until(self, lifetime: timedelta, *ends: datetime | None) -> datetime:
        """The earliest of now + lifetime and all that ends."""
        return min([self.now + lifetime, *(end for end in ends if end is not None)])
