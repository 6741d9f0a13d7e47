"""Direct NATS on a broker with users: what a subscriber receives, may not do, and loses at once."""

import asyncio
import contextlib
import signal
from types import SimpleNamespace

import nats
import orjson
import pytest
from pydantic import SecretStr
from sebalai_exchange.direct import access, steward
from sebalai_exchange.direct.running import direct_tasks
from sebalai_local.engines import free_ports
from sebalai_local.engines.databases import NAMES
from sebalai_local.engines.nats import Nats
from sebalai_local.launching import launch
from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.nkeys import AccountKey
from sqlalchemy import text

TYPE, OTHER = "dp3acskb.birth.recorded.v1", "dp3acskb.death.recorded.v1"
INTERFACE = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
KEY = AccountKey(b"k" * 32)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("direct")
    _, port, monitor_port = free_ports()
    passwords = {name: f"1e{name}" for name in NAMES}
    broker = Nats(folder, port, monitor_port, passwords, False, issuer=KEY.public)
    process = launch(broker.prepare(), folder / "nats.log")
    while not broker.is_ready():
        assert process.poll() is None, (folder / "nats.log").read_text()
    yield SimpleNamespace(port=port, url=f"nats://127.0.0.1:{port}")
    process.send_signal(signal.SIGTERM)
    process.wait()


@pytest.fixture
def bus_settings(bus_settings, server, tmp_path):
    file = tmp_path / "issuer"
    file.write_text(KEY.seed)
    found = bus_settings.model_copy(
        update={
            "nats_url": f"nats://exchange@127.0.0.1:{server.port}",
            "nats_token": SecretStr("1eexchange"),
            "nats_issuer_key_file": file,
        }
    )
    object.__setattr__(found, "_asserter", bus_settings._asserter)
    return found


@pytest.fixture
async def stream(bus):
    broker = Broker(bus.settings)
    await broker.connect()
    await broker.ensure_stream(EVENTS, is_owner=True)
    number = iter(range(1, 10**6))

    async def publish(kind=TYPE, text="x"):
        n = next(number)
        body = orjson.dumps({"type": kind, "data": text, "n": n})
        answer = await broker.client.request(f"sebalai.{kind}", body, timeout=5)
        return orjson.loads(answer.data)["seq"]

    tasks = asyncio.create_task(direct_tasks(bus.settings, bus.database, broker))
    yield SimpleNamespace(publish=publish, broker=broker)
    tasks.cancel()
    await asyncio.gather(tasks, return_exceptions=True)
    await broker.close()


@pytest.fixture
async def agreed(bus, interface_wanted, agreement_wanted):
    body = interface_wanted(name=INTERFACE)
    assert (await bus.ask("POST", "/v1/interfaces", bus.publisher, json=body)).status_code == 201
    for kind in (TYPE, OTHER):
        await bus.describe(type=kind, access="agreement", interface=INTERFACE)
    until = bus.clock.now().replace(year=bus.clock.now().year + 1).isoformat()
    rules = [{"method": "SUBSCRIBE", "path": f"/{TYPE}"}]
    asked = await bus.ask(
        "POST", "/v1/agreements", bus.subscriber,
        json=agreement_wanted(rules=rules, valid_until=until),
    )  # fmt: skip
    path = f"/v1/agreements/{asked.json()['id']}"
    assert (await bus.ask("POST", f"{path}/grant", bus.publisher)).status_code == 200
    return path


async def subscribed(bus, **more):
    wanted = {"types": ["dp3acskb.*"], "purpose": "verifikasi-bansos"} | more
    made = await bus.subscribe(kind="nats", **wanted)
    answer = await bus.ask("POST", f"/v1/subscriptions/{made['id']}/credential", bus.subscriber)
    assert answer.status_code == 200, answer.text
    return SimpleNamespace(id=made["id"], **answer.json())


