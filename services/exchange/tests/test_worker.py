"""The worker on a real database and a real NATS: journal and facts in, receipts and routes out."""

import asyncio
import base64
import contextlib
import gzip
import json
from pathlib import Path

import orjson
import pytest
import sebalai_exchange
from joserfc import jws
from joserfc.jwk import ECKey
from nats.js.errors import NotFoundError
from sebalai_exchange.__main__ import COMMANDS
from sebalai_exchange.app import exchange_app
from sebalai_exchange.ledger import store
from sebalai_exchange.ledger.entry import entry_of_call
from sebalai_exchange.ledger.note import MalformedKeyError, Signer
from sebalai_exchange.worker import MissingKeyError, Worker, ledger_signer
from sebalai_shared.broker import (
    EVENTS,
    JOURNAL,
    ApiError,
    BrokerUnavailable,
    Sending,
)
from sebalai_shared.clock import SystemClock, to_text
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sebalai_verifier.keys import parse_key
from sebalai_verifier.receipt import verify_receipt
from sqlalchemy import text

PACKAGE = Path(sebalai_exchange.__file__).parent
CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
KEYS = [parse_key(Signer("bus.example/ledger", b"k" * 32).verifier_text())]


def record(**more):
    return {
        "v": 1,
        "message_id": str(uuid7()),
        "completed_at": to_text(SystemClock().now()),
        "consumer": CONSUMER,
        "provider": PROVIDER,
        "outcome": "answered",
        "status": 200,
        "salt": base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("="),
    } | more


@pytest.fixture
async def worker_settings(settings_on):
    return await settings_on("exchange_worker")


@pytest.fixture
async def broker(worker_settings, broker_without):
    names = EVENTS["name"], JOURNAL["name"], "KV_SNAPSHOTS"
    async with broker_without(worker_settings, *names) as broker:
        yield broker


@contextlib.asynccontextmanager
async def running(settings):
    task = asyncio.create_task(Worker(settings).run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition, seconds=30):
    async with asyncio.timeout(seconds):
        while True:
            found = await condition()
            if found:
                return found
            await asyncio.sleep(0.05)


@pytest.fixture
async def ask(worker_settings):
    database = Database(worker_settings)
    client = in_process(exchange_app(worker_settings, database))

    async def ask(method, path, caller, **more):
        headers = worker_settings._asserter.headers(caller, "exchange")
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid7())
        return await client.request(method, path, headers=headers, **more)

    ask.database = database
    yield ask
    await database.close()


async def publish(broker, records):
    sending = Sending("journal.calls.v1", str(uuid7()), orjson.dumps(records), {})

    async def try_once():
        try:
            await broker.publish(sending)
        except (ApiError, BrokerUnavailable):  # the worker has not made the stream yet
            return False
        return True

    await until(try_once)


async def receipt(ask, message_id, application=CONSUMER):
    async def try_once():
        answer = await ask("GET", f"/receipts/{message_id}", system(application))
        return answer.content if answer.status_code == 200 else None

    return verify_receipt(await until(try_once), KEYS)


async def test_journal_batch_becomes_receipts_and_a_bad_record_is_set_aside(
    worker_settings, broker, ask
):
    async with running(worker_settings):
        good = [record() for _ in range(3)]
        await publish(broker, [good[0], record(salt="AAAA"), *good[1:]])
        for one in good:
            assert (await receipt(ask, one["message_id"])).payload["status"] == 200
        calls = (await ask("GET", "/v1/calls", system(PROVIDER))).json()["items"]
        assert len(calls) == 3
        await publish(broker, good)
        await publish(broker, [record()])
        async with ask.database.transaction() as session:
            reasons = await session.scalars(text("SELECT reason FROM dead_message"))
            assert reasons.all() == ["the salt has not 32 bytes"]
            assert await session.scalar(text("SELECT count(*) FROM ledger_entry")) >= 3


async def test_message_that_is_no_batch_is_buried_and_the_next_goes_on(
    worker_settings, broker, ask
):
    async with running(worker_settings):
        await publish(broker, {"not": "a batch"})
        after = record()
        await publish(broker, [after])
        assert await receipt(ask, after["message_id"])


