"""Snapshots come two ways, either alone is enough, and no way believes what proves nothing."""

import asyncio
import base64
import contextlib
import gzip
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.revoked import RevokedSet
from sebalai_gateway.routing import feed, kept
from sebalai_gateway.routing import feeds as feeds_module
from sebalai_gateway.routing.feeds import Feeds, Trust
from sebalai_gateway.settings import GatewaySettings
from sebalai_gateway.signatures.signers import Signers
from sebalai_shared.broker import ApiError, Broker
from sebalai_shared.caller import AssertionSigner
from sebalai_shared.clock import SystemClock

PATIENCE_SECONDS = 15
BUCKET = {
    "name": "KV_SNAPSHOTS", "subjects": ["$KV.SNAPSHOTS.>"], "storage": "memory",
    "max_msgs_per_subject": 1, "num_replicas": 1, "discard": "new", "allow_rollup_hdrs": True,
    "allow_direct": True,
}  # fmt: skip


def new_key():
    return ECKey.generate_key("P-256", auto_kid=True)


def public(*keys):
    return KeySet(list(keys)).as_dict(private=False)["keys"]


class Members:
    """Exchange and identity in one small HTTP server."""

    def __init__(self):
        self.routes, self.keys, self.revoked, self._tasks = None, None, None, set()
        self.signers = None

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        try:
            await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, reader, writer):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            target = head.split(" ")[1]
            path = target.split("?")[0].split("/")[-1]
            found = {"routes": self.routes, "keys": self.keys, "signing-keys": self.signers}.get(
                path, self.revoked
            )
            after = int(parse_qs(urlsplit(target).query)["after"][0])
            status, body = "304 Not Modified", b""
            if found is not None and found[0] > after:
                status, body = "200 OK", found[1]
            length = f"content-length: {len(body)}\r\n" if body else ""
            writer.write(f"HTTP/1.1 {status}\r\n{length}\r\n".encode() + body)
            await writer.drain()


class Bench:
    def __init__(self, settings, routes_key, members, broker):
        self.settings, self.routes_key = settings, routes_key
        self.members, self.broker = members, broker
        self.keys, self.signers = KeyStore(), Signers()
        self._signer = AssertionSigner(new_key(), "urn:sebalai:gateway:ID-BB", SystemClock())
        self.revoked = RevokedSet(lambda: 0.0)
        self.feeds = Feeds(settings, Trust(self.keys, self.revoked, self.signers), self._signer)

    def anew(self, **settings):
        """Another gateway process on the same folder."""
        changed = self.settings.model_copy(update=settings)
        self.keys, self.signers = KeyStore(), Signers()
        self.revoked = RevokedSet(lambda: 0.0)
        self.feeds = Feeds(changed, Trust(self.keys, self.revoked, self.signers), self._signer)

    def routes(self, version, key=None, **more):
        key = key or self.routes_key
        payload = {"version": version, "instance": "ID-BB", "interfaces": [], "agreements": []}
        payload |= more
        header = {"alg": "ES256", "typ": "routes+jws", "kid": self.routes_key.kid}
        return jws.serialize_compact(header, json.dumps(payload), key).encode()

    async def put(self, key, document):
        await self.broker.client.publish(f"$KV.SNAPSHOTS.{key}", json.dumps(document).encode())
        await self.broker.client.flush()

    async def put_packed(self, key, version, copy):
        packed = base64.b64encode(gzip.compress(copy)).decode()
        await self.put(key, {"version": version, "gzip": packed})

    @property
    def version(self):
        table = self.feeds.table()
        return None if table is None else table.version

    async def watching(self):
        """Until the routes' subscription stands: proven by a copy that comes through."""
        await until(lambda: len(self.feeds._broker._on_reconnect) == 4)


