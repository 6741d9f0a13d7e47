"""Each kind of bad token has its own reason; good ones are cached and still watched."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.throttle import FAILURES_A_MINUTE
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.refusals import Refusal

ISSUER, AUDIENCE, START = "http://issuer", "urn:sebalai:gateway:ID-BB", 1_795_000_000.0
KEY, STRANGER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key, kid):
    numbers = key.public_key().public_numbers()
    x, y = (b64(n.to_bytes(32)) for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y}


def text(document):
    return document if isinstance(document, str) else json.dumps(document)


def token(claims=None, header=None, key=KEY, **changed):
    claims = claims or {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "c", "client_id": "c", "jti": "j",
        "iat": int(START), "exp": int(START) + 300, "kind": "system", "agency": "dinkes",
        "application": "ID-BB/GOV/dinkes/x", "scope": "bus.call",
    } | changed  # fmt: skip
    header = header or {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
    signed = f"{b64(text(header).encode())}.{b64(text(claims).encode())}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"


class Time:
    now = START

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def keys(time):
    store = KeyStore(time)
    store.replace(1, [jwk(KEY, "k1")])
    return store


@pytest.fixture
def verifier(keys, time):
    return TokenVerifier(ISSUER, AUDIENCE, keys, time)


def verify(verifier, bearer, source="192.0.2.1"):
    return verifier.verify(f"Bearer {bearer}".encode(), source)


def refused(verifier, bearer, slug, source="192.0.2.1"):
    with pytest.raises(Refusal) as caught:
        verify(verifier, bearer, source)
    assert caught.value.slug == slug
    return caught.value


def test_a_good_token_says_who_calls(verifier):
    assert verify(verifier, token()).application == "ID-BB/GOV/dinkes/x"
    assert verifier.verify(f"bearer {token()}".encode(), "192.0.2.1").agency == "dinkes"


@pytest.mark.parametrize(
    ("header", "slug"),
    [
        ({"alg": "none", "typ": "at+jwt", "kid": "k1"}, "token-algorithm"),
        ({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}, "token-algorithm"),
        ({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}, "token-algorithm"),
        ({"alg": "ES256", "typ": "JWT", "kid": "k1"}, "token-type"),
        ({"alg": "ES256", "typ": "caller+jwt", "kid": "k1"}, "token-type"),
        ({"alg": "ES256", "typ": "at+jwt", "kid": "k2"}, "token-key-unknown"),
        ({"alg": "ES256", "typ": "at+jwt"}, "token-malformed"),
        ({"alg": "ES256", "typ": "at+jwt", "kid": "k1", "crit": ["x"]}, "token-malformed"),
        ({"alg": "ES256", "typ": "at+jwt", "kid": "k1", "jwk": {}}, "token-malformed"),
        ({"alg": "ES256", "typ": "at+jwt", "kid": "k1", "jku": "http://x"}, "token-malformed"),
        ({"alg": "ES256", "typ": "at+jwt", "kid": "k1", "x5u": "http://x"}, "token-malformed"),
        ('{"alg":"ES256","typ":"at+jwt","kid":"k1","kid":"k1"}', "token-malformed"),
        ("[]", "token-malformed"),
        ("{", "token-malformed"),
    ],
)
def test_a_header_that_must_not_pass(verifier, header, slug):
    refused(verifier, token(header=header), slug)


@pytest.mark.parametrize(
    ("changed", "slug"),
    [
        ({"iss": "http://other"}, "token-issuer"),
        ({"aud": "urn:other"}, "token-audience"),
        ({"aud": [AUDIENCE]}, "token-malformed"),
        ({"exp": int(START) - 10}, "token-expired"),
        ({"iat": int(START) + 60}, "token-not-yet-valid"),
        ({"nbf": int(START) + 60}, "token-not-yet-valid"),
        ({"kind": "citizen"}, "token-kind"),
        ({"exp": "soon"}, "token-malformed"),
        ({"client_id": None}, "token-malformed"),
    ],
)
def test_claims_that_must_not_pass(verifier, changed, slug):
    refused(verifier, token(**changed), slug)


def test_repeated_claims_are_two_tokens_in_one(verifier):
    whole = json.dumps({"iss": ISSUER})[:-1]
    refused(verifier, token(claims=whole + ', "iss": "x"}'), "token-malformed")


def test_a_strangers_signature_is_wrong(verifier):
    refused(verifier, token(key=STRANGER), "token-signature")


def test_a_changed_claim_breaks_the_signature(verifier):
    head, _, signature = token().split(".")
    _, body, _ = token(agency="setda").split(".")
    refused(verifier, f"{head}.{body}.{signature}", "token-signature")


@pytest.mark.parametrize("bearer", ["", "x", "a.b", "a.b.c.d", "é.b.c", "x" * 9000])
def test_what_is_no_token_is_malformed(verifier, bearer):
    refused(verifier, bearer, "token-malformed")


def test_no_authorization_is_asked_for(verifier):
    with pytest.raises(Refusal) as caught:
        verifier.verify(None, "192.0.2.1")
    assert caught.value.slug == "token-missing"
    assert dict(caught.value.headers)[b"www-authenticate"].startswith(b"Bearer")


def test_a_cached_token_expires_on_time(verifier, time):
    bearer = token()
    verify(verifier, bearer)
    time.now += 299
    verify(verifier, bearer)
    time.now += 10
    refused(verifier, bearer, "token-expired")


def test_a_cached_token_dies_with_its_key(verifier, keys):
    bearer = token()
    verify(verifier, bearer)
    keys.replace(2, [jwk(STRANGER, "k2")])
    refused(verifier, bearer, "token-key-unknown")


def test_an_older_key_list_changes_nothing(verifier, keys):
    keys.replace(5, [jwk(KEY, "k1")])
    assert not keys.replace(4, [])
    verify(verifier, token())


def test_a_source_of_bad_tokens_is_slowed_and_others_are_not(verifier, time):
    good = token()
    verify(verifier, good, "192.0.2.9")
    for _ in range(FAILURES_A_MINUTE):
        refused(verifier, token(key=STRANGER), "token-signature", "192.0.2.9")
    refusal = refused(verifier, token(key=STRANGER), "too-many-bad-tokens", "192.0.2.9")
    assert refusal.status == 429
    verify(verifier, good, "192.0.2.9")
    verify(verifier, token(jti="another"), "192.0.2.1")
    time.now += 61
    refused(verifier, token(key=STRANGER), "token-signature", "192.0.2.9")


def test_unknown_keys_ask_for_a_fresh_list_at_most_every_ten_seconds(verifier, keys, time):
    asked = []
    keys.on_unknown = lambda: asked.append(time.now)
    for _ in range(50):
        refused(verifier, token(header={"alg": "ES256", "typ": "at+jwt", "kid": "x"}),
                "token-key-unknown")  # fmt: skip
    assert len(asked) == 1
