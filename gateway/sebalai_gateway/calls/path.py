"""The call path: identify, allow, journal, forward, journal, answer.

Nothing here waits for another service: tokens, routes and agreements are in memory. What it does
wait for is the journal, once before the provider is called and once before the answer ends.
"""

from __future__ import annotations

from msgspec.structs import replace

from sebalai_gateway.admission.token import Claims
from sebalai_gateway.calls import headers as head
from sebalai_gateway.calls.answering import stream
from sebalai_gateway.calls.appearance import Appearances
from sebalai_gateway.calls.bodies import Measure, RequestBody, expected_digest, too_large
from sebalai_gateway.calls.consumer import ClientGone, Consumer
from sebalai_gateway.calls.deadlines import Deadlines
from sebalai_gateway.calls.entrance import Asked, Entrance, message
from sebalai_gateway.calls.evidence import Evidence
from sebalai_gateway.calls.faults import (
    broken_exchange,
    journal_unavailable,
    outcome_unknown,
    stream_not_supported,
)
from sebalai_gateway.calls.onward import Exchange, Onward
from sebalai_gateway.calls.parts import Parts, Withheld
from sebalai_gateway.calls.record import Call
from sebalai_gateway.calls.reply import Reply
from sebalai_gateway.database import StoreUnavailable
from sebalai_gateway.forwarding.destinations import Destination, Destinations
from sebalai_gateway.forwarding.forwarder import ProviderTimeout, ProviderUnreachable
from sebalai_gateway.journal.writer import JournalUnavailable
from sebalai_gateway.peers.crossing import Crossing
from sebalai_gateway.peers.guests import Guest
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.repeats.claims import UNSAFE, Claim
from sebalai_gateway.repeats.keys import read_key
from sebalai_gateway.routing.snapshot import Interface
from sebalai_gateway.routing.table import Decision
from sebalai_gateway.signatures.seals import Seal
from sebalai_gateway.validation.check import Check, Head, notices
from sebalai_gateway.validation.check import begin as begin_check


