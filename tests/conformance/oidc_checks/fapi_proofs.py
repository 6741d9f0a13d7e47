"""FAPI 2.0 Security Profile (Final): tokens and codes held by a key (RFC 9449)."""

import secrets

from joserfc.jwk import ECKey, OctKey
from oidc_checks.fapi_flow import fapi, party_of
from oidc_checks.party import b64, by_hand, failed, thumb

BAD = "invalid_dpop_proof", "invalid_request", "use_dpop_nonce"
MISMATCH = "invalid_dpop_proof", "invalid_grant", "invalid_request"


@fapi("check-dpop-proof-nbf-exp")
async def proof_with_more_times(op):
    """Claims that a provider does not know do no harm (RFC 7519 section 4)."""
    party, now = party_of(op), op.now()
    answer = await party.redeem(
        await party.code(), lambda url: party.proof(url, nbf=now - 10, exp=now + 60)
    )
    assert answer.status_code == 200, answer.text


async def _proof_of_time(op, seconds):
    party = party_of(op)
    answer = await party.redeem(
        await party.code(), lambda url: party.proof(url, iat=op.now() + seconds)
    )
    assert answer.status_code == 200, answer.text


@fapi("ensure-dpopproof-with-iat-10seconds-before-succeeds")
async def proof_of_before(op):
    await _proof_of_time(op, -10)


@fapi("ensure-dpopproof-with-iat-10seconds-after-succeeds")
async def proof_of_after(op):
    await _proof_of_time(op, 10)


def _jkt(key):
    return key.thumbprint()


@fapi("ensure-mismatched-dpop-jkt-fails")
async def mismatch_at_par(op):
    """RFC 9449 10.1: proof and `dpop_jkt` must name one key."""
    party = party_of(op)
    other = ECKey.generate_key("P-256")
    failed(await party.push(party.request(dpop_jkt=_jkt(other))), *BAD)


@fapi("ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt")
async def code_of_the_proof_at_par(op):
    party = party_of(op)
    code = await party.code()
    other = ECKey.generate_key("P-256")
    answer = await party.redeem(code, lambda url: party.proof(url, key=other))
    failed(answer, *MISMATCH)


async def _by_jkt(op):
    """A code bound by the parameter alone, without a proof where it was pushed."""
    party = party_of(op)
    request = party.request(dpop_jkt=_jkt(party.proof_key))
    pushed = await party.pushed(request, make_proof=lambda _: [])
    code = party.accepted(await party.authorize(request=pushed), request)["code"]
    return party, request, code


@fapi("ensure-token-endpoint-fails-with-mismatched-dpop-jkt")
async def code_of_the_jkt(op):
    party, _, code = await _by_jkt(op)
    other = ECKey.generate_key("P-256")
    failed(await party.redeem(code, lambda url: party.proof(url, key=other)), *MISMATCH)


@fapi("ensure-dpopproof-at-par-endpoint-binding-success")
async def bound_at_par(op):
    party = party_of(op)
    request = party.request(dpop_jkt=_jkt(party.proof_key))
    code = party.accepted(await party.authorize(request=await party.pushed(request)), request)[
        "code"
    ]
    await party.granted(await party.redeem(code), request)


@fapi("ensure-dpop-auth-code-binding-success")
async def bound_by_jkt(op):
    party, request, code = await _by_jkt(op)
    await party.granted(await party.redeem(code), request)


def _bent_proofs(party, op):
    """Each breaks one rule of RFC 9449 4.3, as a function of the address."""
    other = ECKey.generate_key("P-256")
    secret = OctKey.import_key(secrets.token_bytes(32))

    def with_head(**head):
        return lambda url: party.proof(url, head=head)

    def symmetric(url):
        claims = {"jti": "s", "htm": "POST", "htu": url, "iat": op.now(), "nonce": party.nonce}
        head = {"alg": "HS256", "typ": "dpop+jwt", "jwk": party.proof_key.as_dict(private=False)}
        return by_hand(head, claims, secret, "HS256")

    def spoilt(url):
        head, payload, signature = party.proof(url).split(".")
        return f"{head}.{payload}.{signature[:-8]}AAAAAAAA"

    def foreign(url):
        return party.proof(url, key=party.proof_key, head={"jwk": other.as_dict(private=False)})

    return {
        "another type": with_head(typ="JWT"),
        "no signature": with_head(alg="none"),
        "a symmetric algorithm": symmetric,
        "a private key inside": with_head(jwk=party.proof_key.as_dict(private=True)),
        "no key": with_head(jwk=None),
        "a spoilt signature": spoilt,
        "another's key": foreign,
        "another method": lambda url: party.proof(url, method="GET"),
        "another address": lambda url: party.proof(f"{url}/other"),
        "no jti": lambda url: party.proof(url, jti=None),
        "no iat": lambda url: party.proof(url, iat=None),
        "of last hour": lambda url: party.proof(url, iat=op.now() - 3600),
        "of the next hour": lambda url: party.proof(url, iat=op.now() + 3600),
        "no token at all": lambda _: "no.proof.here",
        "two proofs": lambda url: [party.proof(url), party.proof(url)],
    }


@fapi("dpop-negative-tests")
async def negative(op):
    party = party_of(op)
    body, _ = await party.tokens()
    for what, bent in _bent_proofs(party, op).items():
        answer = await party.push(party.request(), make_proof=bent)
        assert answer.status_code in (400, 401), f"{what}: {answer.status_code} {answer.text}"
        assert answer.json()["error"] in BAD, f"{what}: {answer.text}"
    await _once_only(party)
    await _at_the_resource(party, body["access_token"])


async def _once_only(party):
    """RFC 9449 11.1."""
    url = party.op.metadata["pushed_authorization_request_endpoint"]
    await party.pushed(party.request())
    proof = party.proof(url)
    first = await party.push(party.request(), make_proof=lambda _: proof)
    assert first.status_code == 201, first.text
    again = await party.push(party.request(), make_proof=lambda _: proof)
    failed(again, *BAD)


async def _at_the_resource(party, token):
    """RFC 9449 section 7: the token only with a proof of its key, made for it."""
    other = ECKey.generate_key("P-256")
    bent = {
        "no proof": lambda *_: [],
        "another's key": lambda url, method, of: party.proof(url, method, of, key=other),
        "no ath": lambda url, method, _: party.proof(url, method),
        "another's ath": lambda url, method, _: party.proof(url, method, ath=thumb("other")),
        "another method": lambda url, _, of: party.proof(url, "PATCH", of),
        "another address": lambda url, method, of: party.proof(f"{url}/x", method, of),
    }
    for what, make in bent.items():
        answer = await party.userinfo(token, make_proof=make)
        assert answer.status_code in (400, 401), f"{what}: {answer.status_code} {answer.text}"
    answer = await party.userinfo(token, scheme="Bearer", make_proof=lambda *_: [])
    assert answer.status_code == 401, f"as a bearer token: {answer.text}"
    spoilt = f"{token[:-8]}{b64(secrets.token_bytes(6))}"
    assert (await party.userinfo(spoilt)).status_code == 401
    assert (await party.userinfo(token)).status_code == 200
