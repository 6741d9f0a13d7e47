"""The call path: identify, allow, journal, forward, journal, answer.

Nothing here waits for another service: tokens, routes and agreements are in memory. What it does
wait for is the journal, once before the provider is called and once before the answer ends.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from sebalai_shared.caller import AssertionSigner
from sebalai_shared.signatures import Message
from sebalai_shared.telemetry import enter_trace

from sebalai_gateway.admission.faults import bad_token, exchanged_for_another
from sebalai_gateway.admission.proofs import Shown
from sebalai_gateway.admission.token import Claims, TokenVerifier
from sebalai_gateway.calls import headers as head
from sebalai_gateway.calls.appearance import Appearances
from sebalai_gateway.calls.bodies import Measure, RequestBody, expected_digest, too_large
from sebalai_gateway.calls.consumer import ClientGone, Consumer
from sebalai_gateway.calls.deadlines import Deadlines
from sebalai_gateway.calls.faults import (
    broken_exchange,
    check_method,
    client_mismatch,
    journal_unavailable,
    outcome_unknown,
    query_invalid,
    routes_unavailable,
    scope_missing,
    stream_not_supported,
)
from sebalai_gateway.calls.limits import rate_limits
from sebalai_gateway.calls.onward import Exchange, Onward
from sebalai_gateway.calls.record import Call
from sebalai_gateway.calls.reply import Reply
from sebalai_gateway.database import StoreUnavailable
from sebalai_gateway.forwarding.credentials import Credentials
from sebalai_gateway.forwarding.destinations import Destination, Destinations
from sebalai_gateway.forwarding.forwarder import (
    Answer,
    Forwarder,
    ProviderTimeout,
    ProviderUnreachable,
)
from sebalai_gateway.journal.writer import AlreadyCompleted, Journal, JournalUnavailable
from sebalai_gateway.metering.meter import Meter
from sebalai_gateway.peers.crossing import Crossing
from sebalai_gateway.peers.guests import Guest, is_guest, recognise
from sebalai_gateway.quotas.leases import QuotaExceeded, Quotas, Terms
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.repeats.claims import UNSAFE, Claim
from sebalai_gateway.repeats.claims import Claims as RepeatClaims
from sebalai_gateway.repeats.keys import read_key
from sebalai_gateway.routing import denials
from sebalai_gateway.routing.paths import Target, parse
from sebalai_gateway.routing.table import Decision, Presented, Table
from sebalai_gateway.signatures.seals import Seal, Seals
from sebalai_gateway.validation.check import Check, Head, notices
from sebalai_gateway.validation.check import begin as begin_check
from sebalai_gateway.validation.contracts import Contracts

QUERY_BYTES_LIMIT = 8 * 1024
COMPLETED_SECONDS = 2.0
BUS_SCOPE = "bus.call"
_PLAIN = re.compile(rb"[!-~]*\Z")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the call path is made of; `table` answers the present routing table, if there is one."""

    verifier: TokenVerifier
    table: Callable[[], Table | None]
    journal: Journal
    forwarder: Forwarder
    signer: AssertionSigner
    claims: RepeatClaims
    quotas: Quotas
    seals: Seals
    public_url: str
    log: Callable[[dict[str, object]], None]
    contracts: Contracts | None = None
    credentials: Credentials = field(default_factory=Credentials)
    meter: Meter = field(default_factory=lambda: Meter(CollectorRegistry()))


class Withheld(Exception):
    """The end of the answer cannot be given, because its journal entry could not be written."""


