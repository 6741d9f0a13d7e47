"""What is answered as changed stands at the broker already; no worker runs here."""

import asyncio
import base64
import contextlib
import gzip
import json

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_exchange.app import exchange_app, route_compiler
from sebalai_exchange.routes import store
from sebalai_exchange.routes.jobs import RoutesPublisher
from sebalai_exchange.routes.teller import Teller
from sebalai_shared.caller import Caller
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text

PROVIDER = system("ID-BB/GOV/dp3acskb/kependudukan", "bus.call", "exchange.manage")
CONSUMER = system("ID-BB/GOV/dinsos-pmd/bansos", "bus.call", "exchange.manage")
POLL_SECONDS = 1.0  # of a gateway
WHY = {"reason": "dasar hukum dicabut"}


@pytest.fixture
async def fresh(settings_on):
    return await settings_on("exchange_telling")


@pytest.fixture
async def broker(fresh, broker_without):
    async with broker_without(fresh, "KV_SNAPSHOTS") as broker:
        yield broker


@contextlib.asynccontextmanager
async def serving(settings):
    """`ask` of an application that runs as a process of it would, without its worker."""
    app = exchange_app(settings, Database(settings))
    async with app.router.lifespan_context(app):
        client = in_process(app)

        async def ask(method, path, caller, **more):
            headers = settings._asserter.headers(caller, "exchange")
            headers["Idempotency-Key"] = str(uuid7())
            return await client.request(method, path, headers=headers, **more)

        ask.app = app
        yield ask


@pytest.fixture
def stored(broker, keys):
    key = ECKey.import_key(json.loads((keys / "routes.jwk").read_text()))

    async def stored():
        bucket = await broker.client.jetstream().key_value("SNAPSHOTS")
        value = json.loads((await bucket.get("routes")).value)
        signed = gzip.decompress(base64.b64decode(value["gzip"]))
        return json.loads(jws.deserialize_compact(signed, key, ["ES256"]).payload)

    return stored


async def granted(ask, interface_wanted, agreement_wanted):
    await ask("POST", "/v1/interfaces", PROVIDER, json=interface_wanted())
    asked = await ask("POST", "/v1/agreements", CONSUMER, json=agreement_wanted())
    path = f"/v1/agreements/{asked.json()['id']}"
    assert (await ask("POST", f"{path}/grant", PROVIDER)).status_code == 200
    return path


async def test_what_is_answered_stands_at_the_broker(
    fresh, broker, stored, interface_wanted, agreement_wanted
):
    async with serving(fresh) as ask:
        path = await granted(ask, interface_wanted, agreement_wanted)
        assert len((await stored())["agreements"]) == 1
        for step, left in (("suspend", 0), ("resume", 1), ("revoke", 0)):
            assert (await ask("POST", f"{path}/{step}", PROVIDER, json=WHY)).status_code == 200
            assert len((await stored())["agreements"]) == left, step


async def test_a_change_is_made_while_the_broker_is_away(fresh, interface_wanted, agreement_wanted):
    away = fresh.model_copy(update={"nats_url": "nats://127.0.0.1:1"})
    object.__setattr__(away, "_asserter", fresh._asserter)
    async with serving(away) as ask:
        path = await granted(ask, interface_wanted, agreement_wanted)
        assert (await ask("POST", f"{path}/suspend", PROVIDER, json=WHY)).status_code == 200


async def test_who_could_not_be_told_of_is_said_to_be_kept(
    fresh, interface_wanted, agreement_wanted
):
    async def tell():
        raise ConnectionError

    async with serving(fresh) as ask:
        path = await granted(ask, interface_wanted, agreement_wanted)
        ask.app.state.tell = tell
        answer = await ask("POST", f"{path}/suspend", PROVIDER, json=WHY)
        assert answer.status_code == 503
        assert "The change is kept" in answer.json()["detail"]
        read = await ask("GET", path, PROVIDER)
        assert (read.status_code, read.json()["state"]) == (200, "suspended")
        # What changed nothing needs no word.
        assert (await ask("POST", f"{path}/suspend", PROVIDER, json=WHY)).status_code == 409


