"""What both sides of the connector need of HTTP: a whole body, an answer, a problem."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]
HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
HEALTH = "/-/health"


@dataclass(slots=True)
class Trouble(Exception):
    """A problem of the connector's own; `slug` for machines, `detail` says what to do."""

    status: int
    slug: str
    detail: str


class Gone(Exception):
    """Who asked has left."""


def path_of(scope: Scope) -> str:
    """The path as it came, not decoded. Raises: Trouble, 400, where a client would tidy it before
    it asks on: with the token and the signature of this call it would be another one.
    """
    path: str = scope["raw_path"].decode("latin-1")
    segments = unquote(path).replace("\\", "/").split("/")[1:]
    if path.startswith("//") or {".", ".."} & set(segments):
        raise Trouble(400, "connect-path-unclear", "Name the resource itself, without dots.")
    return path


async def whole_body(receive: Receive, limit: int) -> bytes:
    """Raises: Trouble, 413; Gone."""
    chunks, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise Trouble(413, "connect-body-too-large", f"At most {limit} bytes pass at once.")
        if not message.get("more_body", False):
            return b"".join(chunks)


def kept(headers: Sequence[tuple[bytes, bytes]], *dropped: bytes) -> Headers:
    """In lower case, without what belongs to one connection, nor what is named."""
    low = [(name.lower(), value) for name, value in headers]
    return [(n, v) for n, v in low if n not in HOP_BY_HOP and n not in dropped]


async def answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers + length})
    await send({"type": "http.response.body", "body": body})


async def tell(send: Send, status: int, document: dict[str, object]) -> None:
    headers = [(b"content-type", b"application/json")]
    await answer(send, status, headers, json.dumps(document).encode())


async def complain(send: Send, trouble: Trouble) -> None:
    """An RFC 9457 body, told apart from the gateway's and the provider's by its slug."""
    document = {
        "type": f"urn:sebalai:problem:{trouble.slug}",
        "title": "sebalai connect could not pass this on",
        "status": trouble.status,
        "detail": trouble.detail,
    }
    headers = [(b"content-type", b"application/problem+json")]
    await answer(send, trouble.status, headers, json.dumps(document).encode())
