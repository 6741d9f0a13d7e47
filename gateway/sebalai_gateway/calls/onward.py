"""From a decision to the provider's answer: room, an address, the forwarded head, a second try.

A call is sent again only when it cannot have been acted on: the connection never came about and
nothing of the body was taken, or the method is safe and the destination has retries saved up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import msgspec
from sebalai_shared.caller import HEADER, AssertionSigner, Caller

from sebalai_gateway.calls import faults
from sebalai_gateway.calls import headers as head
from sebalai_gateway.calls.appearance import Appearance, Appearances
from sebalai_gateway.calls.bodies import RequestBody
from sebalai_gateway.calls.entrance import Asked, Entrance, Overtaken
from sebalai_gateway.calls.record import Call
from sebalai_gateway.forwarding.destinations import Address, Destination, Destinations, Ejected
from sebalai_gateway.forwarding.forwarder import (
    Answer,
    Forwarder,
    Manner,
    ProviderTimeout,
    ProviderUnreachable,
)
from sebalai_gateway.forwarding.gate import Full
from sebalai_gateway.metering.meter import Meter
from sebalai_gateway.peers.crossing import Crossing
from sebalai_gateway.repeats.claims import Claim
from sebalai_gateway.routing.snapshot import Interface
from sebalai_gateway.routing.table import Decision
from sebalai_gateway.signatures.seals import Seal
from sebalai_gateway.validation.check import Check

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TRIES_LIMIT = 3


class Exchange(msgspec.Struct, frozen=True):
    """One allowed call, with everything that sending it needs."""

    call: Call
    decision: Decision
    asked: Asked
    body: RequestBody
    claim: Claim | None = None
    check: Check | None = None
    seal: Seal | None = None
    crossing: Crossing | None = None


class Onward:
    def __init__(
        self,
        entrance: Entrance,
        forwarder: Forwarder,
        signer: AssertionSigner,
        destinations: Destinations,
        appearances: Appearances,
        meter: Meter,
    ) -> None:
        self._confirm, self._forwarder, self._signer = entrance.confirm, forwarder, signer
        self._pulse = entrance.pulse
        self._destinations = destinations
        self._appearances, self._meter = appearances, meter

    def destination(self, interface: Interface) -> Destination:
        """Where its calls go.

        Raises:
            Refusal: 503, all its addresses have failed lately, or the secret it asks for is not
                there.
        """
        if interface.credential is not None:
            self._appearances.check(interface)
        destination = self._destinations.of(
            interface.id, interface.addresses, interface.max_concurrency
        )
        try:
            destination.check()
        except Ejected as error:
            raise faults.provider_unavailable(error.seconds) from None
        return destination

    async def enter(self, destination: Destination, consumer: str) -> None:
        """Room at the interface; `destination.gate.leave(consumer)` in the end.

        Raises: Refusal, 503, when it has no room.
        """
        try:
            await destination.gate.enter(consumer)
        except Full:
            raise faults.provider_busy() from None

    async def send(self, exchange: Exchange, destination: Destination) -> Answer:
        """The head of the provider's answer.

        Raises: ProviderUnreachable, ProviderTimeout, Refusal.
        """
        interface = exchange.decision.interface
        appearance = self._appearances.of(interface)
        headers = appearance.join(self._headers(exchange))
        manner = _manner(interface, appearance)
        body = _whole(exchange)
        if not self._pulse.is_even:
            await self._pulse.even()
        exchange.call.stamp("forwarded_at")
        tried: list[Address] = []
        last: ProviderUnreachable | ProviderTimeout | None = None
        confirm = partial(self._confirm, exchange.call, exchange.asked, exchange.decision)
        for tries in range(1, TRIES_LIMIT + 1):
            try:
                address = destination.pick(tried)
            except Ejected:
                raise last or ProviderUnreachable(is_unsent=True) from None
            try:
                url, said = _addressed(address, exchange, headers)
                answer = await self._forwarder.send(
                    exchange.call.method, url, said, body or _stream(exchange), manner, confirm
                )
            except Overtaken as overtaken:
                raise _instead(exchange.call, overtaken, last) from None
            except (ProviderUnreachable, ProviderTimeout) as error:
                if exchange.body.failure is not None:
                    raise
                if address.failed(destination.clock()):
                    self._meter.ejected(interface.name)
                if tries == TRIES_LIMIT or not _may_repeat(exchange, error, destination):
                    raise
                tried.append(address)
                last = error if last is None or last.is_unsent else last
                # A connection kept too long breaks although the address is well.
                if not error.is_unsent and len(tried) >= len(destination.addresses):
                    tried.clear()
                continue
            finally:
                address.is_probed = False
            address.worked()
            destination.earn_retry()
            return answer
        raise AssertionError  # the last try returns or raises

    def _headers(self, exchange: Exchange) -> head.Headers:
        call, claims = exchange.call, exchange.asked.claims
        headers = [
            *exchange.asked.incoming.forwarded,
            (b"x-road-client", claims.application.encode()),
            (b"x-road-id", call.x_road_id),
            (b"x-road-request-id", call.name.encode()),
            (b"traceparent", f"00-{call.trace_id}-{call.span}-01".encode()),
        ]
        if claims.acting_for is not None:
            party = head.party_of(claims.acting_for.nib)
            headers += [(head.PARTY, party), (head.REPRESENTED, party)]
        if exchange.decision.interface.member is not None:
            headers.append((HEADER.lower().encode(), self._assert(exchange)))
        return headers

    def _assert(self, exchange: Exchange) -> bytes:
        claims, decision = exchange.asked.claims, exchange.decision
        caller = Caller(
            kind=claims.kind,
            subject=claims.sub,
            agency=claims.agency,
            application=claims.application,
            scopes=frozenset(claims.scope.split()),
            message_id=exchange.call.name,
            purpose=decision.purpose.code,
            acr=claims.acr or None,
            auth_time=claims.auth_time or None,
            acting_for=claims.acting_for.business if claims.acting_for else None,
            matters=claims.acting_for.matters if claims.acting_for else None,
        )
        return self._signer.sign(caller, str(decision.interface.member)).encode()


def _instead(
    call: Call, overtaken: Overtaken, last: ProviderUnreachable | ProviderTimeout | None
) -> Exception:
    """What a call whose right has ended is told: how it failed before, if the provider may have
    acted on it by then.
    """
    if last is not None and not last.is_unsent:
        return last
    call.hold_back()
    return overtaken.refusal


def _addressed(
    address: Address, exchange: Exchange, headers: head.Headers
) -> tuple[str, head.Headers]:
    """The URL there, and the head with the signatures that speak of it."""
    url = address.url.rstrip("/") + exchange.call.target.decode("ascii")
    if exchange.seal is not None:
        headers = exchange.seal.onward(url, headers)
    if exchange.crossing is not None:
        headers = exchange.crossing.onward(url, headers)
    return url, headers


def _whole(exchange: Exchange) -> bytes | None:
    """A body that has come already and whose length its head tells. Raises: Refusal."""
    return exchange.body.whole() if exchange.asked.incoming.content_length else None


def _stream(exchange: Exchange) -> AsyncIterator[bytes] | None:
    return exchange.body.stream() if exchange.asked.incoming.has_body else None


def _manner(interface: Interface, appearance: Appearance) -> Manner:
    return Manner(
        interface.connect_timeout_ms / 1000,
        interface.read_timeout_ms / 1000,
        appearance.identity,
    )


def _may_repeat(
    exchange: Exchange,
    error: ProviderUnreachable | ProviderTimeout,
    destination: Destination,
) -> bool:
    if exchange.body.has_begun:
        return False
    if error.is_unsent:
        return True
    is_safe = exchange.call.method in SAFE and isinstance(error, ProviderUnreachable)
    return is_safe and destination.spend_retry()
