"""Real engines for every test session: PostgreSQL and NATS, started once, ended by pid."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from sebalai_local.engines import Engines
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import in_process

SYSTEMS = Path(__file__).parent / "tests/systems"

# A change is judged by the same cases everywhere, and never by a machine's speed; `make explore`
# is where new cases are looked for.
settings.register_profile("judge", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("judge")


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Both engines in a folder of their own; data is thrown away, so nothing waits for a disk."""
    folder = Path(tempfile.mkdtemp(prefix="sebalai-"))
    # Root runs the server as another user, who must be able to walk in; its data stays 0700.
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=False) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_admin_url(engines: Engines) -> str:
    return engines.addresses.postgres_admin_url


@pytest.fixture(scope="session")
def nats_url(engines: Engines) -> str:
    return engines.addresses.nats_url


@pytest.fixture(scope="session")
def nats_token(engines: Engines) -> str:
    return engines.addresses.nats_token


@pytest.fixture(scope="session")
def database_url_for(postgres_admin_url: str) -> Callable[[str], Awaitable[str]]:
    """`await database_url_for("archive")` makes that member a fresh, empty database."""

    async def make(member: str) -> str:
        return await fresh_database(postgres_admin_url, f"test_{member}")

    return make


@pytest.fixture
def stand_in() -> Callable[[str], ModuleType]:
    """The module of a stand-in for an outside system, by its folder under `tests/systems/`."""

    def load(name: str) -> ModuleType:
        file = SYSTEMS / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"stand_in_{name}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def listening() -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[str]]:
    """Serves an application on a port of loopback; gives its address."""

    @contextlib.asynccontextmanager
    async def serve(app: FastAPI) -> AsyncIterator[str]:
        place = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[place]))
        try:
            yield f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running

    return serve


CHECKED = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
}
EXAMPLES_SHARE = 50  # of a property's examples: two of each mode in CI, forty in `make explore`
ENDLESS = "text/event-stream"


def _drawn(operation: APIOperation[Any, Any], mode: GenerationMode) -> list[Case]:
    cases: list[Case] = []

    @settings(
        max_examples=settings().max_examples // EXAMPLES_SHARE,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(operation.as_strategy(mode))
    def draw(case: Case) -> None:
        cases.append(case)

    # A route without parameters cannot be asked wrongly.
    with contextlib.suppress(Unsatisfiable):
        draw()
    return cases


def _asked(app: FastAPI) -> Iterator[Case]:
    """Cases for each route that ends, of input its document allows and of input it does not."""
    for operation in (
        one.ok() for one in schemathesis.openapi.from_dict(app.openapi()).get_all_operations()
    ):
        if ENDLESS not in str(operation.definition.raw["responses"]):
            for mode in GenerationMode:
                yield from _drawn(operation, mode)


@pytest.fixture
def misdescribed() -> Callable[..., Awaitable[list[str]]]:
    """`await misdescribed(app, headers)`: the answers of `app` that its own OpenAPI document does
    not tell of, or that are a fault of ours, as schemathesis judges them. `headers` makes the
    caller's headers, anew for each request.
    """

    async def ask(app: FastAPI, headers: Callable[[], dict[str, str]]) -> list[str]:
        found: list[str] = []
        asked = 0
        load_all_checks()
        checks = [check for check in CHECKS.get_all() if check.__name__ in CHECKED]
        assert len(checks) == len(CHECKED)
        async with in_process(app) as client:
            for case in _asked(app):
                asked += 1
                sent = requests.Request(**case.as_transport_kwargs("http://m", headers())).prepare()
                answer = await client.request(
                    sent.method, sent.url, headers=dict(sent.headers), content=sent.body
                )
                try:
                    case.validate_response(answer, checks=checks)
                except BaseExceptionGroup as group:
                    label = f"{case.operation.label} {answer.status_code}"
                    found += [f"{label}: {one}" for one in group.exceptions]
        assert asked > 50
        return found

    return ask


@schemathesis.serializer("application/offset+octet-stream", "application/zip")
def _raw(_: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()
