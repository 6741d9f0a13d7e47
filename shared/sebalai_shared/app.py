"""The application factory: every member's HTTP side is made here, so that problems, traces, health,
callers and limits are the same everywhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sebalai_shared import health, problems
from sebalai_shared.caller import AssertionVerifier
from sebalai_shared.clock import Clock, SystemClock
from sebalai_shared.database import Database, answer_failures
from sebalai_shared.settings import MemberSettings
from sebalai_shared.telemetry import TelemetryMiddleware

BODY_BYTES_LIMIT = 1024 * 1024

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class BodyTooLarge(problems.Problem):
    status, slug, title = 413, "body-too-large", "The body is too large"


@dataclass(frozen=True, slots=True)
class Member:
    """What a member is to the outside: `name` is the audience of caller assertions and the path
    under `/api/`; `streamed` are path patterns (`/v1/x/*/content`) whose bodies have
    limits of their own.
    """

    name: str
    title: str
    routers: Sequence[APIRouter]
    checks: Mapping[str, health.Check] = field(default_factory=dict[str, health.Check])
    streamed: Sequence[str] = ()
    lifespan: Lifespan | None = None
    gauges: Mapping[str, str] = field(default_factory=dict[str, str])


def create_app(
    settings: MemberSettings,
    member: Member,
    *,
    database: Database | None = None,
    clock: Clock | None = None,
) -> FastAPI:
    """A FastAPI application with `state.settings`, `.database`, `.clock` and `.assertions`."""
    app = FastAPI(
        title=member.title,
        version="0.1.0",
        lifespan=_lifespan(member, database),
        servers=[{"url": f"/api/{member.name}"}],
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings, app.state.database = settings, database
    app.state.clock = clock or SystemClock()
    app.state.assertions = _verifier(settings, member.name, app.state.clock)
    problems.install(app)
    checks = dict(member.checks)
    if database is not None:
        answer_failures(app)
        checks["database"] = database.check
    for router in (_health(checks, member, database), *member.routers):
        app.router.routes.extend(_named(router.routes))
    app.add_middleware(BodyLimit, streamed=tuple(member.streamed))
    app.add_middleware(TelemetryMiddleware)
    return app


def _health(
    checks: Mapping[str, health.Check], member: Member, database: Database | None
) -> APIRouter:
    if database is None:
        return health.router(checks)
    return health.router(checks, health.gauges_of(database, {**health.OUTBOX, **member.gauges}))


def _lifespan(member: Member, database: Database | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            if database is not None:
                stack.push_async_callback(database.close)
            if member.lifespan is not None:
                await stack.enter_async_context(member.lifespan(app))
            yield

    return lifespan


def _verifier(settings: MemberSettings, audience: str, clock: Clock) -> AssertionVerifier | None:
    if settings.caller_keys_file is None:
        return None
    return AssertionVerifier.from_file(settings.caller_keys_file, audience, clock)


def _named(routes: Sequence[BaseRoute]) -> Sequence[BaseRoute]:
    """The routes themselves, since a member's routers have nothing to inherit: `include_router`
    would make each of them once more, at an application's first request.
    """
    for route in routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.operation_id or _operation_id(route)
    return routes


def _operation_id(route: APIRoute) -> str:
    """`tag_name`, so that generated clients get readable methods."""
    tag = str(route.tags[0]) if route.tags else "default"
    return f"{tag}_{route.name}"


class BodyLimit:
    """Refuses bodies over BODY_BYTES_LIMIT, declared or counted, before a handler holds them."""

    def __init__(self, app: ASGIApp, streamed: tuple[str, ...]) -> None:
        self._app, self._streamed = app, streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(fnmatchcase(scope["path"], p) for p in self._streamed):
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > BODY_BYTES_LIMIT:
            await _refusal()(scope, receive, send)
            return
        counter = _Counter(receive)
        try:
            await self._app(scope, counter.receive, counter.guard(send))
        finally:
            if counter.is_over:
                await _refusal()(scope, receive, send)


def _refusal() -> ASGIApp:
    return problems.answer(BodyTooLarge(f"At most {BODY_BYTES_LIMIT} bytes are taken here."))


class _Counter:
    """Counts what arrives; once over the limit, the handler's own answer is withheld, because
    FastAPI would turn the cut-off body into a 400 of its own.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive, self._size, self._has_answered = receive, 0, False

    @property
    def is_over(self) -> bool:
        return self._size > BODY_BYTES_LIMIT and not self._has_answered

    async def receive(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_over else message

    def guard(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if self.is_over:
                return
            self._has_answered = True
            await send(message)

        return guarded
