"""A bound token is worth nothing without its key: the gateway checks the proof at every use."""

import base64
import hashlib
import json

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_gateway.admission import proofs as module
from sebalai_gateway.admission.proofs import ProofVerifier, Shown
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.refusals import Refusal

ISSUER, SOURCE = "https://bus.example", "10.0.0.1"
HOLDER, OTHER = (ECKey.generate_key("P-256", {"kid": k}) for k in ("h", "o"))
NOW = 1_800_000_000
PATH = "/r1/ID-BB/GOV/dp3acskb/kependudukan/penduduk/residents/1"


@pytest.fixture
def proofs(clock):
    return ProofVerifier(b"s" * 32, ISSUER, clock)


@pytest.fixture
def verifier(issuer, clock, proofs):
    return TokenVerifier(ISSUER, issuer.audience, issuer.keys, clock, proofs=proofs)


@pytest.fixture
def token(issuer):
    """Makes tokens bound to HOLDER."""
    bound = {"iss": ISSUER, "cnf": {"jkt": HOLDER.thumbprint()}}
    return lambda **claims: issuer.token(NOW, **(bound | claims)).encode()


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def public(key):
    return {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}


def proof(proofs, token, header=None, key=HOLDER, **more):
    claims = {
        "jti": "p1", "htm": "GET", "htu": ISSUER + PATH, "iat": NOW, "nonce": proofs.nonce(),
        "ath": b64(hashlib.sha256(token).digest()),
    } | more  # fmt: skip
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public(key)} | (header or {})
    model = ".".join(b64(json.dumps(part).encode()) for part in (head, claims))
    signature = jws.default_registry.get_alg("ES256").sign(model.encode(), key)
    return f"{model}.{b64(signature)}".encode()


def slug_of(verifier, authorization, shown):
    with pytest.raises(Refusal) as refused:
        verifier.verify(authorization, SOURCE, shown)
    assert refused.value.status == 401
    return refused.value.slug


def test_holder_of_the_key_passes_every_time_with_a_new_proof(verifier, proofs, token):
    bound = token()
    for number in range(3):
        shown = Shown("GET", PATH, proof(proofs, bound, jti=str(number)))
        assert verifier.verify(b"DPoP " + bound, SOURCE, shown).client_id == "c"


def test_bound_token_alone_is_refused_also_after_it_was_proven(verifier, proofs, token):
    bound = token()
    shown = Shown("GET", PATH, proof(proofs, bound))
    assert verifier.verify(b"dpop " + bound, SOURCE, shown)
    assert slug_of(verifier, b"DPoP " + bound, shown) == "dpop-proof-invalid"
    assert slug_of(verifier, b"DPoP " + bound, Shown("GET", PATH)) == "dpop-proof-invalid"
    assert slug_of(verifier, b"Bearer " + bound, Shown("GET", PATH)) == "dpop-proof-invalid"


def test_bearer_token_is_not_dressed_up_as_bound(verifier, proofs, token):
    plain = token(cnf={})
    shown = Shown("GET", PATH, proof(proofs, plain))
    assert slug_of(verifier, b"DPoP " + plain, shown) == "dpop-proof-invalid"
    assert verifier.verify(b"Bearer " + plain, SOURCE)


