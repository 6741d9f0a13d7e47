"""SQL of outside providers, linked identities, and sign-ins under way. What opens something is kept
as its SHA-256 only.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sqlalchemy import Select, delete, false, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.outside_providers.access import may_keep
from sebalai_identity.outside_providers.model import (
    ATTEMPTS,
    DISABLED,
    ENABLED,
    PROOFS,
    OutsideIdentity,
    OutsideProvider,
)
from sebalai_identity.outside_providers.schema import Proof

ENABLED_MAX = 10
LINKED_MAX = 50

_OPEN = text(
    "INSERT INTO outside_attempt"
    " (slot, digest, browser, provider_id, person_id, interaction, max_age, expires_at) VALUES"
    " (:slot, :digest, :browser, :provider_id, :person_id, :interaction, :max_age, :expires_at)"
)
# Once: whoever comes second finds it used.
_TAKE = text(
    "UPDATE outside_attempt SET used_at = :at WHERE digest = :digest AND browser = :browser"
    " AND provider_id = :provider_id AND used_at IS NULL AND expires_at > :at"
    " RETURNING person_id, interaction, max_age"
)
_KEEP_PROOF = text(
    "INSERT INTO outside_proof (slot, digest, provider_id, issuer, subject_index, has_nik,"
    " nik_person, person_id, expires_at) VALUES (:slot, :digest, :provider_id, :issuer,"
    " :subject_index, :has_nik, :nik_person, :person_id, :expires_at)"
)
_COLUMNS = "provider_id, issuer, subject_index, has_nik, nik_person, person_id"
_FIND_PROOF = text(
    f"SELECT {_COLUMNS} FROM outside_proof"  # noqa: S608 - our own columns
    " WHERE digest = :digest AND used_at IS NULL AND expires_at > :at"
)
_TAKE_PROOF = text(
    "UPDATE outside_proof SET used_at = :at"  # noqa: S608 - our own columns
    f" WHERE digest = :digest AND used_at IS NULL AND expires_at > :at RETURNING {_COLUMNS}"
)


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def visible_to(caller: Caller) -> Select[OutsideProvider]:
    query = select(OutsideProvider)
    return query if may_keep(caller) else query.where(false())


async def page(
    session: AsyncSession, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[OutsideProvider]:
    """Up to `limit + 1` providers by id."""
    query = visible_to(caller).order_by(OutsideProvider.id).limit(limit + 1)
    if after is not None:
        query = query.where(OutsideProvider.id > after)
    if state is not None:
        query = query.where(OutsideProvider.state == state)
    return (await session.scalars(query)).all()


async def closed_slugs(session: AsyncSession) -> Sequence[str]:
    """Disabled, and nothing enabled in their place."""
    standing = select(OutsideProvider.slug).where(OutsideProvider.state == ENABLED)
    query = select(OutsideProvider.slug).where(
        OutsideProvider.state == DISABLED, OutsideProvider.slug.not_in(standing)
    )
    return (await session.scalars(query.distinct())).all()


async def lock(session: AsyncSession, caller: Caller, provider_id: UUID) -> OutsideProvider | None:
    query = visible_to(caller).where(OutsideProvider.id == provider_id).with_for_update()
    return await session.scalar(query.execution_options(populate_existing=True))


async def enabled(session: AsyncSession, slug: str | None = None) -> Sequence[OutsideProvider]:
    """For everybody: the buttons of the sign-in page."""
    query = select(OutsideProvider).where(OutsideProvider.state == ENABLED)
    if slug is not None:
        query = query.where(OutsideProvider.slug == slug)
    return (await session.scalars(query.order_by(OutsideProvider.slug).limit(ENABLED_MAX))).all()


async def retire(session: AsyncSession, slug: str, state: str) -> None:
    """What was enabled under this slug gives way."""
    await session.execute(
        update(OutsideProvider)
        .where(OutsideProvider.slug == slug, OutsideProvider.state == ENABLED)
        .values(state=state)
    )


async def identity_of(
    session: AsyncSession, issuer: str, subject_index: bytes
) -> OutsideIdentity | None:
    query = select(OutsideIdentity).where(
        OutsideIdentity.issuer == issuer, OutsideIdentity.subject_index == subject_index
    )
    return await session.scalar(query)


async def identities(session: AsyncSession, person_id: UUID) -> Sequence[OutsideIdentity]:
    query = select(OutsideIdentity).where(OutsideIdentity.person_id == person_id)
    return (await session.scalars(query.order_by(OutsideIdentity.id).limit(LINKED_MAX))).all()


async def drop_identity(session: AsyncSession, person_id: UUID, identity_id: UUID) -> str | None:
    """The issuer of what was theirs."""
    return await session.scalar(
        delete(OutsideIdentity)
        .where(OutsideIdentity.id == identity_id, OutsideIdentity.person_id == person_id)
        .returning(OutsideIdentity.issuer)
    )


async def open_attempt(session: AsyncSession, values: dict[str, Any]) -> None:
    await session.execute(_OPEN, {"slot": ATTEMPTS.slot(values["expires_at"]), **values})


async def take_attempt(
    session: AsyncSession, state: str, browser: str, provider_id: UUID, at: datetime
) -> Any | None:
    names = {
        "digest": digest_of(state),
        "browser": digest_of(browser),
        "provider_id": provider_id,
        "at": at,
    }
    return (await session.execute(_TAKE, names)).one_or_none()


async def keep_proof(session: AsyncSession, token: str, proof: Proof, expires: datetime) -> None:
    names = {**vars(proof), "digest": digest_of(token), "expires_at": expires}
    await session.execute(_KEEP_PROOF, {"slot": PROOFS.slot(expires), **names})


async def proof(
    session: AsyncSession, token: str, at: datetime, *, takes: bool = False
) -> Proof | None:
    """`takes`: it is used up."""
    query = _TAKE_PROOF if takes else _FIND_PROOF
    row = (await session.execute(query, {"digest": digest_of(token), "at": at})).one_or_none()
    return Proof(*row) if row is not None else None