@contextlib.asynccontextmanager
async def connected(server, one, **more):
    """A client that tells what it was refused and when it was cut off."""
    told = SimpleNamespace(errors=[], cut=asyncio.Event())

    async def on_error(error):
        told.errors.append(str(error))

    async def on_cut():
        told.cut.set()

    wanted = {"user": one.user, "password": one.password, "inbox_prefix": one.inbox_prefix}
    client = await nats.connect(
        server.url, error_cb=on_error, disconnected_cb=on_cut, allow_reconnect=False,
        connect_timeout=5, **wanted | more,
    )  # fmt: skip
    told.client = client
    try:
        yield told
    finally:
        await client.close()


async def is_refused(server, one, **more):
    """What the broker says to a client's first two lines; the library leaves sockets open."""
    told = {"user": one.user, "pass": one.password, "verbose": False, "pedantic": False} | more
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        await reader.readline()
        writer.write(b"CONNECT " + orjson.dumps(told) + b"\r\nPING\r\n")
        while (line := await reader.readline()) not in (b"PONG\r\n", b""):
            if line.startswith(b"-ERR"):
                return True
        return line == b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until_connected(bus, server, one):
    async def can():
        return not await is_refused(server, one)

    await bus.until(can)


async def until_shaped(bus, stream, one):
    async def has_consumer():
        with contextlib.suppress(Exception):
            return await stream.broker.api(f"CONSUMER.INFO.EVENTS.{one.consumer}")

    return await bus.until(has_consumer)


async def fetch(told, one, count):
    pulled = await told.client.jetstream(domain=one.domain).pull_subscribe_bind(
        one.consumer, one.stream
    )
    messages = await pulled.fetch(count, timeout=10)
    for message in messages:
        await message.ack()
    return [message.subject for message in messages]


async def test_a_subscriber_receives_what_its_agreement_names_and_nothing_else(
    bus, server, stream, agreed
):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    shaped = await until_shaped(bus, stream, one)
    assert shaped["config"]["filter_subjects"] == [f"sebalai.{TYPE}"]
    for kind in (TYPE, OTHER, TYPE):
        await stream.publish(kind)
    async with connected(server, one) as told:
        assert await fetch(told, one, 2) == [f"sebalai.{TYPE}"] * 2
        client = told.client
        info = await client.jetstream(domain=one.domain).consumer_info(one.stream, one.consumer)
        assert info.num_pending == 0
        seen = await stream.publish(OTHER)
        for subject in ("sebalai.>", f"sebalai.{TYPE}", ">", "$SYS.>", "_INBOX_exchange.>"):
            await client.subscribe(subject)
        others = access.consumer_of("0" * 8)
        for subject in (
            f"sebalai.{TYPE}", "sebalai.identity.person.registered.v1", "$KV.SNAPSHOTS.routes",
            "$JS.API.STREAM.INFO.EVENTS", "$JS.API.CONSUMER.CREATE.EVENTS.mine",
            f"$JS.{one.domain}.API.CONSUMER.MSG.NEXT.EVENTS.{others}", "$JS.API.STREAM.MSG.GET.EVENTS",
            f"$JS.API.CONSUMER.DELETE.EVENTS.{one.consumer}", "$SYS.REQ.SERVER.PING.CONNZ",
        ):  # fmt: skip
            await client.publish(subject, b"{}", reply=f"{one.inbox_prefix}.x")
        await client.flush()

        def all_refused():
            return len([error for error in told.errors if "permissions violation" in error]) == 14

        await bus.until(all_refused)
        assert await stream.publish(OTHER) == seen + 1


