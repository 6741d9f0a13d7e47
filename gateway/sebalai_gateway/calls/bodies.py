"""Bodies flow through and are never joined: counted, hashed and bounded chunk by chunk."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable

from sebalai_gateway.calls.consumer import ClientGone
from sebalai_gateway.refusals import Refusal

_SHA256 = re.compile(rb"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")
_EMPTY = hashlib.sha256()
_NOTHING: dict[str, object] = {"sha256": _EMPTY.hexdigest(), "bytes": 0}


class Measure:
    """The SHA-256 and size of what passed by."""

    __slots__ = ("_hash", "size")

    def __init__(self) -> None:
        self._hash = _EMPTY
        self.size = 0

    def add(self, chunk: bytes) -> None:
        if self._hash is _EMPTY:
            self._hash = _EMPTY.copy()
        self._hash.update(chunk)
        self.size += len(chunk)

    def evidence(self) -> dict[str, object]:
        if self._hash is _EMPTY:
            return _NOTHING
        return {"sha256": self._hash.hexdigest(), "bytes": self.size}

    def digest(self) -> bytes:
        return self._hash.digest()


def expected_digest(header: bytes | None) -> bytes | None:
    """The sha-256 of a Content-Digest header (RFC 9530); other algorithms are not ours to check.

    Raises:
        Refusal: the header names sha-256 but cannot be read.
    """
    if header is None or b"sha-256" not in header:
        return None
    found = _SHA256.search(header)
    if found is None:
        raise Refusal(
            400,
            "digest-malformed",
            "The Content-Digest header cannot be read",
            "Write it as sha-256=:<base64 of 32 bytes>: (RFC 9530).",
        )
    return base64.b64decode(found[1])


class RequestBody:
    """The consumer's body on its way to the provider; `read` gives it piece by piece, and nothing
    at its end.

    `failure` is set before the stream breaks off, because an HTTP client reports only that sending
    failed and not why. `has_begun`: some of it was asked for; `is_over`: nothing more is to come.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[bytes]],
        limit: int,
        expected: bytes | None,
        at_hand: Callable[[], bytes | None] | None = None,
    ) -> None:
        self._read, self._limit, self._expected = read, limit, expected
        self._at_hand = at_hand
        self.measure = Measure()
        self.failure: Refusal | ClientGone | None = None
        self.is_over = self.has_begun = False
        self._whole: bytes | None = None
        self._held: list[bytes] | None = None
        self._rest: AsyncIterator[bytes] | None = None

    def leave_out(self) -> None:
        """Instead of `stream`, for a request without a body. Raises: Refusal, when the digest is
        not that of nothing.
        """
        self.is_over = True
        self._compare()

    def whole(self) -> bytes | None:
        """All of the body at once, where it has come already and nothing of it was asked for; as
        often as needed. Raises: Refusal, as the stream of it would.
        """
        if self._whole is None and not self.has_begun and self._at_hand is not None:
            found = self._at_hand()
            if found is not None:
                self._take(found)
        return self._whole

    def _take(self, body: bytes) -> None:
        if len(body) > self._limit:
            raise self._fail(too_large(self._limit))
        self.measure.add(body)
        self.is_over = True
        self._compare()
        self._whole = body

    async def drain(self, *, has_body: bool) -> None:
        """Reads and measures the body without forwarding it. Raises: ClientGone, Refusal."""
        if has_body:
            async for _ in self.stream():
                continue

    async def hold(self, limit: int, *, is_whole_needed: bool) -> bytes | None:
        """Takes in the whole body, so that it can be looked at before it is forwarded by `stream`.

        None when it is larger than `limit`: what has come so far and the rest still flow.

        Raises:
            Refusal: the body is larger and must be whole, or is not what its digest says.
            ClientGone: the consumer left.
        """
        whole = self.whole()
        if whole is not None:
            if len(whole) <= limit:
                return whole
            if is_whole_needed:
                raise too_large(limit)
            return None
        if self._held is None:
            if self.is_over:
                return b""
            self._held, self._rest = [], self._unheld()
        size = await self._hold_up_to(limit, self._held)
        if size <= limit:
            return b"".join(self._held)
        if is_whole_needed:
            raise too_large(limit)
        return None

    async def _hold_up_to(self, limit: int, held: list[bytes]) -> int:
        """Goes on where who asked before has stopped. How much is held: more than `limit`, if there
        is more.
        """
        size = sum(map(len, held))
        if self._rest is None or size > limit:
            return size
        async for chunk in self._rest:
            held.append(chunk)
            size += len(chunk)
            if size > limit:
                return size
        self._rest = None
        return size

    async def stream(self) -> AsyncIterator[bytes]:
        """Yields what is held, then what still comes."""
        if self._whole is not None:
            yield self._whole
            return
        for chunk in self._held or ():
            yield chunk
        if self._held is None or self._rest is not None:
            async for chunk in self._rest or self._unheld():
                yield chunk

    async def _unheld(self) -> AsyncIterator[bytes]:
        """Yields chunks; with an expected digest the last one waits until it has been compared."""
        held: bytes | None = None
        async for chunk in self._incoming():
            if self._expected is None:
                yield chunk
                continue
            if held is not None:
                yield held
            held = chunk
        self._compare()
        if held is not None:
            yield held

    async def _incoming(self) -> AsyncIterator[bytes]:
        self.has_begun = True
        try:
            while chunk := await self._read():
                self.measure.add(chunk)
                if self.measure.size > self._limit:
                    raise self._fail(too_large(self._limit))
                yield chunk
        except ClientGone as error:
            self._fail(error)
            raise
        self.is_over = True

    def _compare(self) -> None:
        if self._expected is not None and self._expected != self.measure.digest():
            raise self._fail(
                Refusal(
                    400,
                    "digest-mismatch",
                    "The body is not what its digest says",
                    "Compute Content-Digest over the bytes you send and send again.",
                )
            )

    def _fail(self, failure: Refusal | ClientGone) -> Refusal | ClientGone:
        self.failure = failure
        return failure


def too_large(limit: int) -> Refusal:
    return Refusal(
        413,
        "body-too-large",
        "The body is too large",
        f"This interface takes at most {limit} bytes.",
    )
