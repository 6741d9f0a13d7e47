"""The edge routes by decoded segments, strips what only the gateway may say, and adds the caller."""

import base64
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.edge.door import Edge
from sebalai_gateway.forwarding.forwarder import ProviderTimeout, ProviderUnreachable
from sebalai_gateway.refusals import Refusal
from sebalai_shared.caller import AssertionSigner
from sebalai_shared.clock import SystemClock

ISSUER, AUDIENCE = "http://127.0.0.1:8800", "urn:sebalai:gateway:ID-BB"
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
MEMBERS = {
    name: f"http://{name}.test" for name in ("identity", "catalog", "archive", "exchange", "portal")
}


class Answered:
    """A member's answer, from memory."""

    status = 200

    def __init__(self, headers=(), chunks=(b"x",)):
        self.headers, self._chunks, self.is_whole = list(headers), chunks, None

    async def chunks(self):
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def close(self, *, is_complete):
        self.is_whole = is_complete


class Members:
    """Stands where the network is: it takes what the edge sends and answers what a test says."""

    def __init__(self):
        self.sent, self.answer = [], Answered()

    async def send(self, method, url, headers, body, _):
        if isinstance(self.answer, Exception):
            raise self.answer
        content = b"".join([chunk async for chunk in body]) if body is not None else None
        self.sent.append((method, url, headers, content))
        return self.answer


class Door:
    def __init__(self):
        keys = KeyStore()
        keys.replace(1, [KEY.as_dict(private=False)])
        self.members, self.lines = Members(), []
        signer = AssertionSigner(
            ECKey.generate_key("P-256", auto_kid=True), AUDIENCE, SystemClock()
        )
        verifier = TokenVerifier(ISSUER, AUDIENCE, keys)
        self.edge = Edge(MEMBERS, verifier, self.members, signer, self.lines.append)

    async def call(self, path, *, method="GET", query=b"", headers=(), body=b""):
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": "", "raw_path": path, "query_string": query,
            "headers": list(headers), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await self.edge(scope, receive, send)
        return sent[0]["status"], sent, b"".join(m.get("body", b"") for m in sent)


@pytest.fixture
def door():
    return Door()


def bearer():
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "c", "client_id": "c", "jti": "j", "iat": now,
        "exp": now + 300, "kind": "system", "agency": "dinsos-pmd", "scope": "bus.call",
        "application": "ID-BB/GOV/dinsos-pmd/bansos",
    }  # fmt: skip
    token = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, KEY)
    return (b"authorization", f"Bearer {token}".encode())


def claims_of(headers):
    assertion = dict(headers)[b"sebalai-caller"].split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(assertion + b"=="))


@pytest.mark.parametrize(
    ("path", "url"),
    [
        (b"/oauth/token", "http://identity.test/oauth/token"),
        (b"/.well-known/openid-configuration", "http://identity.test/.well-known/openid-configuration"),
        (b"/.well-known/api-catalog", "http://catalog.test/.well-known/api-catalog"),
        (b"/api/exchange/v1/interfaces", "http://exchange.test/v1/interfaces"),
        (b"/%61pi/exchange/v1", "http://exchange.test/v1"),
        (b"/receipts/x", "http://exchange.test/receipts/x"),
        (b"/", "http://portal.test/"),
        (b"/oauth", "http://portal.test/oauth"),
        (b"/receipts", "http://portal.test/receipts"),
        (b"/a%20b/", "http://portal.test/a%20b/"),
    ],
)  # fmt: skip
async def test_each_address_goes_to_its_member(door, path, url):
    assert (await door.call(path))[0] == 200
    assert door.members.sent[0][1] == url


@pytest.mark.parametrize(
    "path",
    [b"/internal/keys", b"/metrics", b"/livez/x", b"/api/exchange/internal/routes",
     b"/api/exchange/metrics", b"/api/portal/x", b"/api/nobody/x", b"/%69nternal/keys",
     b"/api/exchange/%69nternal/routes"],
)  # fmt: skip
async def test_inner_addresses_are_closed_from_outside(door, path):
    assert (await door.call(path))[0] == 404
    assert door.members.sent == []


