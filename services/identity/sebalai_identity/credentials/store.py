"""SQL of accounts and credentials."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.statements import execute, fetch_one
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.credentials.model import (
    Account,
    Invitation,
    OneTime,
    Passkey,
    Password,
    RecoveryCode,
)

DEVICES_MAX = 20
PASSKEYS_MAX = 20
SWEEP_ROWS = 50_000


async def _alone(session: AsyncSession, what: str) -> None:
    """Whoever does the same at once waits here for the end of this, and sees what came of it."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(what))))


async def account_of(session: AsyncSession, subject: UUID) -> Account | None:
    return await session.get(Account, subject, populate_existing=True)


_BY_LOGIN = (
    "SELECT one.subject, stored.hash, EXISTS (SELECT FROM known_device AS known"
    " WHERE known.digest = $2 AND known.subject = one.subject) AS is_known_device"
    " FROM account AS one LEFT JOIN password AS stored ON stored.subject = one.subject"
    " WHERE one.login = $1"
)


async def by_login(session: AsyncSession, login: str, device: bytes) -> Any | None:
    """`subject`, the `hash` of their password, and whether they have used this browser before."""
    return await fetch_one(session, _BY_LOGIN, login, device)


async def keep_account(
    session: AsyncSession, subject: UUID, login: str, sponsor: str | None, at: datetime
) -> bool:
    """False when somebody else signs in by this name. A known person gets the new name."""
    await _alone(session, f"login {login}")
    taken = select(Account.subject).where(Account.login == login, Account.subject != subject)
    if await session.scalar(taken) is not None:
        return False
    values = {"subject": subject, "login": login, "sponsor": sponsor, "created_at": at}
    change = upsert(Account).values(values)
    await session.execute(
        change.on_conflict_do_update(
            index_elements=["subject"], set_={"login": login, "sponsor": sponsor}
        )
    )
    return True


async def hash_of(session: AsyncSession, subject: UUID) -> str | None:
    return await session.scalar(select(Password.hash).where(Password.subject == subject))


_HOLD_HASH = (
    "SELECT EXISTS (SELECT FROM one_time AS one WHERE one.subject = $1"
    " AND one.confirmed_at IS NOT NULL) AS has_one_time"
    " FROM password WHERE subject = $1 AND hash = $2 FOR SHARE OF password"
)


async def hold_hash(session: AsyncSession, subject: UUID, stored: str | None) -> Any | None:
    """`has_one_time`, if it is still this one; who changes it now waits until this transaction is
    over.
    """
    return await fetch_one(session, _HOLD_HASH, subject, stored)


async def keep_hash(session: AsyncSession, subject: UUID, stored: str, at: datetime) -> None:
    """Sign-ins that the password before had begun are begun anew."""
    values = {"subject": subject, "hash": stored, "changed_at": at}
    change = upsert(Password).values(values)
    await session.execute(
        change.on_conflict_do_update(
            index_elements=["subject"], set_={"hash": stored, "changed_at": at}
        )
    )
    await session.execute(_DROP_HALVES, {"subject": subject})


async def renew_hash(session: AsyncSession, subject: UUID, stored: str, fresh: str) -> bool:
    """The same password hashed anew; False where it was changed meanwhile."""
    change = update(Password).where(Password.subject == subject, Password.hash == stored)
    result: Any = await session.execute(change.values(hash=fresh))
    return bool(result.rowcount)


async def one_time_of(session: AsyncSession, subject: UUID) -> OneTime | None:
    return await session.get(OneTime, subject, populate_existing=True)


_HAS_ONE_TIME = "SELECT FROM one_time WHERE subject = $1 AND confirmed_at IS NOT NULL"


async def has_one_time(session: AsyncSession, subject: UUID) -> bool:
    return await fetch_one(session, _HAS_ONE_TIME, subject) is not None


async def keep_seed(session: AsyncSession, subject: UUID, sealed: bytes) -> None:
    """A seed not yet confirmed; it takes the place of another unconfirmed one only."""
    change = upsert(OneTime).values(subject=subject, sealed=sealed, last_step=0, confirmed_at=None)
    await session.execute(
        change.on_conflict_do_update(
            index_elements=["subject"],
            set_={"sealed": sealed, "last_step": 0},
            where=OneTime.confirmed_at.is_(None),
        )
    )


async def use_step(session: AsyncSession, subject: UUID, step: int) -> bool:
    """Once for each step, and never an earlier one; decided by the row's lock."""
    result: Any = await session.execute(
        update(OneTime)
        .where(OneTime.subject == subject, OneTime.last_step < step)
        .values(last_step=step)
    )
    return bool(result.rowcount)


async def confirm_seed(session: AsyncSession, subject: UUID, at: datetime) -> None:
    await session.execute(update(OneTime).where(OneTime.subject == subject).values(confirmed_at=at))


async def drop_seed(session: AsyncSession, subject: UUID) -> None:
    await session.execute(delete(OneTime).where(OneTime.subject == subject))


async def drop_codes(session: AsyncSession, subject: UUID) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.subject == subject))


