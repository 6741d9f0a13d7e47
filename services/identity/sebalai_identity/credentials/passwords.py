"""Signing in by name and password, and setting a password."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.outbox import publish
from sebalai_shared.problems import FieldInvalid
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.assurance import PASSWORD
from sebalai_identity.credentials import events, store, throttle
from sebalai_identity.credentials.hashing import PasswordsBusy
from sebalai_identity.credentials.keeper import NOTHING, Keeper, Origin
from sebalai_identity.credentials.strength import LENGTH_MAX, Weakness, weakness
from sebalai_identity.credentials.throttle import (
    FREE_NAME,
    FREE_NETWORK,
    FREE_PLACE,
    Counter,
)

LOGIN_PATTERN = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,63}")
# A NIK of 16 digits must never become a name that is shown and logged.
NIK_SHAPE = re.compile(r"\D*(\d\D*){16}")
TYPED_MAX = 256
HOUR_SECONDS = 3_600


class LoginInvalid(FieldInvalid):
    slug, title = "login-invalid", "This name cannot be signed in by"


class PasswordWeak(FieldInvalid):
    slug, title = "password-weak", "This password would be guessed"

    def __init__(self, why: Weakness) -> None:
        super().__init__("/password", f"It is refused as {why}.")
        self.why: Weakness = why


@dataclass(frozen=True)
class Checked:
    """`subject` None: not proven, for whatever reason. `wait`: it was not even looked at.
    `method`: by what it was proven, as tokens name it; `stored`: the hash a password matched.
    `counters`: where the attempt is counted as failed, until `still_stands` forgets it.
    """

    subject: UUID | None = None
    wait: timedelta = NOTHING
    method: str = PASSWORD
    stored: str | None = None
    counters: Sequence[Counter] = ()


@dataclass(frozen=True)
class Standing:
    """A password that is still the person's; whether it has to be followed by a one-time code."""

    has_one_time: bool


def login_of(typed: str) -> str:
    """Raises `LoginInvalid`."""
    login = typed.strip().lower()
    if not LOGIN_PATTERN.fullmatch(login) or NIK_SHAPE.fullmatch(login):
        raise LoginInvalid(
            "/login", "3 to 64 of a-z, 0-9 and . _ @ + -, beginning with a letter or digit; no NIK."
        )
    return login


async def check_password(keeper: Keeper, *, login: str, password: str, origin: Origin) -> Checked:
    """The same work, time and answer for unknown names. Raises `PasswordsBusy`, `NoSignInKey`."""
    login = login.strip().lower()[:TYPED_MAX]
    async with keeper.database.transaction() as session:
        account = await store.by_login(session, login, origin.device_digest)
        counters = _counters(keeper, login, origin, account)
        wait = await throttle.admit(session, counters, keeper.clock.now())
    if wait:
        return Checked(wait=wait)
    stored = account.hash if account is not None else None
    # What is longer was never set: it cannot match, and is not worth hashing whole.
    if not await keeper.workers.matches(stored, password[: LENGTH_MAX + 1]) or account is None:
        return Checked()
    if stored is not None and keeper.workers.is_outdated(stored):
        stored = await _hash_anew(keeper, account.subject, stored, password)
    return Checked(account.subject, stored=stored, counters=counters)


async def _hash_anew(keeper: Keeper, subject: UUID, stored: str, password: str) -> str:
    """With today's parameters; when the workers are busy, another time. What is kept now."""
    try:
        fresh = await keeper.workers.hash(password)
    except PasswordsBusy:
        return stored
    async with keeper.database.transaction() as session:
        return fresh if await store.renew_hash(session, subject, stored, fresh) else stored


async def still_stands(session: AsyncSession, keeper: Keeper, checked: Checked) -> Standing | None:
    """None once the password was changed: hashing takes so long that it may be meanwhile. Nobody
    changes it while the caller's transaction runs; who does so next ends the session it began.
    """
    subject, stored = checked.subject, checked.stored
    if subject is None:
        return None
    held = await store.hold_hash(session, subject, stored)
    if held is None:
        return None
    await throttle.clear(session, checked.counters, keeper.clock.now())
    return Standing(held.has_one_time)


def _counters(keeper: Keeper, login: str, origin: Origin, account: Any) -> Sequence[Counter]:
    index, hour = keeper.secrets.index, str(int(keeper.clock.now().timestamp()) // HOUR_SECONDS)
    if account is not None and account.is_known_device:
        return [Counter(index("device", login, origin.device or ""), FREE_PLACE)]
    return [
        Counter(index("place", login, origin.network), FREE_PLACE),
        Counter(index("name", login), FREE_NAME),
        # By the hour: in a large network somebody is always mistyping.
        Counter(index("network", origin.network, hour), FREE_NETWORK, is_cleared=False),
    ]


async def require_strong(keeper: Keeper, password: str, known: Iterable[str]) -> str:
    """The hash to keep. Raises `PasswordWeak`, `PasswordsBusy`."""
    why = weakness(password, known, keeper.breached)
    if why is not None:
        raise PasswordWeak(why)
    return await keeper.workers.hash(password)


async def set_password(
    session: AsyncSession,
    keeper: Keeper,
    *,
    subject: UUID,
    password: str,
    known: Iterable[str] = (),
) -> None:
    """Who calls it has seen that the person may. Raises `PasswordWeak`, `PasswordsBusy`."""
    stored = await require_strong(keeper, password, known)
    now = keeper.clock.now()
    await store.keep_hash(session, subject, stored, now)
    await publish(session, events.added(subject, "password", now))


async def remember_device(
    session: AsyncSession, keeper: Keeper, *, subject: UUID, device: str
) -> None:
    """From now on guesses by others do not slow this browser down."""
    origin = Origin("", device)
    await store.keep_device(session, subject, origin.device_digest, keeper.clock.now())
