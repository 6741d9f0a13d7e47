"""Secrets by which the gateway appears before providers: shown, changed, missing, and never told."""

import asyncio
import base64

import pytest
from prometheus_client import generate_latest

PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
SECRET = "s3kr-et.AAAA-bbbb"
KINDS = {
    "bearer": ({"kind": "bearer"}, SECRET, ("Authorization", f"Bearer {SECRET}")),
    "basic": (
        {"kind": "basic"}, f"simduk:{SECRET} ü",
        ("Authorization", f"Basic {base64.b64encode(f'simduk:{SECRET} ü'.encode()).decode()}"),
    ),
    "header": ({"kind": "header", "header": "X-Api-Key"}, f"key {SECRET}", ("X-Api-Key", f"key {SECRET}")),
    "own scheme": (
        {"kind": "header", "header": "Authorization"}, f"ApiKey {SECRET}", ("Authorization", f"ApiKey {SECRET}"),
    ),
}  # fmt: skip
# In two, because the tree holds no line that begins a key.
KEY_LINE = "-----BEGIN " + "PRIVATE"
FORGED = {"X-Api-Key": "forged", "x_api_key": "forged", "Proxy-Authorization": "forged"}


async def problem_of(answer):
    return (answer.status, (await answer.json(content_type=None))["type"].rsplit(":", 1)[1])


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def secure(bus, providing, authority):
    """A provider behind TLS whose interface names a credential, and how it is offered."""
    async with providing(authority.serves(), "localhost") as made:

        def offer(name="rahasia", room=100, **credential):
            wanted, more = {"id": "simduk"} | credential, {"max_concurrency": room}
            bus.offer(name, made.url, trust_anchors=authority.pem, credential=wanted, **more)

        made.offer = offer
        yield made


@pytest.mark.parametrize("kind", KINDS)
async def test_provider_sees_the_gateways_secret_and_nothing_the_consumer_claims(bus, secure, kind):
    wanted, content, (name, value) = KINDS[kind]
    secure.offer(**wanted)
    bus.keep("simduk", content + "\n")
    async with bus.call(interface="rahasia", headers=bus.headers(**FORGED)) as answer:
        assert answer.status == 200
    (seen,) = secure.seen
    raw = value.encode().decode("latin-1")
    assert seen.headers.getall(name) == [raw]
    assert bus.token not in str(seen.headers)
    if name == "X-Api-Key":
        assert "forged" not in str(seen.headers)


async def test_secret_stands_nowhere_but_on_the_way_to_the_provider(bus, secure, caplog):
    secure.offer(kind="bearer")
    bus.keep("simduk", SECRET)
    async with bus.call(interface="rahasia") as answer:
        told = str(answer.headers) + await answer.text()
    bus.keep("simduk", f"{SECRET} is not one")
    async with bus.call(interface="rahasia") as answer:
        assert await problem_of(answer) == (503, "provider-credential-unavailable")
        told += str(answer.headers) + await answer.text()
    rows = await bus.database.fetch("SELECT record::text FROM journal")
    assert len(rows) == 3
    assert SECRET not in f"{told}{rows}{bus.lines}{caplog.text}"
    assert "not available" in caplog.text


async def test_trace_would_tell_the_secret_and_is_refused_before_the_provider_hears(bus, secure):
    """A provider that answers TRACE sends back what it was sent; the agreement's rule is `*`."""
    secure.offer(kind="bearer")
    bus.keep("simduk", SECRET)
    async with bus.call("TRACE", interface="rahasia") as answer:
        assert await problem_of(answer) == (405, "method-not-allowed")
        assert "GET" in answer.headers["Allow"].split(", ")
        message_id = answer.headers["Sebalai-Message-Id"]
    assert secure.seen == []
    record = await bus.record(message_id)
    assert (record["outcome"], record["problem"]) == ("refused", "method-not-allowed")
    assert record["interface"] == f"{PROVIDER}/rahasia"


