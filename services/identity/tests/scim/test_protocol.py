"""SCIM 2.0 by a client written by others: `scim2 test` (scim2-cli) against a real server."""

import asyncio
import socket
import sys
from contextlib import asynccontextmanager

import pytest
import uvicorn
from sebalai_identity.app import identity_app
from sebalai_shared.caller import HEADER
from sebalai_shared.testing.http import system

DEADLINE_SECONDS = 100
HR = system("ID-BB/GOV/bkpsdmd/simpeg", "identity.scim")


@asynccontextmanager
async def serving(app, listener):
    """The application on a loopback socket, as its own process would serve it."""
    config = uvicorn.Config(app, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


async def test_scim2_test_finds_no_failure(settings, database, clock, asserter, loaded, listener):
    root = f"http://127.0.0.1:{listener.getsockname()[1]}"
    # The addresses told are the gateway's, which is not here: the tool is given ours.
    app = identity_app(settings.model_copy(update={"public_url": root}), database, clock)
    app.mount("/api/identity", app)
    async with serving(app, listener):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from scim2_cli import cli; cli()",
            "--url",
            f"{root}/api/identity/scim/v2",
            "--header",
            f"{HEADER}: {asserter.headers(HR, 'identity')[HEADER]}",
            "test",
            "--verbose",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(DEADLINE_SECONDS):
            out, _ = await process.communicate()
    text = out.decode()
    failures = [
        line for line in text.splitlines() if line.strip().startswith(("ERROR", "CRITICAL"))
    ]
    assert failures == [], text
    assert process.returncode == 0, text
    assert text.count("SUCCESS") >= 80, text
