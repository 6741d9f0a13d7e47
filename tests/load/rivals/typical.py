"""A proxy as a team writes it in an afternoon: FastAPI and one shared httpx client. It checks and
records nothing, and holds every body in memory.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx  # house: httpx - a rival to measure, no member
from fastapi import FastAPI, Request, Response

PROVIDER = os.environ.get("PROVIDER", "http://127.0.0.1:9")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with httpx.AsyncClient(base_url=PROVIDER, timeout=30) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.api_route("/r1/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
async def forward(path: str, request: Request) -> Response:
    client: httpx.AsyncClient = request.app.state.client
    headers = {n: v for n, v in request.headers.items() if n not in {"host", "content-length"}}
    answer = await client.request(
        request.method, f"/{path}", content=await request.body(), headers=headers
    )
    return Response(
        answer.content, answer.status_code, {"content-type": answer.headers["content-type"]}
    )
