"""Snapshots reach the gateway by disk, NATS and HTTP, each alone enough; none unsigned is taken."""

import asyncio
import base64
import contextlib
import gzip
import json

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.revoked import RevokedSet
from sebalai_gateway.routing.feeds import Feeds, NotYet, Trust
from sebalai_gateway.settings import GatewaySettings
from sebalai_gateway.signatures.signers import Signers
from sebalai_shared.caller import AssertionSigner
from sebalai_shared.clock import SystemClock

EXCHANGE = ECKey.generate_key("P-256", auto_kid=True)
STRANGER = ECKey.generate_key("P-256", auto_kid=True)
CALLERS = ECKey.generate_key("P-256", auto_kid=True)
TOKENS = ECKey.generate_key("P-256", {"kid": "k1"})
NOWHERE = "http://127.0.0.1:1"
BUCKET = {
    "name": "KV_SNAPSHOTS", "subjects": ["$KV.SNAPSHOTS.>"], "max_msgs_per_subject": 1,
    "allow_rollup_hdrs": True,
}  # fmt: skip


def routes(version=1, *, key=EXCHANGE, typ="routes+jws", kid=None):
    payload = {"version": version, "instance": "ID-BB", "interfaces": [], "agreements": []}
    header = {"alg": "ES256", "typ": typ, "kid": kid or key.thumbprint()}
    return jws.serialize_compact(header, orjson.dumps(payload), key, algorithms=["ES256"]).encode()


def keys(version=1):
    return orjson.dumps({"version": version, "keys": [TOKENS.as_dict(private=False)]})


def packed(copy, version):
    return orjson.dumps(
        {"version": version, "gzip": base64.b64encode(gzip.compress(copy)).decode()}
    )


class Members:
    """Exchange and identity as far as a gateway asks them: their two internal addresses."""

    def __init__(self):
        self.routes, self.keys, self.asked = None, None, []

    async def __call__(self, scope, _receive, send):
        headers = dict(scope["headers"])
        self.asked.append((scope["path"], scope["query_string"], headers.get(b"sebalai-caller")))
        copy = self.routes if scope["path"] == "/internal/routes" else self.keys
        status = 304 if copy is None else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": copy or b""})


@pytest.fixture
async def members(serving):
    made = Members()
    async with serving(made) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
async def broker(emptied_broker):
    """A real NATS whose bucket is there and empty."""
    async with emptied_broker(BUCKET) as broker:
        yield broker


@pytest.fixture
def settings(tmp_path):
    """A gateway's settings with everything around it down."""
    pinned = tmp_path / "routes.json"
    pinned.write_text(json.dumps(KeySet([EXCHANGE]).as_dict(private=False)), encoding="utf-8")
    return GatewaySettings(
        caller_key_file=tmp_path / "unused",
        routes_keys_file=pinned,
        snapshot_dir=tmp_path / "snapshots",
        identity_url=NOWHERE,
        exchange_url=NOWHERE,
        nats_url="nats://127.0.0.1:1",
    )


class Gateway:
    """A gateway's feeds, running."""

    def __init__(self, settings):
        self.keys = KeyStore()
        signer = AssertionSigner(CALLERS, settings.audience, SystemClock())
        self.feeds = Feeds(settings, Trust(self.keys, RevokedSet(), Signers()), signer)

    @property
    def versions(self):
        table = self.feeds.table()
        return (-1 if table is None else table.version, self.keys.version)

    async def reach(self, *versions):
        async with asyncio.timeout(20):
            while self.versions != versions:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(settings):
    gateway = Gateway(settings)
    await gateway.feeds.start()
    try:
        yield gateway
    finally:
        await gateway.feeds.close()


def keep(settings, name, copy):
    settings.snapshot_dir.mkdir(exist_ok=True)
    (settings.snapshot_dir / f"{name}.snapshot").write_bytes(copy)


def kept(settings, name):
    return (settings.snapshot_dir / f"{name}.snapshot").read_bytes()


async def put(broker, key, value):
    await broker.client.jetstream().publish(f"$KV.SNAPSHOTS.{key}", value)


def over_http(settings, members):
    return settings.model_copy(update={"identity_url": members.url, "exchange_url": members.url})


def over_nats(settings, nats_url, nats_token):
    return settings.model_copy(update={"nats_url": nats_url, "nats_token": SecretStr(nats_token)})


async def test_kept_copies_are_used_at_start_with_everything_down(settings):
    keep(settings, "routes", routes(7))
    keep(settings, "jwks", keys(5))
    async with running(settings) as gateway:
        assert gateway.versions == (7, 5)
        assert gateway.keys.trusts("k1")
        await gateway.feeds.check_routes()
        await gateway.feeds.check_keys()


async def test_gateway_without_any_copy_is_not_ready(settings):
    async with running(settings) as gateway:
        with pytest.raises(NotYet):
            await gateway.feeds.check_routes()
        with pytest.raises(NotYet):
            await gateway.feeds.check_keys()


@pytest.mark.parametrize(
    "copy",
    [b"", b"{", b"{}", b"[]", b"null", b'{"version":1}', b'{"version":"x","keys":[]}',
     b'{"version":1,"keys":[{"kty":"EC","crv":"P-256","kid":"k1"}]}',
     b'{"version":1,"keys":[7]}', b"\xff"],
)  # fmt: skip
async def test_spoilt_copies_on_disk_do_not_hinder_the_start(settings, copy):
    keep(settings, "routes", copy)
    keep(settings, "jwks", copy)
    async with running(settings) as gateway:
        assert gateway.versions == (-1, -1)


