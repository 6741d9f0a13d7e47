"""How a call from another instance is refused that is not proven to come from there."""

from __future__ import annotations

from sebalai_gateway.refusals import Refusal


def not_proven(why: str) -> Refusal:
    return Refusal(
        401, "peer-not-proven", "The call does not come from the instance it names",
        f"{why}. Gateways sign what they send to each other (r1, 4d.3).",
        x_road="client.authentication_failed",
    )  # fmt: skip


def digest_missing(limit: int) -> Refusal:
    return Refusal(
        400, "digest-missing", "The body's digest must be told first",
        f"To another instance, send Content-Digest (sha-256) with more than {limit} bytes.",
    )  # fmt: skip
