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
from sebalai_local.connect.config import Provide, read
from sebalai_local.connect.inward import Inward
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
