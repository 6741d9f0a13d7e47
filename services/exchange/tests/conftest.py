"""Exchange in process on a real database whose changes are rolled back after each test."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sebalai_exchange
from joserfc.jwk import ECKey
from sebalai_exchange.app import exchange_app
from sebalai_exchange.ledger.note import Signer
from sebalai_exchange.settings import ExchangeSettings
from sebalai_shared.broker import ApiError, Broker
from sebalai_shared.caller import HEADER, Caller
from sebalai_shared.database import Database
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.database import RolledBack, fresh_database
from sebalai_shared.testing.http import Asserter, in_process, system

PACKAGE = Path(sebalai_exchange.__file__).parent
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
INTERFACE = f"{PROVIDER}/penduduk"
OPERATOR = "ID-BB/GOV/diskominfo/operator"
ORIGIN = "bus.example/ledger"
MANAGE = ("bus.call", "exchange.manage")


@pytest.fixture(scope="session")
async def exchange_url(postgres_admin_url):
    return await fresh_database(postgres_admin_url, "exchange_tests", PACKAGE)


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """The route key and the ledger key, as the platform makes them at its first start."""
    folder = tmp_path_factory.mktemp("keys")
    routes = ECKey.generate_key("P-256", auto_kid=True)
    (folder / "routes.jwk").write_text(json.dumps(routes.as_dict(private=True)), encoding="utf-8")
    signer = Signer(ORIGIN, b"k" * 32)
    (folder / "ledger.key").write_text(signer.private_text(), encoding="utf-8")
    return folder


@pytest.fixture
def settings(exchange_url, keys, tmp_path, clock, nats_url, nats_token):
    asserter = Asserter(clock)
    settings = ExchangeSettings(
        database_url=exchange_url,
        nats_url=nats_url,
        nats_token=nats_token,
        caller_keys_file=asserter.write_keys(tmp_path / "callers.json"),
        routes_key_file=keys / "routes.jwk",
        ledger_key_file=keys / "ledger.key",
        ledger_origin=ORIGIN,
        pool_connections=5,
    )
    object.__setattr__(settings, "_asserter", asserter)
    return settings


@pytest.fixture
def settings_on(settings, postgres_admin_url):
    """`await settings_on("name")`: of a fresh database that keeps, by a clock that goes."""

    async def on(name):
        url = await fresh_database(postgres_admin_url, name, PACKAGE)
        asserter = Asserter()
        asserter.write_keys(settings.caller_keys_file)
        fresh = settings.model_copy(update={"database_url": url})
        object.__setattr__(fresh, "_asserter", asserter)
        return fresh

    return on


@pytest.fixture
def broker_without():
    """A context: a connection to NATS from which these streams are gone, before and after."""

    @contextlib.asynccontextmanager
    async def without(settings, *streams):
        broker = Broker(settings)
        await broker.connect()
        await _forget(broker, streams)
        yield broker
        await _forget(broker, streams)
        await broker.close()

    return without


async def _forget(broker, streams):
    for name in streams:
        with contextlib.suppress(ApiError):
            await broker.api(f"STREAM.DELETE.{name}")


class Calls:
    """Calls the application as whoever is named; each call gets its own idempotency key."""

    def __init__(self, app, asserter):
        self._client, self._asserter, self._number = in_process(app), asserter, 0

    async def __call__(self, method, path, caller=None, **more):
        headers = dict(more.pop("headers", {}))
        if caller is not None:
            headers |= self._asserter.headers(caller, "exchange")
        if method == "POST":
            self._number += 1
            headers.setdefault("Idempotency-Key", f"key-{self._number}")
        assert HEADER in headers or caller is None
        return await self._client.request(method, path, headers=headers, **more)


@pytest.fixture
async def database(settings):
    async with RolledBack(settings).begin() as database:
        yield database


@pytest.fixture
async def committed(settings):
    """A database that keeps what it is told; the test empties what it used."""
    database = Database(settings)
    yield database
    await database.close()


@pytest.fixture
async def call(settings, database, clock):
    return Calls(exchange_app(settings, database, clock), settings._asserter)


@pytest.fixture
def consumer():
    return system(CONSUMER, *MANAGE)


@pytest.fixture
def provider():
    return system(PROVIDER, *MANAGE)


@pytest.fixture
def operator():
    return system(OPERATOR, "bus.call", "platform.operate")


@pytest.fixture
def stranger():
    return system("ID-BB/GOV/dinkes/puskesmas", *MANAGE)


@pytest.fixture
def gateway():
    return Caller(kind="gateway", subject="gateway")


@pytest.fixture
def interface_wanted():
    def wanted(**more):
        return {
            "name": INTERFACE,
            "title": "Data penduduk",
            "addresses": ["http://127.0.0.1:8820"],
            "contract": {
                "openapi": "3.1.0",
                "info": {"title": "Penduduk", "version": "1"},
                "paths": {"/residents/{id}": {"get": {"responses": {"200": {}}}}},
            },
        } | more

    return wanted


@pytest.fixture
def agreement_wanted():
    def wanted(**more):
        return {
            "consumer": CONSUMER,
            "interface": INTERFACE,
            "rules": [{"method": "GET", "path": "/residents/*"}],
            "purposes": [{"code": "verifikasi-bansos", "legal_basis": "Permensos 3/2021"}],
            "valid_until": (NOW + timedelta(days=365)).isoformat(),
        } | more

    return wanted


@pytest.fixture
async def published(call, provider, interface_wanted):
    answer = await call("POST", "/v1/interfaces", provider, json=interface_wanted())
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def requested(call, consumer, published, agreement_wanted):
    answer = await call("POST", "/v1/agreements", consumer, json=agreement_wanted())
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def granted(call, provider, requested):
    answer = await call("POST", f"/v1/agreements/{requested['id']}/grant", provider)
    assert answer.status_code == 200, answer.text
    return answer.json()