async def test_facts_become_leaves_of_records(worker_settings, broker, ask):
    manage = ("bus.call", "exchange.manage")
    interface = {
        "name": f"{PROVIDER}/penduduk",
        "addresses": ["http://127.0.0.1:8820"],
        "contract": {"openapi": "3.1.0", "info": {"title": "P", "version": "1"}, "paths": {}},
    }
    agreement = {
        "consumer": CONSUMER,
        "interface": interface["name"],
        "rules": [{"method": "GET", "path": "/**"}],
        "purposes": [{"code": "a", "legal_basis": "UU 1/2020"}],
        "valid_until": "2027-11-01T00:00:00Z",
    }
    async with running(worker_settings):
        provider = system(PROVIDER, *manage)
        made = await ask("POST", "/v1/interfaces", provider, json=interface)
        assert made.status_code == 201, made.text
        made = await ask("POST", "/v1/agreements", system(CONSUMER, *manage), json=agreement)
        granted = await ask("POST", f"/v1/agreements/{made.json()['id']}/grant", provider)
        assert granted.status_code == 200

        async def fact_ids():
            async with ask.database.transaction() as session:
                query = text("SELECT id FROM ledger_entry WHERE kind = 'event' ORDER BY id")
                found = (await session.scalars(query)).all()
            return found if len(found) == 3 else None

        told = []
        for reader, fact_id in zip(
            (PROVIDER, CONSUMER, PROVIDER), await until(fact_ids), strict=True
        ):
            verified = await receipt(ask, fact_id, reader)
            assert verified.origin == "bus.example/ledger/records"
            told.append(verified.payload["type"])
        assert told == [
            "exchange.interface.published.v1",
            "exchange.agreement.requested.v1",
            "exchange.agreement.granted.v1",
        ]


async def test_routes_stand_in_the_bucket_and_return_when_it_is_lost(
    worker_settings, broker, ask, keys
):
    key = ECKey.import_key(json.loads((keys / "routes.jwk").read_text()))

    async def stored():
        try:
            bucket = await broker.client.jetstream().key_value("SNAPSHOTS")
            value = json.loads((await bucket.get("routes")).value)
        except NotFoundError:
            return None
        signed = gzip.decompress(base64.b64decode(value["gzip"]))
        document = json.loads(jws.deserialize_compact(signed, key, ["ES256"]).payload)
        assert document["version"] == value["version"]
        return document

    async with running(worker_settings):
        first = await until(stored)
        interface = {
            "name": f"{PROVIDER}/penduduk",
            "addresses": ["http://127.0.0.1:8820"],
            "contract": {"openapi": "3.1.0", "info": {"title": "P", "version": "1"}, "paths": {}},
        }
        await ask("POST", "/v1/interfaces", system(PROVIDER, "exchange.manage"), json=interface)

        async def newer():
            found = await stored()
            return found if found and found["version"] > first["version"] else None

        assert len((await until(newer))["interfaces"]) == 1
        await broker.api("STREAM.DELETE.KV_SNAPSHOTS")
    async with running(worker_settings):
        assert len((await until(stored))["interfaces"]) == 1


async def test_sequencing_goes_on_without_nats(worker_settings, ask):
    away = worker_settings.model_copy(update={"nats_url": "nats://127.0.0.1:1"})
    async with running(away):
        one = record()
        async with ask.database.transaction() as session:
            await store.add_entries(session, [entry_of_call(one)])
        assert await receipt(ask, one["message_id"])


async def test_worker_without_its_keys_says_which(worker_settings, tmp_path):
    for field, word in (("ledger_key_file", "LEDGER_KEY"), ("routes_key_file", "ROUTES_KEY")):
        with pytest.raises(MissingKeyError, match=word):
            Worker(worker_settings.model_copy(update={field: None}))
    with pytest.raises(MissingKeyError, match="keeps one name"):
        ledger_signer(worker_settings.model_copy(update={"ledger_origin": "other/ledger"}))
    garbage = tmp_path / "ledger.key"
    garbage.write_text("garbage", encoding="utf-8")
    with pytest.raises(MalformedKeyError):
        ledger_signer(worker_settings.model_copy(update={"ledger_key_file": garbage}))
    assert worker_settings.model_copy(update={"ledger_origin": ""}).origin() == (
        "127.0.0.1:8800/ledger"
    )


def test_contracts_are_written_and_name_every_event(tmp_path):
    COMMANDS["contracts"]([str(tmp_path)])
    document = json.loads((tmp_path / "exchange.openapi.json").read_text(encoding="utf-8"))
    assert document["openapi"].startswith("3.1")
    assert "/internal/routes" not in document["paths"]
    events = {path.stem for path in (tmp_path / "events").iterdir()}
    assert "exchange.agreement.granted.v1" in events
    assert "exchange.interface.published.v1" in events
