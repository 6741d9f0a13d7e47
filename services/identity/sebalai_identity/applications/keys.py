"""Public keys of applications: one added by its keeper, or the whole set a client has published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.applications import events, store
from sebalai_identity.applications.model import Application, ApplicationKey
from sebalai_identity.applications.schema import ApplicationRegister, PublicKey
from sebalai_identity.desk import Desk

KNOWN_MAX = 500
"""Keys of one application, those that ended within REMEMBERED among them."""
REMEMBERED = timedelta(days=365)
SIGNING_KEYS_MAX = 50_000


class KeysFull(Conflict):
    slug, title = "application-keys-full", "The application has as many keys as it may"


class KeyEnded(Conflict):
    slug, title = "application-key-ended", "The key has ended and stays so"


async def keep_key(
    session: AsyncSession, application: Application, wanted: ApplicationRegister, now: datetime
) -> ApplicationKey | None:
    """The key that is new or whose end moved, if any."""
    if wanted.public_key is None:
        return None
    thumbprint = wanted.public_key.thumbprint()
    known = await store.keys_of(session, application.id)
    for key in known:
        if key.thumbprint == thumbprint:
            return key if _end_as_asked(key, wanted, now) else None
    usable = [key for key in known if _is_usable(key, now)]
    if len(usable) >= store.KEYS_MAX:
        raise KeysFull(f"At most {store.KEYS_MAX} keys; let one end first.")
    return await _add(session, application, wanted.public_key, now, wanted.key_valid_until)


def _is_usable(key: ApplicationKey, now: datetime) -> bool:
    return key.valid_until is None or key.valid_until > now


async def _add(
    session: AsyncSession,
    application: Application,
    key: PublicKey,
    now: datetime,
    until: datetime | None = None,
) -> ApplicationKey:
    thumbprint = key.thumbprint()
    row = ApplicationKey(
        id=uuid7(),
        application_id=application.id,
        kid=key.kid or thumbprint,
        thumbprint=thumbprint,
        jwk=key.material(),
        valid_from=now,
        valid_until=until,
    )
    session.add(row)
    await session.flush()
    return row


def _end_as_asked(key: ApplicationKey, wanted: ApplicationRegister, now: datetime) -> bool:
    """Sets the end that is given; a key that ended, perhaps leaked, is not brought back."""
    until = wanted.key_valid_until
    if "key_valid_until" not in wanted.model_fields_set or until == key.valid_until:
        return False
    if key.valid_until is not None and key.valid_until <= now:
        raise KeyEnded(f"It ended at {key.valid_until.isoformat()}; register a new key.")
    key.valid_until = until
    return True


async def set_keys(
    session: AsyncSession, desk: Desk, application: Application, keys: Sequence[PublicKey]
) -> None:
    """What the client says its keys are: others end now, and one that ended before stays so, unless
    it only was not told at `jwks_uri` for a while: an old copy ends no key for good.

    Raises `KeyEnded` where nothing of it may be used, `KeysFull`.
    """
    wanted = {key.thumbprint(): key for key in keys[: store.KEYS_MAX]}
    known = {key.thumbprint: key for key in await store.keys_of(session, application.id)}
    usable = {name: key for name, key in known.items() if _is_usable(key, desk.now)}
    added = [key for name, key in wanted.items() if name not in known]
    back = [
        known[name]
        for name in wanted.keys() & known.keys()
        if _may_return(application, known[name])
    ]
    if not added and not back and not wanted.keys() & usable.keys():
        raise KeyEnded("Every key of it has ended before; make a new one.")
    if len([key for key in known.values() if _is_remembered(key, desk.now)]) >= KNOWN_MAX:
        raise KeysFull(f"At most {KNOWN_MAX} keys a year.")
    for name in usable.keys() - wanted.keys():
        usable[name].valid_until = desk.now
        usable[name].is_absent = _is_at_address(application)
        await told_of_key(session, desk, application, usable[name])
    for key in back:
        key.valid_until, key.is_absent = None, False
        await told_of_key(session, desk, application, key)
    for name in usable.keys() & wanted.keys():
        await _call_as_told(session, desk, application, usable[name], wanted[name])
    for key in added:
        await told_of_key(
            session, desk, application, await _add(session, application, key, desk.now)
        )


def _is_at_address(application: Application) -> bool:
    return application.client.get("jwks_uri") is not None


def _may_return(application: Application, key: ApplicationKey) -> bool:
    return key.is_absent and _is_at_address(application)


async def _call_as_told(
    session: AsyncSession,
    desk: Desk,
    application: Application,
    key: ApplicationKey,
    told: PublicKey,
) -> None:
    """The same key under another `kid`: its client signs by the name it tells now."""
    kid = told.kid or key.thumbprint
    if kid != key.kid:
        key.kid = kid
        await session.flush()
        await told_of_key(session, desk, application, key)


def _is_remembered(key: ApplicationKey, now: datetime) -> bool:
    return _is_usable(key, now - REMEMBERED)


async def told_of_key(
    session: AsyncSession, desk: Desk, application: Application, key: ApplicationKey
) -> None:
    data = events.data_of_key(application, key)
    await tell(session, desk, kind=events.KEYED, subject=application.identifier, data=data)


@dataclass(frozen=True)
class SigningKeys:
    """What gateways check the signatures of applications by; `until` in seconds, or null."""

    version: int
    keys: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        return {"version": self.version, "keys": list(self.keys)}


async def signing_keys(session: AsyncSession, clock: Clock, *, after: int) -> SigningKeys | None:
    """The usable keys of all active applications; None when nothing changed since `after`."""
    # Read before the rows: they may then be newer than the version says, never older.
    version = await store.signing_version(session)
    if version == after:
        return None
    rows = await store.signing_keys(session, clock.now(), SIGNING_KEYS_MAX)
    return SigningKeys(version, tuple(dict(row) for row in rows))
