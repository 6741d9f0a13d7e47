"""The connector without a platform: its file, its proofs, and what it takes from whom."""

import base64
import hashlib
import json
import time
from types import SimpleNamespace

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_local.cli import run
from sebalai_local.connect.bus import Bus
from sebalai_local.connect.config import Call, Config, Consume, Provide, read
from sebalai_local.connect.inward import Inward
from sebalai_local.connect.outward import Outward
from sebalai_local.connect.proving import Prover
from sebalai_local.connect.signing import MessageSigner, content_digest
from sebalai_local.failures import Failure
from sebalai_shared.addresses import Reach
from sebalai_shared.http import client
from sebalai_shared.signatures import Message, Terms, sign

KEY, GATEWAY = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
HEAD = 'gateway = "http://127.0.0.1:1"\nclient_id = "c"\nkey_file = "/k"\n'
CALLS = '[consume.calls.x]\ninterface = "ID-BB/GOV/a/b/c"\npurpose = "p"\n'
COVERED = ["@method", "@path", "@query", "x-road-client", "x-road-request-id"]


def config(tmp_path, text):
    file = tmp_path / "connect.toml"
    file.write_text(HEAD + text)
    return file


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "needs [consume] or [provide]"),
        (f'[consume]\nlisten = "10.0.0.1:80"\n{CALLS}', "consume.listen"),
        (f'[consume]\nlisten = "127.0.0.1"\n{CALLS}', "consume.listen"),
        (f'[consume]\nlisten = "127.0.0.1:1"\nverify_receipts = true\n{CALLS}', "ledger_key_file"),
        (f'[consume]\nlisten = "127.0.0.1:1"\nsing = true\n{CALLS}', "consume.sing"),
        ('[consume]\nlisten = "127.0.0.1:1"\ncalls = {}\n', "consume.calls"),
        ('[provide]\nlisten = "0.0.0.0:1"\nforward_to = "ftp://x"\n', "provide.forward_to"),
        ("[provide\n", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_what_is_wrong(tmp_path, text, named):
    with pytest.raises(Failure, match=named.replace("[", r"\[")):
        read(config(tmp_path, text))


def test_a_gateway_that_is_away_is_said_before_anything_listens(tmp_path, capsys):
    file = config(tmp_path, f'[consume]\nlisten = "127.0.0.1:1"\n{CALLS}')
    key = tmp_path / "key.jwk"
    key.write_text(json.dumps(KEY.as_dict(private=True)))
    file.write_text(file.read_text().replace('"/k"', f'"{key}"'))
    assert run(["connect", str(file), "--check"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_a_proof_is_bound_to_request_token_and_nonce():
    prover = Prover(KEY)
    prover.nonce = "n"
    token = jwt.decode(prover.proof("GET", "https://x/r1/a?b=1", "secret"), KEY)
    assert token.header["typ"] == "dpop+jwt"
    assert set(token.header["jwk"]) == {"kty", "crv", "x", "y"}
    ath = base64.urlsafe_b64encode(hashlib.sha256(b"secret").digest()).decode().rstrip("=")
    wanted = {"htm": "GET", "htu": "https://x/r1/a", "ath": ath, "nonce": "n"}
    assert wanted.items() <= token.claims.items()


@pytest.fixture
async def inward():
    async def find(kid):
        return GATEWAY.private_key.public_key() if kid == GATEWAY.thumbprint() else None

    provide = Provide(listen="127.0.0.1:1", forward_to="http://127.0.0.1:1")
    # Nobody listens there: what gets so far is answered 502.
    async with client(Reach.parse(["127.0.0.1"]), base_url="http://127.0.0.1:1") as legacy:
        yield Inward(provide, SimpleNamespace(find=find), MessageSigner(KEY), legacy, 1_000)


def request(
    body=b"", *, covered=COVERED, key=GATEWAY, created=0, number="7", tag="sebalai-gateway"
):
    told = [(b"x-road-client", b"a"), (b"x-road-request-id", number.encode())]
    names = list(covered)
    if body:
        told.append((b"content-digest", content_digest(body)))
        names.append("content-digest")
    terms = Terms("gateway", GATEWAY.thumbprint(), int(time.time()) + created, tag)
    signed = sign(key.private_key, names, terms, Message(told, "POST", "/a", "b=1"))
    return [*told, *signed.headers]


async def slug(inward, headers, body=b"", path="/a?b=1"):
    transport = httpx.ASGITransport(app=inward)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as asking:
        answer = await asking.post(path, headers=headers, content=body)
    return answer.json()["type"].rpartition(":")[2]


PASSED, REFUSED = "connect-system-away", "connect-not-the-gateway"


async def test_what_the_gateway_signed_passes_once(inward):
    headers = request(b"body")
    assert await slug(inward, headers, b"body") == PASSED
    assert await slug(inward, headers, b"body") == REFUSED
    assert await slug(inward, request(b"body", number="8"), b"body") == PASSED


@pytest.mark.parametrize(
    "changed",
    [
        {"tag": "other"}, {"key": KEY}, {"covered": COVERED[:-1]}, {"covered": COVERED[1:]},
        {"created": -400}, {"created": 60},
    ],
)  # fmt: skip
async def test_what_the_gateway_did_not_sign_so_is_not_taken(inward, changed):
    assert await slug(inward, request(**changed)) == REFUSED


async def test_what_nobody_signed_is_not_taken(inward):
    assert await slug(inward, []) == REFUSED


async def test_path_and_body_are_those_that_were_signed(inward):
    assert await slug(inward, request(b"body"), b"other") == REFUSED
    assert await slug(inward, request(), b"added") == REFUSED
    assert await slug(inward, request(), path="/a?b=2") == REFUSED
    assert await slug(inward, request(b"x" * 2_000), b"x" * 2_000) == "connect-body-too-large"


@pytest.fixture
async def outward(tmp_path):
    key = tmp_path / "key.jwk"
    key.write_text(json.dumps(KEY.as_dict(private=True)))
    calls = {"kartu": Call(interface="ID-BB/GOV/a/b/c", purpose="p")}
    consume = Consume(listen="127.0.0.1:8701", calls=calls, names=["bus.kantor"])
    told = Config(gateway="http://127.0.0.1:1", client_id="c", key_file=key, consume=consume)
    # No gateway listens there: what gets so far is answered 502.
    async with client(Reach.parse(["127.0.0.1"]), base_url=told.gateway) as gateway:
        yield Outward(consume, Bus(told, gateway), None)


async def told(app, path, **headers):
    """Status and slug of what is asked as it stands: clients tidy a path before they send it."""
    said, body = [], {"type": "http.request", "body": b"", "more_body": False}

    async def receive():
        return body

    async def send(message):
        said.append(message)

    named = {"host": "127.0.0.1:8701"} | {n.replace("_", "-"): v for n, v in headers.items()}
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(n.encode(), v.encode()) for n, v in named.items()],
    }  # fmt: skip
    await app(scope, receive, send)
    return said[0]["status"], json.loads(said[1]["body"])["type"].rpartition(":")[2]


AWAY = (502, "connect-gateway-away")


@pytest.mark.parametrize(
    "path",
    ["/kartu/../../../../../../api/exchange/v1/agreements", "/kartu/a/..", "/kartu/./x",
     "/kartu/%2e%2e/x", "/kartu/%2E./x", "/kartu/..%2fx", "/kartu/..\\x", "//kartu/x"],
)  # fmt: skip
async def test_no_path_leaves_the_interface_it_is_called_under(outward, path):
    """The token would open everything else the application may, under a purpose of its own."""
    assert await told(outward, "/kartu/cards/7") == AWAY
    assert await told(outward, path) == (400, "connect-path-unclear")


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example:8701"}, {"host": "127.0.0.1:9"}, {"origin": "http://evil.example"},
     {"origin": "null"}, {"sec_fetch_site": "cross-site"}],
)  # fmt: skip
async def test_a_page_somebody_opens_does_not_call_as_the_application(outward, headers):
    """A page may ask loopback, and by a name that changes its address it may read the answer."""
    assert await told(outward, "/kartu/x", **headers) == (403, "connect-from-a-page")


@pytest.mark.parametrize("host", ["127.0.0.1:8701", "localhost:8701", "bus.kantor:8701"])
async def test_the_system_itself_is_heard_by_every_name_that_is_ours(outward, host):
    assert await told(outward, "/kartu/x", host=host) == AWAY


async def test_a_body_that_was_taken_away_on_the_way_is_missed(inward):
    assert await slug(inward, request(b"question"), b"") == REFUSED
