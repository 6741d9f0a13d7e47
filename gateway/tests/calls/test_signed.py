"""Signed messages under an agreement that asks for them: taken, refused by name, evidenced."""

import base64
import hashlib
import os
import time
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey
from sebalai_shared.signatures import Message, Terms, base_of, holds, read, sign

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
ALWAYS = ["@method", "@path", "@query", "sebalai-purpose"]
KEYS = {name: ECKey.generate_key("P-256") for name in (CONSUMER, PROVIDER)}


def digest(body):
    return b"sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()) + b":"


@pytest.fixture(params=["both"])
def signing(request):
    return request.param


@pytest.fixture
def signed_bus(bus, provider, signing):
    bus.offer("tanda", provider.url, signing=signing)
    bus.signers.replace(
        1,
        [
            {"application": name, "kid": "own", "thumbprint": key.thumbprint(),
             "jwk": key.as_dict(private=False), "until": None}
            for name, key in KEYS.items()
        ],
    )  # fmt: skip
    return bus


class Request:
    """One request to the interface, signed as a test wants."""

    def __init__(self, bus, method="GET", rest="/open/x?b=2", body=b"", **headers):
        self.bus, self.method, self.rest, self.body = bus, method, rest, body
        told = {"Sebalai-Purpose": "verifikasi-bansos"} | headers
        self.headers = [(n.lower().encode(), v.encode()) for n, v in told.items()]
        if body:
            self.headers.append((b"content-digest", digest(body)))
        self.covered = [
            *ALWAYS,
            *(n.lower() for n in headers),
            *(["content-digest"] if body else []),
        ]
        self.key = KEYS[CONSUMER]
        self.terms = Terms("mine", "own", int(time.time()), "sebalai-r1", os.urandom(16).hex())

    def say(self, **terms):
        self.terms = replace(self.terms, **terms)
        return self

    def sign(self):
        path, _, query = self.bus.path(self.rest, "tanda").partition("?")
        message = Message(self.headers, self.method, path, query)
        self.signed = sign(self.key.private_key, self.covered, self.terms, message)
        return [*self.headers, *self.signed.headers]

    def send(self, headers=None, rest=None, body=None):
        headers = self.sign() if headers is None else headers
        told = [("Authorization", f"Bearer {self.bus.token}")]
        told += [(n.decode(), v.decode()) for n, v in headers]
        return self.bus.call(
            self.method, rest or self.rest, interface="tanda", headers=told,
            data=(self.body if body is None else body) or None,
        )  # fmt: skip


def answering(body=b"hello", status=200, key=None, covered=None, told=None, sign_it=True):
    """A provider that signs its answers."""

    async def answer(seen, writer):
        headers = [(b"content-digest", digest(told or body))]
        asked = Message([(b"x-road-request-id", seen.headers["X-Road-Request-Id"].encode())])
        terms = Terms("theirs", "own", int(time.time()), "sebalai-r1")
        signed = sign(
            (key or KEYS[PROVIDER]).private_key,
            covered or ["@status", "content-digest", "x-road-request-id;req"],
            terms, Message(headers, status=status), asked,
        )  # fmt: skip
        lines = [*headers, *(signed.headers if sign_it else [])]
        head = b"".join(b"%b: %b\r\n" % line for line in lines)
        writer.write(
            b"HTTP/1.1 %d X\r\n%bContent-Length: %d\r\n\r\n%b" % (status, head, len(body), body)
        )

    return answer


async def problem(answer):
    found = await answer.json(content_type=None)
    return answer.status, found["type"].rpartition(":")[2]


async def test_a_signed_exchange_is_answered_and_evidenced_on_both_sides(signed_bus, provider):
    provider.answer = answering()
    request = Request(signed_bus, "POST", body=b"question", **{"X-Road-Issue": "perkara-7"})
    async with request.send() as answer:
        assert (answer.status, await answer.read()) == (200, b"hello")
    record = await signed_bus.record(answer.headers["Sebalai-Message-Id"])
    salt = base64.urlsafe_b64decode(record["salt"] + "=")
    mine, theirs = record["signatures"]["request"], record["signatures"]["response"]
    assert mine["key"] == KEYS[CONSUMER].thumbprint()
    assert mine["base_digest"] == hashlib.sha256(salt + request.signed.base).hexdigest()
    assert theirs["key"] == KEYS[PROVIDER].thumbprint()
    assert "nonce" not in str(record)
    given = [(n.lower().encode(), v.encode()) for n, v in answer.headers.items()]
    found = read(given, "sebalai-r1")
    number = answer.headers["Sebalai-Message-Id"].encode()
    asked = Message([(b"x-road-request-id", number)])
    base = base_of(found.components, found.inner, Message(given, status=200), asked)
    assert holds(KEYS[PROVIDER].private_key.public_key(), found, base)


