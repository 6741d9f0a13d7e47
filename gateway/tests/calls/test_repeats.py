"""Idempotency-Key: the same call never reaches the provider twice, and its answer is given again."""

import asyncio
import base64
import hashlib

import pytest
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.repeats.claims import BODY_BYTES_LIMIT
from sebalai_gateway.repeats.keys import Sealer, read_key


async def slug_of(answer):
    return (await answer.json(content_type=None))["type"].rsplit(":", 1)[1]


def keyed(bus, key="8e03978e-40d5-43dd-bc93-6894a57f9324", **more):
    return bus.headers(**{"Idempotency-Key": key, **more})


async def created(seen, writer):
    body = b"number %d" % seen.size
    writer.write(
        b"HTTP/1.1 201 Created\r\nLocation: /letters/1\r\nContent-Type: text/plain\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )


async def post(bus, data=b"letter", method="POST", rest="/open/x", **more):
    async with bus.call(method, rest, data=data, headers=keyed(bus, **more)) as answer:
        return answer, await answer.read()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_second_call_gets_the_first_answer_and_the_provider_hears_of_one(
    bus, provider, method
):
    provider.answer = created
    first, body = await post(bus, method=method)
    second, again = await post(bus, method=method)
    assert (second.status, again) == (first.status, body) == (201, b"number 6")
    assert second.headers["Location"] == bus.path("/letters/1")
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Sebalai-First-Message-Id"] == first.headers["Sebalai-Message-Id"]
    assert second.headers["Sebalai-Message-Id"] != first.headers["Sebalai-Message-Id"]
    assert len(provider.seen) == 1
    record = await bus.record(second.headers["Sebalai-Message-Id"])
    assert (record["outcome"], record["status"], record["forwarded_at"]) == ("answered", 201, None)
    assert record["response"]["sha256"] == hashlib.sha256(body).hexdigest()
    assert await bus.phases(second.headers["Sebalai-Message-Id"]) == ["completed"]


@pytest.mark.parametrize(
    "changed",
    [{"data": b"other"}, {"rest": "/open/y"}, {"rest": "/open/x?a"}, {"method": "PUT"}],
)
async def test_key_used_for_another_call_is_409_and_names_the_first(bus, provider, changed):
    provider.answer = created
    first, _ = await post(bus)
    async with bus.call(
        changed.get("method", "POST"), changed.get("rest", "/open/x"),
        data=changed.get("data", b"letter"), headers=keyed(bus),
    ) as second:  # fmt: skip
        assert (second.status, await slug_of(second)) == (409, "idempotency-key-reused")
    assert second.headers["Sebalai-First-Message-Id"] == first.headers["Sebalai-Message-Id"]
    assert len(provider.seen) == 1


async def test_other_interfaces_have_keys_of_their_own_and_safe_calls_have_none(bus, provider):
    provider.answer = created
    await post(bus)
    async with bus.call("POST", interface="besar", data=b"letter", headers=keyed(bus)) as other:
        assert other.status == 201
    for _ in range(2):
        async with bus.call("GET", headers=keyed(bus)) as read:
            assert read.status == 201
    assert len(provider.seen) == 4


async def test_concurrent_twins_reach_the_provider_once(bus, provider):
    go, arrived = asyncio.Event(), asyncio.Event()

    async def answer(seen, writer):
        arrived.set()
        await go.wait()
        await created(seen, writer)

    provider.answer = answer
    first = asyncio.create_task(post(bus))
    await arrived.wait()
    twins = [await post(bus) for _ in range(3)]
    go.set()
    assert (await first)[0].status == 201
    for twin, body in twins:
        assert (twin.status, b"idempotency-in-progress" in body) == (409, True)
        assert twin.headers["Retry-After"] == "1"
    assert (await post(bus))[0].headers["Idempotency-Replayed"] == "true"
    assert len(provider.seen) == 1


async def test_call_whose_outcome_is_unknown_is_never_sent_again(bus, provider):
    async def answer(seen, writer):
        writer.transport.abort()

    provider.answer = answer
    first, _ = await post(bus)
    assert first.status == 502
    provider.answer = created
    second, body = await post(bus)
    assert (second.status, b"idempotency-outcome-unknown" in body) == (409, True)
    assert second.headers["Sebalai-First-Message-Id"] == first.headers["Sebalai-Message-Id"]
    assert len(provider.seen) == 1


async def test_call_that_never_reached_the_provider_leaves_its_key_free(
    bus, provider, journal, journal_down
):
    for _ in range(2):
        async with bus.call("POST", interface="mati", data=b"x", headers=keyed(bus)) as answer:
            assert (answer.status, await slug_of(answer)) == (502, "provider-unreachable")
    async with journal_down():
        assert (await post(bus))[0].status == 503
    async with asyncio.timeout(20):
        while not journal.is_up:
            await asyncio.sleep(0.01)
    provider.answer = created
    assert (await post(bus))[0].status == 201


async def test_answer_too_large_to_keep_is_409_and_not_asked_for_again(bus, provider):
    async def answer(seen, writer):
        body = b"x" * (BODY_BYTES_LIMIT + 1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    provider.answer = answer
    assert len((await post(bus))[1]) == BODY_BYTES_LIMIT + 1
    second, body = await post(bus)
    assert (second.status, b"idempotency-outcome-not-kept" in body) == (409, True)
    assert len(provider.seen) == 1


async def test_nothing_readable_of_call_or_answer_lies_in_the_database(bus, provider, database):
    provider.answer = created
    await post(bus)
    row = await database.fetchrow("SELECT *, repeat::text AS all_of_it FROM repeat")
    assert b"number" not in row["sealed"]
    assert b"Location" not in row["sealed"]
    assert "8e03978e" not in row["all_of_it"]


async def test_key_is_free_again_after_its_time(bus, provider, database):
    provider.answer = created
    await post(bus)
    await database.execute("UPDATE repeat SET expires_at = now() - interval '1 second'")
    assert "Idempotency-Replayed" not in (await post(bus, data=b"other"))[0].headers
    assert len(provider.seen) == 2


async def test_repeated_body_must_match_its_own_digest_too(bus, provider):
    provider.answer = created
    await post(bus)
    wrong = base64.b64encode(hashlib.sha256(b"z").digest()).decode()
    second, body = await post(bus, **{"Content-Digest": f"sha-256=:{wrong}:"})
    assert (second.status, b"digest-mismatch" in body) == (400, True)


async def test_malformed_key_is_refused_before_anything_is_done(bus, provider):
    for key in ("a" * 256, "a b", "é", '"'):
        async with bus.call("POST", data=b"x", headers=keyed(bus, key)) as answer:
            assert (answer.status, await slug_of(answer)) == (400, "idempotency-key-malformed")
    assert provider.seen == []


def test_quoted_and_bare_keys_are_one_key():
    assert read_key('"abc"') == read_key("abc") == "abc"
    with pytest.raises(Refusal):
        read_key("")


def test_only_the_same_gateways_and_the_same_key_open_what_was_sealed():
    sealer, answered = Sealer(b"s" * 32), ([(b"a", b"b")], b"body")
    sealed = sealer.seal(b"d" * 32, "k", answered)
    assert sealer.open(b"d" * 32, "k", sealed) == answered
    assert sealer.open(b"d" * 32, "other", sealed) is None
    assert Sealer(b"t" * 32).open(b"d" * 32, "k", sealed) is None
    assert sealer.open(b"e" * 32, "k", sealed) is None


async def test_key_of_one_party_answers_no_other(bus, provider):
    """One application may act for many people and businesses: a key is each one's own."""
    provider.answer = created
    parties = [
        {},
        {"sub": "ani", "act": {"sub": "c"}},
        {"sub": "budi", "act": {"sub": "c"}},
        *(
            {"sub": "ani", "act": {"sub": "c"}, "acting_for": business}
            for business in (
                {"business": "b1", "nib": "8120001234567", "representation": "r1"},
                {"business": "b2", "nib": "9120001234567", "representation": "r2"},
            )
        ),
    ]
    for number, claims in enumerate(parties, start=1):
        bus.bear(**claims)
        for _ in range(2):
            answer, _ = await post(bus)
            assert answer.status == 201
        assert len(provider.seen) == number
