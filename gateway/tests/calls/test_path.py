"""A call through the gateway: what the provider gets, what comes back, what the journal says."""

import base64
import hashlib
from datetime import datetime

import pytest

EMPTY = hashlib.sha256(b"").hexdigest()


def sha(data):
    return hashlib.sha256(data).hexdigest()


async def test_answered_call_is_given_back_with_its_evidence(bus, provider):
    async with bus.call("POST", "/open/a%20b?q=1&r=%2F", data=b"question") as answer:
        assert (answer.status, await answer.read()) == (200, b"hello")
    seen = provider.seen[0]
    assert (seen.method, seen.target) == ("POST", "/open/a%20b?q=1&r=%2F")
    message_id = answer.headers["Sebalai-Message-Id"]
    assert answer.headers["Sebalai-Receipt"] == f"http://127.0.0.1:8800/receipts/{message_id}"
    assert answer.headers["X-Road-Request-Id"] == answer.headers["X-Road-Id"] == message_id
    assert answer.headers["Content-Type"] == "text/plain"
    assert seen.headers["X-Road-Request-Id"] == message_id
    assert seen.headers["X-Road-Client"] == "ID-BB/GOV/dinsos-pmd/bansos"
    record = await bus.record(message_id)
    assert await bus.phases(message_id) == ["requested", "completed"]
    assert record["request"] == {"sha256": sha(b"question"), "bytes": 8}
    assert record["response"] == {"sha256": sha(b"hello"), "bytes": 5}
    assert record["trace_id"] == answer.headers["Sebalai-Trace"]
    assert {name: record[name] for name in ("outcome", "status", "problem", "method")} == {
        "outcome": "answered", "status": 200, "problem": None, "method": "POST",
    }  # fmt: skip
    assert {name: record[name] for name in ("consumer", "client_id", "agreement", "rule")} == {
        "consumer": "ID-BB/GOV/dinsos-pmd/bansos", "client_id": "c",
        "agreement": "agreement-penduduk", "rule": "r1",
    }  # fmt: skip
    assert (record["purpose"], record["legal_basis"]) == ("verifikasi-bansos", "UU 11/2009")
    assert record["contract_sha256"] == "ab" * 32


async def test_four_times_stand_in_their_order(bus):
    async with bus.call() as answer:
        await answer.read()
    record = await bus.record()
    names = ("requested_at", "forwarded_at", "responded_at", "completed_at")
    times = [record[name] for name in names]
    assert all(time.endswith("Z") for time in times)
    assert times == sorted(times, key=datetime.fromisoformat)


async def test_target_digest_is_recomputed_from_salt_and_path(bus):
    async with bus.call(rest="/open/3171?nama=x") as answer:
        await answer.read()
    record = await bus.record()
    salt = base64.urlsafe_b64decode(record["salt"] + "=")
    assert len(salt) == 32
    assert record["target_digest"] == sha(salt + b"/open/3171?nama=x")


async def test_path_and_query_stand_nowhere_in_journal_or_log(bus, database):
    secret = "1971010101010001"
    async with bus.call(rest=f"/open/{secret}?nik={secret}", headers=bus.headers(
        **{"X-Road-Id": f"nik-{secret}"}
    )) as answer:  # fmt: skip
        await answer.read()
    rows = await database.fetch("SELECT record::text AS record FROM journal")
    assert rows
    assert all(secret not in row["record"] for row in rows)
    assert secret not in str(bus.lines)


