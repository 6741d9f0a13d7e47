"""Calls as spans at a collector: named as the call is, in whose trace it is, and what is lost."""

import asyncio
import json

import pytest
from sebalai_gateway.calls.record import Call
from sebalai_gateway.metering import spans as module
from sebalai_gateway.metering.spans import Spans
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.telemetry import enter_trace


@pytest.fixture
async def collector():
    """An OTLP receiver: `got` are the spans it was sent, `status` what it answers."""

    class Collector:
        got, status = [], b"200 OK"

        async def serve(self, reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"POST /v1/traces ")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            sent = json.loads(await reader.readexactly(length))
            self.got = self.got + sent["resourceSpans"][0]["scopeSpans"][0]["spans"]
            answer = b"HTTP/1.1 %b\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
            writer.write(answer % self.status)
            writer.close()
            await writer.wait_closed()

    made = Collector()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@pytest.fixture
async def spans(collector):
    made = Spans(http.client(Reach.parse(["127.0.0.1"])), collector.url)
    yield made
    await made.close()
    await asyncio.sleep(0.05)  # a connection is closed a turn of the loop later


def call(traceparent=None, **facts):
    made = Call("GET", "")
    made.join(enter_trace(traceparent, made.trace), traceparent)
    made.record("answered", 200)
    made.facts |= facts
    return made


def told(span):
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


async def test_trace_that_begins_with_a_call_is_named_as_its_message(spans, collector):
    made = call(interface="a/b", agreement="7", consumer="c")
    spans(made, 200)
    await spans.send()
    (span,) = collector.got
    assert span["traceId"] == made.name.replace("-", "")
    assert (span["parentSpanId"], span["name"], span["status"]) == ("", "GET a/b", {})
    assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert told(span)["sebalai.message_id"] == made.name
    assert told(span)["http.response.status_code"] == "200"


async def test_call_of_a_consumer_s_trace_stands_under_the_consumer_s_span(spans, collector):
    spans(call(f"00-{'a' * 32}-{'b' * 16}-01"), 200)
    await spans.send()
    (span,) = collector.got
    assert (span["traceId"], span["parentSpanId"]) == ("a" * 32, "b" * 16)


@pytest.mark.parametrize("traceparent", ["", "nonsense", f"00-{'0' * 32}-{'b' * 16}-01"])
async def test_trace_that_cannot_be_joined_is_not(spans, collector, traceparent):
    made = call(traceparent)
    spans(made, 200)
    await spans.send()
    (span,) = collector.got
    assert (span["traceId"], span["parentSpanId"]) == (made.name.replace("-", ""), "")


async def test_interface_that_nobody_decided_on_is_not_told(spans, collector):
    spans(call(interface="whatever/was/written", problem="agreement-missing"), 403)
    await spans.send()
    (span,) = collector.got
    assert "whatever" not in json.dumps(span)
    assert told(span)["sebalai.problem"] == "agreement-missing"


async def test_spans_nobody_takes_are_lost_counted_and_hold_nothing_up(
    spans, collector, monkeypatch
):
    monkeypatch.setattr(module, "SPANS_LIMIT", 3)
    collector.status = b"503 Service Unavailable"
    for _ in range(5):
        spans(call(), 200)
    assert spans.lost == 2
    await spans.send()
    assert spans.lost == 5
    collector.status = b"200 OK"
    spans(call(), 500)
    await spans.send()
    assert collector.got[-1]["status"] == {"code": 2}
    assert spans.lost == 5