async def test_secret_that_goes_while_a_call_waits_for_room_leaves_its_key_free(bus, secure):
    usual, held = secure.answer, asyncio.Event()

    async def answer(seen, writer):
        await held.wait()
        await usual(seen, writer)

    async def post():
        headers = bus.headers(**{"Idempotency-Key": "satu"})
        async with bus.call("POST", interface="rahasia", data=b"x", headers=headers) as found:
            slug = None if found.status == 200 else (await problem_of(found))[1]
            return found.status, slug, found.headers["Sebalai-Message-Id"]

    async def read():
        async with bus.call(interface="rahasia") as found:
            assert found.status == 200

    secure.answer = answer
    secure.offer(kind="bearer", room=1)
    bus.keep("simduk", SECRET)
    first = asyncio.create_task(read())
    await until(lambda: secure.seen)
    second = asyncio.create_task(post())
    await until(lambda: bus.calls.destinations.exchanges == (1, 1))
    (file,) = bus.secrets.iterdir()
    file.unlink()
    bus.now += 1
    held.set()
    await first
    status, slug, message_id = await second
    assert (status, slug) == (503, "provider-credential-unavailable")
    record = await bus.record(message_id)
    assert (record["outcome"], record["forwarded_at"]) == ("refused", None)
    bus.keep("simduk", SECRET)
    assert (await post())[0] == 200
    assert len(secure.seen) == 2


async def test_missing_secret_is_refused_before_the_provider_hears_and_found_when_it_comes(
    bus, secure
):
    secure.offer(kind="bearer")
    async with bus.call("POST", interface="rahasia", data=b"x") as answer:
        assert await problem_of(answer) == (503, "provider-credential-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        message_id = answer.headers["Sebalai-Message-Id"]
    assert secure.connections == 0
    assert await bus.phases(message_id) == ["completed"]
    assert (await bus.record(message_id))["outcome"] == "refused"
    bus.keep("simduk", SECRET)
    async with bus.call("POST", interface="rahasia", data=b"x") as answer:
        assert answer.status == 200
    for file in bus.secrets.iterdir():
        file.unlink()
    bus.now += 1
    async with bus.call("POST", interface="rahasia", data=b"x") as answer:
        assert await problem_of(answer) == (503, "provider-credential-unavailable")


async def test_changed_secret_is_shown_within_a_second_on_a_connection_of_its_own(bus, secure):
    secure.offer(kind="bearer")
    for number in range(3):
        bus.keep("simduk", f"secret-{number}")
        for _ in range(2):
            async with bus.call(interface="rahasia") as answer:
                assert answer.status == 200
    shown = [seen.headers["Authorization"] for seen in secure.seen]
    assert shown == [f"Bearer secret-{number}" for number in (0, 0, 1, 1, 2, 2)]
    assert secure.connections == 3


async def test_interfaces_with_other_credentials_or_none_never_share_a_connection(
    bus, secure, authority
):
    secure.offer("satu", kind="bearer")
    secure.offer("dua", kind="bearer", id="lain")
    bus.offer("tiga", secure.url, trust_anchors=authority.pem)
    bus.keep("simduk", SECRET)
    bus.keep("lain", SECRET)
    for name in ("satu", "dua", "tiga") * 2:
        async with bus.call(interface=name) as answer:
            assert answer.status == 200
    assert secure.connections == 3
    assert [seen.headers.get("Authorization") is None for seen in secure.seen] == [
        False,
        False,
        True,
    ] * 2


async def test_application_cannot_name_anothers_secret(bus, secure):
    bus.keep("simduk", SECRET, owner="ID-BB/GOV/dinkes/puskesmas")
    for name in ("simduk", "../simduk", "x/../simduk", ""):
        secure.offer(kind="bearer", id=name)
        async with bus.call(interface="rahasia") as answer:
            assert await problem_of(answer) == (503, "provider-credential-unavailable")
    assert secure.connections == 0


@pytest.mark.parametrize(
    "content",
    ["", "two words", "line\r\nX-Admin: 1", "x" * 70_000, b"\xff\xfe"],
    ids=["empty", "words", "lines", "large", "bytes"],
)
async def test_content_that_is_no_secret_of_its_kind_is_refused(bus, secure, content):
    secure.offer(kind="bearer")
    bus.keep("simduk", content)
    async with bus.call(interface="rahasia") as answer:
        assert await problem_of(answer) == (503, "provider-credential-unavailable")
    assert secure.connections == 0


@pytest.mark.parametrize(
    "name", ["Host", "Content-Length", "Transfer-Encoding", "Sebalai-Caller", None]
)
async def test_header_that_carries_the_exchange_carries_no_secret(bus, secure, name):
    secure.offer(kind="header", header=name)
    bus.keep("simduk", "7")
    async with bus.call(interface="rahasia") as answer:
        assert await problem_of(answer) == (503, "provider-credential-unavailable")


async def test_secret_is_not_sent_in_the_clear(bus, provider):
    bus.offer("rahasia", provider.url, credential={"kind": "bearer", "id": "simduk"})
    bus.keep("simduk", SECRET)
    async with bus.call(interface="rahasia") as answer:
        assert await problem_of(answer) == (503, "provider-credential-unavailable")
    assert provider.seen == []


async def test_provider_that_asks_for_a_certificate_sees_the_gateways(bus, providing, authority):
    async with providing(authority.serves("localhost", asks=True), "localhost") as provider:
        wanted = {"kind": "client_certificate", "id": "sertifikat"}
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem, credential=wanted)
        peers = []

        async def answer(seen, writer):
            names = writer.get_extra_info("peercert")["subjectAltName"]
            peers.append(dict(names)["DNS"])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        provider.answer = answer
        for host in ("gateway.example", "gateway.example", "new.example"):
            if host not in peers:
                bus.keep("sertifikat", authority.issue(host).read_bytes())
            async with bus.call(interface="rahasia") as found:
                assert found.status == 200
    assert peers == ["gateway.example", "gateway.example", "new.example"]
    assert provider.connections == 2


