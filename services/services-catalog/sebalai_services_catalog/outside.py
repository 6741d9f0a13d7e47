"""Clients of outside systems that the operator named, and one bounded way to ask any of them."""

from collections.abc import Mapping

from sebalai_shared import http
from sebalai_shared.addresses import Reach

from sebalai_services_catalog.settings import CatalogSettings

ANSWER_BYTES_LIMIT = 64 * 1024
FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Said of the bytes on the wire; what is handed on is decoded and whole."""
FAILURES_MAX = 3
"""So many failures in a row are an outage: the pass over what waits ends, the next goes on."""


def outside_client(settings: CatalogSettings, base_url: str) -> http.Client:
    """One a process and system; close it at the end. Private hosts only as `private_systems`."""
    client = http.client(Reach.parse(settings.private_systems.split(",")), base_url=base_url)
    client.headers["Content-Type"] = "application/json"
    return client


async def send(
    client: http.Client,
    method: str,
    path: str,
    content: bytes,
    headers: Mapping[str, str] | None = None,
) -> http.Response:
    """Raises: http.Error, also when the answer is longer than ANSWER_BYTES_LIMIT."""
    async with client.stream(method, path, content=content, headers=headers) as answer:
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > ANSWER_BYTES_LIMIT:
                raise http.AnswerTooLarge(f"the answer of {path} is too large")
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in FRAMING}
        return http.Response(
            answer.status_code, headers=kept, content=bytes(body), request=answer.request
        )
