"""What proves that somebody is their person: password, one-time code, recovery code, passkey, and
the invitation that begins it all. This module is the slice's face to the others.

Owns proofs and their throttling. Owns no page and no session; who the person is, is `persons`'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.credentials import store, throttle
from sebalai_identity.credentials.factors import (
    OneTimeKnown,
    address_of,
    begin_one_time,
    check_second,
    codes_left,
    confirm_one_time,
    has_one_time,
    pending_seed,
    remove_one_time,
    renew_codes,
)
from sebalai_identity.credentials.hashing import PasswordsBusy, PasswordWorkers
from sebalai_identity.credentials.invitations import (
    InvitationUnknown,
    Invited,
    Terms,
    accept,
    invite,
)
from sebalai_identity.credentials.issuing import InviteKeepersOnly, issue
from sebalai_identity.credentials.issuing import address_of as page_of_code
from sebalai_identity.credentials.keeper import Keeper, NoSignInKey, Origin, digest_of
from sebalai_identity.credentials.passkeys import (
    Enrolment,
    PasskeyRead,
    PasskeyRefused,
    PasskeysFull,
    Proven,
    Site,
    begin_enrolment,
    begin_sign_in,
    finish_enrolment,
    finish_sign_in,
    list_passkeys,
    read_credential,
    remove_passkey,
)
from sebalai_identity.credentials.passwords import (
    Checked,
    LoginInvalid,
    PasswordWeak,
    check_password,
    remember_device,
    set_password,
    still_stands,
)
from sebalai_identity.credentials.secrets import Secrets
from sebalai_identity.credentials.strength import LENGTH_MAX, LENGTH_MIN, Breached

__all__ = [
    "LENGTH_MAX",
    "LENGTH_MIN",
    "Breached",
    "Checked",
    "Enrolment",
    "InvitationUnknown",
    "InviteKeepersOnly",
    "Invited",
    "Keeper",
    "LoginInvalid",
    "NoSignInKey",
    "OneTimeKnown",
    "Origin",
    "PasskeyRead",
    "PasskeyRefused",
    "PasskeysFull",
    "PasswordWeak",
    "PasswordWorkers",
    "PasswordsBusy",
    "Proven",
    "Secrets",
    "Site",
    "Terms",
    "accept",
    "address_of",
    "begin_enrolment",
    "begin_one_time",
    "begin_sign_in",
    "check_password",
    "check_second",
    "codes_left",
    "confirm_one_time",
    "finish_enrolment",
    "finish_sign_in",
    "has_one_time",
    "invite",
    "issue",
    "list_passkeys",
    "page_of_code",
    "pending_seed",
    "read_credential",
    "remember_device",
    "remove_one_time",
    "remove_passkey",
    "renew_codes",
    "set_password",
    "still_stands",
]

HALF_LIFETIME = timedelta(minutes=10)
DEVICE_FORGOTTEN_AFTER = timedelta(days=400)


@dataclass(frozen=True)
class AccountRead:
    """`sponsor`: slug of the agency that answers for an outsider."""

    subject: UUID
    login: str
    sponsor: str | None
    has_password: bool


async def account_of(session: AsyncSession, *, subject: UUID) -> AccountRead | None:
    row = await store.account_of(session, subject)
    if row is None:
        return None
    stored = await store.hash_of(session, subject)
    return AccountRead(row.subject, row.login, row.sponsor, stored is not None)


async def has_strong_means(session: AsyncSession, *, subject: UUID) -> bool:
    """Whether the person can reach level 2 at all."""
    if await has_one_time(session, subject=subject):
        return True
    return bool(await list_passkeys(session, subject=subject))


@dataclass(frozen=True)
class Half:
    """A sign-in that has proven `methods` and still lacks the second factor."""

    subject: UUID
    methods: tuple[str, ...]


async def keep_half(
    session: AsyncSession, keeper: Keeper, *, browser: str, subject: UUID, methods: Sequence[str]
) -> None:
    """`browser`: a cookie value made for this very step, so that nobody else holds it."""
    until = keeper.clock.now() + HALF_LIFETIME
    await store.keep_half(session, digest_of(browser), subject, methods, until)


async def half_of(session: AsyncSession, keeper: Keeper, *, browser: str) -> Half | None:
    row = await store.half(session, digest_of(browser), keeper.clock.now())
    return Half(row.subject, tuple(row.methods)) if row is not None else None


async def drop_half(session: AsyncSession, *, browser: str) -> bool:
    """False where it is gone: used, too old, or of a password that was changed meanwhile."""
    return await store.drop_half(session, digest_of(browser))


async def sweep_credentials(session: AsyncSession, clock: Clock) -> None:
    now = clock.now()
    await throttle.sweep(session, now)
    await store.sweep(session, now, now - DEVICE_FORGOTTEN_AFTER)