async def test_certificate_changed_since_it_was_looked_at_is_not_shown_as_the_one_before(
    bus, providing, authority
):
    """A connection is kept for the certificate it was made with, or an older one would live on."""
    async with providing(authority.serves("localhost", asks=True), "localhost") as provider:
        wanted = {"kind": "client_certificate", "id": "sertifikat"}
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem, credential=wanted)
        bus.keep("sertifikat", authority.issue("old.example").read_bytes())
        assert bus.calls.missing() == 0
        bus.keep("sertifikat", authority.issue("new.example").read_bytes())
        bus.now -= 1  # less than a second ago
        async with bus.call("POST", interface="rahasia") as found:
            assert await problem_of(found) == (503, "provider-credential-unavailable")
        assert provider.connections == 0
        bus.now += 1
        async with bus.call("POST", interface="rahasia") as found:
            assert found.status == 200


@pytest.mark.parametrize("content", ["none", "half", "of another key"])
async def test_certificate_without_its_key_is_refused_at_the_gateway(
    bus, providing, authority, content
):
    pem = authority.issue().read_text()
    end = pem.index(KEY_LINE)
    other = authority.issue().read_text()
    mixed = {
        "none": "x",
        "half": pem[:end],
        "of another key": other[: other.index(KEY_LINE)] + pem[end:],
    }
    async with providing(authority.serves("localhost", asks=True), "localhost") as provider:
        wanted = {"kind": "client_certificate", "id": "sertifikat"}
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem, credential=wanted)
        bus.keep("sertifikat", mixed[content])
        async with bus.call(interface="rahasia") as found:
            assert await problem_of(found) == (503, "provider-credential-unavailable")
    assert provider.connections == 0


@pytest.mark.parametrize("shown", ["nothing", "a stranger's"])
async def test_provider_that_does_not_accept_the_certificate_is_told_apart(
    bus, authority, stranger, by_hand, shown
):
    """With TLS 1.3 the handshake is over for us before the provider has looked."""
    wanted = {"kind": "client_certificate", "id": "sertifikat"}
    bus.keep("sertifikat", stranger.issue("gateway.example").read_bytes())
    more = {} if shown == "nothing" else {"credential": wanted}
    with by_hand(authority.serves("localhost", asks=True)) as url:
        bus.offer("rahasia", url, trust_anchors=authority.pem, **more)
        async with bus.call("POST", interface="rahasia") as found:
            assert await problem_of(found) == (502, "provider-tls-failed")


async def test_failing_calls_and_interfaces_without_their_secret_are_counted(bus, secure):
    secure.offer(kind="bearer")
    assert bus.calls.missing() == 1
    async with bus.call(interface="rahasia") as answer:
        assert answer.status == 503
    bus.keep("simduk", SECRET)
    assert bus.calls.missing() == 0
    async with bus.call(interface="rahasia") as answer:
        assert answer.status == 200
    bus.calls._parts.meter.tell()
    text = generate_latest(bus.calls._parts.meter.registry).decode()
    name = f'interface="{PROVIDER}/rahasia"'
    assert f"sebalai_gateway_credential_failures_total{{{name}}} 1.0" in text
    assert f'sebalai_gateway_calls_total{{{name},outcome="answered",status="2xx"}} 1.0' in text
    assert f'sebalai_gateway_calls_total{{{name},outcome="refused",status="5xx"}} 1.0' in text
    assert "sebalai_gateway_provider_seconds_count 1.0" in text
    assert "sebalai_gateway_journal_wait_seconds_count 2.0" in text
    assert "simduk" not in text
