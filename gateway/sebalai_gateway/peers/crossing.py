"""A call of ours to an interface of another instance, on its way to that one's gateway.

Both journals tell of it: ours has the other's message id (`onward`), the other's has ours as its
correlation id, so that the two receipts prove one call.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import urlsplit
from uuid import UUID

from sebalai_shared.signatures import Message

from sebalai_gateway.calls.bodies import RequestBody
from sebalai_gateway.calls.faults import digest_missing
from sebalai_gateway.calls.headers import ACTING_FOR, PARTY, Headers, Incoming
from sebalai_gateway.calls.record import Call
from sebalai_gateway.forwarding.forwarder import Answer
from sebalai_gateway.peers import guests
from sebalai_gateway.routing.snapshot import Peer
from sebalai_gateway.signatures.seals import Seals

HELD_BYTES = 1024 * 1024
NONCE_BYTES = 16
# The other gateway says these itself; our message id goes as the id that it keeps and echoes.
_REPLACED = frozenset({b"x-road-id", b"x-road-request-id"})


class Crossing:
    def __init__(self, seals: Seals, call: Call, peer: Peer) -> None:
        self._seals, self._call, self._peer = seals, call, peer

    async def prepare(self, incoming: Incoming, body: RequestBody) -> None:
        """Sees to it that the body's digest is known before the head is signed.

        Raises: Refusal; ClientGone.
        """
        told = incoming.content_digest or b""
        if not incoming.has_body or b"sha-256=:" in told:
            return
        held = await body.hold(HELD_BYTES, is_whole_needed=False)
        if held is None:
            raise digest_missing(HELD_BYTES)
        mark = base64.b64encode(hashlib.sha256(held).digest())
        incoming.forwarded.append((b"content-digest", b"sha-256=:" + mark + b":"))

    def onward(self, url: str, headers: Headers) -> Headers:
        """The head as our gateway signs it for the other's."""
        told = [pair for pair in headers if pair[0] not in _REPLACED]
        told.append((b"x-road-id", self._call.name.encode()))
        party = _represented(told, self._call)
        told += party
        parts = urlsplit(url)
        message = Message(told, self._call.method, parts.path, parts.query)
        has_digest = any(name == b"content-digest" for name, _ in told)
        covered = [*guests.COVERED, *(["content-digest"] if has_digest else [])]
        covered += guests.PARTY_COVERED if party else []
        nonce = secrets.token_urlsafe(NONCE_BYTES)
        return [*told, *self._seals.sign_as(guests.TAG, covered, message, nonce)]

    def note(self, answer: Answer) -> None:
        """Keeps which call it became there."""
        onward: dict[str, str | None] = {"instance": self._peer.instance, "message_id": None}
        for name, value in answer.headers:
            if name == b"sebalai-message-id":
                onward["message_id"] = _uuid(value.decode("latin-1"))
        self._call.facts["onward"] = onward


def _represented(told: Headers, call: Call) -> Headers:
    """Our id of the business that the call is made for; its number is among the headers then."""
    acting_for = call.facts.get("acting_for")
    if acting_for is None or not any(name == PARTY for name, _ in told):
        return []
    return [(ACTING_FOR, str(acting_for).encode())]


def _uuid(text: str) -> str | None:
    """Only a number is evidence; another instance's words are not ours to keep."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
