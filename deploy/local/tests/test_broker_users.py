"""What the users of deploy/nats/users.conf may and may not do, on a broker of their own."""

import asyncio
import re
import signal

import nats
import pytest
from sebalai_local.engines import free_ports
from sebalai_local.engines.databases import NAMES
from sebalai_local.engines.nats import Nats
from sebalai_local.launching import launch
from sebalai_shared.broker import EVENTS, JOURNAL, Broker, BrokerRefused, BrokerUnavailable, Sending
from sebalai_shared.settings import MemberSettings

OTHERS = [(one, other) for one in NAMES for other in NAMES if one not in (other, "gateway")]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("users")
    _, port, monitor_port = free_ports()
    # Digits first: such a password must not be read as a number.
    server = Nats(folder, port, monitor_port, {name: f"1e{name}" for name in NAMES}, False)
    process = launch(server.prepare(), folder / "nats.log")
    while not server.is_ready():
        assert process.poll() is None, (folder / "nats.log").read_text()
    yield f"127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    process.wait()


def test_what_a_broker_without_accounts_stored_stays_the_members(tmp_path):
    streams = tmp_path / "nats" / "store" / "jetstream"
    kept = streams / "$G" / "streams" / "EVENTS"
    kept.mkdir(parents=True)
    for _ in range(2):
        Nats(tmp_path, 1, 2, dict.fromkeys(NAMES, "x")).prepare()
        assert [one.name for one in streams.iterdir()] == ["BUS"]
    assert (streams / "BUS" / "streams" / "EVENTS").is_dir()


def test_who_is_no_member_is_only_asked_about_where_there_is_an_issuer(tmp_path):
    passwords = dict.fromkeys(NAMES, "x")
    written = tmp_path / "nats" / "nats.conf"
    Nats(tmp_path, 1, 2, passwords).prepare()
    assert "auth_callout" not in written.read_text()
    Nats(tmp_path, 1, 2, passwords, issuer="AISSUER").prepare()
    assert "issuer: AISSUER" in written.read_text()


@pytest.fixture(scope="module")
def log(url, tmp_path_factory):
    return next(tmp_path_factory.getbasetemp().glob("users*/nats.log"))


@pytest.fixture
async def broker_of(url):
    opened = []

    async def connect(name):
        broker = Broker(MemberSettings(nats_url=f"nats://{name}@{url}", nats_token=f"1e{name}"))
        await broker.connect()
        opened.append(broker)
        return broker

    yield connect
    for broker in opened:
        await broker.close()


@pytest.fixture
def quickly(monkeypatch):
    """A forbidden request is never answered: the wait for it is the refusal."""
    monkeypatch.setattr("sebalai_shared.broker.ANSWER_SECONDS", 0.3)


def fact(member):
    return Sending(f"sebalai.{member}.thing.happened.v1", f"{member}-1", b"{}", {})


async def test_each_member_tells_its_own_facts(broker_of):
    exchange = await broker_of("exchange")
    await exchange.ensure_stream(EVENTS, is_owner=True)
    for name in ("identity", "catalog", "archive", "exchange"):
        await (await broker_of(name)).publish(fact(name))


async def test_each_member_sees_when_the_stream_it_fills_began(broker_of):
    exchange = await broker_of("exchange")
    for stream in (EVENTS, JOURNAL):
        await exchange.ensure_stream(stream, is_owner=True)
    for name in ("identity", "catalog", "archive", "exchange"):
        assert await (await broker_of(name)).stream_created("EVENTS")
    assert await (await broker_of("gateway")).stream_created("JOURNAL")


@pytest.mark.parametrize(("one", "other"), OTHERS)
async def test_no_member_tells_the_facts_of_another(broker_of, quickly, one, other):
    await (await broker_of("exchange")).ensure_stream(EVENTS, is_owner=True)
    with pytest.raises(BrokerUnavailable):
        await (await broker_of(one)).publish(fact(other))


@pytest.mark.parametrize("key", ["routes", "jwks"])
@pytest.mark.parametrize("name", ["gateway", "catalog", "archive"])
async def test_only_their_owners_announce_routes_and_keys(broker_of, quickly, name, key):
    broker = await broker_of(name)
    with pytest.raises(BrokerUnavailable):
        await broker.publish(Sending(f"$KV.SNAPSHOTS.{key}", "1", b"{}", {}))


@pytest.mark.parametrize("verb", ["STREAM.UPDATE.EVENTS", "STREAM.PURGE.EVENTS", "STREAM.LIST"])
@pytest.mark.parametrize("name", ["gateway", "identity", "catalog", "archive"])
async def test_only_exchange_changes_a_stream(broker_of, quickly, name, verb):
    await (await broker_of("exchange")).ensure_stream(EVENTS, is_owner=True)
    with pytest.raises(BrokerUnavailable):
        await (await broker_of(name)).api(verb, {"name": "EVENTS", "max_msgs": 1})


@pytest.mark.parametrize("verb", ["RESET", "DELETE", "CREATE"])
@pytest.mark.parametrize("name", ["gateway", "identity", "catalog", "archive"])
async def test_no_member_takes_what_is_meant_for_exchange(broker_of, quickly, name, verb):
    exchange = await broker_of("exchange")
    await exchange.ensure_stream(EVENTS, is_owner=True)
    config = {"stream_name": "EVENTS", "config": {"durable_name": "exchange-facts"}}
    await exchange.api("CONSUMER.CREATE.EVENTS.exchange-facts", config)
    with pytest.raises(BrokerUnavailable):
        await (await broker_of(name)).api(f"CONSUMER.{verb}.EVENTS.exchange-facts", config)


async def test_refused_subject_is_named_in_the_log_which_the_flows_read(broker_of, quickly, log):
    with pytest.raises(BrokerUnavailable):
        await (await broker_of("catalog")).publish(fact("archive"))
    assert re.search(r'user:catalog" - Publish Violation .*"sebalai\.archive\.', log.read_text())


async def test_who_is_refused_says_to_whom_what_and_what_to_do(broker_of, quickly):
    catalog = await broker_of("catalog")
    wanted = r"catalog the subject \$JS\.API\.CONSUMER\.CREATE\.EVENTS\.catalog-new; .*users\.conf"
    for _ in range(2):
        with pytest.raises(BrokerRefused, match=wanted):
            await catalog.api("CONSUMER.CREATE.EVENTS.catalog-new", {})


async def test_member_of_a_new_release_waits_for_the_brokers_new_users(
    url, broker_of, quickly, caplog
):
    """NATS is started anew after the members, against the order: they say so, wait and go on."""
    catalog = await broker_of("catalog")
    new = {"name": "NEWER", "subjects": ["newer.>"]}
    waiting = asyncio.create_task(catalog.await_streams(EVENTS, new))
    async with asyncio.timeout(10):
        while "catalog the subject $JS.API.STREAM.CREATE.NEWER" not in caplog.text:
            assert not waiting.done()
            await asyncio.sleep(0.02)
    waiting.cancel()


async def test_member_does_not_hear_the_inbox_of_another(url, broker_of):
    refused = asyncio.Event()

    async def on_error(error):
        if "permissions violation" in str(error).lower():
            refused.set()

    client = await nats.connect(
        f"nats://{url}", user="archive", password="1earchive", error_cb=on_error
    )
    await client.subscribe("_INBOX_identity.>")
    async with asyncio.timeout(5):
        await refused.wait()
    await client.close()