async def test_spoilt_answer_of_a_member_does_not_end_the_polling(settings, members):
    members.keys, members.routes = b"{}", b"{}"
    async with running(over_http(settings, members)) as gateway:
        async with asyncio.timeout(20):
            while len({asked[0] for asked in members.asked}) < 2:
                await asyncio.sleep(0.01)
        members.keys, members.routes = keys(1), routes(1)
        await gateway.reach(1, 1)


def forged():
    """Good payloads that exchange did not sign as routes."""
    head, body, signature = routes(9).split(b".")
    other = routes(10).split(b".")[1]
    return {
        "stranger": routes(9, key=STRANGER),
        "stranger under our key id": routes(9, key=STRANGER, kid=EXCHANGE.thumbprint()),
        "another type": routes(9, typ="caller+jwt"),
        "another payload": b".".join((head, other, signature)),
        "no signature": b".".join((head, body, b"")),
        "plain payload": base64.urlsafe_b64decode(body + b"=="),
    }


@pytest.mark.parametrize("name", forged())
async def test_routes_that_exchange_did_not_sign_are_refused(settings, name):
    gateway = Gateway(settings)
    assert gateway.feeds._take_routes(routes(1)) == 1
    with pytest.raises(ValueError, match="the routing snapshot"):
        gateway.feeds._take_routes(forged()[name])
    assert gateway.versions == (1, -1)


async def test_older_or_equal_version_is_ignored(settings):
    gateway = Gateway(settings)
    assert gateway.feeds._take_routes(routes(3)) == 3
    table = gateway.feeds.table()
    assert gateway.feeds._take_routes(routes(2)) is None
    assert gateway.feeds._take_routes(routes(3)) is None
    assert gateway.feeds.table() is table
    assert gateway.feeds._take_keys(keys(3)) == 3
    assert gateway.feeds._take_keys(keys(2)) is None
    assert gateway.versions == (3, 3)


async def test_http_alone_is_enough_and_what_came_is_kept(settings, members):
    members.keys, members.routes = keys(1), routes(1)
    async with running(over_http(settings, members)) as gateway:
        await gateway.reach(1, 1)
        members.routes = routes(2)
        await gateway.reach(2, 1)
    assert kept(settings, "routes").strip() == members.routes
    assert kept(settings, "jwks") == keys(1)
    assert all(assertion for _, _, assertion in members.asked)
    assert ("/internal/routes", b"after=1") in {asked[:2] for asked in members.asked}


async def test_source_that_tells_only_what_cannot_be_taken_is_not_heard(
    settings, members, monkeypatch
):
    monkeypatch.setattr("sebalai_gateway.routing.feed.POLL_SECONDS", 0.01)
    members.routes = routes(9, key=STRANGER)
    async with running(over_http(settings, members)) as gateway:
        feed = gateway.feeds._feeds["routes"]
        began, told = feed.heard_at, ("/internal/routes", b"after=0")
        async with asyncio.timeout(20):
            while [asked[:2] for asked in members.asked].count(told) < 3:
                await asyncio.sleep(0.01)
        assert feed.heard_at == began
        members.routes = routes(1)
        await gateway.reach(1, -1)
        assert feed.heard_at > began


async def test_routes_come_by_nats_alone_but_keys_never(settings, broker, nats_url, nats_token):
    await put(broker, "jwks", keys(2))
    await put(broker, "routes", packed(routes(4), 4))
    async with running(over_nats(settings, nats_url, nats_token)) as gateway:
        await gateway.reach(4, -1)
        await put(broker, "jwks", keys(3))
        newest = routes(5)
        await put(broker, "routes", packed(newest, 5))
        await gateway.reach(5, -1)
    assert kept(settings, "routes").strip() == newest


async def test_forged_or_spoilt_value_in_the_bucket_is_passed_over(
    settings, broker, nats_url, nats_token
):
    async with running(over_nats(settings, nats_url, nats_token)) as gateway:
        await put(broker, "routes", packed(routes(9, key=STRANGER), 9))
        for value in (b"", b"{}", b"[]", b"7", b'{"gzip":"!"}', b'{"gzip":7}', b'{"gzip":"AAAA"}',
                      b'{"version":1,"gzip":"H4sIAAAA"}'):  # fmt: skip
            await put(broker, "routes", value)
            await put(broker, "jwks", value)
        await put(broker, "routes", packed(routes(1), 1))
        await gateway.reach(1, -1)


async def test_pointer_in_the_bucket_makes_the_gateway_fetch(
    settings, members, broker, nats_url, nats_token, monkeypatch
):
    monkeypatch.setattr("sebalai_gateway.routing.feed.POLL_SECONDS", 3_600)
    both = over_nats(over_http(settings, members), nats_url, nats_token)
    members.keys, members.routes = keys(1), routes(1)
    async with running(both) as gateway:
        await gateway.reach(1, 1)
        members.routes = routes(2)
        while gateway.versions != (2, 1):
            await put(broker, "routes", b'{"version":2}')
            await asyncio.sleep(0.05)


async def test_unknown_key_makes_the_gateway_fetch(settings, members, monkeypatch):
    monkeypatch.setattr("sebalai_gateway.routing.feed.POLL_SECONDS", 3_600)
    members.keys = keys(1)
    async with running(over_http(settings, members)) as gateway:
        await gateway.reach(-1, 1)
        members.keys = keys(2)
        assert gateway.keys.get("k9") is None
        await gateway.reach(-1, 2)
