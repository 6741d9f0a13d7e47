"""How a message is refused whose signature the agreement asks for and does not get."""

from __future__ import annotations

from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.snapshot import Agreement
from sebalai_gateway.signatures.profile import ACCEPTED

_TITLE = "The agreement asks for a signed request"
_ANSWER = "The agreement asks for a signed answer"


def missing(agreement: Agreement) -> Refusal:
    return _request(agreement, "missing", "Sign the request as Accept-Signature says (r1, 4b).")


def malformed(agreement: Agreement, why: str) -> Refusal:
    refusal = _request(agreement, "malformed", f"Its signature cannot be read: {why}.")
    refusal.status, refusal.x_road = 400, "client.bad_request"
    return refusal


def incomplete(agreement: Agreement, lacking: list[str]) -> Refusal:
    return _request(agreement, "incomplete", f"The signature must cover {', '.join(lacking)}.")


def key_unknown(agreement: Agreement) -> Refusal:
    detail = "Sign with a key that is registered for the application that calls, and name its kid."
    return _request(agreement, "key-unknown", detail)


def expired(agreement: Agreement, seconds: int) -> Refusal:
    detail = f"created must be the time of signing, at most {seconds} s ago; check your clock."
    return _request(agreement, "expired", detail)


def replayed(agreement: Agreement) -> Refusal:
    detail = "This nonce was used before; sign each request anew."
    return _request(agreement, "replayed", detail)


def wrong(agreement: Agreement) -> Refusal:
    detail = "The signature is not by this key over this request; something changed on the way."
    return _request(agreement, "wrong", detail)


def answer_unsigned(lacking: list[str]) -> Refusal:
    return _answer("answer-unsigned", f"What must be signed and is not: {', '.join(lacking)}.")


def answer_wrong(why: str) -> Refusal:
    return _answer("answer-signature-wrong", f"The provider's signature does not hold: {why}.")


def _answer(slug: str, detail: str) -> Refusal:
    told = f"{detail} The provider was called and may have acted; tell it the message_id."
    return Refusal(502, slug, _ANSWER, told, x_road="server.network_error")


def _request(agreement: Agreement, slug: str, detail: str) -> Refusal:
    return Refusal(
        403,
        f"signature-{slug}",
        _TITLE,
        detail,
        x_road="server.access_denied",
        headers=[(b"accept-signature", ACCEPTED.encode())],
        rule=f"agreement {agreement.id}",
        context={"agreement": agreement.id},
    )
