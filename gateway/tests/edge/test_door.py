"""The edge routes by decoded segments, strips what only the gateway may say, and adds the caller."""

import base64
import contextlib
import hashlib
import json
import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from sebalai_gateway.admission.proxy import Proxy, certificate_of
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.edge import door as module
from sebalai_gateway.edge.door import Edge
from sebalai_gateway.forwarding.forwarder import Forwarder, Manner, ProviderUnreachable
from sebalai_gateway.refusals import Refusal
from sebalai_shared.addresses import Reach
from sebalai_shared.caller import AssertionSigner
from sebalai_shared.clock import SystemClock

MEMBERS = ("identity", "catalog", "archive", "exchange", "portal")


@pytest.fixture(scope="module")
async def members(providing):
    """A server for each member, by name; no other host can be reached."""
    async with contextlib.AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(providing()) for name in MEMBERS}


@pytest.fixture(scope="module")
async def forwarder():
    made = Forwarder(Reach.parse(["127.0.0.1"]))
    yield made
    await made.close()


class Door:
    """The edge, called as a server would call it, before the members."""

    def __init__(self, members, forwarder, issuer, urls=None):
        self.members, self.lines = members, []
        for member in members.values():
            member.seen.clear()
        signer = AssertionSigner(
            ECKey.generate_key("P-256", auto_kid=True), issuer.audience, SystemClock()
        )
        verifier = TokenVerifier(issuer.url, issuer.audience, issuer.keys)
        urls = {name: member.url for name, member in members.items()} | (urls or {})
        self.edge = Edge(urls, verifier, forwarder, signer, self.lines.append)

    @property
    def seen(self):
        """What reached members: name and request."""
        return [(name, seen) for name, member in self.members.items() for seen in member.seen]

    async def call(
        self, path, *, method="GET", query=b"", headers=(), body=b"", sent=None, said=None
    ):
        sent = [] if sent is None else sent

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": "", "raw_path": path, "query_string": query,
            "headers": list(headers), "client": ("127.0.0.1", 1), **(said or {}),
        }  # fmt: skip
        await self.edge(scope, receive, send)
        return sent[0]["status"], sent, b"".join(m.get("body", b"") for m in sent)


@pytest.fixture
def door(members, forwarder, issuer):
    usual = {member: member.answer for member in members.values()}
    yield Door(members, forwarder, issuer)
    for member, answer in usual.items():
        member.answer = answer


@pytest.fixture
def bearer(issuer):
    return (b"authorization", f"Bearer {issuer.token()}".encode())


def claims_of(headers):
    assertion = headers["sebalai-caller"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(assertion + "=="))


@pytest.mark.parametrize(
    ("path", "member", "target"),
    [
        (b"/oauth/token", "identity", "/oauth/token"),
        (b"/.well-known/openid-configuration", "identity", "/.well-known/openid-configuration"),
        (b"/sign-in", "identity", "/sign-in"),
        (b"/.well-known/api-catalog", "catalog", "/.well-known/api-catalog"),
        (b"/api/exchange/v1/interfaces", "exchange", "/v1/interfaces"),
        (b"/%61pi/exchange/v1", "exchange", "/v1"),
        (b"/api/3/action/package_list", "catalog", "/api/3/action/package_list"),
        (b"/api/action/package_list", "catalog", "/api/action/package_list"),
        (b"/receipts/x", "exchange", "/receipts/x"),
        (b"/listClients", "exchange", "/listClients"),
        (b"/", "portal", "/"),
        (b"/oauth", "portal", "/oauth"),
        (b"/receipts", "portal", "/receipts"),
        (b"/a%20b/", "portal", "/a%20b/"),
    ],
)
async def test_each_address_goes_to_its_member(door, path, member, target):
    assert (await door.call(path))[0] == 200
    assert [(name, seen.target) for name, seen in door.seen] == [(member, target)]


