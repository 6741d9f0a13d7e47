"""Only the issuer's fresh tokens for this gateway are taken; every other is refused by name."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey
from sebalai_gateway.admission.keys import UNKNOWN_EACH_SECONDS, KeyStore
from sebalai_gateway.admission.throttle import FAILURES_A_MINUTE, WINDOW_SECONDS, FailureThrottle
from sebalai_gateway.admission.token import SKEW_SECONDS, TokenVerifier
from sebalai_gateway.refusals import Refusal

ISSUER, AUDIENCE, SOURCE = "http://127.0.0.1:8800", "urn:sebalai:gateway:ID-BB", "10.0.0.1"
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
OTHER = ECKey.generate_key("P-256", {"kid": "k2"})
NOW = 1_800_000_000
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
CLAIMS = {
    "iss": ISSUER, "aud": AUDIENCE, "sub": "c", "client_id": "c", "jti": "j", "iat": NOW,
    "exp": NOW + 300, "kind": "system", "agency": "dinsos-pmd", "scope": "bus.call",
    "application": "ID-BB/GOV/dinsos-pmd/bansos",
}  # fmt: skip


@pytest.fixture
def keys():
    store = KeyStore()
    store.replace(1, [public(KEY)])
    return store


@pytest.fixture
def verifier(keys, clock):
    return TokenVerifier(ISSUER, AUDIENCE, keys, clock)


def public(key):
    return key.as_dict(private=False)


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def signed(header, body, key=KEY):
    """A compact JWS over exactly these texts; mappings are written as JSON."""
    parts = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in (header, body)]
    text = b".".join(map(encode, parts))
    r, s = decode_dss_signature(key.private_key.sign(text, ECDSA(hashes.SHA256())))
    return text + b"." + encode(r.to_bytes(32) + s.to_bytes(32))


def token(header=None, **claims):
    return signed(HEADER | (header or {}), CLAIMS | claims)


def slug_of(verifier, authorization, source=SOURCE):
    with pytest.raises(Refusal) as caught:
        verifier.verify(authorization, source)
    found = caught.value
    assert found.status in (401, 429)
    assert found.x_road == "client.authentication_failed"
    names = dict(found.headers)
    assert (b"www-authenticate" if found.status == 401 else b"retry-after") in names
    return found.slug


def bearer(value):
    return b"Bearer " + value


def test_valid_token_gives_its_claims(verifier):
    claims = verifier.verify(bearer(token()), SOURCE)
    assert claims.application == "ID-BB/GOV/dinsos-pmd/bansos"
    assert claims.scope == "bus.call"


def test_scheme_and_type_are_read_in_any_case(verifier):
    full = token({"typ": "application/AT+JWT"})
    assert verifier.verify(b"bEARER " + full, SOURCE).sub == "c"


def test_missing_token_is_challenged_without_an_error(verifier):
    with pytest.raises(Refusal) as caught:
        verifier.verify(None, SOURCE)
    assert caught.value.slug == "token-missing"
    challenge = b'Bearer realm="sebalai", DPoP algs="ES256"'
    assert caught.value.headers == [(b"www-authenticate", challenge)]


def test_a_bad_token_is_refused_in_the_scheme_it_came_in(verifier, clock):
    late = token(exp=NOW - 1)
    for scheme, told in ((b"Bearer ", b'Bearer realm="sebalai"'), (b"dpop ", b'DPoP algs="ES256"')):
        with pytest.raises(Refusal) as caught:
            verifier.verify(scheme + late, SOURCE)
        challenge = told + b', error="invalid_token"'
        assert caught.value.headers == [(b"www-authenticate", challenge)]


GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(b".")


@pytest.mark.parametrize(
    "authorization",
    [
        b"", b"Bearer", b"Bearer ", b"Basic " + GOOD, GOOD, bearer(b"x"), bearer(b"a.b"),
        bearer(GOOD + b".x"), bearer(b".."), bearer(b"\xff.\xff.\xff"),
        bearer(b"!" + GOOD), bearer(HEAD + b"." + BODY + b".!!!"),
        bearer(HEAD + b".!!!." + SIGNATURE),
        bearer(token() + b"A" * 10_240), bearer(b"A" * 10_240),
        bearer(signed(b"[]", CLAIMS)), bearer(signed(b'"x"', CLAIMS)), bearer(signed(b"", CLAIMS)),
        bearer(signed(HEADER, b"[]")), bearer(signed(HEADER, b"")), bearer(signed(HEADER, b"{")),
        bearer(signed(HEADER, b"[" * 5_000)),
    ],
)  # fmt: skip
def test_what_is_no_bearer_token_is_malformed(verifier, authorization):
    assert slug_of(verifier, authorization) == "token-malformed"


def hs256():
    """The old confusion: the public key's bytes taken for a shared secret."""
    text = encode(json.dumps(HEADER | {"alg": "HS256"}).encode()) + b"." + BODY
    secret = json.dumps(public(KEY)).encode()
    return text + b"." + encode(hmac.digest(secret, text, hashlib.sha256))


