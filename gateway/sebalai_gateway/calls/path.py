"""The call path: identify, allow, journal, forward, journal, answer. A raw ASGI callable.

Nothing here waits for another service: tokens, routes and agreements are in memory. What it does
wait for is the journal, once before the provider is called and once before the answer ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import orjson
from sebalai_shared.caller import HEADER, AssertionSigner, Caller
from sebalai_shared.telemetry import enter_trace
from starlette.types import Receive, Scope, Send

from sebalai_gateway.admission.token import Claims, TokenVerifier
from sebalai_gateway.calls import headers as head
from sebalai_gateway.calls.bodies import (
    ClientGone,
    Measure,
    RequestBody,
    expected_digest,
    too_large,
)
from sebalai_gateway.calls.record import Call
from sebalai_gateway.forwarding.forwarder import (
    Answer,
    Forwarder,
    ProviderTimeout,
    ProviderUnreachable,
    Timeouts,
)
from sebalai_gateway.journal.writer import AlreadyCompleted, Journal, JournalUnavailable
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import Target, parse
from sebalai_gateway.routing.table import Decision, Table

QUERY_BYTES_LIMIT = 8 * 1024
COMPLETED_SECONDS = 2.0
RETRY_AFTER = (b"retry-after", b"1")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the call path is made of; `table` answers the present routing table, if there is one."""

    verifier: TokenVerifier
    table: Callable[[], Table | None]
    journal: Journal
    forwarder: Forwarder
    signer: AssertionSigner
    public_url: str
    log: Callable[[dict[str, object]], None]


class Withheld(Exception):
    """The end of the answer cannot be given, because its journal entry could not be written."""


