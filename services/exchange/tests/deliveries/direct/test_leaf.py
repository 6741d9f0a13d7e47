"""A subscriber's own NATS server joined as a leaf node: what crosses, what does not, and its end."""

import asyncio
import contextlib
import signal
from types import SimpleNamespace

import nats
import pytest
from sebalai_exchange.direct import access
from sebalai_local.engines import free_ports
from sebalai_local.engines.nats import find_binary
from sebalai_local.launching import Program, launch

from services.exchange.tests.deliveries.direct.conftest import (
    OTHER,
    TYPE,
    connected,
    fetch,
    subscribed,
    until_connected,
    until_shaped,
)

LEAF = """\
listen: "127.0.0.1:{port}"
server_name: kabupaten
jetstream {{
  store_dir: "{folder}/store"
  domain: kabupaten
}}
leafnodes {{
  reconnect: 1
  remotes: [{{url: "nats-leaf://{user}:{password}@127.0.0.1:{hub}", account: BUS}}]
}}
accounts {{
  BUS {{
    jetstream: enabled
    users: [
      {{user: admin, password: admin}}
      {{user: app, password: app, permissions: {{
        publish: [
          "$JS.sebalai.API.CONSUMER.*.EVENTS.{consumer}"
          "$JS.sebalai.API.CONSUMER.MSG.NEXT.EVENTS.{consumer}"
          "$JS.ACK.EVENTS.{consumer}.>"
        ]
        subscribe: ["{inbox_prefix}.>"]
      }}}}
    ]
  }}
  OFFICE {{ users: [{{user: office, password: office}}] }}
}}
"""


@contextlib.asynccontextmanager
async def joined(server, one, folder):
    """A second server with two accounts of its own, of which one is joined; its log and address."""
    port, _, _ = free_ports()
    configuration = folder / "leaf.conf"
    told = vars(one) | {"hub": server.leaf_port, "port": port, "folder": folder}
    configuration.write_text(LEAF.format(**told))
    arguments = [str(find_binary()), "-c", str(configuration), "-DV"]
    log = folder / "leaf.log"
    process = launch(Program(arguments, folder=folder), log)
    try:
        yield SimpleNamespace(url=f"nats://127.0.0.1:{port}", log=log)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait)


@contextlib.asynccontextmanager
async def at_home(leaf, one, user="app"):
    """A client of the subscriber's own server; `heard` is all that it could hear."""
    for _ in range(100):
        with contextlib.suppress(OSError, nats.errors.Error):
            client = await nats.connect(
                leaf.url, user=user, password=user, inbox_prefix=one.inbox_prefix,
                allow_reconnect=False, connect_timeout=5,
            )  # fmt: skip
            break
        await asyncio.sleep(0.05)
    try:
        yield SimpleNamespace(client=client)
    finally:
        await client.close()


async def until_reached(bus, home, one):
    """Until the consumer answers over the link, a moment after the log says that there is one."""

    async def reached():
        with contextlib.suppress(nats.errors.Error, nats.js.errors.Error):
            manager = home.client.jetstream(domain=one.domain)
            return await manager.consumer_info(one.stream, one.consumer, timeout=1)

    await bus.until(reached)


async def until_joined(bus, leaf):
    await bus.until(lambda: "Leafnode connection created" in leaf.log.read_text())


async def test_events_arrive_at_the_subscribers_own_server_and_nothing_else_does(
    bus, server, stream, agreed, tmp_path
):
    one, other = await subscribed(bus), await subscribed(bus)
    await until_connected(bus, server, one)
    for each in (one, other):
        await until_shaped(bus, stream, each)
    heard = []

    async def hear(message):
        heard.append(message.subject)

    async with connected(server, other) as stranger, joined(server, one, tmp_path) as leaf:
        await until_joined(bus, leaf)
        async with at_home(leaf, one) as home, at_home(leaf, one, "admin") as admin:
            await until_reached(bus, home, one)
            await admin.client.subscribe(">", cb=hear)
            await admin.client.flush()
            for kind in (TYPE, OTHER, TYPE):
                await stream.publish(kind)
            assert await fetch(home, one, 2) == [f"sebalai.{TYPE}"] * 2
            assert await fetch(stranger, other, 2) == [f"sebalai.{TYPE}"] * 2
            seen = await stream.publish(OTHER)
            for subject in (
                f"sebalai.{TYPE}", "sebalai.identity.person.registered.v1",
                f"$JS.{one.domain}.API.CONSUMER.MSG.NEXT.EVENTS.{other.consumer}",
                "$JS.API.STREAM.INFO.EVENTS", f"{other.inbox_prefix}.x", "$KV.SNAPSHOTS.routes",
            ):  # fmt: skip
                await admin.client.publish(subject, b"{}", reply=f"{one.inbox_prefix}.x")
            await admin.client.flush()
            await asyncio.sleep(0.5)
            assert await stream.publish(OTHER) == seen + 1
        # Not so much as the name of another's inbox is told to the other server.
        assert f"LS+ {other.inbox_prefix}" not in leaf.log.read_text()
        assert f"sebalai.{OTHER}" not in heard


@pytest.mark.parametrize("step", ["suspend", "credential", "end"])
async def test_a_leaf_node_is_cut_off_when_its_right_ends(
    bus, server, stream, agreed, tmp_path, step
):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    await until_shaped(bus, stream, one)
    body = {"reason": "tujuannya berakhir"}
    async with joined(server, one, tmp_path) as leaf, at_home(leaf, one) as home:
        await until_joined(bus, leaf)
        await until_reached(bus, home, one)
        await stream.publish()
        assert len(await fetch(home, one, 1)) == 1
        if step == "suspend":
            made = await bus.ask("POST", f"{agreed}/suspend", bus.publisher, json=body)
        else:
            path = f"/v1/subscriptions/{one.id}/{step}"
            made = await bus.ask("POST", path, bus.subscriber, json=body)
        assert made.is_success
        await bus.until(lambda: "Leafnode connection closed" in leaf.log.read_text())
        await bus.until(lambda: "authorization violation" in leaf.log.read_text().lower())
        with pytest.raises((nats.errors.Error, TimeoutError)):
            await fetch(home, one, 1)
        if step == "suspend":
            resumed = await bus.ask("POST", f"{agreed}/resume", bus.publisher, json=body)
            assert resumed.is_success
            await stream.publish()
            await until_reached(bus, home, one)
            assert len(await fetch(home, one, 1)) == 1


async def test_another_account_of_the_subscribers_server_hears_nothing(
    bus, server, stream, agreed, tmp_path
):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    await until_shaped(bus, stream, one)
    await stream.publish()
    async with joined(server, one, tmp_path) as leaf, at_home(leaf, one, "office") as office:
        await until_joined(bus, leaf)
        with pytest.raises((nats.errors.Error, TimeoutError)):
            await office.client.request(
                f"$JS.{access.DOMAIN}.API.CONSUMER.INFO.EVENTS.{one.consumer}", timeout=1
            )