async def test_an_answer_is_never_sent_where_the_members_listen(bus, server, stream, agreed):
    """In one account with them, a request for events could name any subject for its answer: the
    broker itself then said an event where nobody but a member may speak.
    """
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    await until_shaped(bus, stream, one)
    await stream.publish()
    heard = []

    async def hear(message):
        heard.append(message)

    await stream.broker.client.subscribe("_INBOX_exchange.stolen", cb=hear)
    before = await stream.publish()
    async with connected(server, one) as told:
        place = f"$JS.{one.domain}.API.CONSUMER.MSG.NEXT.EVENTS.{one.consumer}"
        for reply in ("_INBOX_exchange.stolen", "sebalai.identity.person.registered.v1"):
            await told.client.publish(place, b'{"batch": 1, "no_wait": true}', reply=reply)
        await told.client.flush()
        after = await stream.publish()
        await fetch(told, one, 1)
    assert (heard, after) == ([], before + 1)


@pytest.mark.parametrize("step", ["suspend", "revoke"])
async def test_a_connection_is_closed_when_its_agreement_ends(bus, server, stream, agreed, step):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    async with connected(server, one) as told:
        await stream.publish()
        await until_shaped(bus, stream, one)
        body = {"reason": "tujuannya berakhir"}
        assert (await bus.ask("POST", f"{agreed}/{step}", bus.publisher, json=body)).is_success
        await bus.until(told.cut.is_set)
    assert await is_refused(server, one)
    if step == "suspend":
        body = {"reason": "sudah jelas"}
        assert (await bus.ask("POST", f"{agreed}/resume", bus.publisher, json=body)).is_success
        await until_connected(bus, server, one)


async def test_a_new_credential_closes_what_the_old_one_opened(bus, server, stream, agreed):
    one, other = await subscribed(bus), await subscribed(bus)
    await until_connected(bus, server, one)
    async with connected(server, one) as told, connected(server, other) as stays:
        path = f"/v1/subscriptions/{one.id}/credential"
        new = SimpleNamespace(**(await bus.ask("POST", path, bus.subscriber)).json())
        await bus.until(told.cut.is_set)
        await stream.publish()
        assert await fetch(stays, other, 1) == [f"sebalai.{TYPE}"]
        assert not stays.cut.is_set()
    assert await is_refused(server, one)
    assert not await is_refused(server, new)
    assert await is_refused(server, new, user=str(one.user).upper())
    assert await is_refused(server, new, **{"pass": ""})


async def test_an_ended_subscription_leaves_nothing_at_the_broker(bus, server, stream, agreed):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    await until_shaped(bus, stream, one)
    async with connected(server, one) as told:
        path = f"/v1/subscriptions/{one.id}/end"
        assert (await bus.ask("POST", path, bus.subscriber, json={"reason": "selesai"})).is_success
        await bus.until(told.cut.is_set)

    async def is_gone():
        names = (await stream.broker.api("CONSUMER.NAMES.EVENTS", {"offset": 0}))["consumers"]
        return one.consumer not in (names or [])

    await bus.until(is_gone)
    answer = await bus.ask("POST", f"/v1/subscriptions/{one.id}/credential", bus.subscriber)
    assert answer.status_code == 409


async def test_what_only_parties_hear_is_not_offered_directly(bus, stream):
    await bus.describe(access="party")
    wanted = {
        "subscriber": bus.subscriber.application, "title": "Bansos", "types": [TYPE],
        "kind": "nats",
    }  # fmt: skip
    answer = await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted)
    assert answer.status_code == 403
    for more in ({"filters": [{"exact": {"subject": "x"}}]}, {"start": {"position": 1}}):
        answer = await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted | more)
        assert answer.status_code == 422
    assert (await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted | {"kind": "pull"})).is_success  # fmt: skip


async def test_nobody_stays_long_while_nobody_can_look_rights_up(
    bus, server, stream, agreed, monkeypatch
):
    monkeypatch.setattr(steward, "KEPT_SECONDS", 0.2)
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    async with connected(server, one) as told:
        async with bus.database.transaction() as session:
            await session.execute(text("ALTER TABLE direct RENAME TO direct_away"))
        try:
            await bus.until(told.cut.is_set)
        finally:
            async with bus.database.transaction() as session:
                await session.execute(text("ALTER TABLE direct_away RENAME TO direct"))
    await until_connected(bus, server, one)
