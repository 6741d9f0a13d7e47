"""The second factor: one-time codes by time (RFC 6238), and recovery codes for a lost phone."""

import base64
import hmac
import secrets
from uuid import UUID

from pyotp import random_base32
from pyotp.totp import TOTP
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.assurance import ONE_TIME, RECOVERY
from sebalai_identity.credentials import events, store, throttle
from sebalai_identity.credentials.keeper import NOTHING, Keeper, Origin, digest_of
from sebalai_identity.credentials.passwords import Checked
from sebalai_identity.credentials.throttle import FREE_PLACE, Counter

ISSUER = "Sebalai"
STEP_SECONDS = 30
# A phone's clock may be one step off in either direction.
WINDOW_STEPS = 1
CODE_DIGITS = 6
CODES = 10
CODE_BYTES = 10
GROUP = 4


class OneTimeKnown(Conflict):
    slug, title = "one-time-known", "One-time codes are set up already"


async def begin_one_time(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> str:
    """A new seed (base32) that counts once `confirm_one_time` saw a code of it.

    Raises `OneTimeKnown`: remove the one in use first, so that nobody replaces it unseen.
    """
    row = await store.one_time_of(session, subject)
    if row is not None and row.confirmed_at is not None:
        raise OneTimeKnown("Remove the present app first.")
    seed = random_base32()
    await store.keep_seed(session, subject, keeper.secrets.seal(seed.encode(), _place(subject)))
    return seed


async def pending_seed(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> str | None:
    """The seed that waits for its first code."""
    row = await store.one_time_of(session, subject)
    if row is None or row.confirmed_at is not None:
        return None
    return keeper.secrets.open(row.sealed, _place(subject)).decode()


def address_of(seed: str, login: str) -> str:
    """`otpauth://…` for a QR code (Key URI format)."""
    return TOTP(seed).provisioning_uri(name=login, issuer_name=ISSUER)


async def confirm_one_time(
    session: AsyncSession, keeper: Keeper, *, subject: UUID, code: str
) -> list[str] | None:
    """Recovery codes, shown this once; None when the code is wrong."""
    row = await store.one_time_of(session, subject)
    if row is None or row.confirmed_at is not None:
        return None
    if not await _uses_step(session, keeper, subject, code):
        return None
    now = keeper.clock.now()
    await store.confirm_seed(session, subject, now)
    await publish(session, events.added(subject, "one-time", now))
    return await renew_codes(session, keeper, subject=subject)


async def has_one_time(session: AsyncSession, *, subject: UUID) -> bool:
    return await store.has_one_time(session, subject)


async def remove_one_time(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> None:
    """Its recovery codes go with it: alone they would be a second factor nobody looks after."""
    await store.drop_seed(session, subject)
    await store.drop_codes(session, subject)
    await publish(session, events.removed(subject, "one-time", keeper.clock.now()))


async def check_second(keeper: Keeper, *, subject: UUID, typed: str, origin: Origin) -> Checked:
    """A one-time code of an unused step, or an unused recovery code: each counts once."""
    async with keeper.database.transaction() as session:
        counters = await _counters(session, keeper, subject, origin)
        wait = await throttle.admit(session, counters, keeper.clock.now())
        if wait > NOTHING:
            return Checked(wait=wait)
    async with keeper.database.transaction() as session:
        code = "".join(typed.split()).replace("-", "").upper()
        is_time_code = code.isdigit() and len(code) == CODE_DIGITS
        is_right = (
            await _is_step_of_confirmed(session, keeper, subject, code)
            if is_time_code
            else await store.use_code(session, subject, digest_of(code), keeper.clock.now())
        )
        if not is_right:
            return Checked()
        await throttle.clear(session, counters, keeper.clock.now())
    return Checked(subject, method=ONE_TIME if is_time_code else RECOVERY)


async def _counters(
    session: AsyncSession, keeper: Keeper, subject: UUID, origin: Origin
) -> list[Counter]:
    """The person's own browser is counted apart here too: who stole a password locks nobody out."""
    index, name = keeper.secrets.index, str(subject)
    if await store.is_device_of(session, subject, origin.device_digest):
        return [Counter(index("second-device", name, origin.device or ""), FREE_PLACE)]
    return [
        Counter(index("second", name, origin.network), FREE_PLACE),
        Counter(index("second", name), FREE_PLACE * 4),
    ]


async def _is_step_of_confirmed(
    session: AsyncSession, keeper: Keeper, subject: UUID, code: str
) -> bool:
    if not await has_one_time(session, subject=subject):
        return False
    return await _uses_step(session, keeper, subject, code)


async def _uses_step(session: AsyncSession, keeper: Keeper, subject: UUID, code: str) -> bool:
    row = await store.one_time_of(session, subject)
    if row is None:
        return False
    totp = TOTP(keeper.secrets.open(row.sealed, _place(subject)).decode())
    now = int(keeper.clock.now().timestamp()) // STEP_SECONDS
    for step in range(now - WINDOW_STEPS, now + WINDOW_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return await store.use_step(session, subject, step)
    return False


async def renew_codes(session: AsyncSession, keeper: Keeper, *, subject: UUID) -> list[str]:
    """CODES new ones in place of all earlier; only their digests are kept."""
    codes = [base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode() for _ in range(CODES)]
    await store.keep_codes(session, subject, [digest_of(code) for code in codes])
    await publish(session, events.added(subject, "recovery", keeper.clock.now()))
    return ["-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)) for code in codes]


async def codes_left(session: AsyncSession, *, subject: UUID) -> int:
    return await store.codes_left(session, subject)


def _place(subject: UUID) -> str:
    return f"one_time.sealed:{subject}"