async def keep_codes(session: AsyncSession, subject: UUID, digests: Iterable[bytes]) -> None:
    """In place of all earlier ones."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.subject == subject))
    rows = [{"digest": digest, "subject": subject} for digest in digests]
    await session.execute(insert(RecoveryCode), rows)


async def use_code(session: AsyncSession, subject: UUID, digest: bytes, at: datetime) -> bool:
    result: Any = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.subject == subject,
            RecoveryCode.digest == digest,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
    )
    return bool(result.rowcount)


async def codes_left(session: AsyncSession, subject: UUID) -> int:
    query = select(func.count()).where(
        RecoveryCode.subject == subject, RecoveryCode.used_at.is_(None)
    )
    return (await session.scalars(query)).one()


async def passkeys_of(session: AsyncSession, subject: UUID) -> Sequence[Passkey]:
    query = select(Passkey).where(Passkey.subject == subject).order_by(Passkey.created_at)
    return (await session.scalars(query.limit(PASSKEYS_MAX))).all()


async def passkey(session: AsyncSession, credential_id: bytes) -> Passkey | None:
    query = select(Passkey).where(Passkey.id == credential_id).with_for_update()
    return await session.scalar(query)


async def drop_passkey(session: AsyncSession, subject: UUID, credential_id: bytes) -> bool:
    result: Any = await session.execute(
        delete(Passkey).where(Passkey.subject == subject, Passkey.id == credential_id)
    )
    return bool(result.rowcount)


async def drop_passkeys(session: AsyncSession, subject: UUID) -> None:
    await session.execute(delete(Passkey).where(Passkey.subject == subject))


async def keep_invitation(session: AsyncSession, row: Invitation) -> None:
    """It takes the place of earlier ones of the same person that nobody has used."""
    await _alone(session, f"invitation {row.subject}")
    await session.execute(
        delete(Invitation).where(Invitation.subject == row.subject, Invitation.used_at.is_(None))
    )
    session.add(row)
    await session.flush()


async def invitation(session: AsyncSession, digest: bytes, at: datetime) -> Invitation | None:
    """One that may be used now; locked, so that of two who use it at once one comes second."""
    query = (
        select(Invitation)
        .where(
            Invitation.digest == digest, Invitation.used_at.is_(None), Invitation.expires_at > at
        )
        .with_for_update()
    )
    return await session.scalar(query)


# Both see the table as it was before: beside this one there is room for one less.
_KEEP_DEVICE = (
    "WITH kept AS (INSERT INTO known_device (digest, subject, used_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (digest, subject) DO UPDATE SET used_at = $3)"
    " DELETE FROM known_device WHERE subject = $2 AND digest IN (SELECT digest FROM known_device"
    " WHERE subject = $2 AND digest <> $1 ORDER BY used_at DESC OFFSET $4)"
)
_KNOWN_TO = "SELECT FROM known_device WHERE digest = $1 AND subject = $2"


async def keep_device(session: AsyncSession, subject: UUID, digest: bytes, at: datetime) -> None:
    """Remembers the browser; the one used longest ago of DEVICES_MAX makes room."""
    await execute(session, _KEEP_DEVICE, digest, subject, at, DEVICES_MAX - 1)


async def is_device_of(session: AsyncSession, subject: UUID, digest: bytes) -> bool:
    return await fetch_one(session, _KNOWN_TO, digest, subject) is not None


_KEEP_HALF = text(
    "INSERT INTO half_sign_in (browser, subject, methods, expires_at)"
    " VALUES (:browser, :subject, :methods, :until)"
)
_HALF = text(
    "SELECT subject, methods FROM half_sign_in WHERE browser = :browser AND expires_at > :at"
)
_DROP_HALF = text("DELETE FROM half_sign_in WHERE browser = :browser")
_DROP_HALVES = text("DELETE FROM half_sign_in WHERE subject = :subject")


async def keep_half(
    session: AsyncSession, browser: bytes, subject: UUID, methods: Sequence[str], until: datetime
) -> None:
    names = {"browser": browser, "subject": subject, "methods": list(methods), "until": until}
    await session.execute(_KEEP_HALF, names)


async def half(session: AsyncSession, browser: bytes, at: datetime) -> Any | None:
    return (await session.execute(_HALF, {"browser": browser, "at": at})).one_or_none()


async def drop_half(session: AsyncSession, browser: bytes) -> bool:
    result: Any = await session.execute(_DROP_HALF, {"browser": browser})
    return bool(result.rowcount)


_KEEP_CHALLENGE = text(
    "INSERT INTO challenge (digest, browser, purpose, subject, expires_at)"
    " VALUES (:digest, :browser, :purpose, :subject, :until)"
)
_TAKE_CHALLENGE = text(
    "DELETE FROM challenge WHERE digest = :digest AND browser = :browser AND purpose = :purpose"
    " AND subject IS NOT DISTINCT FROM :subject AND expires_at > :at"
)


async def keep_challenge(session: AsyncSession, names: dict[str, Any]) -> None:
    await session.execute(_KEEP_CHALLENGE, names)


async def take_challenge(session: AsyncSession, names: dict[str, Any]) -> bool:
    """Once: of two who answer the same challenge one comes too late."""
    result: Any = await session.execute(_TAKE_CHALLENGE, names)
    return bool(result.rowcount)


async def sweep(session: AsyncSession, now: datetime, forgotten_devices: datetime) -> None:
    for table, column, before in (
        ("challenge", "expires_at", now),
        ("half_sign_in", "expires_at", now),
        ("known_device", "used_at", forgotten_devices),
    ):
        statement = (
            f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table}"  # noqa: S608 - our own names
            f" WHERE {column} < :before LIMIT :rows)"
        )
        await session.execute(text(statement), {"before": before, "rows": SWEEP_ROWS})