@pytest.mark.parametrize(
    "path",
    [b"/internal/keys", b"/metrics", b"/livez/x", b"/api/exchange/internal/routes",
     b"/api/exchange/metrics", b"/api/portal/x", b"/api/nobody/x", b"/%69nternal/keys",
     b"/api/exchange/%69nternal/routes"],
)  # fmt: skip
async def test_inner_addresses_are_closed_from_outside(door, path):
    assert (await door.call(path))[0] == 404
    assert door.seen == []


@given(st.binary(max_size=60))
@example(b"api/exchange/../internal/routes")
@example(b"api/exchange/%2e%2e/internal/routes")
@example(b"@other.test/x")
@example(b"\\other.test/x")
async def test_whatever_the_path_a_member_hears_it_or_it_is_refused(
    members, forwarder, issuer, rest
):
    door = Door(members, forwarder, issuer)
    status = (await door.call(b"/" + rest))[0]
    # Another host would be out of reach: 503.
    assert (status, len(door.seen)) == (200, 1) or (status in (400, 404) and not door.seen)
    for _, seen in door.seen:
        assert not seen.target.startswith("/internal")


async def test_query_method_and_body_go_through_unchanged(door):
    await door.call(
        b"/api/archive/v1/x", method="PUT", query=b"a=%2F&b", body=b"hello",
        headers=[(b"content-length", b"5"), (b"if-match", b'"1"')],
    )  # fmt: skip
    ((name, seen),) = door.seen
    assert (name, seen.method, seen.target) == ("archive", "PUT", "/v1/x?a=%2F&b")
    assert (seen.size, seen.hash.digest()) == (5, hashlib.sha256(b"hello").digest())
    assert seen.headers["if-match"] == '"1"'


async def test_member_learns_who_calls_and_never_the_token(door, bearer):
    await door.call(b"/api/exchange/v1/x", headers=[bearer, (b"sebalai-caller", b"forged")])
    ((_, seen),) = door.seen
    assert "authorization" not in seen.headers
    assert len(seen.headers.getall("sebalai-caller")) == 1
    assert claims_of(seen.headers)["aud"] == "exchange"
    assert claims_of(seen.headers)["agency"] == "dinsos-pmd"


BELIEVED = [(b"sebalai-proxy", b"s" * 43), (b"client-cert", b":AAEC:")]


async def test_member_learns_how_surely_and_when_a_person_was_recognised(door, issuer):
    token = issuer.token(kind="civil_servant", acr="urn:sebalai:acr:2", auth_time=1_700_000_000)
    await door.call(b"/api/catalog/v1/x", headers=[(b"authorization", b"Bearer " + token.encode())])
    ((_, seen),) = door.seen
    claims = claims_of(seen.headers)
    assert (claims["acr"], claims["auth_time"]) == ("urn:sebalai:acr:2", 1_700_000_000)


async def test_member_learns_for_which_business_a_person_acts(door, issuer):
    acting = {"business": "b", "nib": "8120001234567", "representation": "r"}
    token = issuer.token(kind="business", sub="person", acting_for=acting)
    await door.call(b"/api/catalog/v1/x", headers=[(b"authorization", b"Bearer " + token.encode())])
    ((_, seen),) = door.seen
    claims = claims_of(seen.headers)
    assert (claims["kind"], claims["sub"], claims["acting_for"]) == ("business", "person", "b")
    assert "matters" not in claims


async def test_certificate_reaches_identity_with_the_gateways_word_for_it(door):
    said = Proxy("s" * 43, "127.0.0.1").read({"headers": BELIEVED, "client": ("127.0.0.1", 1)})
    await door.call(b"/oauth/token", headers=BELIEVED, said=said)
    ((_, seen),) = door.seen
    assert seen.headers.getall("client-cert") == [":AAEC:"]
    assert "sebalai-proxy" not in seen.headers
    claims = claims_of(seen.headers)
    assert (claims["aud"], claims["kind"]) == ("identity", "anonymous")
    assert claims["certificate"] == certificate_of(said).thumbprint


