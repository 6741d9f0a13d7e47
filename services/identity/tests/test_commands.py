"""The commands as processes: migrate, load, register an application, rotate, contracts, worker."""

import asyncio
import json
import os
import signal
import sys

import asyncpg
import pytest
from joserfc.jwk import ECKey
from sebalai_identity.contracts import EVENTS, write_contracts
from sebalai_identity.settings import IdentitySettings
from sebalai_shared.broker import ApiError, Broker
from sebalai_shared.testing.database import fresh_database

DEADLINE_SECONDS = 60


@pytest.fixture
async def environment(postgres_admin_url, settings, nats_url, nats_token, tmp_path):
    url = await fresh_database(postgres_admin_url, "identity_commands")
    return os.environ | {
        "SEBALAI_DATABASE_URL": url,
        "SEBALAI_NATS_URL": nats_url,
        "SEBALAI_NATS_TOKEN": nats_token,
        "SEBALAI_REFERENCE_DIR": str(settings.reference_dir),
        "SEBALAI_SEALING_KEY_FILE": str(settings.sealing_key_file),
        "SEBALAI_HEARTBEAT_FILE": str(tmp_path / "beat"),
    }


async def start(environment, *arguments):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sebalai_identity",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(environment, *arguments):
    process = await start(environment, *arguments)
    async with asyncio.timeout(DEADLINE_SECONDS):
        out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


@pytest.mark.timeout(400)  # a dozen processes, each importing the member anew
async def test_fresh_platform_gets_an_application_by_command_line(environment, tmp_path):
    key = ECKey.generate_key("P-256")
    public, private = tmp_path / "public.jwk", tmp_path / "private.jwk"
    public.write_text(json.dumps(key.as_dict(private=False)), encoding="utf-8")
    private.write_text(json.dumps(key.as_dict(private=True)), encoding="utf-8")

    def register(agency, path):
        wanted = ["--agency", agency, "--name", "bansos", "--public-key", str(path)]
        return run(environment, "register-application", *wanted, "--scope", "exchange.manage")

    for _ in range(2):
        code, _, error = await run(environment, "migrate")
        assert code == 0, error
    code, out, error = await run(environment, "load")
    assert (code, json.loads(out)["agencies"]["inserted"]) == (0, 43), error
    code, out, error = await register("dinsos-pmd", public)
    assert code == 0, error
    made = json.loads(out)
    assert set(made) == {"client_id", "identifier"}
    assert made["identifier"] == "ID-BB/GOV/dinsos-pmd/bansos"
    assert json.loads((await register("dinsos-pmd", public))[1]) == made
    for agency, path in (("nope", public), ("dinsos-pmd", private), ("dinsos-pmd", tmp_path / "x")):
        code, out, error = await register(agency, path)
        assert (code, out, error.count("\n")) == (1, "", 1)
        assert key.as_dict(private=True)["d"] not in error
    both = tmp_path / "both.json"
    body = {"agency": "dinsos-pmd", "name": "bansos", "public_key": key.as_dict(private=False)}
    both.write_text(json.dumps([body, body | {"agency": "nope"}]), encoding="utf-8")
    code, out, error = await run(environment, "register-applications", str(both))
    assert (code, out, error.count("\n")) == (1, "", 1)
    both.write_text(json.dumps([body, body | {"name": "another"}]), encoding="utf-8")
    listed = json.loads((await run(environment, "register-applications", str(both)))[1])
    assert listed[0] == made
    assert listed[1]["identifier"] == "ID-BB/GOV/dinsos-pmd/another"
    code, out, error = await run(environment, "rotate-key")
    assert (code, set(json.loads(out))) == (0, {"kid"}), error
    signing = json.loads(out)["kid"]
    code, out, error = await run(environment, "rotate-key")
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert "15 minutes" in error
    code, out, error = await run(environment, "compromise-key", signing)
    assert (code, set(json.loads(out))) == (0, {"kid"}), error
    assert await _acts_on_keys(environment) == [
        ("identity.key.rotated.v1", "command-line", signing),
        ("identity.key.compromised.v1", "command-line", signing),
    ]
    await _worker_relays_and_publishes(environment, tmp_path / "beat")


async def _acts_on_keys(environment):
    connection = await asyncpg.connect(environment["SEBALAI_DATABASE_URL"])
    try:
        rows = await connection.fetch(
            "SELECT act, actor, subject FROM act WHERE act LIKE 'identity.key.%' ORDER BY id"
        )
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


async def _worker_relays_and_publishes(environment, heartbeat):
    process = await start(environment, "worker")
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await _until_relayed(environment)
        assert heartbeat.exists()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


async def _until_relayed(environment):
    broker = Broker(
        IdentitySettings(
            nats_url=environment["SEBALAI_NATS_URL"], nats_token=environment["SEBALAI_NATS_TOKEN"]
        )
    )
    await broker.connect()
    told = ("agency.registered", "application.registered", "key.rotated", "key.compromised")
    wanted = {f"sebalai.identity.{what}.v1" for what in told}
    found = {}
    try:
        while not wanted | {"jwks"} <= found.keys():
            await asyncio.sleep(0.1)
            found = await _subjects(broker, "EVENTS") | await _subjects(broker, "KV_SNAPSHOTS")
        assert found["sebalai.identity.agency.registered.v1"] == 43
    finally:
        for stream in ("EVENTS", "KV_SNAPSHOTS"):
            await broker.api(f"STREAM.DELETE.{stream}")
        await broker.close()


async def _subjects(broker, stream):
    try:
        info = await broker.api(f"STREAM.INFO.{stream}", {"subjects_filter": ">"})
    except ApiError:
        return {}
    counts = info["state"].get("subjects") or {}
    return {name.removeprefix("$KV.SNAPSHOTS."): count for name, count in counts.items()}


async def test_contracts_describe_each_route_and_event(call, tmp_path):
    write_contracts(call.app, tmp_path)
    document = json.loads((tmp_path / "identity.openapi.json").read_text(encoding="utf-8"))
    assert {"/v1/agencies", "/v1/applications", "/oauth/token"} <= document["paths"].keys()
    assert "/internal/keys" not in document["paths"]
    for kind in EVENTS:
        schema = json.loads((tmp_path / f"events/{kind}.json").read_text(encoding="utf-8"))
        assert set(schema["required"]) == set(schema["properties"])