BAD = {
    "key of another": {"key": OTHER},
    "jwk of the holder, signature of another": {"key": OTHER, "header": {"jwk": public(HOLDER)}},
    "method": {"htm": "POST"},
    "address": {"htu": ISSUER + PATH + "0"},
    "host": {"htu": "https://evil.example" + PATH},
    "address broken": {"htu": "https://["},
    "address a number": {"htu": 5},
    "hash of another token": {"ath": "x"},
    "iat missing": {"iat": None},
    "iat true": {"iat": True},
    "iat ahead": {"iat": NOW + 31},
    "iat past": {"iat": NOW - 151},
    "jti missing": {"jti": None},
    "jti too long": {"jti": "j" * 200},
    "typ": {"header": {"typ": "JWT"}},
    "alg none": {"header": {"alg": "none"}},
    "alg HS256": {"header": {"alg": "HS256"}},
    "crit": {"header": {"crit": ["exp"]}},
    "jku": {"header": {"jku": "http://127.0.0.1/"}},
    "jwk missing": {"header": {"jwk": None}},
    "jwk private": {"header": {"jwk": OTHER.as_dict(private=True)}},
    "jwk no point": {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_proof_is_refused(verifier, proofs, name, token):
    bound = token()
    shown = Shown("GET", PATH, proof(proofs, bound, **BAD[name]))
    assert slug_of(verifier, b"DPoP " + bound, shown) == "dpop-proof-invalid"


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"a.b.c", b"..", b"a.b.c.d", b"x" * 5000, b"\xff.\xff.\xff"]
)
def test_what_is_no_proof_is_refused(verifier, raw, token):
    assert slug_of(verifier, b"DPoP " + token(), Shown("GET", PATH, raw)) == "dpop-proof-invalid"


def test_nonce_is_asked_for_and_lives_two_periods(verifier, proofs, clock, token):
    bound = token()
    for nonce in (None, "x", 5):
        shown = Shown("GET", PATH, proof(proofs, bound, nonce=nonce))
        with pytest.raises(Refusal) as refused:
            verifier.verify(b"DPoP " + bound, SOURCE, shown)
        assert refused.value.slug == "dpop-nonce"
        assert (b"dpop-nonce", proofs.nonce().encode()) in refused.value.headers
    first = proof(proofs, bound, jti="a")
    late = proof(proofs, bound, jti="b")
    clock.now += 60
    assert verifier.verify(b"DPoP " + bound, SOURCE, Shown("GET", PATH, first))
    assert slug_of(verifier, b"DPoP " + bound, Shown("GET", PATH, first)) == "dpop-proof-invalid"
    clock.now += 60
    assert slug_of(verifier, b"DPoP " + bound, Shown("GET", PATH, late)) == "dpop-nonce"


def test_used_proofs_are_bounded_and_none_is_forgotten_for_it(verifier, proofs, monkeypatch, token):
    monkeypatch.setattr(module, "USED_LIMIT", 1)
    bound = token()
    assert verifier.verify(b"DPoP " + bound, SOURCE, Shown("GET", PATH, proof(proofs, bound)))
    other = Shown("GET", PATH, proof(proofs, bound, jti="p2"))
    assert slug_of(verifier, b"DPoP " + bound, other) == "dpop-proof-invalid"


def test_all_processes_of_a_gateway_know_each_others_nonces(clock, proofs):
    assert ProofVerifier(b"s" * 32, ISSUER, clock).nonce() == proofs.nonce()
    assert ProofVerifier(b"t" * 32, ISSUER, clock).nonce() != proofs.nonce()


@pytest.mark.parametrize("scheme", [b"Bearer ", b"DPoP "])
def test_token_bound_in_an_unknown_way_is_refused(verifier, proofs, token, scheme):
    bound = token(cnf={"jkt": HOLDER.thumbprint(), "kid": "x"})
    shown = Shown("GET", PATH, proof(proofs, bound))
    assert slug_of(verifier, scheme + bound, shown) == "token-binding"
    only = token(cnf={"kid": "x"})
    assert slug_of(verifier, b"Bearer " + only, shown) == "token-binding"


def test_token_bound_to_a_certificate_wants_that_certificate(verifier, token):
    bound = token(cnf={"x5t#S256": "thumb"})
    assert verifier.verify(b"Bearer " + bound, SOURCE, Shown(certificate="thumb"))
    assert slug_of(verifier, b"Bearer " + bound, Shown(certificate="other")) == "token-binding"
    assert slug_of(verifier, b"Bearer " + bound, Shown()) == "token-binding"