async def until(condition):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
async def bench(nats_url, nats_token, tmp_path):
    members, routes_key = Members(), new_key()
    await members.start()
    pinned = tmp_path / "pinned.jwks"
    pinned.write_text(json.dumps({"keys": public(routes_key)}))
    settings = GatewaySettings(
        database_url="postgresql://nobody@127.0.0.1:1/none", nats_url=nats_url,
        nats_token=nats_token, public_url="http://issuer.example",
        caller_key_file=tmp_path / "unused", routes_keys_file=pinned,
        snapshot_dir=tmp_path / "snapshots", identity_url=members.url, exchange_url=members.url,
    )  # fmt: skip
    broker = Broker(settings)
    await broker.connect()
    with contextlib.suppress(ApiError):
        await broker.api("STREAM.DELETE.KV_SNAPSHOTS")
    await broker.api("STREAM.CREATE.KV_SNAPSHOTS", BUCKET)
    made = Bench(settings, routes_key, members, broker)
    try:
        yield made
    finally:
        try:
            await made.feeds.close()
        finally:
            await members.stop()
            await broker.api("STREAM.DELETE.KV_SNAPSHOTS")
            await broker.close()


async def test_keys_put_into_the_broker_by_a_stranger_are_not_believed(bench):
    bench.members.keys = (1, json.dumps({"version": 1, "keys": public(good := new_key())}).encode())
    await bench.feeds.start()
    await bench.watching()
    await until(lambda: bench.keys.trusts(good.kid))
    evil = new_key()
    await bench.put_packed("jwks", 9, json.dumps({"version": 9, "keys": public(evil)}).encode())
    await bench.put_packed("routes", 5, bench.routes(5))
    await until(lambda: bench.version == 5)
    await asyncio.sleep(0.2)
    assert not bench.keys.trusts(evil.kid)
    assert bench.keys.trusts(good.kid)


@pytest.mark.parametrize(
    "value",
    [b'{"version":1,"gzip":"H4sIAAAAAAAAA//////////////////////////AAAAAAA=="}', b'{"version":1,"gzip":"H4sIAAAAAAAAAw=="}',
     b"[]", b"7", b"x", b'{"version":null}'],
)  # fmt: skip
async def test_a_broken_last_value_does_not_end_the_watch(bench, value):
    await bench.broker.client.publish("$KV.SNAPSHOTS.routes", value)
    await bench.broker.client.flush()
    await bench.feeds.start()
    await bench.watching()
    await bench.put_packed("routes", 5, bench.routes(5))
    await until(lambda: bench.version == 5)


async def test_routes_come_by_nats_alone(bench):
    await bench.members.stop()
    await bench.put_packed("routes", 3, bench.routes(3))
    await bench.feeds.start()
    await until(lambda: bench.version == 3)
    await bench.watching()
    await bench.put_packed("routes", 4, bench.routes(4))
    await until(lambda: bench.version == 4)


async def test_routes_and_keys_come_by_http_alone(bench):
    bench.anew(nats_url="nats://127.0.0.1:1")
    bench.members.routes = (3, bench.routes(3))
    bench.members.keys = (1, json.dumps({"version": 1, "keys": public(key := new_key())}).encode())
    await bench.feeds.start()
    await until(lambda: bench.version == 3 and bench.keys.trusts(key.kid))


async def test_the_watch_begins_before_the_bucket_exists(bench):
    await bench.broker.api("STREAM.DELETE.KV_SNAPSHOTS")
    await bench.feeds.start()
    await bench.watching()
    await bench.broker.api("STREAM.CREATE.KV_SNAPSHOTS", BUCKET)
    await bench.put_packed("routes", 2, bench.routes(2))
    await until(lambda: bench.version == 2)


async def test_a_forged_or_older_table_changes_nothing(bench):
    await bench.feeds.start()
    await bench.watching()
    await bench.put_packed("routes", 5, bench.routes(5))
    await until(lambda: bench.version == 5)
    await bench.put_packed("routes", 9, bench.routes(9, new_key()))
    await bench.put_packed("routes", 4, bench.routes(4))
    await bench.put_packed("routes", 6, bench.routes(6))
    await until(lambda: bench.version == 6)