async def test_correlation_id_and_trace_are_kept_through(bus, provider):
    given = "0199A1B2-0000-7000-8000-00000000000A"
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = bus.headers(**{"X-Road-Id": given, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    async with bus.call(headers=headers) as answer:
        await answer.read()
    assert answer.headers["X-Road-Id"] == given
    assert answer.headers["Sebalai-Trace"] == trace
    assert provider.seen[0].headers["traceparent"].split("-")[1] == trace
    assert (await bus.record())["correlation_id"] == given.lower()


@pytest.mark.parametrize(
    ("rest", "changed", "status", "slug"),
    [
        ("/closed", {}, 403, "rule-missing"),
        ("/open/%2e%2e/closed", {}, 400, "path-traversal"),
        ("/open/x", {"Sebalai-Purpose": "penagihan"}, 403, "purpose-not-agreed"),
        ("/open/x", {"Authorization": "Bearer x"}, 401, "token-malformed"),
        ("/open/x", {"X-Road-Client": "ID-BB/GOV/bkd/asn"}, 403, "client-mismatch"),
        ("/open/x", {"Information-Mediator-Client": "ID-BB/GOV/bkd/asn"}, 403, "client-mismatch"),
        ("/open/x", {"X-GovStack-Client": "ID-BB/GOV/bkd/asn"}, 403, "client-mismatch"),
        ("/open/x?" + "a" * 9_000, {}, 400, "query-invalid"),
    ],
)
async def test_refusal_is_journalled_and_the_provider_never_called(
    bus, provider, rest, changed, status, slug
):
    headers = bus.headers()
    headers.update(changed)
    async with bus.call(rest=rest, headers=headers) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"]) == (status, status)
    assert problem["type"] == f"urn:sebalai:problem:{slug}"
    assert problem["detail"]
    assert problem["message_id"] == answer.headers["Sebalai-Message-Id"]
    assert problem["receipt"] == answer.headers["Sebalai-Receipt"]
    assert answer.headers["X-Road-Error"]
    record = await bus.record(problem["message_id"])
    assert (record["outcome"], record["status"], record["problem"]) == ("refused", status, slug)
    assert record["request"] is None
    assert record["forwarded_at"] is None
    assert await bus.phases(problem["message_id"]) == ["completed"]
    assert provider.seen == []


async def test_govstacks_client_header_reaches_the_provider_when_it_is_true(bus, provider):
    headers = bus.headers(**{"Information-Mediator-Client": "ID-BB/GOV/dinsos-pmd/bansos"})
    async with bus.call(headers=headers) as answer:
        assert answer.status == 200
    seen = provider.seen[0].headers
    assert seen.getall("Information-Mediator-Client") == ["ID-BB/GOV/dinsos-pmd/bansos"]
    headers.add("Information-Mediator-Client", "ID-BB/GOV/bkd/asn")
    async with bus.call(headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "name", ["X_Road_Client", "X-Road_Client", "Sebalai_Caller", "Information_Mediator_Client"]
)
async def test_a_header_that_a_provider_may_read_as_the_gateways_word_ends_here(
    bus, provider, name
):
    """CGI, WSGI and PHP read `X_Road_Client` as `X-Road-Client`."""
    headers = bus.headers(**{name: "ID-BB/GOV/bkd/asn", "X_Own": "kept"})
    async with bus.call(headers=headers) as answer:
        assert answer.status == 200
    seen = provider.seen[0].headers
    assert name not in seen
    assert seen["X_Own"] == "kept"


async def test_what_belongs_to_one_hop_or_to_the_gateway_is_not_forwarded(bus, provider):
    headers = bus.headers(**{
        "Connection": "keep-alive, X-Hop", "X-Hop": "1", "Keep-Alive": "1", "TE": "trailers",
        "Cookie": "a=b", "Sebalai-Caller": "forged", "Sebalai-Message-Id": "forged",
        "Sebalai-Source": "forged", "Sebalai-Receipt": "forged", "Sebalai-Trace": "forged",
        "Forwarded": "for=1", "Via": "x", "X-Forwarded-For": "1", "X-Forwarded-Host": "x",
        "X-Forwarded-Proto": "https", "X-Real-IP": "1", "Proxy-Authorization": "x",
        "X-Road-Request-Id": "forged", "X-Road-Client": "ID-BB/GOV/dinsos-pmd/bansos",
        "X-Own": "kept", "Accept": "text/x", "If-None-Match": '"e"',
    })  # fmt: skip
    async with bus.call(headers=headers) as answer:
        await answer.read()
    seen = provider.seen[0].headers
    for name in ("Authorization", "Cookie", "Sebalai-Caller", "Sebalai-Message-Id", "X-Hop", "TE",
                 "Keep-Alive", "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host",
                 "X-Forwarded-Proto", "X-Real-IP", "Proxy-Authorization", "User-Agent"):  # fmt: skip
        assert name not in seen, name
    assert "forged" not in str(seen)
    assert seen.getall("Host") == [provider.url.removeprefix("http://")]
    assert seen.getall("X-Road-Client") == ["ID-BB/GOV/dinsos-pmd/bansos"]
    assert (seen["X-Own"], seen["Accept"], seen["If-None-Match"]) == ("kept", "text/x", '"e"')
    assert seen["Sebalai-Purpose"] == "verifikasi-bansos"


@pytest.mark.parametrize(
    "name",
    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL",
     "X-Rewrite-URL", "X_HTTP_Method_Override", "X-Forwarded-Prefix", "X-Forwarded-User",
     "Remote-User"],
)  # fmt: skip
async def test_a_header_that_makes_another_request_of_an_allowed_one_ends_here(bus, provider, name):
    """Servers that heed them would do DELETE, or serve a path, that no rule allows."""
    async with bus.call("POST", headers=bus.headers(**{name: "DELETE"})) as answer:
        assert answer.status == 200
    assert name not in provider.seen[0].headers


@pytest.mark.parametrize(
    "named", ["sebalai-purpose", "close, X-Road-UserId", "Content-Type", "content-length"]
)
async def test_connection_cannot_take_away_what_the_call_is_judged_by(bus, provider, named):
    headers = bus.headers(**{"Connection": named, "X-Road-UserId": "a"})
    async with bus.call("POST", headers=headers, data=b"abc") as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["type"]) == (400, "urn:sebalai:problem:framing-invalid")
    assert provider.seen == []