def unsigned():
    return encode(json.dumps(HEADER | {"alg": "none"}).encode()) + b"." + BODY + b"."


@pytest.mark.parametrize(
    "value",
    [unsigned(), hs256(), *[token({"alg": a}) for a in ("RS256", "ES384", "es256", "", None, 7)]],
)
def test_other_algorithm_is_refused(verifier, value):
    assert slug_of(verifier, bearer(value)) == "token-algorithm"


@pytest.mark.parametrize("typ", ["JWT", "caller+jwt", "routes+jws", "", None, ["at+jwt"]])
def test_other_type_is_refused(verifier, typ):
    assert slug_of(verifier, bearer(token({"typ": typ}))) == "token-type"


@pytest.mark.parametrize("name", ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"])
def test_header_that_would_steer_the_check_is_refused(verifier, name):
    value = public(KEY) if name == "jwk" else ["exp"]
    assert slug_of(verifier, bearer(token({name: value}))) == "token-malformed"


@pytest.mark.parametrize("kid", [None, 1, ["k1"], {}])
def test_key_id_that_is_no_text_is_refused(verifier, kid):
    assert slug_of(verifier, bearer(token({"kid": kid}))) == "token-malformed"


def test_repeated_member_in_the_header_is_refused(verifier):
    header = b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"k1"}'
    assert slug_of(verifier, bearer(signed(header, CLAIMS))) == "token-malformed"


def test_repeated_member_in_the_claims_is_refused(verifier):
    body = json.dumps(CLAIMS).encode().replace(b"{", b'{"kind":"person",', 1)
    assert slug_of(verifier, bearer(signed(HEADER, body))) == "token-malformed"


def test_unknown_key_is_refused(verifier):
    assert slug_of(verifier, bearer(token({"kid": "k9"}))) == "token-key-unknown"


@pytest.mark.parametrize(
    "value",
    [
        HEAD + b"." + encode(json.dumps(CLAIMS | {"application": "x"}).encode()) + b"." + SIGNATURE,
        signed(HEADER, CLAIMS, OTHER),
        HEAD + b"." + BODY + b".",
        HEAD + b"." + BODY + b"." + encode(b"\x00" * 64),
        HEAD + b"." + BODY + b"." + encode(b"\xff" * 64),
        HEAD + b"." + BODY + b"." + encode(b"\x01" * 63),
        HEAD + b"." + BODY + b"." + encode(b"\x01" * 65),
        HEAD + b"." + BODY + b"."
        + encode(KEY.private_key.sign(HEAD + b"." + BODY, ECDSA(hashes.SHA256()))),
    ],
)  # fmt: skip
def test_signature_that_is_not_the_issuers_is_refused(verifier, value):
    assert slug_of(verifier, bearer(value)) == "token-signature"


@pytest.mark.parametrize(
    ("claims", "slug"),
    [
        ({"iss": "http://evil.example"}, "token-issuer"),
        ({"iss": ISSUER + "/"}, "token-issuer"),
        ({"aud": "urn:sebalai:gateway:ID-XX"}, "token-audience"),
        ({"aud": [AUDIENCE]}, "token-malformed"),
        ({"aud": None}, "token-malformed"),
        ({"kind": "person"}, "token-kind"),
        ({"kind": "gateway"}, "token-kind"),
        ({"exp": NOW}, "token-expired"),
        ({"exp": str(NOW + 300)}, "token-malformed"),
        ({"exp": None}, "token-malformed"),
        ({"nbf": NOW + SKEW_SECONDS + 1}, "token-not-yet-valid"),
        ({"iat": NOW + SKEW_SECONDS + 1}, "token-not-yet-valid"),
        ({"application": 7}, "token-malformed"),
    ],
)
def test_claim_that_is_not_right_is_refused(verifier, claims, slug):
    assert slug_of(verifier, bearer(token(**claims))) == slug


@pytest.mark.parametrize("name", sorted(CLAIMS.keys() - {"scope"}))
def test_missing_claim_is_refused(verifier, name):
    rest = {key: value for key, value in CLAIMS.items() if key != name}
    assert slug_of(verifier, bearer(signed(HEADER, rest))) == "token-malformed"


def test_clocks_may_differ_by_the_skew_at_the_beginning_alone(verifier):
    assert verifier.verify(bearer(token(exp=NOW + 1)), SOURCE)
    assert verifier.verify(bearer(token(nbf=NOW + SKEW_SECONDS)), SOURCE)


def test_cached_token_expires(verifier, clock):
    value = bearer(token())
    assert verifier.verify(value, SOURCE) is verifier.verify(value, SOURCE)
    clock.now = NOW + 300
    assert slug_of(verifier, value) == "token-expired"