async def test_a_small_value_that_unpacks_hugely_is_refused(bench, monkeypatch, caplog):
    monkeypatch.setattr("sebalai_gateway.routing.feed.SNAPSHOT_BYTES_LIMIT", 1 << 16)
    await bench.feeds.start()
    await bench.watching()
    await bench.put_packed("routes", 9, b"a" * (1 << 20))
    await bench.put_packed("routes", 2, bench.routes(2))
    await until(lambda: bench.version == 2)
    assert "unpacks to more than" in caplog.text


async def test_the_kept_copy_serves_when_every_way_is_down(bench):
    bench.members.routes = (3, bench.routes(3))
    await bench.feeds.start()
    await until(lambda: bench.version == 3)
    await bench.feeds.close()
    await bench.members.stop()
    bench.anew(nats_url="nats://127.0.0.1:1")
    await bench.feeds.start()
    assert bench.version == 3


async def test_changes_since_the_whole_serve_after_a_restart_with_every_way_down(bench):
    bench.members.routes = (3, bench.routes(3))
    await bench.feeds.start()
    await until(lambda: bench.version == 3)
    bench.members.routes = (5, bench.routes(5, after=3))
    await until(lambda: bench.version == 5)
    await bench.feeds.close()
    await bench.members.stop()
    bench.anew(nats_url="nats://127.0.0.1:1")
    await bench.feeds.start()
    assert bench.version == 5


async def test_change_that_nats_tells_over_a_gap_makes_the_gateway_ask(bench, monkeypatch):
    bench.members.routes = (3, bench.routes(3))
    await bench.feeds.start()
    await until(lambda: bench.version == 3)
    await bench.watching()
    # From here on only the ring makes it ask.
    monkeypatch.setattr(feed, "POLL_SECONDS", 60.0)
    bench.members.routes = (8, bench.routes(8, after=3))
    await asyncio.sleep(1.1)
    bench.members.routes = (9, bench.routes(9, after=3))
    await bench.put_packed("routes", 9, bench.routes(9, after=8 + (bench.version == 3)))
    await until(lambda: bench.version == 9)


async def test_many_kept_changes_give_way_to_a_whole(bench, monkeypatch):
    monkeypatch.setattr(kept, "CHANGES_KEPT", 1)
    bench.members.routes = (1, bench.routes(1))
    await bench.feeds.start()
    for version in (2, 3):
        await until(lambda: bench.version == version - 1)
        bench.members.routes = (version, bench.routes(version, after=version - 1))
    await until(lambda: bench.version == 3)
    bench.members.routes = (3, bench.routes(3))
    file = bench.settings.snapshot_dir / "routes.snapshot"
    await until(lambda: len(file.read_bytes().split()) == 1)
    assert bench.feeds._routes.version == 3


async def test_table_far_above_the_jose_librarys_own_bound_is_taken(bench):
    far = [f"ID-BB/GOV/a/b/{number:040}" for number in range(5_000)]
    groups = [{"name": "g", "members": far}]
    bench.members.routes = (3, bench.routes(3, groups=groups))
    await bench.feeds.start()
    await until(lambda: bench.version == 3)
    payload = bench.routes(4, groups=groups).split(b".")[1]
    packed = gzip.compress(base64.urlsafe_b64decode(payload + b"=="))
    header = {"alg": "ES256", "typ": "routes+jws", "kid": bench.routes_key.kid, "cty": "gzip"}
    bench.members.routes = (4, jws.serialize_compact(header, packed, bench.routes_key).encode())
    await until(lambda: bench.version == 4)


def revocations(version, *entries, whole=False):
    return version, json.dumps(
        {"version": version, "entries": list(entries), "whole": whole}
    ).encode()


async def test_revocation_arrives_by_polling_alone_and_outlives_a_restart(bench):
    bench.members.revoked = revocations(7, ["sub.a", 100, 200], whole=True)
    await bench.feeds.start()
    await until(lambda: bench.revoked.covers("sub.a", 99))
    bench.members.revoked = revocations(9, ["sid.b", 100, 200])
    await until(lambda: bench.revoked.covers("sid.b", 99))
    assert bench.revoked.covers("sub.a", 99)
    await bench.feeds.close()
    bench.members.revoked = None
    bench.anew()
    await bench.feeds.start()
    assert bench.revoked.covers("sub.a", 99)
    assert bench.revoked.covers("sid.b", 99)
    assert not bench.revoked.covers("sub.a", 100)


