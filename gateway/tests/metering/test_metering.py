"""Metrics: what is counted, by which names, and that several workers add up on one port."""

import asyncio
import contextlib
import socket
import subprocess
import sys

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sebalai_gateway.calls.record import Call
from sebalai_gateway.forwarding.destinations import FAILURES_TO_EJECT, Destinations
from sebalai_gateway.metering import listener
from sebalai_gateway.metering.gauges import SUM, Gauges, Reading
from sebalai_gateway.metering.meter import INTERFACES_LIMIT, Meter

NAME = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"


@pytest.fixture
def meter():
    return Meter(CollectorRegistry())


def values(text):
    """Samples by name and labels, without those of time."""
    return {
        (sample.name.removeprefix("sebalai_gateway_"), *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith(("_created", "_bucket", "_sum"))
    }


def counted(meter):
    meter.tell()
    return values(generate_latest(meter.registry).decode())


def over(outcome, **facts):
    call = Call("GET", "t")
    call.outcome = outcome
    call.facts |= facts
    return call


def test_calls_are_counted_by_interface_agreement_outcome_and_problem(meter):
    meter.call(over("answered", interface=NAME, agreement="a1"), 200)
    refused = over("refused", interface=NAME, agreement="a1", problem="quota-exceeded")
    for _ in range(2):
        meter.call(refused, 429)
    found = counted(meter)
    assert (
        found["calls_total", ("interface", NAME), ("outcome", "answered"), ("status", "2xx")] == 1
    )
    assert found["calls_total", ("interface", NAME), ("outcome", "refused"), ("status", "4xx")] == 2
    assert found["agreement_calls_total", ("agreement", "a1"), ("outcome", "refused")] == 2
    assert found["problems_total", ("outcome", "refused"), ("problem", "quota-exceeded")] == 2
    assert found["call_seconds_count", ("outcome", "answered")] == 1


def test_what_a_consumer_writes_is_never_a_label(meter):
    for number in range(50):
        written = f"ID-BB/GOV/x/y/3171234567890123-{number}"
        meter.call(over("refused", interface=written, problem="interface-unknown"), 404)
    meter.tell()
    assert "3171234567890123" not in generate_latest(meter.registry).decode()
    none = ("calls_total", ("interface", "none"), ("outcome", "refused"), ("status", "4xx"))
    assert counted(meter)[none] == 50


def test_more_names_than_the_limit_are_counted_together(meter):
    for number in range(INTERFACES_LIMIT + 7):
        meter.call(over("answered", interface=f"i{number}", agreement="a"), 200)
    found = counted(meter)
    other = ("calls_total", ("interface", "other"), ("outcome", "answered"), ("status", "2xx"))
    assert found[other] == 7
    assert len([name for name in found if name[0] == "calls_total"]) == INTERFACES_LIMIT + 1


def test_ejections_and_shut_interfaces_are_seen(meter):
    places = Destinations(lambda: 0.0)
    shut, open_ = places.of("1", ["http://a"], 5), places.of("2", ["http://a", "http://b"], 5)
    for place in (shut, open_):
        ejected = [place.addresses[0].failed(0.0) for _ in range(FAILURES_TO_EJECT)]
        assert ejected == [False] * (FAILURES_TO_EJECT - 1) + [True]
    assert places.left_out == (2, 1)
    meter.ejected(NAME)
    assert counted(meter)["ejections_total", ("interface", NAME)] == 1


async def test_gauges_say_what_is_read_and_how_old_the_snapshots_are(meter):
    busy = [3]
    reading = Reading("connections_busy", "x", SUM, lambda: busy[0])
    gauges = Gauges(meter.registry, [reading], lambda: {"routes": 2.5})
    await gauges.refresh()
    busy[0] = 5
    assert counted(meter)["connections_busy",] == 3
    await gauges.refresh()
    found = counted(meter)
    assert (found["connections_busy",], found["snapshot_age_seconds", ("feed", "routes")]) == (
        5,
        2.5,
    )


async def fetch(port):
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        assert answer.headers["Content-Type"].startswith("text/plain")
        return values(await answer.text())


async def test_one_process_serves_its_own_and_stops(meter, unused_tcp_port):
    with listener.own("127.0.0.1", unused_tcp_port, meter.registry):
        meter.ejected(NAME)
        found = await fetch(unused_tcp_port)
        assert found["ejections_total", ("interface", NAME)] == 1
        assert found["process_open_fds",] > 0
    with pytest.raises(aiohttp.ClientError):
        await fetch(unused_tcp_port)


async def test_taken_port_costs_the_metrics_alone(meter, caplog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with listener.listening("127.0.0.1", port, meter.registry):
            assert f"not served on port {port}" in caplog.text


WORKER = """
import asyncio, sys
from prometheus_client import CollectorRegistry
from sebalai_gateway.metering.gauges import MOST, SUM, Gauges, Reading
from sebalai_gateway.metering.meter import Meter
meter = Meter(CollectorRegistry())
readings = [Reading("connections_busy", "x", SUM, lambda: 3), Reading("interfaces_shut", "x", MOST, lambda: 2)]
asyncio.run(Gauges(meter.registry, readings, dict).refresh())
for _ in range(5):
    meter.ejected("i")
print("counted", flush=True)
sys.stdin.read()
"""


async def test_workers_add_up_on_one_port_and_the_dead_are_no_longer_busy(
    unused_tcp_port, monkeypatch
):
    monkeypatch.setenv(listener.FOLDER, "")
    with contextlib.ExitStack() as stack:
        stack.enter_context(listener.of_workers("127.0.0.1", unused_tcp_port))
        workers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            for _ in range(2)
        ]
        for worker in workers:
            assert await asyncio.to_thread(worker.stdout.readline) == b"counted\n"
        names = [
            ("ejections_total", ("interface", "i")),
            ("connections_busy",),
            ("interfaces_shut",),
        ]
        found = await fetch(unused_tcp_port)
        assert [found[name] for name in names] == [10, 6, 2]
        workers[0].communicate()
        found = await fetch(unused_tcp_port)
        assert [found[name] for name in names] == [10, 3, 2]
        workers[1].communicate()
        found = await fetch(unused_tcp_port)
        assert [found.get(name) for name in names] == [10, None, None]