class Calls:
    """One a worker; `active` are the calls under way."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._deadlines, self.active = parts, Deadlines(), 0
        self._entrance = Entrance(parts)
        self._evidence = Evidence(parts.journal)
        self.destinations, self._appearances = Destinations(), Appearances(parts.credentials)
        self._onward = Onward(
            self._entrance,
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
        self.active += 1
        try:
            try:
                await self._serve(consumer, call, reply)
            except Refusal as refusal:
                await self._evidence.refused(call, reply, refusal)
        except JournalUnavailable:
            await reply.problem(journal_unavailable())
        except Withheld:
            if reply.has_started:
                raise
            await reply.problem(outcome_unknown())
        finally:
            self.active -= 1
            self._parts.log(reply.line())
            self._parts.meter.call(call, reply.status)
            if self._parts.spans is not None:
                self._parts.spans(call, reply.status)

    async def _serve(self, consumer: Consumer, call: Call, reply: Reply) -> None:
        entrance = self._entrance
        asked = entrance.ask(consumer, call)
        decision, incoming = entrance.decide(call, asked), asked.incoming
        body = _body(consumer, decision.interface, incoming)
        call.facts["request"] = body.measure.evidence()
        reply.notices, reply.interface = notices(decision.interface), decision.interface
        if incoming.upload:
            call.facts["upload"] = incoming.upload
        while not (
            entrance.is_counted(call, decision, asked)
            or await entrance.count(call, decision, asked)
        ):
            decision = entrance.decide(call, asked)
        exchange = Exchange(call, decision, asked, body)
        if _is_more(asked, call, decision):
            exchange = await self._with_more(consumer, asked, exchange)
        claim = exchange.claim
        if claim is not None and claim.earlier is not None:
            await self._repeat(exchange, claim, reply)
            return
        try:
            if decision.interface.is_checked or exchange.crossing is not None:
                exchange = await self._ready(consumer, exchange, asked)
            await self._enter(exchange, reply)
        finally:
            if claim is not None and call.forwarded is None:
                await claim.release()

    async def _with_more(self, consumer: Consumer, asked: Asked, exchange: Exchange) -> Exchange:
        """What few calls have: a guest's proof, signatures, an Idempotency-Key, a way to another
        instance. Raises: Refusal, JournalUnavailable.
        """
        call, decision = exchange.call, exchange.decision
        if asked.guest is not None:
            await self._welcome(asked.guest)
        seal = await self._seal(consumer, exchange)
        claim = await self._claim(exchange)
        peer = decision.peer
        crossing = None if peer is None else Crossing(self._parts.seals, call, peer)
        return replace(exchange, claim=claim, seal=seal, crossing=crossing)

    async def _welcome(self, guest: Guest) -> None:
        """Uses up what another instance sent. Raises: Refusal, 401."""
        try:
            await guest.use(self._parts.seals.nonces)
        except StoreUnavailable:
            raise JournalUnavailable from None

    async def _seal(self, consumer: Consumer, exchange: Exchange) -> Seal | None:
        """Where the agreement asks for signatures. Raises: Refusal, JournalUnavailable."""
        call, decision = exchange.call, exchange.decision
        if decision.agreement.signing == "none":
            return None
        asked = message(consumer)
        return await self._parts.seals.open(call, decision, exchange.asked.incoming, asked)

    async def _claim(self, exchange: Exchange) -> Claim | None:
        """The hold on the call's Idempotency-Key, if it has one. Raises: Refusal."""
        call, key = exchange.call, exchange.asked.incoming.idempotency_key
        if key is None or call.method not in UNSAFE:
            return None
        interface, purpose = exchange.decision.interface, exchange.decision.purpose.code
        try:
            return await self._parts.claims.claim(
                read_key(key),
                (_party(exchange.asked.claims), interface.name),
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
                await body.drain(has_body=exchange.asked.incoming.has_body)
        except (ClientGone, TimeoutError) as error:
            raise broken_exchange(ClientGone()) from error
        status, kept = claim.outcome(body.measure.digest())
        measure = Measure()
        measure.add(kept[1])
        call.facts |= {"request": body.measure.evidence(), "response": measure.evidence()}
        await self._evidence.complete(call, reply, "answered", status)
        if claim.earlier is not None:
            await reply.again(claim.earlier, kept)

    async def _ready(self, consumer: Consumer, exchange: Exchange, asked: Asked) -> Exchange:
        """With what its contract and its way ask of the body before it is forwarded.

        Raises: Refusal.
        """
        interface, crossing, check = exchange.decision.interface, exchange.crossing, None
        try:
            with self._deadlines.within(interface.total_seconds):
                if interface.is_checked:
                    check = await self._check(consumer, exchange, asked)
                if crossing is not None:
                    await crossing.prepare(exchange.asked.incoming, exchange.body)
        except (ClientGone, TimeoutError) as error:
            raise broken_exchange(ClientGone()) from error
        return exchange if check is None else replace(exchange, check=check)

    async def _check(self, consumer: Consumer, exchange: Exchange, asked: Asked) -> Check | None:
        """Holds the request against its contract. Raises: Refusal, ClientGone."""
        call, body = exchange.call, exchange.body
        check = await begin_check(exchange.decision.interface, self._parts.contracts)
        if check is not None:
            call.deviations = check.deviations
            described = Head.of(consumer.headers)
            await check.request(call.method, asked.target, consumer.query, described, body)
            call.facts["request"] = body.measure.evidence()
        return check

    async def _enter(self, exchange: Exchange, reply: Reply) -> None:
        application = exchange.asked.claims.application
        destination = self._onward.destination(exchange.decision.interface)
        if not destination.gate.admit(application):
            await self._onward.enter(destination, application)
        try:
            await self._exchange(exchange, destination, reply)
        finally:
            destination.gate.leave(application)

    async def _exchange(self, exchange: Exchange, destination: Destination, reply: Reply) -> None:
        """Journals, forwards, journals, answers: from here on the provider may have acted."""
        call, body, claim = exchange.call, exchange.body, exchange.claim
        total = exchange.decision.interface.total_seconds
        await self._evidence.requested(call, total)
        try:
            with self._deadlines.within(total):
                answer = await self._onward.send(exchange, destination)
                last = await stream(exchange, reply, answer)
        except (ProviderUnreachable, ProviderTimeout, ClientGone, TimeoutError, Refusal) as error:
            if isinstance(error, Refusal) and call.forwarded is None:
                raise  # nothing was forwarded: it is refused, and its key free again
            await self._settle_broken(exchange, error)
            await self._failed(call, reply, body, ClientGone() if reply.is_sending else error)
            return
        await self._evidence.complete(call, reply, "answered", answer.status)
        if claim is not None:
            digest = body.measure.digest() if body.is_over else b""
            await claim.answered(answer.status, reply.kept(answer), digest)
        # A reader who stops before the last chunk must not hold the room at the provider.
        rest = reply.end(answer, last)
        if rest is not None:
            with self._deadlines.within(total):
                await rest

    async def _settle_broken(self, exchange: Exchange, error: Exception) -> None:
        """A key whose call certainly never reached the provider is free again."""
        claim, body = exchange.claim, exchange.body
        if claim is None:
            return
        if getattr(error, "is_unsent", False) and not body.has_begun:
            await claim.release()
        else:
            await claim.unknown(body.measure.digest() if body.is_over else b"")

    async def _failed(self, call: Call, reply: Reply, body: RequestBody, error: Exception) -> None:
        """The provider was called and the exchange broke: say which side broke it."""
        call.facts["request"] = body.measure.evidence()
        failure = body.failure or error
        refusal = failure if isinstance(failure, Refusal) else broken_exchange(failure)
        call.facts["problem"] = refusal.slug
        await self._evidence.complete(call, reply, "failed", refusal.status)
        if not reply.has_started:
            await reply.problem(refusal)
        elif not isinstance(failure, ClientGone):
            raise Withheld(refusal.slug)
        # Who has gone is told nothing; the lane breaks off what has no end.


def _body(consumer: Consumer, interface: Interface, incoming: head.Incoming) -> RequestBody:
    """Raises: Refusal, for what its head alone forbids."""
    if incoming.wants_stream:
        raise stream_not_supported(501)
    limit = interface.max_request_bytes
    if (incoming.content_length or 0) > limit:
        raise too_large(limit)
    expected = expected_digest(incoming.content_digest)
    body = RequestBody(consumer.read, limit, expected, consumer.at_hand)
    if not incoming.has_body:
        body.leave_out()
    return body


def _party(claims: Claims) -> str:
    """Whose a key is: of an application that acts for people one each, and one a business, so that
    nobody is answered what somebody else was.
    """
    acting = claims.acting_for
    if claims.act is None and acting is None:
        return claims.application
    return f"{claims.application} {claims.sub} {acting.business if acting else ''}"


def _is_more(asked: Asked, call: Call, decision: Decision) -> bool:
    """Whether a call has anything that most have not."""
    has_key = asked.incoming.idempotency_key is not None and call.method in UNSAFE
    is_signed = decision.agreement.signing != "none"
    return has_key or is_signed or asked.guest is not None or decision.peer is not None
