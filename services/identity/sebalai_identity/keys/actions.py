"""The signing ring: made at first need, rotated, published; and signing with its active key.

A key is published as `next` one rotation before it signs, so every gateway knows it in time; it
stays published while `retiring`, longer than any token it signed lives.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.clock import Clock
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, Unavailable
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.keys import events, store
from sebalai_identity.keys.model import ACTIVE, NEXT, RETIRED, RETIRING, SigningKey
from sebalai_identity.keys.sealing import Sealer

ALGORITHM = "ES256"
ROTATE_AFTER = timedelta(days=30)
RETIRING_FOR = timedelta(hours=1)
PUBLISHED_FOR = timedelta(minutes=15)


class NoSealingKey(Unavailable):
    slug, title = "no-sealing-key", "No signing key can be made or opened"


class NextKeyTooYoung(Conflict):
    slug, title = "next-key-too-young", "The next key is not published long enough to sign"


@dataclass(frozen=True)
class KeySnapshot:
    """What the gateway needs (wiring, section 7): public keys and a version that only rises."""

    version: int
    keys: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        return {"version": self.version, "keys": list(self.keys)}


class Ring:
    """A process's hold on the ring: the sealing key, and the active key it opened last."""

    def __init__(self, sealer: Sealer | None, clock: Clock) -> None:
        self._sealer, self._clock = sealer, clock
        self._opened: tuple[str, ECKey] | None = None

    def _required_sealer(self) -> Sealer:
        if self._sealer is None:
            raise NoSealingKey("Set SEBALAI_SEALING_KEY_FILE of identity and start it again.")
        return self._sealer

    async def sign(self, session: AsyncSession, claims: dict[str, Any], kind: str) -> str:
        """A JWS with the one active key; never with a set, which would pick any."""
        row = await self._active(session)
        key = self._open(row)
        return jwt.encode({"alg": ALGORITHM, "typ": kind, "kid": row.kid}, claims, key)

    async def snapshot(self, session: AsyncSession, after: int | None = None) -> KeySnapshot | None:
        """The published keys, or None when nothing is newer than version `after`."""
        await self._active(session)
        version = await store.version(session)
        if after is not None and version <= after:
            return None
        keys = tuple(row.jwk for row in await store.published(session))
        return KeySnapshot(version, keys)

    async def rotate(self, session: AsyncSession) -> str:
        """Active to retiring, next to active, a new next; answers the kid that signs now.

        Raises `NextKeyTooYoung`, `NoSealingKey`.
        """
        version = await store.lock_ring(session)
        (previous,) = await store.in_state(session, ACTIVE) or [None]
        if previous is not None:
            await self._require_known_next(session)
            await store.move(session, previous.kid, RETIRING, self._clock.now())
        await self._activate(session)
        await self._retire(session)
        await store.raise_version(session)
        active = await store.active(session)
        assert active is not None  # noqa: S101 - made above, under the ring's lock
        old = previous.kid if previous else None
        await publish(session, events.rotated(active.kid, old, version + 1, self._clock.now()))
        return active.kid

    async def _require_known_next(self, session: AsyncSession) -> None:
        # A gateway that missed the news would refuse every token of a key it does not know.
        minutes = int(PUBLISHED_FOR.total_seconds() // 60)
        for key in await store.in_state(session, NEXT):
            ripe_at = key.created_at + PUBLISHED_FOR
            if ripe_at > self._clock.now():
                raise NextKeyTooYoung(
                    f"The next key must be published for {minutes} minutes before it signs; "
                    f"rotate again after {ripe_at.isoformat(timespec='seconds')}."
                )

    async def keep_fresh(self, session: AsyncSession) -> None:
        """The daily job: rotates an old key, retires what signed its last token long ago."""
        active = await self._active(session)
        if self._clock.now() - active.changed_at >= ROTATE_AFTER:
            await self.rotate(session)
            return
        await store.lock_ring(session)
        if await self._retire(session):
            await store.raise_version(session)

    async def _active(self, session: AsyncSession) -> SigningKey:
        row = await store.active(session)
        if row is not None:
            return row
        await store.lock_ring(session)
        # Whoever waited for the lock finds the key of whoever held it.
        row = await store.active(session)
        if row is None:
            await self._activate(session)
            await store.raise_version(session)
            row = await store.active(session)
        assert row is not None  # noqa: S101 - made above, under the ring's lock
        return row

    async def _activate(self, session: AsyncSession) -> None:
        waiting = await store.in_state(session, NEXT)
        kid = waiting[0].kid if waiting else await self._make(session)
        await store.move(session, kid, ACTIVE, self._clock.now())
        await self._make(session)

    async def _retire(self, session: AsyncSession) -> bool:
        until = self._clock.now() - RETIRING_FOR
        done = [row for row in await store.in_state(session, RETIRING) if row.changed_at <= until]
        for row in done:
            await store.move(session, row.kid, RETIRED, self._clock.now())
        return bool(done)

    async def _make(self, session: AsyncSession) -> str:
        sealer = self._required_sealer()
        key = ECKey.generate_key("P-256")
        kid = key.thumbprint()
        public = key.as_dict(private=False) | {"kid": kid, "alg": ALGORITHM, "use": "sig"}
        secret = json.dumps(key.as_dict(private=True)).encode()
        now = self._clock.now()
        row = SigningKey(
            kid=kid,
            state=NEXT,
            jwk=public,
            sealed=sealer.seal(secret, kid),
            created_at=now,
            changed_at=now,
        )
        session.add(row)
        await session.flush()
        return kid

    def _open(self, row: SigningKey) -> ECKey:
        if self._opened is None or self._opened[0] != row.kid:
            secret = self._required_sealer().open(row.sealed, row.kid)
            self._opened = (row.kid, ECKey.import_key(json.loads(secret)))
        return self._opened[1]
