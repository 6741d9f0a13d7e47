"""What goes back to the consumer: the answer's head and chunks, or problem details."""

from __future__ import annotations

from collections.abc import Awaitable

import orjson

from sebalai_gateway.calls import headers as head
from sebalai_gateway.calls.consumer import ClientGone, Consumer
from sebalai_gateway.calls.places import translated
from sebalai_gateway.calls.record import Call
from sebalai_gateway.forwarding.forwarder import Answer
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.repeats.keys import Answered
from sebalai_gateway.repeats.store import Earlier
from sebalai_gateway.routing.snapshot import Interface


class Reply:
    """What goes back to the consumer; knows whether the head is on its way, and whether a chunk
    waits for a consumer that does not read.
    """

    def __init__(self, public_url: str, call: Call, consumer: Consumer) -> None:
        self._public_url, self._call, self._consumer = public_url, call, consumer
        self.status = 0
        self.notices: head.Headers = []
        self.interface: Interface | None = None
        self.has_started = False
        self.is_sending = False
        self.is_receipted = False

    def _ours(self) -> head.Headers:
        call, message_id = self._call, self._call.name.encode()
        return [
            (b"sebalai-message-id", message_id),
            (b"sebalai-trace", call.trace_id.encode()),
            (b"x-road-id", call.x_road_id),
            (b"x-road-request-id", message_id),
            (b"sebalai-receipt", self.receipt.encode()),
            *call.limits,
        ]

    def _head(self, answer: Answer) -> head.Headers:
        return [*self.kept(answer), *self.notices, *self._ours()]

    @property
    def receipt(self) -> str:
        return f"{self._public_url}/receipts/{self._call.name}"

    async def _start(self, status: int, headers: head.Headers) -> None:
        self.has_started, self.status = True, status
        await self._consumer.start(status, headers)

    async def chunk(self, answer: Answer, chunk: bytes, *, is_body_over: bool) -> None:
        """One chunk that is not the last. While the body still comes in, it is the body that
        listens for a consumer who leaves. Raises: ClientGone.
        """
        if not self.has_started:
            await self._start(answer.status, self._head(answer))
        if is_body_over and self._consumer.has_left:
            raise ClientGone
        self.is_sending = True
        await self._consumer.send(chunk, is_last=False)
        self.is_sending = False

    def end(self, answer: Answer, chunk: bytes) -> Awaitable[None] | None:
        """The last chunk, or all there is. What is to be waited for, if anything."""
        if self.has_started:
            return self._consumer.send(chunk, is_last=True)
        self.has_started, self.status = True, answer.status
        return self._consumer.answer(answer.status, self._head(answer), chunk)

    def kept(self, answer: Answer) -> head.Headers:
        """What of the answer's head is kept for repeated calls."""
        headers = head.returned(answer.status, answer.headers)
        return headers if self.interface is None else translated(headers, self.interface)

    async def again(self, earlier: Earlier, kept: Answered) -> None:
        """The first call's answer, to a repeated call."""
        headers, body = kept
        first = str(earlier.message_id).encode()
        replayed = [(b"idempotency-replayed", b"true"), (b"sebalai-first-message-id", first)]
        framing = [pair for pair in headers if pair[0] != b"content-length"]
        length = [(b"content-length", str(len(body)).encode())]
        has_none = earlier.status in head.BODILESS
        await self._start(
            earlier.status or 200,
            [*framing, *([] if has_none else length), *replayed, *self._ours()],
        )
        await self._consumer.send(body, is_last=True)

    async def problem(self, refusal: Refusal) -> None:
        """Answers with problem details; a refusal that could not be journalled has no receipt."""
        document = refusal.document(
            message_id=self._call.name,
            receipt=self.receipt if self.is_receipted else None,
            trace_id=self._call.trace_id,
        )
        body = orjson.dumps(document)
        ours = [h for h in self._ours() if self.is_receipted or h[0] != b"sebalai-receipt"]
        await self._start(
            refusal.status,
            [
                (b"content-type", b"application/problem+json"),
                (b"content-length", str(len(body)).encode()),
                (b"x-road-error", refusal.x_road.encode()),
                *refusal.headers,
                *ours,
            ],
        )
        await self._consumer.send(body, is_last=True)

    def line(self) -> dict[str, object]:
        """The access line: route, never the path."""
        facts = self._call.facts
        return {
            "message_id": self._call.name,
            "trace_id": self._call.trace_id,
            "method": self._call.method,
            "status": self.status,
            "consumer": facts["consumer"],
            "interface": facts["interface"],
            "problem": facts["problem"],
        }
