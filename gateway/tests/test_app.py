"""The gateway as one process and as several: what it takes, when it says it is ready."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest
from joserfc.jwk import ECKey, KeySet
from sebalai_gateway.app import EXCHANGES_LIMIT, Gateway
from sebalai_gateway.routing.feeds import Stale
from sebalai_gateway.settings import GatewaySettings

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def settings(tmp_path):
    key = ECKey.generate_key("P-256", auto_kid=True)
    (tmp_path / "caller.jwk").write_text(json.dumps(key.as_dict(private=True)))
    (tmp_path / "routes.jwks").write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    return GatewaySettings(
        caller_key_file=tmp_path / "caller.jwk", routes_keys_file=tmp_path / "routes.jwks",
        snapshot_dir=tmp_path / "snapshots", database_url="postgresql://nobody@127.0.0.1:1/none",
        nats_url="nats://127.0.0.1:1", identity_url=NOWHERE, catalog_url=NOWHERE,
        archive_url=NOWHERE, exchange_url=NOWHERE, portal_url=NOWHERE,
    )  # fmt: skip


@pytest.fixture
def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def ask(app, path):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [], "client": ("127.0.0.1", 1), "root_path": "",
        "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(body)


async def test_readiness_names_what_is_missing_and_liveness_does_not_mind(settings):
    gateway = Gateway(settings)
    async with gateway._lifespan(gateway._own):
        status, _, body = await ask(gateway, "/readyz")
        assert (status, set(body["parts"].values())) == (503, {"failing"})
        assert set(body["parts"]) == {"journal", "routes", "keys"}
        assert (await ask(gateway, "/livez"))[0] == 200
        assert (await ask(gateway, "/metrics"))[0] == 404


async def test_too_many_exchanges_at_once_are_refused_and_health_still_answers(settings):
    gateway = Gateway(settings)
    async with gateway._lifespan(gateway._own):
        gateway._at_edge = EXCHANGES_LIMIT
        status, headers, body = await ask(gateway, "/r1/a/b/c/d/e")
        assert (status, body["type"]) == (503, "urn:sebalai:problem:gateway-busy")
        assert headers[b"retry-after"] == b"1"
        assert (await ask(gateway, "/livez"))[0] == 200
        gateway._at_edge = EXCHANGES_LIMIT - 1
        assert (await ask(gateway, "/r1/a/b/c/d/e"))[0] != 200
        assert gateway._at_edge == EXCHANGES_LIMIT - 1


async def test_routes_not_heard_of_for_too_long_are_told_by_readiness(settings):
    stale = settings.model_copy(update={"snapshot_stale_seconds": 0.0})
    feeds = Gateway(stale)._feeds
    feeds._table = object()
    await feeds.start()
    try:
        await asyncio.sleep(0.01)
        with pytest.raises(Stale, match="routes"):
            await feeds.check_routes()
    finally:
        await feeds.close()


async def test_revocations_not_heard_of_for_too_long_are_told_by_readiness(settings):
    gateway = Gateway(settings.model_copy(update={"snapshot_stale_seconds": 0.0}))
    gateway._keys.replace(1, [ECKey.generate_key("P-256", auto_kid=True).as_dict(private=False)])
    feeds = gateway._feeds
    await feeds.start()
    try:
        feeds._feeds["jwks"].heard_at = time.monotonic() + 60
        await asyncio.sleep(0.01)
        with pytest.raises(Stale, match="revoked"):
            await feeds.check_keys()
    finally:
        await feeds.close()


def environment(settings, port, metrics):
    values = {name: getattr(settings, name) for name in (
        "caller_key_file", "routes_keys_file", "snapshot_dir", "database_url", "nats_url",
        "identity_url", "catalog_url", "archive_url", "exchange_url", "portal_url",
    )}  # fmt: skip
    named = {f"SEBALAI_{name.upper()}": str(value) for name, value in values.items()}
    return {
        **os.environ,
        **named,
        "SEBALAI_PORT": str(port),
        "SEBALAI_WORKERS": "2",
        "SEBALAI_METRICS_PORT": str(metrics),
    }


def children(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def is_gateway(pid):
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


async def test_two_workers_share_a_port_and_end_with_their_parent(
    settings, unused_port, unused_tcp_port
):
    parent = subprocess.Popen(
        [sys.executable, "-m", "sebalai_gateway", "api"],
        env=environment(settings, unused_port, unused_tcp_port), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    workers = []
    try:
        async with asyncio.timeout(90), aiohttp.ClientSession() as session:
            while not await alive(session, unused_port):
                await asyncio.sleep(0.1)
            workers = [child for child in children(parent.pid) if is_gateway(child)]
            assert len(workers) == 2
            told = ""
            while "sebalai_gateway_routes_version -1.0" not in told:
                async with session.get(f"http://127.0.0.1:{unused_tcp_port}/metrics") as answer:
                    told = await answer.text()
            async with session.get(f"http://127.0.0.1:{unused_port}/metrics") as answer:
                assert answer.status == 404
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        async with asyncio.timeout(20):
            while any(map(is_gateway, workers)):
                await asyncio.sleep(0.1)
    finally:
        for pid in [parent.pid] if parent.poll() is None else filter(is_gateway, workers):
            os.kill(pid, signal.SIGKILL)


async def alive(session, port):
    try:
        async with session.get(f"http://127.0.0.1:{port}/livez") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