async def test_a_ring_over_nats_makes_the_gateway_ask_for_revocations_at_once(bench, monkeypatch):
    monkeypatch.setattr("sebalai_gateway.routing.feed.POLL_SECONDS", 3600.0)
    await bench.feeds.start()
    await bench.watching()
    bench.members.revoked = revocations(9, ["cli.c", 100, 200])
    await bench.put("revoked", {"version": 10})
    await until(lambda: bench.revoked.covers("cli.c", 99))


async def test_revocations_that_nats_itself_tells_are_not_believed(bench):
    await bench.feeds.start()
    await bench.watching()
    _, forged = revocations(9, ["sub.everybody", 2**40, 2**40])
    await bench.put_packed("revoked", 9, forged)
    await bench.put("revoked", json.loads(forged))
    bench.members.keys = (5, json.dumps({"version": 5, "keys": public(new_key())}).encode())
    await bench.put("jwks", {"version": 5})
    await until(lambda: len(bench.keys) == 1)
    assert len(bench.revoked) == 0


@pytest.mark.parametrize("copy", [b"{}", b"[]", b'{"version": 9, "entries": 5, "whole": false}'])
async def test_malformed_revocations_leave_what_is_known(bench, copy):
    bench.members.revoked = revocations(7, ["sub.a", 100, 200], whole=True)
    await bench.feeds.start()
    await until(lambda: len(bench.revoked) == 1)
    bench.members.revoked = (9, copy)
    bench.members.keys = (5, json.dumps({"version": 5, "keys": public(new_key())}).encode())
    await until(lambda: len(bench.keys) == 1)
    assert bench.revoked.covers("sub.a", 99)


async def test_keys_that_sign_come_from_identity_and_are_kept_for_the_next_start(bench):
    told = {"application": "a", "kid": "k", "thumbprint": "t", "jwk": {}, "until": None}
    bench.members.signers = (3, json.dumps({"version": 3, "keys": [told]}).encode())
    await bench.feeds.start()
    await until(lambda: bench.signers.find("a", "k") is not None)
    bench.members.signers = (4, json.dumps({"version": 4, "keys": []}).encode())
    await until(lambda: bench.signers.find("a", "k") is None)
    await bench.feeds.close()
    bench.members.signers = None
    bench.anew()
    await bench.feeds.start()
    assert bench.signers.version == 4


async def test_the_word_is_what_members_tell_after_it_was_asked_for(bench):
    """A table from before an outage must not let calls through after it."""
    bench.members.routes = (3, bench.routes(3))
    await bench.feeds.start()
    await until(lambda: bench.version == 3)
    bench.members.routes = (4, bench.routes(4))
    bench.members.revoked = revocations(7, ["sub.a", 100, 200], whole=True)
    await bench.feeds.word()
    assert bench.version == 4
    assert bench.revoked.covers("sub.a", 99)


async def test_what_nats_kept_is_no_word(bench, monkeypatch, caplog):
    """Its last value may be older than what exchange has answered since."""
    monkeypatch.setattr(feeds_module, "WORD_SECONDS", 1.0)
    await bench.members.stop()
    await bench.put_packed("routes", 3, bench.routes(3))
    await bench.feeds.start()
    await until(lambda: bench.version == 3)
    word = asyncio.create_task(bench.feeds.word())
    await asyncio.sleep(0)
    await bench.put_packed("routes", 4, bench.routes(4))
    await until(lambda: bench.version == 4)
    await word
    assert "calls go on by what was known before of routes" in caplog.text


async def test_without_members_calls_go_on_by_what_was_known(bench, monkeypatch, caplog):
    monkeypatch.setattr(feeds_module, "WORD_SECONDS", 0.3)
    await bench.members.stop()
    await bench.feeds.start()
    await bench.feeds.word()
    assert "calls go on by what was known before of routes, jwks, signers, revoked" in caplog.text
