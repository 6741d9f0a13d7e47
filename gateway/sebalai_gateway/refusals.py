"""What the gateway says when it does not forward: one shape for every slice of the call path.

Plain and cheap, because it is made on the hot path: no exception chaining, no pydantic.
The body is RFC 9457; `x_road` keeps the code an X-Road client expects in `X-Road-Error`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from starlette.types import Send

TYPE_PREFIX = "urn:sebalai:problem:"


@dataclass(slots=True, eq=False)
class Refusal(Exception):
    """`slug` names the reason for machines, `detail` tells a person what to do next;
    `context` is what was known by then, for the journal.
    """

    status: int
    slug: str
    title: str
    detail: str
    x_road: str = "client.bad_request"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    rule: str | None = None
    context: dict[str, str | None] = field(default_factory=dict[str, "str | None"])

    def document(self, **members: str | None) -> dict[str, object]:
        """The problem document; `members` are message_id, receipt and trace_id."""
        document: dict[str, object] = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.rule is not None:
            document["rule"] = self.rule
        return document | {name: value for name, value in members.items() if value is not None}


def unavailable(
    slug: str,
    title: str,
    detail: str,
    *,
    seconds: int = 1,
    x_road: str = "server.internal_error",
) -> Refusal:
    """503: something is not there now; the same call may be sent again after `seconds`."""
    headers = [(b"retry-after", str(seconds).encode())]
    return Refusal(503, slug, title, detail, x_road=x_road, headers=headers)


def written(refusal: Refusal) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The refusal as an answer of its own, for what has no message id: headers and body."""
    body = orjson.dumps(refusal.document())
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *refusal.headers,
    ]
    return headers, body


async def say(send: Send, refusal: Refusal) -> None:
    """Answers with it over ASGI."""
    headers, body = written(refusal)
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