def test_cached_token_of_a_withdrawn_key_is_refused(verifier, keys):
    value = bearer(token())
    verifier.verify(value, SOURCE)
    assert keys.replace(2, [public(OTHER)])
    assert slug_of(verifier, value) == "token-key-unknown"
    assert verifier.verify(bearer(signed(HEADER | {"kid": "k2"}, CLAIMS, OTHER)), SOURCE)


def test_cached_token_is_refused_when_its_key_id_names_another_key(verifier, keys):
    value = bearer(token())
    verifier.verify(value, SOURCE)
    assert keys.replace(2, [public(OTHER) | {"kid": "k1"}])
    assert slug_of(verifier, value) == "token-signature"


def test_older_key_set_changes_nothing(verifier, keys):
    assert not keys.replace(1, [public(OTHER)])
    assert not keys.replace(0, [])
    assert verifier.verify(bearer(token()), SOURCE)


def test_source_of_many_bad_tokens_waits_and_no_other_does(verifier, clock):
    good, bad = bearer(token()), bearer(token(kind="person"))
    verifier.verify(good, SOURCE)
    for _ in range(FAILURES_A_MINUTE):
        assert slug_of(verifier, bad) == "token-kind"
    assert slug_of(verifier, bad) == "too-many-bad-tokens"
    assert slug_of(verifier, bearer(token(jti="new"))) == "too-many-bad-tokens"
    assert verifier.verify(good, SOURCE)
    assert verifier.verify(bearer(token(jti="new")), "10.0.0.2")
    clock.now += WINDOW_SECONDS
    assert verifier.verify(bearer(token(jti="new 2")), SOURCE)


def test_source_of_many_calls_without_a_token_waits_and_tokens_from_there_are_still_taken(
    verifier, clock
):
    for number in range(FAILURES_A_MINUTE):
        nothing = None if number % 2 else b"Basic x"
        assert slug_of(verifier, nothing) in ("token-missing", "token-malformed")
    assert slug_of(verifier, None) == "too-many-bad-tokens"
    assert verifier.verify(bearer(token()), SOURCE)
    assert slug_of(verifier, None, "10.0.0.2") == "token-missing"
    clock.now += WINDOW_SECONDS
    assert slug_of(verifier, None) == "token-missing"


def test_throttle_forgets_the_oldest_source_and_stays_bounded(clock, monkeypatch):
    monkeypatch.setattr("sebalai_gateway.admission.throttle.SOURCES_LIMIT", 3)
    throttle = FailureThrottle(clock)
    for number in range(10):
        throttle.note(f"10.0.0.{number}")
    assert list(throttle._windows) == ["10.0.0.7", "10.0.0.8", "10.0.0.9"]


def test_unknown_key_asks_for_a_snapshot_at_most_every_ten_seconds(clock):
    asked = []
    keys = KeyStore(clock)
    keys.on_unknown = lambda: asked.append(clock.now)
    verifier = TokenVerifier(ISSUER, AUDIENCE, keys, clock)
    for number in range(20):
        slug_of(verifier, bearer(token({"kid": f"random {number}"})))
    assert asked == [NOW]
    clock.now += UNKNOWN_EACH_SECONDS
    slug_of(verifier, bearer(token({"kid": "again"})))
    assert len(asked) == 2


def test_key_of_another_kind_is_passed_over():
    keys = KeyStore()
    assert keys.replace(1, [{"kty": "RSA", "kid": "r"}, public(KEY), {"kty": "EC", "crv": "P-256"}])
    assert len(keys) == 1
    assert keys.trusts("k1")


def test_headers_of_forged_tokens_are_not_remembered(verifier, keys):
    for n in range(300):
        forged = signed({**HEADER, "x": n}, CLAIMS, OTHER)
        with pytest.raises(Refusal) as refused:
            verifier.verify(b"Bearer " + forged, f"10.0.1.{n}")
        assert refused.value.slug == "token-signature"
    assert verifier._headers == {}
    verifier.verify(b"Bearer " + signed(HEADER, CLAIMS), SOURCE)
    assert list(verifier._headers.values()) == ["k1"]


SPOILT = [
    {"kty": "EC", "crv": "P-256", "kid": "bad"},
    {"kty": "EC", "crv": "P-256", "kid": "bad", "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": "P-256", "kid": 7, "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": "P-256", "kid": "bad", "x": None, "y": "AA"},
    {"kty": "RSA", "kid": "rsa"},
    "no key", None, 7, {},
]  # fmt: skip


@pytest.mark.parametrize("spoilt", SPOILT)
def test_one_spoilt_key_does_not_keep_the_others_out(spoilt):
    store = KeyStore()
    assert store.replace(1, [spoilt, public(KEY)])
    assert store.trusts("k1")
    assert len(store) == 1


def test_a_list_of_nothing_but_spoilt_keys_is_refused_and_an_empty_one_is_not(keys):
    with pytest.raises(ValueError, match="no key"):
        keys.replace(2, SPOILT)
    assert keys.trusts("k1")
    assert keys.replace(2, [])
    assert len(keys) == 0
