"""Header policy of the call path: one pass over what came, one over what goes back.

Hop-by-hop headers end here (RFC 9110 section 7.6.1), the token and everything that could pass for
the gateway's own word is dropped; the rest goes through untouched.
"""

from __future__ import annotations

import base64
import re

import msgspec

from sebalai_gateway.calls.overriding import OF_THE_ORIGIN, OVERRIDING
from sebalai_gateway.refusals import Refusal

Headers = list[tuple[bytes, bytes]]
BODILESS = frozenset({204, 304})
COUNT_DIGITS = 15
_SHA256 = re.compile(rb"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")

_NONE: frozenset[bytes] = frozenset()
_KEPT = b"keep-alive"
HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
NOT_FORWARDED = HOP_BY_HOP | OVERRIDING | frozenset(
    {
        b"authorization", b"dpop", b"client-cert", b"client-cert-chain", b"cookie", b"host",
        b"expect", b"forwarded", b"via",
        b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip",
        b"sebalai-acting-for", b"sebalai-caller", b"sebalai-first-message-id",
        b"sebalai-message-id", b"sebalai-proxy", b"sebalai-receipt", b"sebalai-represented-party",
        b"sebalai-source", b"sebalai-trace", b"traceparent", b"tracestate",
        b"user-agent", b"x-road-client", b"x-road-id", b"x-road-request-id", b"x-road-error",
    }
)  # fmt: skip
NOT_RETURNED = HOP_BY_HOP | OF_THE_ORIGIN | frozenset(
    {
        b"server", b"set-cookie", b"sebalai-caller", b"sebalai-message-id", b"sebalai-receipt",
        b"sebalai-trace", b"x-road-error", b"x-road-id", b"x-road-request-id",
        b"x-road-request-hash", b"x-road-service", b"idempotency-replayed", b"ratelimit",
        b"ratelimit-policy",
        b"sebalai-first-message-id",
    }
)  # fmt: skip


REPRESENTED = b"x-road-represented-party"
PARTY, ACTING_FOR = b"sebalai-represented-party", b"sebalai-acting-for"
"""The gateway's word: to providers the business by its number; to the gateway of another instance
our id of it too, which is what evidence keeps.
"""
BUSINESS_CLASS = b"COM"


def party_of(nib: str) -> bytes:
    """A business as X-Road's extension of 2022 writes one: class and code."""
    return BUSINESS_CLASS + b"/" + nib.encode()


class Incoming(msgspec.Struct):
    """What the call path needs of the head, and what is forwarded of it."""

    forwarded: Headers = []
    authorization: bytes | None = None
    proof: bytes | None = None
    purpose: str | None = None
    x_road_client: str | None = None
    also_named: set[str] = set()
    represented: set[bytes] = set()
    x_road_id: str | None = None
    traceparent: str | None = None
    content_digest: bytes | None = None
    content_length: int | None = None
    is_chunked: bool = False
    wants_stream: bool = False
    has_host: bool = False
    idempotency_key: str | None = None
    is_signed: bool = False
    upload: dict[str, int | str] = {}

    @property
    def has_body(self) -> bool:
        return self.is_chunked or bool(self.content_length)

    def names_another(self, application: str) -> bool:
        """Whether a header says that somebody else calls than the token does."""
        return self.x_road_client not in (None, application) or not self.also_named <= {application}


def read(headers: Headers) -> Incoming:
    """One pass over the request's head.

    Raises:
        Refusal: framing that two readers could read differently, an upgrade, a repeated
            Authorization or purpose.
    """
    incoming, forwarded, named = Incoming(), list[tuple[bytes, bytes]](), _NONE
    for pair in headers:
        name, value = pair
        reader = _NOTED.get(name)
        if reader is not None:
            reader(incoming, value)
        elif name == b"connection":
            named |= _named_in(value)
        # Many servers read `X_Road_Client` as `X-Road-Client`.
        elif b"_" in name and name.replace(b"_", b"-") in _TOLD:
            continue
        if name not in NOT_FORWARDED:
            forwarded.append(pair)
    if incoming.is_chunked and incoming.content_length is not None:
        raise _bad_framing("Send Content-Length or Transfer-Encoding, not both.")
    if named and _is_kept_whole(named):
        raise _bad_framing("Name in Connection what is for one hop, and nothing the call needs.")
    incoming.forwarded = [p for p in forwarded if p[0] not in named] if named else forwarded
    return incoming


def returned(status: int, headers: Headers) -> Headers:
    """What of the provider's head (names in lower case) goes back to the consumer."""
    found = [pair for pair in headers if pair[0] not in NOT_RETURNED]
    told, named = dict(headers), _NONE
    if len(told) < len(headers) or told.get(b"connection", _KEPT) != _KEPT:
        for name, value in headers:
            if name == b"connection":
                named |= _named_in(value)
    if status in BODILESS:
        # It tells the length of a body that does not come; the server would wait for one.
        named |= {b"content-length"}
    return [pair for pair in found if pair[0] not in named] if named else found


def _named_in(connection: bytes) -> frozenset[bytes]:
    """The headers that a `Connection` header makes hop-by-hop."""
    if connection == _KEPT:
        return _NONE
    return frozenset(token.strip().lower() for token in connection.split(b","))


