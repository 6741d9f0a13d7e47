"""A right that ends while its call waits is no right any more: what is forwarded is what is allowed
at that moment, not what was when it came.
"""

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest

PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
ROOM = "sempit"


class Waiting:
    """A call that waits for room at its provider, until `go`."""

    def __init__(self, bus, url):
        self.bus, self.answer = bus, None
        bus.offer(ROOM, url, max_concurrency=1)
        self.gate = bus.calls.destinations.of(ROOM, (url,), 1).gate

    @contextlib.asynccontextmanager
    async def __call__(self, method="GET", **headers):
        assert self.gate.admit("another consumer")
        wanted = self.bus.call(method, interface=ROOM, headers=self.bus.headers(**headers))
        call = asyncio.create_task(wanted.__aenter__())
        async with asyncio.timeout(10):
            while not self.gate.waiting:
                await asyncio.sleep(0.01)
            yield
            self.gate.leave("another consumer")
            answer = await call
        self.status, said = answer.status, await answer.read()
        self.slug = None if self.status == 200 else orjson.loads(said)["type"].rsplit(":", 1)[1]
        self.message = answer.headers["Sebalai-Message-Id"]


@pytest.fixture
def waiting(bus, provider):
    return Waiting(bus, provider.url)


def change(bus, **more):
    """The next version of the table."""
    head = {"version": bus.table.version + 1, "after": bus.table.version, "instance": "ID-BB"}
    bus.table.apply(orjson.dumps(head | {"interfaces": [], "agreements": []} | more))


def end(bus):
    change(bus, gone={"interfaces": [], "agreements": [f"agreement-{ROOM}"], "peers": []})


async def test_call_that_waited_for_room_is_refused_when_its_agreement_ended(
    bus, provider, waiting
):
    async with waiting():
        end(bus)
    assert (waiting.status, waiting.slug) == (403, "agreement-missing")
    assert provider.seen == []
    record = await bus.record(waiting.message)
    assert (record["outcome"], record["status"]) == ("refused", 403)
    assert (record["problem"], record["forwarded_at"]) == ("agreement-missing", None)
    assert await bus.phases(waiting.message) == ["requested", "completed"]


async def test_interface_that_was_withdrawn_is_not_called(bus, provider, waiting):
    async with waiting():
        change(bus, gone={"interfaces": [f"{PROVIDER}/{ROOM}"], "agreements": [], "peers": []})
    assert (waiting.status, waiting.slug) == (404, "interface-unknown")
    assert provider.seen == []


async def test_token_revoked_meanwhile_is_refused(bus, provider, waiting):
    async with waiting():
        bus.verifier.revoked.take(1, [("cli.c", 2**40, 2**41)], is_whole=False)
    assert (waiting.status, waiting.slug) == (401, "token-revoked")
    assert provider.seen == []


async def test_revocation_told_under_the_same_cursor_is_heard(bus, provider, waiting):
    """Identity's cursor stands while an older transaction of its database is open."""
    bus.verifier.revoked.take(7, [("cli.somebody", 2**40, 2**41)], is_whole=False)
    async with waiting():
        bus.verifier.revoked.take(7, [("cli.c", 2**40, 2**41)], is_whole=False)
    assert (waiting.status, waiting.slug) == (401, "token-revoked")
    assert provider.seen == []


async def test_token_that_ends_while_its_call_waits_is_refused(bus, provider, waiting):
    """Its end may be that of a posting, and a revocation is forgotten when its tokens have ended."""
    ends = int(time.time()) + 2
    bus.bear(exp=ends)
    async with waiting():
        while time.time() < ends:
            await asyncio.sleep(0.05)
    assert (waiting.status, waiting.slug) == (401, "token-expired")
    assert provider.seen == []


async def test_agreement_that_ends_while_its_call_waits_is_refused(bus, provider, waiting):
    ends = datetime.now(UTC) + timedelta(seconds=1)
    bus.bind(ROOM, valid_until=ends.isoformat())
    async with waiting():
        while datetime.now(UTC) < ends:
            await asyncio.sleep(0.05)
    assert (waiting.status, waiting.slug) == (403, "agreement-expired")
    assert provider.seen == []