@given(st.binary(max_size=60))
@example(b"api/exchange/../internal/routes")
@example(b"api/exchange/%2e%2e/internal/routes")
@example(b"@other.test/x")
@example(b"\\other.test/x")
async def test_whatever_the_path_only_the_members_own_host_is_called(rest):
    door = Door()
    await door.call(b"/" + rest)
    for _, url, _, _ in door.members.sent:
        host = url.removeprefix("http://").split("/")[0]
        assert host in {f"{name}.test" for name in MEMBERS}
        assert "/internal/" not in url.removeprefix(f"http://{host}")[:10]


async def test_query_method_and_body_go_through_unchanged(door):
    await door.call(
        b"/api/archive/v1/x", method="PUT", query=b"a=%2F&b", body=b"hello",
        headers=[(b"content-length", b"5"), (b"if-match", b'"1"')],
    )  # fmt: skip
    method, url, headers, body = door.members.sent[0]
    assert (method, url, body) == ("PUT", "http://archive.test/v1/x?a=%2F&b", b"hello")
    assert (b"if-match", b'"1"') in headers


async def test_member_learns_who_calls_and_never_the_token(door):
    await door.call(b"/api/exchange/v1/x", headers=[bearer(), (b"sebalai-caller", b"forged")])
    headers = door.members.sent[0][2]
    assert b"authorization" not in dict(headers)
    assert [name for name, _ in headers].count(b"sebalai-caller") == 1
    assert claims_of(headers)["aud"] == "exchange"
    assert claims_of(headers)["agency"] == "dinsos-pmd"


async def test_identity_reads_the_credentials_of_its_own_endpoints_itself(door):
    await door.call(b"/oauth/token", headers=[(b"authorization", b"Basic abc")])
    assert dict(door.members.sent[0][2])[b"authorization"] == b"Basic abc"


async def test_portal_gets_cookies_but_no_token_and_no_caller(door):
    await door.call(b"/desk", headers=[bearer(), (b"cookie", b"a=b")])
    headers = dict(door.members.sent[0][2])
    assert headers[b"cookie"] == b"a=b"
    assert {b"authorization", b"sebalai-caller"}.isdisjoint(headers)


async def test_anonymous_caller_is_passed_without_an_assertion(door):
    await door.call(b"/api/catalog/v1/services", headers=[(b"sebalai-caller", b"forged")])
    assert b"sebalai-caller" not in dict(door.members.sent[0][2])


async def test_bad_token_is_refused_before_the_member_hears_of_it(door):
    status, _, body = await door.call(
        b"/api/exchange/v1/x", headers=[(b"authorization", b"Bearer x")]
    )
    assert status == 401
    assert json.loads(body)["type"].endswith("token-malformed")
    assert door.members.sent == []


async def test_member_cannot_say_what_only_the_gateway_says(door):
    door.members.answer = Answered([(b"Server", b"x"), (b"Sebalai-Caller", b"y"), (b"ETag", b"z")])
    _, sent, body = await door.call(b"/api/exchange/v1/x")
    assert sent[0]["headers"] == [(b"etag", b"z")]
    assert body == b"x"
    assert door.members.answer.is_whole


@pytest.mark.parametrize("error", [ProviderUnreachable("no"), ProviderTimeout()])
async def test_member_that_is_down_is_503_with_its_name(door, error):
    door.members.answer = error
    status, sent, body = await door.call(b"/api/archive/v1/x")
    assert status == 503
    assert dict(sent[0]["headers"])[b"retry-after"] == b"2"
    assert "archive" in json.loads(body)["detail"]


async def test_answer_that_breaks_off_is_not_ended_as_if_it_were_whole(door):
    door.members.answer = Answered(chunks=(b"half", ProviderUnreachable("gone")))
    with pytest.raises(ProviderUnreachable):
        await door.call(b"/api/archive/v1/x")
    assert door.members.answer.is_whole is False


async def test_line_names_the_member_and_never_the_path(door):
    await door.call(b"/api/archive/v1/3171010101900001")
    await door.call(b"/metrics")
    assert door.lines == [
        {"method": "GET", "edge": "archive", "status": 200},
        {"method": "GET", "edge": None, "status": 404},
    ]


def test_refusal_keeps_no_reference_to_what_was_asked():
    refusal = Refusal(404, "not-found", "t", "d")
    assert refusal.document()["type"] == "urn:sebalai:problem:not-found"