@pytest.mark.parametrize("path", [b"/oauth/token", b"/api/identity/v1/x", b"/api/archive/v1/x"])
async def test_certificate_header_from_outside_reaches_nobody(door, path):
    await door.call(path, headers=[*BELIEVED, (b"client-cert-chain", b":AAEC:")])
    ((_, seen),) = door.seen
    told = {"client-cert", "client-cert-chain", "sebalai-proxy", "sebalai-caller"}
    assert told.isdisjoint(seen.headers)


async def test_identity_reads_the_credentials_of_its_own_endpoints_itself(door):
    await door.call(b"/oauth/token", headers=[(b"authorization", b"Basic abc")])
    assert door.seen[0][1].headers["authorization"] == "Basic abc"


async def test_identity_learns_where_a_guess_comes_from_and_from_nobody_else(door):
    await door.call(b"/sign-in", headers=[(b"sebalai-source", b"10.9.9.9")])
    assert door.seen[0][1].headers.getall("sebalai-source") == ["127.0.0.1"]


async def test_portal_gets_cookies_but_no_token_and_no_caller(door, bearer):
    await door.call(b"/desk", headers=[bearer, (b"cookie", b"a=b")])
    ((_, seen),) = door.seen
    assert seen.headers["cookie"] == "a=b"
    assert {"authorization", "sebalai-caller"}.isdisjoint(map(str.lower, seen.headers))


async def test_anonymous_caller_is_passed_without_an_assertion(door):
    await door.call(b"/api/catalog/v1/services", headers=[(b"sebalai-caller", b"forged")])
    assert "sebalai-caller" not in door.seen[0][1].headers


async def test_bad_token_is_refused_before_the_member_hears_of_it(door):
    status, _, body = await door.call(
        b"/api/exchange/v1/x", headers=[(b"authorization", b"Bearer x")]
    )
    assert status == 401
    assert json.loads(body)["type"].endswith("token-malformed")
    assert door.seen == []


async def test_member_cannot_say_what_only_the_gateway_says(door):
    async def answer(seen, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\nServer: x\r\nSebalai-Caller: y\r\nETag: z\r\n"
            b"Content-Length: 1\r\n\r\nx"
        )

    door.members["exchange"].answer = answer
    _, sent, body = await door.call(b"/api/exchange/v1/x")
    assert sent[0]["headers"] == [(b"etag", b"z"), (b"content-length", b"1")]
    assert body == b"x"
    await door.call(b"/api/exchange/v1/x")
    assert len(door.members["exchange"].tasks) == 1, "the connection is used again"


async def test_member_that_is_down_is_503_with_its_name(members, forwarder, issuer):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    door = Door(members, forwarder, issuer, {"archive": nowhere})
    status, sent, body = await door.call(b"/api/archive/v1/x")
    assert status == 503
    assert dict(sent[0]["headers"])[b"retry-after"] == b"2"
    assert "archive" in json.loads(body)["detail"]


async def test_member_that_is_silent_is_503_with_its_name(door, monkeypatch):
    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")

    door.members["archive"].answer = answer
    monkeypatch.setattr(module, "MANNER", Manner(1.0, 0.05))
    status, _, body = await door.call(b"/api/archive/v1/x")
    assert (status, "archive" in json.loads(body)["detail"]) == (503, True)


async def test_answer_that_breaks_off_is_not_ended_as_if_it_were_whole(door):
    async def answer(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    door.members["archive"].answer = answer
    sent = []
    with pytest.raises(ProviderUnreachable):
        await door.call(b"/api/archive/v1/x", sent=sent)
    assert b"".join(message.get("body", b"") for message in sent) == b"half"
    assert all(message.get("more_body", True) for message in sent)


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


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
async def test_methods_that_tell_heads_or_open_tunnels_reach_no_member(door, bearer, method):
    """TRACE is answered with the head as it came: with the caller's assertion, and cookies."""
    for path in (b"/api/exchange/v1/interfaces", b"/oauth/token", b"/"):
        status, sent, body = await door.call(path, method=method, headers=[bearer])
        assert (status, json.loads(body)["type"]) == (405, "urn:sebalai:problem:method-not-allowed")
        assert b"GET" in dict(sent[0]["headers"])[b"allow"]
    assert door.seen == []
