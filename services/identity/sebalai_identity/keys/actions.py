"""The signing ring: made at first need, rotated, published; and signing with its active key.

A key is published as `next` one rotation before it signs, so every gateway knows it in time; it
stays published while `retiring`, longer than any token it signed lives.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from sebalai_shared.clock import Clock
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, NotFound, Unavailable
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.compact import sign_es256
from sebalai_identity.keys import events, store
from sebalai_identity.keys.model import (
    ACTIVE,
    COMPROMISED,
    NEXT,
    PUBLISHED,
    RETIRED,
    RETIRING,
    SigningKey,
)
from sebalai_identity.keys.sealing import Sealer
from sebalai_identity.revocations.actions import revoke

ALGORITHM = "ES256"
# RS256 for those who read ID tokens only so (OpenID Connect Core 15.1); its keys are made at need.
ALGORITHMS = (ALGORITHM, "RS256")
RSA_BITS = 2048
ROTATE_AFTER = timedelta(days=30)
RETIRING_FOR = timedelta(hours=1)
REMEMBERED = timedelta(seconds=1)
PUBLISHED_FOR = timedelta(minutes=15)
KEPT_FOR = PUBLISHED_FOR
"""How long the published keys are told without a database. A key is published as long before it
signs, so until then the set has whatever signs; no access token lives longer.
"""
RENEWED_AFTER = timedelta(minutes=1)


class NoSealingKey(Unavailable):
    slug, title = "no-sealing-key", "No signing key can be made or opened"


class NextKeyTooYoung(Conflict):
    slug, title = "next-key-too-young", "The next key is not published long enough to sign"


class KeyUnknown(NotFound):
    slug, title = "signing-key-unknown", "No signing key in good standing bears this name"


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
        self._opened: dict[str, tuple[str, ECKey | RSAKey]] = {}
        self._signs: dict[str, datetime] = {}
        self._known: tuple[KeySnapshot, datetime] | None = None

    def _required_sealer(self) -> Sealer:
        if self._sealer is None:
            raise NoSealingKey("Set SEBALAI_SEALING_KEY_FILE of identity and start it again.")
        return self._sealer

    def secret(self, purpose: str) -> bytes:
        """32 bytes for one purpose, that no other purpose and no database reveals."""
        return self._required_sealer().derive(purpose)

    def seal(self, content: bytes, name: str) -> bytes:
        return self._required_sealer().seal(content, name)

    def open(self, sealed: bytes, name: str) -> bytes:
        """Raises `SealBroken`."""
        return self._required_sealer().open(sealed, name)

    async def sign(
        self,
        session: AsyncSession,
        claims: dict[str, Any],
        kind: str,
        algorithm: str = ALGORITHM,
    ) -> str:
        """A JWS with the one active key; never with a set, which would pick any."""
        kid, key = await self._signing(session, algorithm)
        if isinstance(key, ECKey) and key.private_key is not None:
            return sign_es256(kind, kid, claims, key.private_key)
        header = {"alg": algorithm, "typ": kind, "kid": kid}
        return jwt.encode(header, claims, key, algorithms=[algorithm])

    async def _signing(self, session: AsyncSession, algorithm: str) -> tuple[str, ECKey | RSAKey]:
        """The active key, asked for again after REMEMBERED: so long at most another process signs
        with a key that was just replaced, which stays published far longer.
        """
        held = self._signs.get(algorithm)
        if held is not None and held <= self._clock.now() < held + REMEMBERED:
            return self._opened[algorithm]
        row = await self._active(session, algorithm)
        self._open(row)
        self._signs[algorithm] = self._clock.now()
        return self._opened[algorithm]

    async def public_key(self, session: AsyncSession, kid: str) -> dict[str, Any] | None:
        """The public half of a key that verifies now."""
        row = await store.by_kid(session, kid)
        return row.jwk if row is not None and row.state in PUBLISHED else None

    async def verify(self, session: AsyncSession, compact: str) -> dict[str, Any] | None:
        """The claims of whatever this ring signed, however long ago; None for all else. Nothing
        but the signature is checked, and a compromised key proves nothing.
        """
        try:
            token = jws.extract_compact(compact.encode())
            kid = str(token.headers().get("kid", ""))
            # A NUL would be refused by the database, not by us.
            row = await store.by_kid(session, kid) if kid.isprintable() else None
            if row is None or row.state == COMPROMISED:
                return None
            key = ECKey if row.algorithm == ALGORITHM else RSAKey
            return jwt.decode(compact, key.import_key(row.jwk), algorithms=[row.algorithm]).claims
        except (JoseError, ValueError, RecursionError):
            return None

    async def snapshot(self, session: AsyncSession, after: int | None = None) -> KeySnapshot | None:
        """The published keys, or None when nothing is newer than version `after`."""
        await self._active(session, ALGORITHM)
        version = await store.version(session)
        is_newer = after is None or version > after
        if not is_newer and self._known_for(RENEWED_AFTER) is not None:
            return None
        keys = tuple(row.jwk for row in await store.published(session))
        found = KeySnapshot(version, keys)
        self._known = found, self._clock.now()
        return found if is_newer else None

    def remembered(self) -> KeySnapshot | None:
        """The published keys as this process read them last, if that is not longer ago than
        KEPT_FOR. Gateways that ask for newer ones each second see to it that it is not.
        """
        return self._known_for(KEPT_FOR)

    def _known_for(self, period: timedelta) -> KeySnapshot | None:
        if self._known is None:
            return None
        found, read_at = self._known
        return found if read_at <= self._clock.now() < read_at + period else None

    async def rotate(self, session: AsyncSession, algorithm: str = ALGORITHM) -> str:
        """Active to retiring, next to active, a new next; answers the kid that signs now.

        Raises `NextKeyTooYoung`, `NoSealingKey`.
        """
        self._signs.clear()
        await store.lock_ring(session)
        if await store.active(session, algorithm) is not None:
            await self._require_known_next(session, algorithm)
        return await self._replace(session, algorithm, RETIRING)

    async def compromise(self, session: AsyncSession, kid: str) -> str:
        """Takes a key out at once, with every token it signed; answers the kid that signs now. Also
        one long retired: hints it signed are still read, and its private half is still kept.

        The waiting key signs however young it is: an unknown key costs its readers one fetch.
        Raises `KeyUnknown`, `NoSealingKey`.
        """
        self._signs.clear()
        await store.lock_ring(session)
        row = await store.by_kid(session, kid)
        if row is None or row.state == COMPROMISED:
            raise KeyUnknown("The names of the published keys stand under /oauth/jwks.")
        await revoke(session, self._clock, kind="kid", value=kid, reason="compromised")
        was = row.state
        if was == ACTIVE:
            return await self._replace(session, row.algorithm, COMPROMISED)
        await store.move(session, kid, COMPROMISED, self._clock.now())
        if was == NEXT:
            await self._make(session, row.algorithm)
        await store.raise_version(session)
        active = await store.active(session, row.algorithm)
        return active.kid if active is not None else ""

    async def _replace(self, session: AsyncSession, algorithm: str, state: str) -> str:
        version = await store.version(session)
        previous = await store.active(session, algorithm)
        if previous is not None:
            await store.move(session, previous.kid, state, self._clock.now())
        await self._activate(session, algorithm)
        await self._retire(session, algorithm)
        await store.raise_version(session)
        active = await store.active(session, algorithm)
        assert active is not None  # noqa: S101 - made above, under the ring's lock
        old = previous.kid if previous else None
        await publish(session, events.rotated(active.kid, old, version + 1, self._clock.now()))
        return active.kid

    async def _require_known_next(self, session: AsyncSession, algorithm: str) -> None:
        # A gateway that missed the news would refuse every token of a key it does not know.
        minutes = int(PUBLISHED_FOR.total_seconds() // 60)
        for key in await store.in_state(session, NEXT, algorithm):
            ripe_at = key.created_at + PUBLISHED_FOR
            if ripe_at > self._clock.now():
                raise NextKeyTooYoung(
                    f"The next key must be published for {minutes} minutes before it signs; "
                    f"rotate again after {ripe_at.isoformat(timespec='seconds')}."
                )

    async def keep_fresh(self, session: AsyncSession) -> None:
        """The daily job: rotates an old key, retires what signed its last token long ago."""
        await self._active(session, ALGORITHM)
        for algorithm in ALGORITHMS:
            await self._keep_fresh(session, algorithm)

    async def _keep_fresh(self, session: AsyncSession, algorithm: str) -> None:
        active = await store.active(session, algorithm)
        if active is not None and self._clock.now() - active.changed_at >= ROTATE_AFTER:
            await self.rotate(session, algorithm)
            return
        await store.lock_ring(session)
        if await self._retire(session, algorithm):
            await store.raise_version(session)

    async def _active(self, session: AsyncSession, algorithm: str) -> SigningKey:
        row = await store.active(session, algorithm)
        if row is not None:
            return row
        await store.lock_ring(session)
        # Whoever waited for the lock finds the key of whoever held it.
        row = await store.active(session, algorithm)
        if row is None:
            await self._activate(session, algorithm)
            await store.raise_version(session)
            row = await store.active(session, algorithm)
        assert row is not None  # noqa: S101 - made above, under the ring's lock
        return row

    async def _activate(self, session: AsyncSession, algorithm: str) -> None:
        waiting = await store.in_state(session, NEXT, algorithm)
        kid = waiting[0].kid if waiting else await self._make(session, algorithm)
        await store.move(session, kid, ACTIVE, self._clock.now())
        await self._make(session, algorithm)

    async def _retire(self, session: AsyncSession, algorithm: str) -> bool:
        until = self._clock.now() - RETIRING_FOR
        waiting = await store.in_state(session, RETIRING, algorithm)
        done = [row for row in waiting if row.changed_at <= until]
        for row in done:
            await store.move(session, row.kid, RETIRED, self._clock.now())
        return bool(done)

    async def _make(self, session: AsyncSession, algorithm: str) -> str:
        sealer = self._required_sealer()
        is_elliptic = algorithm == ALGORITHM
        key = ECKey.generate_key("P-256") if is_elliptic else RSAKey.generate_key(RSA_BITS)
        kid = key.thumbprint()
        public = key.as_dict(private=False) | {"kid": kid, "alg": algorithm, "use": "sig"}
        secret = json.dumps(key.as_dict(private=True)).encode()
        now = self._clock.now()
        row = SigningKey(
            kid=kid,
            state=NEXT,
            algorithm=algorithm,
            jwk=public,
            sealed=sealer.seal(secret, kid),
            created_at=now,
            changed_at=now,
        )
        session.add(row)
        await session.flush()
        return kid

    def _open(self, row: SigningKey) -> ECKey | RSAKey:
        held = self._opened.get(row.algorithm)
        if held is None or held[0] != row.kid:
            secret = json.loads(self._required_sealer().open(row.sealed, row.kid))
            kind = ECKey if row.algorithm == ALGORITHM else RSAKey
            held = self._opened[row.algorithm] = (row.kid, kind.import_key(secret))
        return held[1]
