"""From the bus to the legacy system: what the gateway signed is passed on, the answer is signed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sebalai_shared import http, signatures
from sebalai_shared.signatures import Message, Signature, Unreadable
from starlette.types import Receive, Scope, Send

from sebalai_local.connect import plain
from sebalai_local.connect.config import Provide
from sebalai_local.connect.gateway_keys import GatewayKeys
from sebalai_local.connect.plain import Gone, Headers, Trouble
from sebalai_local.connect.signing import MessageSigner, content_digest

TAG = "sebalai-gateway"
WINDOW_SECONDS, SKEW_SECONDS = 300, 30
SEEN_MAX = 100_000
_ALWAYS = {'"@method"', '"@path"', '"@query"', '"x-road-client"', '"x-road-request-id"'}


@dataclass(slots=True)
class Inward:
    """An ASGI application. `legacy` is a client whose base is the legacy system."""

    provide: Provide
    keys: GatewayKeys
    signer: MessageSigner
    legacy: http.Client
    max_body_bytes: int
    calls: int = 0
    _seen: dict[str, int] = field(default_factory=dict[str, int])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == plain.HEALTH:
            await plain.tell(send, 200, {"state": "well", "calls": self.calls})
            return
        try:
            body = await plain.whole_body(receive, self.max_body_bytes)
            if self.provide.require_gateway:
                await self._check(scope, body)
            self.calls += 1
            await self._pass_on(scope, body, send)
        except Trouble as trouble:
            await plain.complain(send, trouble)
        except Gone:
            return

    async def _check(self, scope: Scope, body: bytes) -> None:
        """That the gateway itself sent this, now, and for the first time. Raises: Trouble."""
        headers: Headers = scope["headers"]
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        message = Message(headers, scope["method"], path, query)
        try:
            found = signatures.read(headers, TAG)
            if found is None:
                raise _stranger("it is not signed by the gateway; does the agreement ask for it?")
            base = signatures.base_of(found.components, found.inner, message)
            key = await self.keys.find(found.text("keyid"))
        except Unreadable as error:
            raise _stranger(str(error)) from None
        except (http.Error, ValueError) as error:
            raise Trouble(
                503, "connect-gateway-away", f"No keys of the gateway: {error}"
            ) from error
        if key is None or not signatures.holds(key, found, base):
            raise _stranger("the signature is not the gateway's")
        wanted = _ALWAYS | ({'"content-digest"'} if body else set())
        if wanted - set(found.components):
            raise _stranger("the signature does not cover the whole request")
        told = dict(headers)
        if content_digest(body) not in told.get(b"content-digest", content_digest(b"")):
            raise _stranger("the body is not what its digest says")
        self._use(found, told[b"x-road-request-id"].decode("latin-1"))

    def _use(self, found: Signature, number: str) -> None:
        """A request is good for a while, and once: its number is the gateway's and never again."""
        now, created = int(time.time()), found.created or 0
        if not now - WINDOW_SECONDS <= created <= now + SKEW_SECONDS:
            raise _stranger("it was signed at another time; check the clock")
        if number in self._seen:
            raise _stranger("it was sent before")
        if len(self._seen) >= SEEN_MAX:
            oldest = now - WINDOW_SECONDS - SKEW_SECONDS
            self._seen = {one: at for one, at in self._seen.items() if at >= oldest}
            if len(self._seen) >= SEEN_MAX:
                raise Trouble(503, "connect-busy", "Too many calls; try again in a minute.")
        self._seen[number] = created

    async def _pass_on(self, scope: Scope, body: bytes, send: Send) -> None:
        dropped = (b"host", b"content-length", b"signature", b"signature-input", b"expect")
        headers = plain.kept(scope["headers"], *dropped)
        query = scope["query_string"].decode("latin-1")
        target = plain.path_of(scope) + (f"?{query}" if query else "")
        number = dict(headers).get(b"x-road-request-id", b"").decode("latin-1")
        try:
            answer = await self.legacy.fetch(
                target,
                method=scope["method"],
                limit=self.max_body_bytes,
                headers=[*headers, (b"accept-encoding", b"identity")],
                content=body or None,
            )
        except http.AnswerTooLarge as error:
            raise Trouble(502, "connect-answer-too-large", str(error)) from error
        except http.Error as error:
            why = str(error) or type(error).__name__
            raise Trouble(
                502, "connect-system-away", f"The system does not answer: {why}"
            ) from error
        told = plain.kept(answer.headers.raw, b"content-length", b"content-digest")
        if self.provide.sign and number:
            told = self._signed(scope["method"], answer, told, number)
        await plain.answer(send, answer.status_code, told, answer.content)

    def _signed(self, method: str, answer: http.Response, told: Headers, number: str) -> Headers:
        if method != "HEAD" and answer.content:
            told = [*told, (b"content-digest", content_digest(answer.content))]
        return [*told, *self.signer.answer(answer.status_code, told, number).headers]


def _stranger(why: str) -> Trouble:
    return Trouble(403, "connect-not-the-gateway", f"This request is not taken: {why}.")
