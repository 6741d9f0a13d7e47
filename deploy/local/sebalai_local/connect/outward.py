"""From the legacy system to the bus: plain HTTP on loopback becomes a call as r1 wants it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sebalai_shared import http
from sebalai_shared.ids import uuid7
from sebalai_shared.signatures import Signed
from starlette.types import Receive, Scope, Send

from sebalai_local.connect import plain
from sebalai_local.connect.bus import Bus
from sebalai_local.connect.config import Consume
from sebalai_local.connect.plain import Gone, Headers, Trouble
from sebalai_local.connect.receipts import Receipts
from sebalai_local.connect.signing import exchange

# The legacy system's own credentials are for itself; what the connector says it says alone.
_OURS = (
    b"host", b"content-length", b"authorization", b"dpop", b"sebalai-purpose", b"signature",
    b"signature-input", b"content-digest", b"x-road-client", b"expect",
)  # fmt: skip


@dataclass(slots=True)
class Outward:
    """An ASGI application. `exchanges` keeps what proves signed exchanges, one file a call."""

    consume: Consume
    bus: Bus
    receipts: Receipts
    exchanges: Path | None = None
    calls: int = field(default=0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == plain.HEALTH:
            await self._health(send)
            return
        try:
            self._refuse_pages(scope)
            await self._pass_on(scope, receive, send)
        except Trouble as trouble:
            await plain.complain(send, trouble)
        except Gone:
            return

    def _refuse_pages(self, scope: Scope) -> None:
        """Any page that is opened on this machine could ask here, and by a name whose address it
        changes it could read the answer (DNS rebinding). Raises: Trouble, 403.
        """
        told = {name: value.decode("latin-1") for name, value in scope["headers"]}
        address, _, port = self.consume.listen.rpartition(":")
        hosts = {f"{name}:{port}" for name in (address, "localhost", *self.consume.names)}
        hosts |= {host.removesuffix(":80") for host in hosts}
        is_named = told.get(b"host", self.consume.listen).lower() in hosts
        if not is_named or b"origin" in told or told.get(b"sec-fetch-site", "none") != "none":
            raise Trouble(
                403,
                "connect-from-a-page",
                f"Only the system itself calls here, at {', '.join(sorted(hosts))}, and no page of "
                "a browser. Other names of this machine go into consume.names.",
            )

    async def _health(self, send: Send) -> None:
        told: dict[str, object] = {"gateway": self.bus.config.gateway, "calls": self.calls}
        told["receipts"] = self.receipts.counts
        try:
            await self.bus.token()
        except Trouble as trouble:
            await plain.tell(send, 503, told | {"state": "away", "detail": trouble.detail})
            return
        await plain.tell(send, 200, told | {"state": "well"})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        target, headers = self._target(scope), self._headers(scope)
        body = await plain.whole_body(receive, self.bus.config.max_body_bytes)
        self.calls += 1
        method, sign = scope["method"], self.consume.sign
        async with self.bus.call(method, target, headers, body, sign=sign) as (answer, signed):
            self._keep(answer, signed)
            await _stream(answer, send)

    def _target(self, scope: Scope) -> str:
        name, slash, rest = plain.path_of(scope)[1:].partition("/")
        call = self.consume.calls.get(name)
        if call is None:
            known = ", ".join(sorted(self.consume.calls))
            raise Trouble(404, "connect-call-unknown", f"Under /NAME/… there is: {known}.")
        query = scope["query_string"].decode("latin-1")
        return f"/r1/{call.interface}{slash}{rest}" + (f"?{query}" if query else "")

    def _headers(self, scope: Scope) -> Headers:
        name = scope["path"][1:].partition("/")[0]
        headers = plain.kept(scope["headers"], *_OURS)
        told = {known for known, _ in headers}
        if b"x-road-id" not in told:
            headers.append((b"x-road-id", str(uuid7()).encode()))
        if b"accept-encoding" not in told:
            headers.append((b"accept-encoding", b"identity"))
        return [*headers, (b"sebalai-purpose", self.consume.calls[name].purpose.encode())]

    def _keep(self, answer: http.Response, signed: Signed | None) -> None:
        number = answer.headers.get("sebalai-message-id")
        if number is None:
            return
        if self.consume.verify_receipts:
            self.receipts.want(number)
        if signed is not None and self.exchanges is not None:
            headers = plain.kept(answer.headers.raw)
            file = self.exchanges / f"{number}.json"
            file.write_text(exchange(signed, answer.status_code, headers, number))


async def _stream(answer: http.Response, send: Send) -> None:
    headers = plain.kept(answer.headers.raw)
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    async for chunk in answer.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