def _is_kept_whole(named: frozenset[bytes]) -> bool:
    """Whether one of them is for the provider too (RFC 9110, 7.6.1): the call is judged, and may
    have been signed, with it.
    """
    return any(
        name in _END_TO_END or name.startswith((b"sebalai-", b"x-road-", b"content-"))
        for name in named
    )


def _authorization(incoming: Incoming, value: bytes) -> None:
    if incoming.authorization is not None:
        raise _bad_framing("Send one Authorization header.")
    incoming.authorization = value


def _proof(incoming: Incoming, value: bytes) -> None:
    if incoming.proof is not None:
        raise _bad_framing("Send one DPoP header.")
    incoming.proof = value.strip()


def _purpose(incoming: Incoming, value: bytes) -> None:
    if incoming.purpose is not None:
        raise _bad_framing("Send one Sebalai-Purpose header.")
    incoming.purpose = value.decode("latin-1").strip()


def _client(incoming: Incoming, value: bytes) -> None:
    # The last one counts, as X-Road's specification says.
    incoming.x_road_client = value.decode("latin-1").strip()


def _also(incoming: Incoming, value: bytes) -> None:
    # These go on to the provider, who may take any of them for the gateway's word.
    incoming.also_named.add(value.decode("latin-1").strip())


def _represented(incoming: Incoming, value: bytes) -> None:
    incoming.represented.add(value.strip())


def _id(incoming: Incoming, value: bytes) -> None:
    incoming.x_road_id = value.decode("latin-1").strip()


def _traceparent(incoming: Incoming, value: bytes) -> None:
    incoming.traceparent = value.decode("latin-1")


def _digest(incoming: Incoming, value: bytes) -> None:
    # A list header may come in several lines (RFC 9110, section 5.3).
    before = incoming.content_digest
    incoming.content_digest = value if before is None else before + b", " + value


def _host(incoming: Incoming, _: bytes) -> None:
    # RFC 9112, section 3.2: of two readers each could take another one.
    if incoming.has_host:
        raise _bad_framing("Send one Host header.")
    incoming.has_host = True


def _length(incoming: Incoming, value: bytes) -> None:
    if not value.isdigit() or incoming.content_length is not None:
        raise _bad_framing("Send one Content-Length, a whole number.")
    incoming.content_length = int(value)


def _encoding(incoming: Incoming, value: bytes) -> None:
    if value.strip().lower() != b"chunked":
        raise _bad_framing("The only Transfer-Encoding taken here is chunked.")
    incoming.is_chunked = True


def _upgrade(_: Incoming, value: bytes) -> None:
    # An offer of HTTP/2 (`h2c`, which Java's client sends unasked) may be ignored: RFC 9110, 7.8.
    if b"websocket" not in value.lower():
        return
    raise Refusal(
        501,
        "upgrade-not-supported",
        "Upgrades do not pass the bus",
        "Call without Upgrade; WebSocket connections are not carried.",
    )


def _accept(incoming: Incoming, value: bytes) -> None:
    incoming.wants_stream = value.strip().lower().startswith(b"text/event-stream")


def _key(incoming: Incoming, value: bytes) -> None:
    if incoming.idempotency_key is not None:
        raise _bad_framing("Send one Idempotency-Key header.")
    incoming.idempotency_key = value.decode("latin-1").strip()


def _offset(incoming: Incoming, value: bytes) -> None:
    _count(incoming, "offset", value)


def _whole_length(incoming: Incoming, value: bytes) -> None:
    _count(incoming, "length", value)


def _count(incoming: Incoming, name: str, value: bytes) -> None:
    # The provider judges what a part says of itself; a number is evidence, all else is not.
    if value.isdigit() and len(value) <= COUNT_DIGITS:
        incoming.upload[name] = int(value)


def _whole_digest(incoming: Incoming, value: bytes) -> None:
    found = _SHA256.search(value)
    if found is not None:
        incoming.upload["sha256"] = base64.b64decode(found[1]).hex()


def _signed(incoming: Incoming, _: bytes) -> None:
    incoming.is_signed = True


_NOTED = {
    b"signature-input": _signed,
    b"upload-offset": _offset,
    b"upload-length": _whole_length,
    b"repr-digest": _whole_digest,
    b"authorization": _authorization,
    b"dpop": _proof,
    b"sebalai-purpose": _purpose,
    b"x-road-client": _client,
    # The same in GovStack's tests and in its definition; its building blocks read the first.
    b"information-mediator-client": _also,
    b"x-govstack-client": _also,
    b"x-road-id": _id,
    REPRESENTED: _represented,
    b"traceparent": _traceparent,
    b"content-digest": _digest,
    b"content-length": _length,
    b"host": _host,
    b"transfer-encoding": _encoding,
    b"upgrade": _upgrade,
    b"accept": _accept,
    b"idempotency-key": _key,
}
_END_TO_END = _NOTED.keys() - {b"upgrade", b"transfer-encoding"}
# What the gateway reads or says itself.
_TOLD = NOT_FORWARDED | _NOTED.keys()


def _bad_framing(detail: str) -> Refusal:
    # What follows on the connection may be part of this request to another reader.
    closing = [(b"connection", b"close")]
    return Refusal(
        400, "framing-invalid", "The request cannot be read in one way only", detail,
        headers=closing,
    )  # fmt: skip
