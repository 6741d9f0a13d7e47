"""A signed exchange against its receipt: what holds, and what each change leads to."""

import base64
import hashlib
import json

import pytest
from joserfc.jwk import ECKey
from sebalai_shared.signatures import Message, Terms, read, sign
from sebalai_verifier.exchange import check_exchange
from sebalai_verifier.failures import VerificationError
from sebalai_verifier.receipt import Verified

NUMBER = "0199d0c0-0000-7000-8000-000000000001"
CONSUMER, PROVIDER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
SALT = bytes(range(32))
BODY = b"question"


def digest(body):
    return b"sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()) + b":"


def side(signed):
    value = read(signed.headers, "t").value
    mark = base64.urlsafe_b64encode(value).decode().rstrip("=")
    return {"base": signed.base.decode(), "signature": mark}


@pytest.fixture
def sides():
    fields = [(b"sebalai-purpose", b"periksa"), (b"content-digest", digest(BODY))]
    covered = ["@method", "@path", "@query", "sebalai-purpose", "content-digest"]
    asked = Message(fields, "POST", "/r1/x", "")
    request = sign(CONSUMER.private_key, covered, Terms("s", "k", 1, "t", "n" * 16), asked)
    number = Message([(b"x-road-request-id", NUMBER.encode())])
    told = Message([(b"content-digest", digest(b"answer"))], status=200)
    names = ["@status", "x-road-request-id;req", "content-digest"]
    answer = sign(PROVIDER.private_key, names, Terms("s", "k", 1, "t"), told, number)
    return {"request": side(request), "response": side(answer)}


@pytest.fixture
def verified(sides):
    noted = {
        name: {
            "key": key.thumbprint(), "created": 1, "value": sides[name]["signature"],
            "base_digest": hashlib.sha256(SALT + sides[name]["base"].encode()).hexdigest(),
        }
        for name, key in (("request", CONSUMER), ("response", PROVIDER))
    }  # fmt: skip
    payload = {
        "message_id": NUMBER, "method": "POST", "status": 200, "purpose": "periksa",
        "request": {"sha256": hashlib.sha256(BODY).hexdigest(), "bytes": len(BODY)},
        "response": {"sha256": hashlib.sha256(b"answer").hexdigest(), "bytes": 6},
        "signatures": noted,
    }  # fmt: skip
    return Verified("call", NUMBER, "t", payload, "o", 0, 1, "k", SALT)


def keys(*those):
    return json.dumps({"keys": [key.as_dict(private=False) for key in those]}).encode()


def document(sides, **changed):
    return json.dumps({"format": "sebalai-signed-exchange/1", **sides, **changed}).encode()


def refused(verified, content, signers):
    with pytest.raises(VerificationError) as caught:
        check_exchange(verified, content, signers)
    return caught.value.reason


def test_both_signatures_hold_under_the_keys_of_both(verified, sides):
    found = check_exchange(verified, document(sides), keys(CONSUMER, PROVIDER))
    assert found == {"request": CONSUMER.thumbprint(), "response": PROVIDER.thumbprint()}


def test_what_the_receipt_does_not_tell_of_is_not_signed(verified, sides):
    both = keys(CONSUMER, PROVIDER)
    assert refused(verified, document(sides, response=None), both) == "unsigned"
    noted = verified.payload["signatures"]
    del noted["response"]
    assert refused(verified, document(sides), both) == "unsigned"
    assert set(check_exchange(verified, document(sides, response=None), both)) == {"request"}
    del noted["request"]
    assert refused(verified, document(sides), both) == "unsigned"


def test_another_base_or_signature_is_of_another_message(verified, sides):
    both = keys(CONSUMER, PROVIDER)
    other = sides["request"] | {"base": sides["request"]["base"].replace("/r1/x", "/r1/y")}
    assert refused(verified, document(sides, request=other), both) == "signed-otherwise"
    other = sides["request"] | {"signature": sides["response"]["signature"]}
    assert refused(verified, document(sides, request=other), both) == "signed-otherwise"


def test_a_signature_by_nobody_given_or_by_another_is_refused(verified, sides):
    assert refused(verified, document(sides), keys(PROVIDER)) == "unknown-signer"
    verified.payload["signatures"]["request"]["key"] = PROVIDER.thumbprint()
    assert refused(verified, document(sides), keys(CONSUMER, PROVIDER)) == "signature"


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"}, {"purpose": "lain"}, {"status": 201}, {"message_id": NUMBER[:-1] + "2"},
        {"request": {"sha256": "00" * 32, "bytes": 8}},
        {"response": {"sha256": "00" * 32, "bytes": 6}},
    ],
)  # fmt: skip
def test_the_receipt_must_say_what_was_signed(verified, sides, change):
    verified.payload.update(change)
    assert refused(verified, document(sides), keys(CONSUMER, PROVIDER)) == "signed-otherwise"


@pytest.mark.parametrize(
    ("content", "signers"),
    [
        (b"{", keys()), (b"{}", keys()), (b'{"format":"x","request":{},"response":null}', keys()),
        (None, b"{"), (None, b"[]"), (None, b'{"keys":[{"kty":"RSA"}]}'),
        (None, b'{"keys":[{"kty":"EC","crv":"P-256","x":"' + b"A" * 43 + b'","y":"' + b"A" * 43 + b'"}]}'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_malformed(verified, sides, content, signers):
    assert refused(verified, content or document(sides), signers) == "malformed"