async def test_a_late_publisher_does_not_take_a_newer_word_back(fresh, broker, stored):
    database = Database(fresh)
    publisher = RoutesPublisher(database, broker, route_compiler(fresh, SystemClock()))
    assert await publisher.publish_once()
    before = await stored()
    bucket = await broker.client.jetstream().key_value("SNAPSHOTS")
    newer = json.dumps({"version": before["version"] + 5}).encode()
    await bucket.put("routes", newer)
    late = RoutesPublisher(database, broker, route_compiler(fresh, SystemClock()))
    assert await late.publish_once()
    assert (await bucket.get("routes")).value == newer
    await database.close()


async def test_what_nobody_can_read_at_the_broker_does_not_fail_a_change(
    fresh, broker, stored, interface_wanted, agreement_wanted
):
    """Other members write there too; what cannot be read says nothing and is written over."""
    async with serving(fresh) as ask:
        path = await granted(ask, interface_wanted, agreement_wanted)
        bucket = await broker.client.jetstream().key_value("SNAPSHOTS")
        for step, value in (("suspend", b"{"), ("resume", b"[]"), ("revoke", b'{"version":null}')):
            await bucket.put("routes", value)
            assert (await ask("POST", f"{path}/{step}", PROVIDER, json=WHY)).status_code == 200
            assert len((await stored())["agreements"]) == (step == "resume"), step


async def test_who_asks_with_a_version_from_before_a_restore_is_told_all(
    fresh, interface_wanted, agreement_wanted
):
    """A database that was put back counts anew from less than gateways know."""
    gateway = Caller(kind="gateway", subject="gateway")
    async with serving(fresh) as ask:
        path = await granted(ask, interface_wanted, agreement_wanted)
        answer = await ask("GET", "/internal/routes?after=5000", gateway)
        assert (answer.status_code, answer.headers["Sebalai-Routes-Version"]) == (200, "5001")
        assert (await ask("GET", "/internal/routes?after=5001", gateway)).status_code == 304
        assert (await ask("POST", f"{path}/suspend", PROVIDER, json=WHY)).status_code == 200
        answer = await ask("GET", "/internal/routes?after=5001", gateway)
        assert answer.headers["Sebalai-Routes-Version"] == "5002"


async def test_teller_whose_database_stands_still_does_not_say_that_it_told(fresh, broker):
    database = Database(fresh)
    teller = Teller(fresh, database, route_compiler(fresh, SystemClock()))
    async with teller.running(), database.transaction() as holding:
        await holding.execute(text("LOCK TABLE routes_version IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(TimeoutError):
            await teller.tell()
    await database.close()


async def test_while_the_broker_is_away_a_change_is_answered_when_gateways_have_asked(
    fresh, interface_wanted, agreement_wanted
):
    """Each gateway asks each second; who dies before that has told nobody."""
    away = fresh.model_copy(update={"nats_url": "nats://127.0.0.1:1"})
    object.__setattr__(away, "_asserter", fresh._asserter)
    gateway = Caller(kind="gateway", subject="gateway")
    async with serving(away) as ask:
        path = await granted(ask, interface_wanted, agreement_wanted)
        suspending = asyncio.create_task(ask("POST", f"{path}/suspend", PROVIDER, json=WHY))
        known, version = 0, 0
        while not suspending.done():
            answer = await ask("GET", f"/internal/routes?after={known}", gateway)
            version = int(answer.headers.get("Sebalai-Routes-Version", version))
            known = version
            await asyncio.sleep(POLL_SECONDS / 2)
        assert (await suspending).status_code == 200
        answer = await ask("GET", f"/internal/routes?after={known}", gateway)
        assert answer.status_code == 304, "it was told before the change was answered"


async def test_database_that_goes_while_gateways_ask_told_nobody(
    fresh, interface_wanted, agreement_wanted, monkeypatch
):
    away = fresh.model_copy(update={"nats_url": "nats://127.0.0.1:1"})
    object.__setattr__(away, "_asserter", fresh._asserter)
    looks, version = [], store.version

    async def once(session):
        looks.append(1)
        if len(looks) > 1:
            raise ConnectionError
        return await version(session)

    async with serving(away) as ask:
        path = await granted(ask, interface_wanted, agreement_wanted)
        monkeypatch.setattr(store, "version", once)
        assert (await ask("POST", f"{path}/suspend", PROVIDER, json=WHY)).status_code == 503
