"""Events through the whole worker: the platform's facts, agencies' events, and their receipts."""

import asyncio
import contextlib
import importlib.util
from pathlib import Path

import pytest
import sebalai_exchange
from sebalai_exchange.app import exchange_app
from sebalai_exchange.ledger.note import Signer
from sebalai_exchange.worker import Worker, dispatch
from sebalai_shared.broker import EVENTS, JOURNAL, ApiError, Broker
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import Asserter, in_process, system
from sebalai_verifier.keys import parse_key
from sebalai_verifier.receipt import verify_receipt
from sqlalchemy import text

PACKAGE = Path(sebalai_exchange.__file__).parent
RECEIVER = Path(__file__).parents[3] / "tests/systems/webhook_receiver/receiver.py"
KEYS = [parse_key(Signer("bus.example/ledger", b"k" * 32).verifier_text())]
PUBLISHER = system("ID-BB/GOV/dp3acskb/kependudukan", "bus.call", "exchange.manage")
SUBSCRIBER = system("ID-BB/GOV/dinsos-pmd/bansos", "bus.call", "exchange.manage")
STRANGER = system("ID-BB/GOV/dinkes/puskesmas", "bus.call", "exchange.manage")
TYPE = "dp3acskb.birth.recorded.v1"
CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "P", "version": "1"},
    "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}},
}


@pytest.fixture
async def receiver():
    spec = importlib.util.spec_from_file_location("webhook_receiver", RECEIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    async with module.Receiver() as receiver:
        yield receiver


@pytest.fixture
async def whole(settings, postgres_admin_url):
    """Settings of a worker and an API that share a fresh database and an empty broker."""
    url = await fresh_database(postgres_admin_url, "exchange_events", PACKAGE)
    asserter = Asserter()
    asserter.write_keys(settings.caller_keys_file)
    found = settings.model_copy(
        update={"database_url": url, "private_webhooks": "127.0.0.0/8", "pool_connections": 8}
    )
    object.__setattr__(found, "_asserter", asserter)
    broker = Broker(found)
    await broker.connect()
    await _forget(broker)
    yield found, broker
    await _forget(broker)
    await broker.close()


async def _forget(broker):
    for name in (EVENTS["name"], JOURNAL["name"], "KV_SNAPSHOTS"):
        with contextlib.suppress(ApiError):
            await broker.api(f"STREAM.DELETE.{name}")


@contextlib.asynccontextmanager
async def running(settings):
    """The worker and the dispatcher, as their two processes run them."""
    tasks = [asyncio.create_task(Worker(settings).run()), asyncio.create_task(dispatch(settings))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def ask(whole):
    settings, _ = whole
    database = Database(settings)
    client = in_process(exchange_app(settings, database))

    async def ask(method, path, caller, **more):
        headers = more.pop("headers", {}) | settings._asserter.headers(caller, "exchange")
        headers.setdefault("Idempotency-Key", str(uuid7()))
        answer = await client.request(method, path, headers=headers, **more)
        assert answer.status_code < 300, answer.text
        return answer

    ask.database, ask.client = database, client
    yield ask
    await database.close()


async def until(condition, seconds=30):
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.05)


async def subscribed(ask, who, url, types):
    wanted = {
        "subscriber": who.application, "title": "Uji", "types": types, "kind": "webhook", "url": url,
    }  # fmt: skip
    made = (await ask("POST", "/v1/subscriptions", who, json=wanted)).json()

    async def is_active():
        found = (await ask("GET", f"/v1/subscriptions/{made['id']}", who)).json()
        return found["state"] == "active"

    await until(is_active)
    return made


async def receipt(ask, ident, who):
    headers = ask.settings._asserter.headers(who, "exchange")

    async def try_once():
        answer = await ask.client.get(f"/receipts/{ident}", headers=headers)
        return answer.content if answer.status_code == 200 else None

    return verify_receipt(await until(try_once), KEYS)


async def test_publisher_and_subscriber_prove_acceptance_and_delivery(whole, ask, receiver):
    ask.settings, _ = whole
    topic = {
        "type": TYPE, "title": "Kelahiran", "description": "A birth was recorded.",
        "schema": {"type": "object"}, "examples": [{}], "access": "open",
    }  # fmt: skip
    event = {"specversion": "1.0", "id": "b-1", "source": "/b", "type": TYPE, "data": {"n": 1}}
    async with running(ask.settings):
        await ask("POST", "/v1/topics", PUBLISHER, json=topic)
        await subscribed(ask, SUBSCRIBER, receiver.url("/good/a"), [TYPE])
        made = await ask(
            "POST", "/v1/events", PUBLISHER, json=event,
            headers={"Content-Type": "application/cloudevents+json"},
        )  # fmt: skip
        ident = made.json()["events"][0]["event_id"]
        await until(lambda: receiver.got["/good/a"])
        accepted = await receipt(ask, ident, PUBLISHER)
        assert accepted.payload["data"]["event"] == "b-1"
        assert accepted.origin.startswith("bus.example/ledger/exchanges/")
        assert "n" not in accepted.payload["data"]

        async def receivers():
            found = (await ask("GET", f"/v1/events/{ident}", PUBLISHER)).json()
            return found["receivers"] if found["received"] else None

        (one,) = await until(receivers)
        delivered = await receipt(ask, one["receipt"], SUBSCRIBER)
    assert delivered.payload["type"] == "exchange.event.delivered.v1"
    assert delivered.payload["data"]["attempts"] == 1


async def test_facts_of_the_platform_reach_the_parties_they_name_and_nobody_else(
    whole, ask, receiver
):
    ask.settings, broker = whole
    kind = "exchange.agreement.requested.v1"
    interface = {
        "name": f"{PUBLISHER.application}/penduduk",
        "addresses": ["http://127.0.0.1:8820"],
        "contract": CONTRACT,
    }
    agreement = {
        "consumer": SUBSCRIBER.application,
        "interface": interface["name"],
        "rules": [{"method": "GET", "path": "/**"}],
        "purposes": [{"code": "a", "legal_basis": "UU 1/2020"}],
        "valid_until": "2027-11-01T00:00:00Z",
    }

    async def known():
        found = (await ask("GET", "/v1/topics?owner=exchange&limit=100", PUBLISHER)).json()
        return any(one["type"] == kind for one in found["items"])

    async with running(ask.settings):
        await ask("POST", "/v1/interfaces", PUBLISHER, json=interface)
        await ask("POST", "/v1/agreements", SUBSCRIBER, json=agreement)
        await until(known)
        await subscribed(ask, SUBSCRIBER, receiver.url("/good/party"), ["exchange.agreement.*"])
        await subscribed(ask, STRANGER, receiver.url("/good/stranger"), ["exchange.*"])
        made = await ask("POST", "/v1/agreements", SUBSCRIBER, json=agreement)
        (fact,) = await until(lambda: receiver.got["/good/party"])
        assert fact["data"]["agreement_id"] == made.json()["id"]
        # The stream is lost with all it held; what was taken in stays, once, and new facts come.
        await broker.api("STREAM.DELETE.EVENTS")
    async with running(ask.settings):
        await ask("POST", "/v1/agreements", SUBSCRIBER, json=agreement)
        await until(lambda: len(receiver.got["/good/party"]) == 2)
        async with ask.database.transaction() as session:
            query = text("SELECT count(*), count(DISTINCT id) FROM event WHERE type = :type")
            assert tuple((await session.execute(query, {"type": kind})).one()) == (3, 3)
    assert receiver.got["/good/stranger"] == []