async def test_the_provider_gets_the_consumers_signature_and_the_gateways_own(signed_bus, provider):
    provider.answer = answering()
    request = Request(signed_bus, "POST", body=b"question")
    async with request.send() as answer:
        assert answer.status == 200
    seen = provider.seen[0]
    headers = [(n.lower().encode(), v.encode()) for n, v in seen.headers.items()]
    assert read(headers, "sebalai-r1").value == read(request.signed.headers, "sebalai-r1").value
    ours = read(headers, "sebalai-gateway")
    path, _, query = seen.target.partition("?")
    base = base_of(ours.components, ours.inner, Message(headers, seen.method, path, query))
    assert holds(signed_bus.own_key.public_key(), ours, base)
    assert {'"x-road-client"', '"x-road-request-id"', '"content-digest"'} <= set(ours.components)


async def test_a_digest_that_is_not_checked_does_not_stand_for_the_body(signed_bus, provider):
    """A signature over `sha-512` alone would let the body be any other (r1, 4b.3)."""
    request = Request(signed_bus, "POST", body=b"question")
    told = base64.b64encode(hashlib.sha512(b"another").digest())
    request.headers[-1] = (b"content-digest", b"sha-512=:" + told + b":")
    async with request.send() as answer:
        assert await problem(answer) == (403, "signature-incomplete")
    assert provider.seen == []


@pytest.mark.parametrize("signing", ["request"], indirect=True)
async def test_where_only_the_request_is_signed_any_answer_will_do(signed_bus):
    async with Request(signed_bus).send() as answer:
        assert answer.status == 200
    assert set((await signed_bus.record())["signatures"]) == {"request"}


async def test_an_unsigned_call_is_refused_with_the_rule_and_told_what_to_sign(
    signed_bus, provider
):
    request = Request(signed_bus)
    async with request.send(request.headers) as answer:
        found = await answer.json(content_type=None)
    assert (answer.status, found["type"]) == (403, "urn:sebalai:problem:signature-missing")
    assert found["rule"] == "agreement agreement-tanda"
    assert 'tag="sebalai-r1"' in answer.headers["Accept-Signature"]
    assert provider.seen == []
    record = await signed_bus.record()
    assert (record["outcome"], record["problem"]) == ("refused", "signature-missing")


async def test_a_request_is_good_once(signed_bus, provider):
    provider.answer = answering()
    request = Request(signed_bus)
    headers = request.sign()
    async with request.send(headers) as answer:
        assert answer.status == 200
    async with request.send(headers) as answer:
        assert await problem(answer) == (403, "signature-replayed")
    assert len(provider.seen) == 1


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(-295, True), (-305, False), (20, True), (40, False)]
)
async def test_a_request_is_good_for_a_while(signed_bus, provider, seconds, is_taken):
    provider.answer = answering()
    request = Request(signed_bus).say(created=int(time.time()) + seconds)
    async with request.send() as answer:
        if is_taken:
            assert answer.status == 200
        else:
            assert await problem(answer) == (403, "signature-expired")


@pytest.mark.parametrize(
    "left_out", ["@method", "@path", "@query", "sebalai-purpose", "content-digest", "x-road-issue"]
)
async def test_what_must_be_covered_is_named_when_it_is_not(signed_bus, provider, left_out):
    request = Request(signed_bus, "POST", body=b"q", **{"X-Road-Issue": "perkara-7"})
    request.covered.remove(left_out)
    async with request.send() as answer:
        found = await answer.json(content_type=None)
    assert found["type"] == "urn:sebalai:problem:signature-incomplete"
    assert f'"{left_out}"' in found["detail"]
    assert provider.seen == []