class Calls:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one call. An exception that leaves here makes the server cut the connection."""
        call = Call(scope["method"], "")
        reply = _Reply(self._parts, call, send)
        try:
            await self._serve(scope, receive, call, reply)
        except Refusal as refusal:
            await self._refused(call, reply, refusal)
        except JournalUnavailable:
            await reply.problem(_journal_unavailable())
        finally:
            self._parts.log(reply.line())

    async def _serve(self, scope: Scope, receive: Receive, call: Call, reply: _Reply) -> None:
        incoming, failure = _read_head(scope, call)
        if failure is not None:
            raise failure
        claims, target = self._identify(scope, incoming, call)
        decision = self._decide(claims, target, incoming, call)
        limit = decision.interface.max_request_bytes
        if (incoming.content_length or 0) > limit:
            raise too_large(limit)
        body = RequestBody(receive, limit, expected_digest(incoming.content_digest))
        call.facts["request"] = body.measure.evidence()
        parts, at = self._parts, call.requested_at
        await parts.journal.append(call.message_id, "requested", at, call.record("requested", None))
        stream = body.stream() if incoming.has_body else None
        try:
            answer = await self._forward(call, decision, claims, incoming, stream)
        except (ProviderUnreachable, ProviderTimeout) as error:
            await self._failed(call, reply, body, error)
            return
        call.stamp("responded_at")
        call.facts["request"] = body.measure.evidence()
        await self._answer(call, reply, answer, receive if stream is None else None, body)

    def _identify(self, scope: Scope, incoming: head.Incoming, call: Call) -> tuple[Claims, Target]:
        claims = self._parts.verifier.verify(incoming.authorization, scope["client"][0])
        call.facts |= {"consumer": claims.application, "client_id": claims.client_id}
        target = parse(scope["raw_path"])
        query: bytes = scope["query_string"]
        if len(query) > QUERY_BYTES_LIMIT or not _is_plain(query):
            raise Refusal(
                400, "query-invalid", "The query cannot be forwarded",
                f"Percent-encode the query; at most {QUERY_BYTES_LIMIT} bytes are taken.",
            )  # fmt: skip
        call.target = target.raw + (b"?" + query if query else b"")
        call.facts |= {"interface": target.interface, "provider": target.application}
        if incoming.x_road_client not in (None, claims.application):
            raise Refusal(
                403, "client-mismatch", "The client named is not the client that calls",
                "Leave X-Road-Client out, or name the application your token was given to.",
                x_road="client.access_denied",
            )  # fmt: skip
        return claims, target

    def _decide(
        self, claims: Claims, target: Target, incoming: head.Incoming, call: Call
    ) -> Decision:
        table = self._parts.table()
        if table is None:
            raise Refusal(
                503, "routes-unavailable", "The routing table has not arrived yet",
                "Try again in a moment.", headers=[RETRY_AFTER],
            )  # fmt: skip
        now = call.requested_at.timestamp()
        decision = table.decide(claims, target, call.method, incoming.purpose, now)
        call.facts |= {
            "interface": decision.interface.name,
            "provider": decision.interface.provider,
            "contract_sha256": decision.interface.contract_sha256,
            "agreement": decision.agreement.id,
            "rule": decision.rule,
            "purpose": decision.purpose.code,
            "legal_basis": decision.purpose.legal_basis,
        }
        return decision

    async def _forward(
        self,
        call: Call,
        decision: Decision,
        claims: Claims,
        incoming: head.Incoming,
        stream: AsyncIterator[bytes] | None,
    ) -> Answer:
        interface = decision.interface
        headers = [
            *incoming.forwarded,
            (b"x-road-client", claims.application.encode()),
            (b"x-road-id", (call.correlation or str(call.message_id)).encode()),
            (b"x-road-request-id", str(call.message_id).encode()),
            (b"traceparent", f"00-{call.trace_id}-{call.message_id.hex[16:]}-01".encode()),
        ]
        if interface.member is not None:
            headers.append((HEADER.lower().encode(), self._assert(call, decision, claims)))
        call.stamp("forwarded_at")
        return await self._parts.forwarder.send(
            call.method,
            interface.addresses[0].rstrip("/") + call.target.decode("ascii"),
            headers,
            stream,
            Timeouts(
                interface.connect_timeout_ms / 1000,
                interface.read_timeout_ms / 1000,
                interface.total_timeout_ms / 1000,
            ),
        )

    def _assert(self, call: Call, decision: Decision, claims: Claims) -> bytes:
        caller = Caller(
            kind=claims.kind,
            subject=claims.sub,
            agency=claims.agency,
            application=claims.application,
            scopes=frozenset(claims.scope.split()),
            message_id=str(call.message_id),
            purpose=decision.purpose.code,
        )
        return self._parts.signer.sign(caller, str(decision.interface.member)).encode()

    async def _answer(
        self, call: Call, reply: _Reply, answer: Answer, receive: Receive | None, body: RequestBody
    ) -> None:
        """Streams the answer one chunk behind, so that the last waits for the journal."""
        measure, held, is_whole = Measure(), None, False
        try:
            async for chunk in answer.chunks():
                measure.add(chunk)
                if held is not None:
                    await reply.chunk(answer, held, receive)
                held = chunk
            is_whole = True
        except (ProviderUnreachable, ProviderTimeout, ClientGone) as error:
            call.facts["response"] = measure.evidence()
            await self._failed(call, reply, body, error)
            return
        finally:
            answer.close(is_complete=is_whole)
        call.facts["response"] = measure.evidence()
        await self._complete(call, reply, "answered", answer.status)
        await reply.end(answer, held or b"")

    async def _failed(self, call: Call, reply: _Reply, body: RequestBody, error: Exception) -> None:
        """The provider was called and the exchange broke: say which side broke it."""
        call.facts["request"] = body.measure.evidence()
        failure = body.failure or error
        refusal = failure if isinstance(failure, Refusal) else _failure(failure)
        call.facts["problem"] = refusal.slug
        await self._complete(call, reply, "failed", refusal.status)
        if reply.has_started:
            raise Withheld(refusal.slug)
        await reply.problem(refusal)

    async def _complete(self, call: Call, reply: _Reply, outcome: str, status: int) -> None:
        """Commits the entry within COMPLETED_SECONDS, or withholds the end of the answer."""
        at = call.stamp("completed_at")
        record = call.record(outcome, status)
        try:
            async with asyncio.timeout(COMPLETED_SECONDS):
                await self._parts.journal.append(call.message_id, "completed", at, record)
        except (JournalUnavailable, AlreadyCompleted, TimeoutError) as error:
            if reply.has_started:
                raise Withheld("journal") from error
            raise JournalUnavailable from error
        reply.is_receipted = True

    async def _refused(self, call: Call, reply: _Reply, refusal: Refusal) -> None:
        """A refusal is journalled before it is answered; the provider never hears of it."""
        call.facts |= {"problem": refusal.slug, "request": None}
        call.facts |= {k: v for k, v in refusal.context.items() if v is not None}
        if refusal.slug != "too-many-bad-tokens":
            try:
                await self._complete(call, reply, "refused", refusal.status)
            except JournalUnavailable:
                await reply.problem(_journal_unavailable())
                return
        await reply.problem(refusal)


def _read_head(scope: Scope, call: Call) -> tuple[head.Incoming, Refusal | None]:
    """The head as it stands; a framing fault is kept until the trace is joined, then raised."""
    failure, incoming = None, head.Incoming()
    try:
        incoming = head.read(scope["headers"])
    except Refusal as refusal:
        failure = refusal
    call.trace_id = enter_trace(incoming.traceparent).trace_id
    call.correlate(incoming.x_road_id)
    return incoming, failure


def _is_plain(query: bytes) -> bool:
    return all(0x21 <= byte <= 0x7E for byte in query)


def _failure(error: Exception) -> Refusal:
    if isinstance(error, ClientGone):
        return Refusal(
            499, "client-disconnected", "The consumer went away", "Call again when you are back."
        )
    if isinstance(error, ProviderTimeout):
        return Refusal(
            504, "provider-timeout", "The provider did not answer in time",
            "It may have acted: before you repeat a call that changes something, ask it.",
            x_road="server.network_error",
        )  # fmt: skip
    return Refusal(
        502, "provider-unreachable", "The provider cannot be reached",
        "Try again later; if it lasts, tell the provider's agency the message_id.",
        x_road="server.network_error",
    )  # fmt: skip


def _journal_unavailable() -> Refusal:
    return Refusal(
        503, "journal-unavailable", "The journal cannot be written",
        "Nothing is forwarded unrecorded. Try again in a moment.",
        x_road="server.internal_error", headers=[RETRY_AFTER],
    )  # fmt: skip


class _Reply:
    """What goes back to the consumer; knows whether the head is already on its way."""

    def __init__(self, parts: Parts, call: Call, send: Send) -> None:
        self._parts, self._call, self._send = parts, call, send
        self._status = 0
        self._watch: asyncio.Task[None] | None = None
        self.has_started = False
        self.is_receipted = False

    def _ours(self) -> head.Headers:
        message_id = str(self._call.message_id).encode()
        headers = [
            (b"sebalai-message-id", message_id),
            (b"sebalai-trace", self._call.trace_id.encode()),
            (b"x-road-id", (self._call.correlation or str(self._call.message_id)).encode()),
            (b"x-road-request-id", message_id),
        ]
        return [*headers, (b"sebalai-receipt", self.receipt.encode())]

    @property
    def receipt(self) -> str:
        return f"{self._parts.public_url}/receipts/{self._call.message_id}"

    async def _start(self, status: int, headers: head.Headers) -> None:
        self.has_started, self._status = True, status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def chunk(self, answer: Answer, chunk: bytes, receive: Receive | None) -> None:
        """One chunk that is not the last. Raises: ClientGone."""
        if not self.has_started:
            await self._start(answer.status, [*head.returned(answer.headers), *self._ours()])
            if receive is not None:
                self._watch = asyncio.create_task(_until_gone(receive))
        if self._watch is not None and self._watch.done():
            raise ClientGone
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self, answer: Answer, chunk: bytes) -> None:
        self._unwatch()
        if not self.has_started:
            await self._start(answer.status, [*head.returned(answer.headers), *self._ours()])
        await self._send({"type": "http.response.body", "body": chunk, "more_body": False})

    async def problem(self, refusal: Refusal) -> None:
        """Answers with problem details; a refusal that could not be journalled has no receipt."""
        self._unwatch()
        document = refusal.document(
            message_id=str(self._call.message_id),
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
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def line(self) -> dict[str, object]:
        """The access line: route, never the path."""
        self._unwatch()
        facts = self._call.facts
        return {
            "message_id": str(self._call.message_id),
            "trace_id": self._call.trace_id,
            "method": self._call.method,
            "status": self._status,
            "consumer": facts.get("consumer"),
            "interface": facts.get("interface"),
            "problem": facts.get("problem"),
        }


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
