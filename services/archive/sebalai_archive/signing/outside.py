"""The one way in which signatures reach outside systems that the operator named: timestamp
authorities, revocation lists, remote signing.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from sebalai_shared import http
from sebalai_shared.addresses import Reach

from sebalai_archive.settings import ArchiveSettings

ANSWER_BYTES_LIMIT = 4 * 1024 * 1024
READ_SECONDS = 5.0
SIGNING_SECONDS = 30.0  # a person's remote key takes its time
ANSWER_SECONDS_MAX = 15.0  # a whole exchange, however steadily its answer drips
T = TypeVar("T")


def outside_client(settings: ArchiveSettings, *, read_seconds: float | None = None) -> http.Client:
    """One a process; close it at the end. Private hosts only as `private_systems`."""
    if read_seconds is None:
        read_seconds = SIGNING_SECONDS if settings.esign_url else READ_SECONDS
    return http.client(Reach.parse(settings.private_systems.split(",")), read_seconds=read_seconds)


async def within(answer: Awaitable[T], seconds: float = ANSWER_SECONDS_MAX) -> T:
    """Raises: http.Error, when the whole of it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise http.Error("the answer takes too long") from error


async def post(
    client: http.Client,
    url: str,
    content: bytes,
    *,
    headers: Mapping[str, str],
    limit: int = ANSWER_BYTES_LIMIT,
) -> tuple[int, bytes]:
    """Status and body. Raises: http.Error, also when the answer is longer than `limit` bytes."""
    async with client.stream("POST", url, content=content, headers=dict(headers)) as answer:
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > limit:
                raise http.AnswerTooLarge("the answer is too large")
        return answer.status_code, bytes(body)
