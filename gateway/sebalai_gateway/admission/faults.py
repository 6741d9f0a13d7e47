"""How a token is refused: 401 with the reason, as RFC 6750 asks."""

from __future__ import annotations

from sebalai_gateway.refusals import Refusal

_CHALLENGE = {
    "token-missing": b'Bearer realm="sebalai"',
}
_INVALID = b'Bearer realm="sebalai", error="invalid_token"'


def bad_token(slug: str, detail: str) -> Refusal:
    return Refusal(
        401,
        slug,
        "The access token is not accepted",
        detail,
        x_road="client.authentication_failed",
        headers=[(b"www-authenticate", _CHALLENGE.get(slug, _INVALID))],
    )


def bad_proof(detail: str) -> Refusal:
    return _proof("dpop-proof-invalid", "invalid_dpop_proof", detail, [])


def nonce_wanted(nonce: str) -> Refusal:
    detail = "Repeat the call with the nonce of header DPoP-Nonce in the proof."
    return _proof("dpop-nonce", "use_dpop_nonce", detail, [(b"dpop-nonce", nonce.encode())])


def _proof(slug: str, code: str, detail: str, more: list[tuple[bytes, bytes]]) -> Refusal:
    challenge = f'DPoP algs="ES256", error="{code}"'.encode()
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
