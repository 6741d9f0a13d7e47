"""Initial access tokens (RFC 7591 section 3): issued by an agency's administrator, so many
registrations and until then, taken back at any time.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.desk import Desk
from sebalai_identity.duties import system_of
from sebalai_identity.registrations import access, events, store
from sebalai_identity.registrations.model import InitialToken
from sebalai_identity.registrations.schema import InitialTokenIssue

LIFETIME_MAX = timedelta(days=90)
OPEN_MAX = 20
SECRET_BYTES = 32


class AdministratorsOnly(Forbidden):
    slug, title = "agency-administrators-only", "Only the agency's administrator may do this"


class InitialTokenUnknown(NotFound):
    slug, title = "initial-token-unknown", "There is no such token, or it is not yours to see"


class InitialTokensFull(Conflict):
    slug, title = "initial-tokens-full", "The agency has as many open tokens as it may"


async def issue_token(
    session: AsyncSession, desk: Desk, *, wanted: InitialTokenIssue
) -> tuple[InitialToken, str]:
    """The token, and its secret that is told this once.

    Raises `AdministratorsOnly`, `AgencyUnknown`, `FieldInvalid`, `InitialTokensFull`.
    """
    _require_administrator(desk.caller, wanted.agency)
    if not desk.now < wanted.valid_until <= desk.now + LIFETIME_MAX:
        raise FieldInvalid("/valid_until", f"It lies ahead, at most {LIFETIME_MAX.days} days.")
    await require_in_force(session, slug=wanted.agency, on=desk.today)
    if await store.count_open(session, wanted.agency, desk.now) >= OPEN_MAX:
        raise InitialTokensFull(f"At most {OPEN_MAX}; revoke one first.")
    secret = f"iat_{secrets.token_urlsafe(SECRET_BYTES)}"
    row = InitialToken(
        id=uuid7(),
        agency=wanted.agency,
        digest=store.digest_of(secret),
        purpose=wanted.purpose,
        handed_to=str(wanted.handed_to),
        registrations=wanted.registrations,
        used=0,
        valid_until=wanted.valid_until,
        issued_by=desk.actor,
        issued_by_system_of=system_of(desk.caller),
        issued_at=desk.now,
    )
    session.add(row)
    await session.flush()
    await _told(session, desk, row, events.ISSUED)
    return row, secret


def _require_administrator(caller: Caller, agency: str) -> None:
    if not access.may_issue(caller, agency):
        raise AdministratorsOnly(
            f"It needs scope {access.MANAGE} of the agency, or {access.APPROVE}."
        )


async def _told(session: AsyncSession, desk: Desk, row: InitialToken, kind: str) -> None:
    data: dict[str, object] = {
        "token_id": str(row.id),
        "agency": row.agency,
        "registrations": row.registrations,
        "valid_until": row.valid_until.isoformat(),
    }
    await tell(session, desk, kind=kind, subject=str(row.id), data=data)


async def list_tokens(
    session: AsyncSession, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[InitialToken]:
    return await store.page(session, caller, after, limit)


async def revoke_token(session: AsyncSession, desk: Desk, *, token_id: UUID) -> InitialToken:
    """Nobody registers by it any more; who did stays, and gets no more than it has.

    Raises `InitialTokenUnknown`, `AdministratorsOnly`.
    """
    row = await store.lock_token(session, desk.caller, token_id)
    if row is None:
        raise InitialTokenUnknown("Look it up under /v1/initial-access-tokens.")
    _require_administrator(desk.caller, row.agency)
    if row.revoked_at is None:
        row.revoked_at = desk.now
        await session.flush()
        await _told(session, desk, row, events.REVOKED)
    return row