async def test_platform_member_gets_the_assertion_and_no_other_provider_does(bus, provider):
    async with bus.call(interface="anggota") as answer:
        await answer.read()
    async with bus.call() as answer:
        await answer.read()
    assert provider.seen[0].headers["Sebalai-Caller"].count(".") == 2
    assert "Sebalai-Caller" not in provider.seen[1].headers


async def test_what_only_the_gateway_may_say_is_not_returned(bus, provider):
    async def answer(seen, writer):
        writer.write(
            b"HTTP/1.1 201 Created\r\nSet-Cookie: a=b\r\nServer: x\r\nConnection: X-Hop\r\n"
            b"X-Hop: 1\r\nKeep-Alive: 1\r\nSebalai-Receipt: forged\r\nSebalai-Message-Id: forged\r\n"
            b"Sebalai-Trace: forged\r\nX-Road-Error: forged\r\nSebalai-Caller: forged\r\n"
            b'Alt-Svc: h2="x:443"\r\nStrict-Transport-Security: max-age=0\r\nClear-Site-Data: *\r\n'
            b'X-Own: kept\r\nETag: "e"\r\nContent-Length: 2\r\n\r\nok'
        )

    provider.answer = answer
    async with bus.call() as found:
        assert (found.status, await found.read()) == (201, b"ok")
    for name in ("Set-Cookie", "Server", "X-Hop", "Keep-Alive", "X-Road-Error", "Sebalai-Caller",
                 "Alt-Svc", "Strict-Transport-Security", "Clear-Site-Data"):  # fmt: skip
        assert name not in found.headers, name
    assert "forged" not in str(found.headers)
    assert (found.headers["X-Own"], found.headers["ETag"]) == ("kept", '"e"')


async def test_redirect_is_passed_on_and_not_followed(bus, provider):
    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /open/y\r\nContent-Length: 0\r\n\r\n")

    provider.answer = answer
    async with bus.call() as found:
        assert (found.status, found.headers["Location"]) == (302, bus.path("/open/y"))
    assert len(provider.seen) == 1
    assert (await bus.record())["status"] == 302


async def test_head_and_no_content_are_answered_without_a_body(bus, provider):
    async def answer(seen, writer):
        status = b"200 OK\r\nContent-Length: 5" if seen.method == "HEAD" else b"204 No Content"
        writer.write(b"HTTP/1.1 " + status + b"\r\n\r\n")

    provider.answer = answer
    async with bus.call("HEAD") as found:
        assert (found.status, await found.read()) == (200, b"")
        assert found.headers["Content-Length"] == "5"
    async with bus.call("DELETE") as found:
        assert (found.status, await found.read()) == (204, b"")
    record = await bus.record(found.headers["Sebalai-Message-Id"])
    assert record["response"] == {"sha256": EMPTY, "bytes": 0}


async def test_providers_own_error_is_an_answer(bus, provider):
    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops")

    provider.answer = answer
    async with bus.call() as found:
        assert (found.status, await found.read()) == (500, b"oops")
    assert "X-Road-Error" not in found.headers
    record = await bus.record()
    assert (record["outcome"], record["status"]) == ("answered", 500)


async def test_compressed_answer_passes_untouched(bus, provider):
    packed = bytes(range(256))

    async def answer(seen, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 256\r\n\r\n" + packed
        )

    provider.answer = answer
    async with bus.call() as found:
        assert await found.read() == packed
    assert (await bus.record())["response"]["sha256"] == sha(packed)
