"""Content as an answer over HTTP: whole, or the one range that was asked for (RFC 9110, 14)."""

import re
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import StreamingResponse
from sebalai_shared.problems import Problem

from sebalai_archive.content_store import ContentStore, Stored

_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII)


class RangeBeyond(Problem):
    status, slug, title = 416, "range-beyond", "The range lies beyond the content"


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """`[start, end)`, or None for the whole: also for several ranges or none that can be read,
    which a server may pass over (RFC 9110, 14.2). Raises: RangeBeyond.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise RangeBeyond(f"It has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})
    return start, end


async def content_response(
    request: Request, store: ContentStore, content: Stored, headers: Mapping[str, str]
) -> StreamingResponse:
    """`headers` must hold the `ETag`: a range counts only while `If-Range` names it.

    Raises: RangeBeyond; FileNotFoundError when the store does not hold the content.
    """
    if not await store.holds(content):
        raise FileNotFoundError(content.stored)
    condition = request.headers.get("if-range")
    asked = request.headers.get("range") if condition in {None, headers["ETag"]} else None
    part = wanted_range(asked, content.size)
    start, end = part or (0, content.size)
    told = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    if part is None and "Repr-Digest" in told:
        told["Content-Digest"] = told["Repr-Digest"]  # RFC 9530: of what this answer carries
    if part is not None:
        told["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
    stream = store.stream(content, start, end)
    return StreamingResponse(stream, status_code=206 if part else 200, headers=told)
