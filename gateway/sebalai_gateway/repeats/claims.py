"""A call under an Idempotency-Key: the first one claims the key, later ones get what became of it.

Never twice at the provider: whatever is not known to have stayed unsent keeps its key for 24 hours.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from sebalai_gateway.database import StoreUnavailable
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.repeats.keys import Answered, Sealer, head_digest, key_digest
from sebalai_gateway.repeats.store import Earlier, Store

log = logging.getLogger(__name__)

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BODY_BYTES_LIMIT = 64 * 1024
HEADERS_BYTES_LIMIT = 32 * 1024
PENDING_AFTER_SECONDS = 120.0


class Claim:
    """One call's hold on its key. `earlier` is set when another call has it."""

    def __init__(self, store: Store, sealer: Sealer, digest: bytes, key: str) -> None:
        self._store, self._sealer, self._digest, self._key = store, sealer, digest, key
        self._message_id = UUID(int=0)
        self._head = b""
        self._kept: bytearray | None = bytearray()
        self.earlier: Earlier | None = None

    async def take(self, message_id: UUID, head: bytes, total_seconds: float) -> None:
        """Raises: StoreUnavailable."""
        self._message_id, self._head = message_id, head
        pending = timedelta(seconds=total_seconds + PENDING_AFTER_SECONDS)
        self.earlier = await self._store.claim(self._digest, message_id, head, pending)

    def keep(self, chunk: bytes) -> None:
        """Collects the answer while it is small enough to be kept."""
        if self._kept is None:
            return
        if len(self._kept) + len(chunk) > BODY_BYTES_LIMIT:
            self._kept = None
            return
        self._kept += chunk

    async def answered(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """`body` is the digest of the request's body, empty when it was not read whole."""
        sealed = None
        if (
            self._kept is not None
            and sum(len(n) + len(v) for n, v in headers) < HEADERS_BYTES_LIMIT
        ):
            sealed = self._sealer.seal(self._digest, self._key, (headers, bytes(self._kept)))
        await self._settle(status, sealed, body)

    async def unknown(self, body: bytes) -> None:
        await self._settle(None, None, body)

    async def _settle(self, status: int | None, sealed: bytes | None, body: bytes) -> None:
        try:
            await self._store.settle(
                self._digest, self._message_id, body=body, status=status, sealed=sealed
            )
        except StoreUnavailable as error:
            # It stays pending and becomes unknown by itself: never sent again either way.
            log.warning("the outcome under a key is not kept: %s", error)

    async def release(self) -> None:
        try:
            await self._store.release(self._digest, self._message_id)
        except StoreUnavailable as error:
            log.warning("a key is not released: %s", error)

    def outcome(self, body: bytes) -> tuple[int, Answered]:
        """What the first call was answered; `body` as in `answered`.

        Raises: Refusal, 409.
        """
        earlier = self.earlier
        if earlier is None:
            raise AssertionError
        self.check_head()
        if earlier.body_digest not in (None, b"", body):
            raise _reused(earlier)
        if earlier.status is None or earlier.state == "unknown":
            raise _unknown(earlier)
        kept = (
            self._sealer.open(self._digest, self._key, earlier.sealed) if earlier.sealed else None
        )
        if kept is None:
            raise _not_kept(earlier)
        return earlier.status, kept

    def check_head(self) -> None:
        """Before the body is read. Raises: Refusal, 409."""
        earlier = self.earlier
        if earlier is None:
            return
        if earlier.head_digest != self._head:
            raise _reused(earlier)
        if earlier.state == "pending":
            raise _conflict(
                earlier, "idempotency-in-progress", "The first call under this key is under way",
                "Try again in a moment.", [(b"retry-after", b"1")],
            )  # fmt: skip


class Claims:
    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store, self._sealer = store, sealer

    async def claim(
        self,
        key: str,
        parties: tuple[str, str],
        head: tuple[str, bytes, str],
        call: tuple[UUID, float],
    ) -> Claim:
        """`parties`: consumer and interface; `head`: method, target, purpose; `call`: message id
        and the seconds it may last.

        Raises: StoreUnavailable.
        """
        claim = Claim(self._store, self._sealer, key_digest(*parties, key), key)
        await claim.take(call[0], head_digest(*head), call[1])
        return claim


def _conflict(
    earlier: Earlier,
    slug: str,
    title: str,
    detail: str,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> Refusal:
    first = (b"sebalai-first-message-id", str(earlier.message_id).encode())
    detail = f"{detail} Its message_id is {earlier.message_id}."
    return Refusal(409, slug, title, detail, headers=[first, *(headers or [])])


def _reused(earlier: Earlier) -> Refusal:
    return _conflict(
        earlier, "idempotency-key-reused", "The key was used for another call",
        "Method, path, query, purpose or body differ from the first call; take a new key.",
    )  # fmt: skip


def _unknown(earlier: Earlier) -> Refusal:
    return _conflict(
        earlier, "idempotency-outcome-unknown", "What became of the first call is not known",
        "The provider may have acted: ask it. Nothing was sent again.",
    )  # fmt: skip


def _not_kept(earlier: Earlier) -> Refusal:
    return _conflict(
        earlier, "idempotency-outcome-not-kept", "The first call was answered",
        f"Its answer exceeds {BODY_BYTES_LIMIT} bytes and was not kept. Nothing was sent again.",
    )  # fmt: skip
