"""The edge: everything outside the bus that a browser or an application reaches (wiring 6).

Members' public interfaces and the portal, streamed through the same forwarding seam. The edge
identifies a caller who shows a token; what the caller may is the member's to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from sebalai_shared.caller import HEADER, AssertionSigner, Caller
from sebalai_shared.telemetry import enter_trace
from starlette.types import Receive, Scope, Send

from sebalai_gateway.admission.proofs import Shown
from sebalai_gateway.admission.proxy import certificate_of, thumbprint_of
from sebalai_gateway.admission.token import Claims, TokenVerifier
from sebalai_gateway.calls import headers as head
from sebalai_gateway.calls.bodies import RequestBody
from sebalai_gateway.calls.consumer import ClientGone
from sebalai_gateway.calls.faults import broken_exchange, check_method, client_mismatch
from sebalai_gateway.forwarding.forwarder import (
    Answer,
    Forwarder,
    Manner,
    ProviderTimeout,
    ProviderUnreachable,
)
from sebalai_gateway.lanes.asgi import AsgiConsumer
from sebalai_gateway.refusals import Refusal, say, unavailable
from sebalai_gateway.routing.paths import canonical, encode

BODY_BYTES_LIMIT = 1024**3
MANNER = Manner(connect_seconds=2.0, read_seconds=30.0)
TOTAL_SECONDS = 600.0
_CLOSED = frozenset({"internal", "metrics", "livez", "readyz"})
# Pages of identity: sign-in, consent, devices, and what a person has open.
_PAGES = frozenset(
    {
        "sign-in", "sign-out", "acting-for", "consent", "device", "my-access", "authn", "broker",
    }
)  # fmt: skip
# CKAN's clients know no other addresses: `/api/3/action/…`, and the same without a version.
_CKAN = frozenset({"3", "action"})
_DISCOVERY = frozenset({"openid-configuration", "oauth-authorization-server"})
# What the edge itself says must not come from behind it, nor cookies be lost: the portal has some.
_DROPPED = head.HOP_BY_HOP | {
    b"authorization", b"host", b"expect", b"forwarded", b"x-forwarded-for", b"x-forwarded-host",
    b"x-forwarded-proto", b"x-real-ip", b"sebalai-caller", b"sebalai-proxy", b"sebalai-source",
    b"client-cert", b"client-cert-chain", b"traceparent", b"tracestate",
}  # fmt: skip
_NOT_RETURNED = head.HOP_BY_HOP | {b"server", b"sebalai-caller"}


METASERVICE_PARTS = 7
_METASERVICES = frozenset({"listMethods", "allowedMethods", "getOpenAPI"})


def is_metaservice(path: str) -> bool:
    """Whether a path under `/r1/` names one of X-Road's reserved service codes, which exchange
    answers: no interface of ours can be called so, because names are lower case.
    """
    before, _, last = path.rpartition("/")
    if last not in _METASERVICES:
        return False
    return before.startswith("/r1/") and before.count("/") == METASERVICE_PARTS - 2


def _is_catalogue(segments: list[str]) -> bool:
    return segments == ["listClients"] or is_metaservice("/" + "/".join(segments))


@dataclass(frozen=True, slots=True)
class Route:
    """A member (`identity`, …, or `portal`), its address, and the path it sees.

    `is_self_checking`: the member reads Authorization itself, as a token endpoint must.
    """

    member: str
    url: str
    path: bytes
    is_self_checking: bool = False


class Edge:
    def __init__(
        self,
        members: Mapping[str, str],
        verifier: TokenVerifier,
        forwarder: Forwarder,
        signer: AssertionSigner,
        log: Callable[[dict[str, object]], None],
    ) -> None:
        self._members, self._verifier, self._forwarder = members, verifier, forwarder
        self._signer, self._log = signer, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, member = 0, None
        try:
            incoming = head.read(scope["headers"])
            trace = enter_trace(incoming.traceparent)
            check_method(scope["method"])
            route = self._route(scope["raw_path"])
            member = route.member
            headers = self._headers(scope, incoming, route, trace.traceparent)
            async with asyncio.timeout(TOTAL_SECONDS):
                status = await self._pass(scope, receive, send, route, headers, incoming)
        except Refusal as refusal:
            status = refusal.status
            await say(send, refusal)
        finally:
            self._log({"method": scope["method"], "edge": member, "status": status})

    def _route(self, raw_path: bytes) -> Route:
        """Routes by the decoded segments and forwards their one spelling, never the bytes that
        came: bytes that are cut and glued to an address may become another host.
        """
        segments = canonical(raw_path)
        first = segments[0]
        is_discovery = first == ".well-known" and segments[1:] in [[name] for name in _DISCOVERY]
        if (first == "oauth" and len(segments) > 1) or is_discovery:
            return self._to("identity", segments, is_self_checking=True)
        if first in _PAGES:
            return self._to("identity", segments, is_self_checking=True)
        is_ckan = first == "api" and len(segments) > 2 and segments[1] in _CKAN
        if is_ckan or segments == [".well-known", "api-catalog"]:
            return self._to("catalog", segments)
        is_receipt = first == "receipts" and len(segments) > 1
        if is_receipt or _is_catalogue(segments):
            return self._to("exchange", segments)
        if first == "api" and len(segments) > 2:
            return self._api(segments[1], segments[2:])
        if first in _CLOSED:
            raise _nothing_here()
        return self._to("portal", segments)

    def _api(self, member: str, inner: list[str]) -> Route:
        if member == "portal" or member not in self._members or inner[0] in _CLOSED:
            raise _nothing_here()
        return self._to(member, inner)

    def _to(self, member: str, segments: list[str], *, is_self_checking: bool = False) -> Route:
        return Route(member, self._members[member], encode(segments), is_self_checking)

    def _headers(
        self, scope: Scope, incoming: head.Incoming, route: Route, traceparent: str
    ) -> head.Headers:
        headers = [pair for pair in scope["headers"] if pair[0] not in _DROPPED]
        headers.append((b"traceparent", traceparent.encode()))
        if route.member == "identity":
            # Guesses are slowed by where they come from.
            headers.append((b"sebalai-source", scope["client"][0].encode()))
        if route.is_self_checking:
            headers += self._certificate(scope, route)
        if incoming.authorization is None or route.member == "portal":
            return headers
        if route.is_self_checking:
            return [*headers, (b"authorization", incoming.authorization)]
        path = scope["raw_path"].decode("latin-1")
        shown = Shown(scope["method"], path, incoming.proof, thumbprint_of(scope))
        claims = self._verifier.verify(incoming.authorization, scope["client"][0], shown)
        if incoming.names_another(claims.application):
            raise client_mismatch()
        assertion = self._signer.sign(_caller(claims), route.member)
        return [*headers, (HEADER.lower().encode(), assertion.encode())]

    def _certificate(self, scope: Scope, route: Route) -> head.Headers:
        """The client's certificate, and our word for it: the header alone anybody could send."""
        found = certificate_of(scope)
        if found is None:
            return []
        assertion = self._signer.sign(Caller(certificate=found.thumbprint), route.member)
        return [(b"client-cert", found.header), (HEADER.lower().encode(), assertion.encode())]

    async def _pass(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        route: Route,
        headers: head.Headers,
        incoming: head.Incoming,
    ) -> int:
        consumer = AsgiConsumer(scope, receive, send)
        body = RequestBody(consumer.read, BODY_BYTES_LIMIT, None)
        stream: AsyncIterator[bytes] | None = body.stream() if incoming.has_body else None
        query: bytes = scope["query_string"]
        url = route.url.rstrip("/") + (route.path + (b"?" + query if query else b"")).decode(
            "latin-1"
        )
        try:
            answer = await self._forwarder.send(scope["method"], url, headers, stream, MANNER)
        except (ProviderUnreachable, ProviderTimeout) as error:
            failure = body.failure or error
            if isinstance(failure, Refusal):
                raise failure from error
            raise (
                _member_down(route.member)
                if not isinstance(failure, ClientGone)
                else (broken_exchange(failure))
            ) from error
        await _give_back(send, answer)
        return answer.status


def _caller(claims: Claims) -> Caller:
    return Caller(
        kind=claims.kind,
        subject=claims.sub,
        # A person is not the application they sign in with; an agency comes of a posting alone.
        agency=claims.agency or None,
        application=claims.application or None,
        scopes=frozenset(claims.scope.split()),
        acr=claims.acr or None,
        auth_time=claims.auth_time or None,
        acting_for=claims.acting_for.business if claims.acting_for else None,
        matters=claims.acting_for.matters if claims.acting_for else None,
    )


async def _give_back(send: Send, answer: Answer) -> None:
    """Streams the answer; an upstream that breaks off makes the server cut the connection."""
    headers = [pair for pair in answer.headers if pair[0] not in _NOT_RETURNED]
    is_whole = False
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        while chunk := await answer.read():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        is_whole = True
    finally:
        answer.close(is_complete=is_whole)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _nothing_here() -> Refusal:
    return Refusal(404, "not-found", "There is nothing here", "See /.well-known/api-catalog.")


def _member_down(member: str) -> Refusal:
    return unavailable(
        "member-unavailable", "A part of the platform is not available",
        f"{member} does not answer; calls on the bus go on. Try again in a moment.", seconds=2,
    )  # fmt: skip