async def test_call_without_a_signature_is_refused_when_its_agreement_now_asks_for_one(
    bus, provider, waiting
):
    async with waiting():
        bus.bind(ROOM, signing="request")
    assert (waiting.status, waiting.slug) == (403, "signature-missing")
    assert provider.seen == []


async def test_change_that_does_not_concern_it_does_not_stop_a_call(bus, waiting):
    async with waiting():
        bus.offer("lain", "http://127.0.0.1:1")
        bus.verifier.revoked.take(1, [("cli.somebody", 2**40, 2**41)], is_whole=False)
    assert waiting.status == 200


async def test_new_version_of_its_agreement_serves_it(bus, waiting):
    """Amending must not fail the calls of that moment; what the new terms forbid is refused."""
    newer = bus.terms(ROOM) | {"id": "agreement-baru", "series": f"agreement-{ROOM}"}
    gone = {"interfaces": [], "agreements": [f"agreement-{ROOM}"], "peers": []}
    async with waiting():
        change(bus, agreements=[newer], gone=gone)
    assert waiting.status == 200
    async with waiting():
        rules = [{"id": "r9", "method": "POST", "path": "/open/**"}]
        change(bus, agreements=[newer | {"rules": rules}])
    assert (waiting.status, waiting.slug) == (403, "rule-missing")


async def test_key_of_a_call_that_was_not_forwarded_is_free(bus, provider, waiting):
    async with waiting("POST", **{"Idempotency-Key": "satu"}):
        end(bus)
    assert waiting.status == 403
    bus.offer(ROOM, provider.url, max_concurrency=1)
    async with waiting("POST", **{"Idempotency-Key": "satu"}):
        pass
    assert (waiting.status, len(provider.seen)) == (200, 1)


async def test_call_that_may_have_acted_is_told_so_and_not_that_it_was_refused(bus, provider):
    async def end_and_break(seen, writer):
        end(bus)
        writer.transport.abort()

    bus.offer(ROOM, provider.url)
    provider.answer = end_and_break
    async with bus.call(interface=ROOM) as answer:
        assert answer.status == 502
        assert (await answer.json(content_type=None))["type"].endswith("provider-unreachable")
    assert len(provider.seen) == 1


async def test_right_that_ends_while_a_connection_is_made_is_asked_again(bus, provider):
    resolve = bus.forwarder.pool.resolve

    async def slowly(*asked):
        end(bus)
        return await resolve(*asked)

    bus.offer(ROOM, provider.url.replace("127.0.0.1", "localhost"))
    bus.forwarder.pool.resolve = slowly
    async with bus.call(interface=ROOM) as answer:
        assert answer.status == 403
    assert provider.seen == []


async def test_call_that_came_while_the_gateway_stood_still_waits_for_the_word(bus, provider):
    async def word():
        end(bus)

    bus.offer(ROOM, provider.url)
    bus.pulse.look()
    bus.told, bus.stood = word, 10.0
    async with bus.call(interface=ROOM) as answer:
        assert answer.status == 403
    assert provider.seen == []


async def test_call_under_way_when_the_gateway_stood_still_is_not_forwarded(bus, provider):
    resolve, told = bus.forwarder.pool.resolve, asyncio.Event()

    async def slowly(*asked):
        bus.stood = 10.0
        return await resolve(*asked)

    bus.offer(ROOM, provider.url.replace("127.0.0.1", "localhost"))
    bus.pulse.look()
    bus.told, bus.forwarder.pool.resolve = told.wait, slowly
    async with bus.call(interface=ROOM) as answer:
        assert answer.status == 503
        assert (await answer.json(content_type=None))["type"].endswith("routes-unavailable")
    assert provider.seen == []
    told.set()
    async with bus.call(interface=ROOM) as answer:
        assert answer.status == 200
