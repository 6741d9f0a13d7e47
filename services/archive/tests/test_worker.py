import asyncio

import orjson
import pytest
from sebalai_archive.app import archive_app
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.worker import work
from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system

WAIT_SECONDS = 20.0


@pytest.fixture
def settings(settings, kept_url, nats_url, nats_token, tmp_path):
    return ArchiveSettings(
        **settings.model_dump(exclude={"database_url", "nats_url", "nats_token", "heartbeat_file"}),
        database_url=kept_url,
        nats_url=nats_url,
        nats_token=nats_token,
        heartbeat_file=tmp_path / "beat",
    )


async def declare(settings, clock, asserter):
    database = Database(settings)
    headers = asserter.headers(system("ID-BB/GOV/dinsos-pmd/bansos", "archive.write"), "archive")
    client = in_process(archive_app(settings, database, clock), headers)
    record = (
        await client.post(
            "/v1/records",
            json={"title": "Notula", "classification": "000.1.5"},
            headers={"idempotency-key": str(uuid7())},
        )
    ).json()
    empty = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    path = f"/v1/records/{record['id']}"
    await client.put(f"{path}/content", content=b"", headers={"content-digest": empty})
    declared = (await client.post(f"{path}/declaration")).json()
    await database.close()
    return declared


async def test_the_worker_carries_a_declaration_to_the_stream(settings, clock, asserter):
    declared = await declare(settings, clock, asserter)
    broker = Broker(settings)
    await broker.connect()
    await broker.ensure_stream(EVENTS)
    working = asyncio.create_task(work(settings))
    wanted = declared["declaration"]["event_id"]
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            subscription = await broker.client.jetstream().subscribe(
                "sebalai.archive.record.declared.v1", ordered_consumer=True
            )
            async for message in subscription.messages:
                event = orjson.loads(message.data)
                if event["id"] == wanted:
                    break
    finally:
        working.cancel()
        await asyncio.wait([working])
        await broker.close()
    assert event["data"]["commitment"] == declared["declaration"]["commitment"]
    assert settings.heartbeat_file.exists()