async def test_nothing_signed_may_change_on_the_way(signed_bus, provider):
    request = Request(signed_bus, "POST", body=b"question", **{"X-Road-Issue": "perkara-7"})
    async with request.send(rest="/open/y?b=2") as answer:
        assert await problem(answer) == (403, "signature-wrong")
    headers = [
        (n, b"perkara-8" if n == b"x-road-issue" else v)
        for n, v in request.say(nonce="n" * 16).sign()
    ]
    async with request.send(headers) as answer:
        assert await problem(answer) == (403, "signature-wrong")
    async with request.say(nonce="m" * 16).send(body=b"another!") as answer:
        assert await problem(answer) == (400, "digest-mismatch")
    assert all(not seen.is_whole for seen in provider.seen)


async def test_an_added_header_of_the_bus_is_not_covered(signed_bus):
    request = Request(signed_bus)
    headers = [*request.sign(), (b"x-road-userid", b"somebody")]
    async with request.send(headers) as answer:
        assert await problem(answer) == (403, "signature-incomplete")


async def test_only_the_callers_own_key_signs(signed_bus, provider):
    provider.answer = answering()
    request = Request(signed_bus)
    request.key = KEYS[PROVIDER]
    async with request.send() as answer:
        assert await problem(answer) == (403, "signature-wrong")
    async with request.say(keyid=KEYS[PROVIDER].thumbprint()).send() as answer:
        assert await problem(answer) == (403, "signature-key-unknown")
    request.key = KEYS[CONSUMER]
    async with request.say(keyid="own").send() as answer:
        assert answer.status == 200
    signed_bus.signers.replace(2, [])
    async with request.say(nonce="x" * 20).send() as answer:
        assert await problem(answer) == (403, "signature-key-unknown")


@pytest.mark.parametrize("nonce", ["", "short", "n" * 129])
async def test_a_nonce_has_its_length(signed_bus, nonce):
    async with Request(signed_bus).say(nonce=nonce).send() as answer:
        assert await problem(answer) == (400, "signature-malformed")


async def test_two_readings_of_a_signature_are_refused(signed_bus):
    request = Request(signed_bus)
    headers = [*request.sign(), (b"signature-input", b"mine=();created=1")]
    async with request.send(headers) as answer:
        assert await problem(answer) == (400, "signature-malformed")


@pytest.mark.parametrize(
    ("way", "slug"),
    [
        ({"sign_it": False}, "answer-unsigned"),
        ({"covered": ["@status", "x-road-request-id;req"]}, "answer-unsigned"),
        ({"covered": ["@status", "content-digest"]}, "answer-unsigned"),
        ({"key": KEYS[CONSUMER]}, "answer-signature-wrong"),
        ({"told": b"HELLO"}, "answer-signature-wrong"),
    ],
)
async def test_an_answer_that_is_not_signed_as_agreed_is_not_given(signed_bus, provider, way, slug):
    provider.answer = answering(**way)
    async with Request(signed_bus).send() as answer:
        assert await problem(answer) == (502, slug)
        assert b"hello" not in await answer.read()
    record = await signed_bus.record()
    assert (record["outcome"], record["problem"]) == ("failed", slug)


async def test_answers_without_a_body_need_no_digest(signed_bus, provider):
    async def answer(seen, writer):
        asked = Message([(b"x-road-request-id", seen.headers["X-Road-Request-Id"].encode())])
        terms = Terms("theirs", "own", int(time.time()), "sebalai-r1")
        signed = sign(
            KEYS[PROVIDER].private_key,
            ["@status", "x-road-request-id;req"],
            terms,
            Message([], status=204),
            asked,
        )
        head = b"".join(b"%b: %b\r\n" % line for line in signed.headers)
        writer.write(b"HTTP/1.1 204 X\r\n%b\r\n" % head)

    provider.answer = answer
    async with Request(signed_bus, "DELETE").send() as given:
        assert given.status == 204


async def test_no_nonce_no_call(signed_bus, provider, database):
    await database.execute("ALTER TABLE signature_nonce RENAME TO away")
    try:
        async with Request(signed_bus).send() as answer:
            assert await problem(answer) == (503, "journal-unavailable")
    finally:
        await database.execute("ALTER TABLE away RENAME TO signature_nonce")
    assert provider.seen == []
