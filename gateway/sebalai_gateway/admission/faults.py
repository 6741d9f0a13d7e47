"""How a token is refused: 401 with the reason, as RFC 6750 asks."""

from __future__ import annotations

from sebalai_gateway.refusals import Refusal

# What a proof may be signed by (RFC 9449 section 7.1).
_BEARER, _DPOP = b'Bearer realm="sebalai"', b'DPoP algs="ES256"'
_INVALID = b', error="invalid_token"'


def bad_token(slug: str, detail: str) -> Refusal:
    return Refusal(
        401,
        slug,
        "The access token is not accepted",
        detail,
        x_road="client.authentication_failed",
        headers=[(b"www-authenticate", _BEARER + _INVALID)],
    )


def token_missing() -> Refusal:
    """Either kind will do (RFC 9449 section 7.2), and nothing was wrong with one."""
    refusal = bad_token("token-missing", "Send Authorization: Bearer with an access token.")
    refusal.headers = [(b"www-authenticate", _BEARER + b", " + _DPOP)]
    return refusal


def in_scheme_of_proofs(refusal: Refusal) -> Refusal:
    """The same of a token that came as DPoP; one about its proof says so already."""
    told = dict(refusal.headers)
    if told.get(b"www-authenticate", b"").startswith(_BEARER):
        refusal.headers = [(b"www-authenticate", _DPOP + _INVALID)]
    return refusal


def step_up(acr: str, *, is_bound: bool) -> bytes:
    """The challenge for a person recognised more surely (RFC 9470 section 3), in the scheme that
    the token came in.
    """
    scheme = _DPOP + b"," if is_bound else b"Bearer"
    return scheme + f' error="insufficient_user_authentication", acr_values="{acr}"'.encode()


def bad_proof(detail: str) -> Refusal:
    return _proof("dpop-proof-invalid", "invalid_dpop_proof", detail, [])


def nonce_wanted(nonce: str) -> Refusal:
    detail = "Repeat the call with the nonce of header DPoP-Nonce in the proof."
    return _proof("dpop-nonce", "use_dpop_nonce", detail, [(b"dpop-nonce", nonce.encode())])


def _proof(slug: str, code: str, detail: str, more: list[tuple[bytes, bytes]]) -> Refusal:
    challenge = _DPOP + f', error="{code}"'.encode()
    return Refusal(
        401,
        slug,
        "The proof of possession is not accepted",
        detail,
        x_road="client.authentication_failed",
        headers=[(b"www-authenticate", challenge), *more],
    )


def exchanged_for_another(name: str, only: str) -> Refusal:
    return Refusal(
        403,
        f"token-{name}",
        "The token was exchanged for another call",
        f"It is good for {name} {only} alone; exchange the person's token for this call.",
        x_road="client.access_denied",
    )


def too_many(seconds: int) -> Refusal:
    return Refusal(
        429,
        "too-many-bad-tokens",
        "Too many tokens that are not accepted",
        f"Correct the token and try again in {seconds} seconds.",
        x_road="client.authentication_failed",
        headers=[(b"retry-after", str(seconds).encode())],
    )


def not_proven(why: str) -> Refusal:
    """Of a call from another instance."""
    return Refusal(
        401, "peer-not-proven", "The call does not come from the instance it names",
        f"{why}. Gateways sign what they send to each other (r1, 4d.3).",
        x_road="client.authentication_failed",
    )  # fmt: skip