class Calls:
    def __init__(self, parts: Parts) -> None:
        self._parts, self._deadlines = parts, Deadlines()
        self.destinations, self._appearances = Destinations(), Appearances(parts.credentials)
        self._onward = Onward(
            parts.forwarder,
            parts.signer,
            self.destinations,
            self._appearances,
            parts.meter,
        )

    def missing(self) -> int:
        """How many interfaces name a secret that cannot be shown."""
        table = self._parts.table()
        return 0 if table is None else self._appearances.missing(table.interfaces)

    async def __call__(self, consumer: Consumer) -> None:
        """Serves one call. An exception that leaves here makes the server cut the connection."""
        call = Call(consumer.method, "")
        reply = Reply(self._parts.public_url, call, consumer)
        try:
            await self._serve(consumer, call, reply)
        except Refusal as refusal:
            await self._refused(call, reply, refusal)
        except JournalUnavailable:
            await reply.problem(journal_unavailable())
        except Withheld:
            if reply.has_started:
                raise
            await reply.problem(outcome_unknown())
        finally:
            self._parts.log(reply.line())
            self._parts.meter.call(call, reply.status)

    async def _serve(self, consumer: Consumer, call: Call, reply: Reply) -> None:
        incoming, failure = _read_head(consumer, call)
        if failure is not None:
            self._parts.verifier.note_stranger(consumer.address)
            raise failure
        guest = self._guest(consumer, incoming)
        claims, target = self._identify(consumer, incoming, call, guest)
        presented = _presented(consumer)
        decision = self._decide(claims, target, incoming, call, presented)
        if incoming.wants_stream:
            raise stream_not_supported(501)
        limit = decision.interface.max_request_bytes
        if (incoming.content_length or 0) > limit:
            raise too_large(limit)
        body = RequestBody(consumer.read, limit, expected_digest(incoming.content_digest))
        if not incoming.has_body:
            body.leave_out()
        call.facts["request"] = body.measure.evidence()
        reply.notices, reply.interface = notices(decision.interface), decision.interface
        if incoming.upload:
            call.facts["upload"] = incoming.upload
        while not await self._count(call, decision, claims, presented):
            decision = self._decide(claims, target, incoming, call, presented)
        await self._welcome(guest)
        seal = await self._seal(consumer, call, decision, incoming)
        claim = await self._claim(call, decision, claims, incoming)
        crossing = self._crossing(call, decision)
        exchange = Exchange(
            call, decision, claims, incoming, body, claim, seal=seal, crossing=crossing
        )
        if claim is not None and claim.earlier is not None:
            await self._repeat(exchange, claim, reply)
            return
        try:
            await self._enter(await self._ready(consumer, exchange, target), reply)
        finally:
            if claim is not None and call.forwarded is None:
                await claim.release()

    def _guest(self, consumer: Consumer, incoming: head.Incoming) -> Guest | None:
        """Who calls from another instance. Raises: Refusal, 401."""
        if incoming.authorization is not None or not incoming.is_signed:
            return None
        message, table = _message(consumer), self._parts.table()
        if table is None or not is_guest(message):
            return None
        try:
            client, has_body = incoming.x_road_client, incoming.has_body
            return recognise(message, table, client, has_body=has_body)
        except Refusal:
            self._parts.verifier.note_stranger(consumer.address)
            raise

    async def _seal(
        self, consumer: Consumer, call: Call, decision: Decision, incoming: head.Incoming
    ) -> Seal | None:
        """Where the agreement asks for signatures. Raises: Refusal, JournalUnavailable."""
        if decision.agreement.signing == "none":
            return None
        return await self._parts.seals.open(call, decision, incoming, _message(consumer))

    async def _welcome(self, guest: Guest | None) -> None:
        """Uses up what another instance sent. Raises: Refusal, 401."""
        if guest is None:
            return
        try:
            await guest.use(self._parts.seals.nonces)
        except StoreUnavailable:
            raise JournalUnavailable from None

    def _crossing(self, call: Call, decision: Decision) -> Crossing | None:
        if decision.peer is None:
            return None
        return Crossing(self._parts.seals, call, decision.peer)

    async def _ready(self, consumer: Consumer, exchange: Exchange, target: Target) -> Exchange:
        """With what its contract and its way ask of the body before it is forwarded.

        Raises: Refusal.
        """
        check, crossing = await self._check(consumer, exchange, target), exchange.crossing
        try:
            if crossing is not None:
                await crossing.prepare(exchange.incoming, exchange.body)
        except ClientGone as error:
            raise broken_exchange(error) from error
        return exchange if check is None else replace(exchange, check=check)

    async def _enter(self, exchange: Exchange, reply: Reply) -> None:
        application = exchange.claims.application
        destination = await self._onward.enter(exchange.decision, application)
        try:
            await self._exchange(exchange, destination, reply)
        finally:
            destination.gate.leave(application)

    async def _count(
        self, call: Call, decision: Decision, claims: Claims, presented: Presented
    ) -> bool:
        """Counts the call against the quota that all gateways share. False, when it is used up,
        which is noted in `presented`: another agreement may still have room.
        """
        agreement, now = decision.agreement, call.requested_at
        key = agreement.series or agreement.id, claims.application
        terms = Terms(key, agreement.quota_per_day, agreement.quota_per_month)
        try:
            left = await self._parts.quotas.take(terms, now)
        except QuotaExceeded as error:
            refusal = denials.over_limit(agreement, "quota-exceeded", error.seconds)
            presented.used_up[agreement.id] = refusal
            return False
        except StoreUnavailable:
            raise JournalUnavailable from None
        call.limits = rate_limits(agreement, left, now)
        return True

    async def _claim(
        self, call: Call, decision: Decision, claims: Claims, incoming: head.Incoming
    ) -> Claim | None:
        """The hold on the call's Idempotency-Key, if it has one. Raises: Refusal."""
        if incoming.idempotency_key is None or call.method not in UNSAFE:
            return None
        interface, purpose = decision.interface, decision.purpose.code
        try:
            return await self._parts.claims.claim(
                read_key(incoming.idempotency_key),
                (claims.application, interface.name),
                (call.method, call.target, purpose),
                (call.message_id, interface.total_seconds),
            )
        except StoreUnavailable:
            raise JournalUnavailable from None

    async def _repeat(self, exchange: Exchange, claim: Claim, reply: Reply) -> None:
        """A call whose key another one has: the provider does not hear of it. Raises: Refusal."""
        call, body = exchange.call, exchange.body
        claim.check_head()
        try:
            with self._deadlines.within(exchange.decision.interface.total_seconds):
                await body.drain(has_body=exchange.incoming.has_body)
        except (ClientGone, TimeoutError) as error:
            raise broken_exchange(ClientGone()) from error
        status, kept = claim.outcome(body.measure.digest())
        measure = Measure()
        measure.add(kept[1])
        call.facts |= {"request": body.measure.evidence(), "response": measure.evidence()}
        await self._complete(call, reply, "answered", status)
        if claim.earlier is not None:
            await reply.again(claim.earlier, kept)

    async def _check(self, consumer: Consumer, exchange: Exchange, target: Target) -> Check | None:
        """Holds the request against its contract, where that is asked for. Raises: Refusal."""
        call, body = exchange.call, exchange.body
        check = await begin_check(exchange.decision.interface, self._parts.contracts)
        if check is None:
            return None
        call.deviations = check.deviations
        asked = Head.of(consumer.headers)
        try:
            await check.request(call.method, target, consumer.query, asked, body)
        except ClientGone as error:
            raise broken_exchange(error) from error
        call.facts["request"] = body.measure.evidence()
        return check

    async def _exchange(self, exchange: Exchange, destination: Destination, reply: Reply) -> None:
        """Journals, forwards, journals, answers: from here on the provider may have acted."""
        call, body = exchange.call, exchange.body
        total = exchange.decision.interface.total_seconds
        record = call.request_record(total)
        await self._journal(call, "requested", call.facts["requested_at"], record)
        try:
            with self._deadlines.within(total):
                answer = await self._onward.send(exchange, destination)
                last = await self._stream(exchange, reply, answer)
        except (ProviderUnreachable, ProviderTimeout, ClientGone, TimeoutError, Refusal) as error:
            if isinstance(error, Refusal) and call.forwarded is None:
                raise  # nothing was forwarded: it is refused, and its key free again
            await self._settle_broken(exchange, error)
            await self._failed(call, reply, body, ClientGone() if reply.is_sending else error)
            return
        await self._complete(call, reply, "answered", answer.status)
        if exchange.claim is not None:
            digest = body.measure.digest() if body.is_over else b""
            await exchange.claim.answered(answer.status, reply.kept(answer), digest)
        await reply.end(answer, last)

    async def _settle_broken(self, exchange: Exchange, error: Exception) -> None:
        """A key whose call certainly never reached the provider is free again."""
        claim, body = exchange.claim, exchange.body
        if claim is None:
            return
        if getattr(error, "is_unsent", False) and not body.has_begun:
            await claim.release()
        else:
            await claim.unknown(body.measure.digest() if body.is_over else b"")

    def _identify(
        self, consumer: Consumer, incoming: head.Incoming, call: Call, guest: Guest | None
    ) -> tuple[Claims, Target]:
        path, certificate = consumer.raw_path.decode("latin-1"), consumer.certificate
        thumbprint = certificate.thumbprint if certificate is not None else None
        shown = Shown(consumer.method, path, incoming.proof, thumbprint)
        verify = self._parts.verifier.verify
        claims = (
            guest.claims
            if guest is not None
            else verify(incoming.authorization, consumer.address, shown)
        )
        if claims.kind != "system":
            raise bad_token("token-kind", "Only tokens of applications are taken on the bus.")
        call.facts |= {"consumer": claims.application, "client_id": claims.client_id}
        if BUS_SCOPE not in claims.scope.split():
            raise scope_missing(BUS_SCOPE)
        target = parse(consumer.raw_path)
        query = consumer.query
        if len(query) > QUERY_BYTES_LIMIT or not _PLAIN.match(query):
            raise query_invalid(QUERY_BYTES_LIMIT)
        call.target = target.raw + (b"?" + query if query else b"")
        call.facts |= {"interface": target.interface, "provider": target.application}
        check_method(call.method)
        if incoming.names_another(claims.application):
            raise client_mismatch()
        if claims.interface not in ("", target.interface):
            raise exchanged_for_another("interface", claims.interface)
        if claims.purpose and incoming.purpose != claims.purpose:
            raise exchanged_for_another("purpose", claims.purpose)
        return claims, target

    def _decide(
        self,
        claims: Claims,
        target: Target,
        incoming: head.Incoming,
        call: Call,
        presented: Presented,
    ) -> Decision:
        table = self._parts.table()
        if table is None:
            raise routes_unavailable()
        decision = table.decide(
            claims, target, call.method, incoming.purpose, call.began / 1e9, presented
        )
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

    async def _stream(self, exchange: Exchange, reply: Reply, answer: Answer) -> bytes:
        """Streams the answer one chunk behind and gives back the last, which the journal holds.

        Raises: ClientGone, ProviderUnreachable, ProviderTimeout, Refusal.
        """
        call, body, claim = exchange.call, exchange.body, exchange.claim
        check, seal = exchange.check, exchange.seal
        call.stamp("responded_at")
        if answer.is_endless:
            answer.close(is_complete=False)
            raise stream_not_supported(502)
        measure, held, is_whole = Measure(), None, False
        try:
            _begin_answer(exchange, answer)
            while chunk := await answer.read():
                measure.add(chunk)
                if claim is not None:
                    claim.keep(chunk)
                if check is not None:
                    check.see(chunk)
                    if check.holds_answer:
                        continue
                if held is not None:
                    await reply.chunk(answer, held, is_body_over=body.is_over)
                held = chunk
            is_whole = True
        finally:
            call.facts["response"] = measure.evidence()
            answer.close(is_complete=is_whole)
        # Only now: an answer may begin before the body it answers has ended.
        call.facts["request"] = body.measure.evidence()
        if seal is not None:
            seal.end_answer(measure)
        if check is not None:
            check.response(answer.status, Head.of(answer.headers))
            held = check.answer if check.holds_answer else held
        return held or b""

    async def _failed(self, call: Call, reply: Reply, body: RequestBody, error: Exception) -> None:
        """The provider was called and the exchange broke: say which side broke it."""
        call.facts["request"] = body.measure.evidence()
        failure = body.failure or error
        refusal = failure if isinstance(failure, Refusal) else broken_exchange(failure)
        call.facts["problem"] = refusal.slug
        await self._complete(call, reply, "failed", refusal.status)
        if reply.has_started:
            raise Withheld(refusal.slug)
        await reply.problem(refusal)

    async def _complete(self, call: Call, reply: Reply, outcome: str, status: int) -> None:
        """Commits the entry within COMPLETED_SECONDS, or withholds the end of the answer."""
        at = call.stamp("completed_at")
        record = call.record(outcome, status)
        try:
            with self._deadlines.within(COMPLETED_SECONDS):
                await self._journal(call, "completed", at, record)
        except (JournalUnavailable, AlreadyCompleted, TimeoutError) as error:
            if outcome == "refused":
                raise JournalUnavailable from error
            raise Withheld("journal") from error
        reply.is_receipted, call.outcome = True, outcome

    async def _journal(self, call: Call, phase: str, at: str, record: bytes) -> None:
        """Waits until it is on disk. Raises: JournalUnavailable, AlreadyCompleted."""
        began = time.perf_counter()
        try:
            await self._parts.journal.append(call.name, phase, at, record)
        finally:
            call.journal_seconds += time.perf_counter() - began

    async def _refused(self, call: Call, reply: Reply, refusal: Refusal) -> None:
        """A refusal is journalled before it is answered; the provider never hears of it."""
        call.facts |= {"problem": refusal.slug, "request": None}
        call.facts |= {k: v for k, v in refusal.context.items() if v is not None}
        if refusal.slug != "too-many-bad-tokens":
            try:
                await self._complete(call, reply, "refused", refusal.status)
            except JournalUnavailable:
                await reply.problem(journal_unavailable())
                return
        await reply.problem(refusal)


def _begin_answer(exchange: Exchange, answer: Answer) -> None:
    """What the head of an answer must show, and tells. Raises: Refusal, 502."""
    if exchange.crossing is not None:
        exchange.crossing.note(answer)
    if exchange.seal is not None:
        exchange.seal.begin_answer(answer)


def _read_head(consumer: Consumer, call: Call) -> tuple[head.Incoming, Refusal | None]:
    """The head as it stands; a framing fault is kept until the trace is joined, then raised."""
    failure, incoming = None, head.Incoming()
    try:
        incoming = head.read(consumer.headers)
    except Refusal as refusal:
        failure = refusal
    call.trace_id = enter_trace(incoming.traceparent).trace_id
    call.correlate(incoming.x_road_id)
    return incoming, failure


def _presented(consumer: Consumer) -> Presented:
    """What the connection itself shows."""
    certificate = consumer.certificate
    return Presented(consumer.address, certificate.sha256 if certificate is not None else None)


def _message(consumer: Consumer) -> Message:
    """The request as its signature speaks of it."""
    path, query = consumer.raw_path.decode("latin-1"), consumer.query.decode("latin-1")
    return Message(consumer.headers, consumer.method, path, query)
