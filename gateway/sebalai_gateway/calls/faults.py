"""Faults of the exchange itself, as the consumer is told them; rights and paths have their own."""

from __future__ import annotations

from sebalai_gateway.calls.consumer import ClientGone
from sebalai_gateway.forwarding import tls
from sebalai_gateway.forwarding.forwarder import ProviderTimeout
from sebalai_gateway.refusals import Refusal, unavailable

_NETWORK = "server.network_error"
FORWARDED = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# Whoever answers TRACE sends back the head as it came, with what the gateway put into it (RFC 9110,
# 9.3.8: no secret may go with it); CONNECT asks for a tunnel, of which nothing could be journalled.
_NEVER_FORWARDED = frozenset({"TRACE", "CONNECT"})


def check_method(method: str) -> None:
    """Raises: Refusal, 405, for a method that is never forwarded, whatever an agreement says."""
    if method in _NEVER_FORWARDED:
        raise Refusal(
            405, "method-not-allowed", "The method is not forwarded",
            "TRACE and CONNECT end at the gateway.",
            headers=[(b"allow", ", ".join(FORWARDED).encode())],
        )  # fmt: skip


def broken_exchange(error: Exception) -> Refusal:
    if isinstance(error, ClientGone):
        return Refusal(
            499, "client-disconnected", "The consumer went away", "Call again when you are back."
        )
    if isinstance(error, (ProviderTimeout, TimeoutError)):
        return Refusal(
            504, "provider-timeout", "The provider did not answer in time",
            "It may have acted: before you repeat a call that changes something, ask it.",
            x_road=_NETWORK,
        )  # fmt: skip
    if isinstance(error, tls.TlsRefused):
        return _tls_refused(error)
    return Refusal(
        502, "provider-unreachable", "The provider cannot be reached",
        "Try again later; if it lasts, tell the provider's agency the message_id.",
        x_road=_NETWORK,
    )  # fmt: skip


_TLS_TITLES = {
    tls.EXPIRED: "The provider's certificate is not valid at this time",
    tls.WRONG_NAME: "The provider's certificate is for another host",
    tls.UNTRUSTED: "The provider's certificate comes from nobody who is trusted for it",
    tls.TLS_FAILED: "The provider and the gateway come to no TLS connection",
}


def _tls_refused(error: tls.TlsRefused) -> Refusal:
    detail = "Nothing was forwarded. " if error.is_unsent else ""
    return Refusal(
        502, error.slug, _TLS_TITLES[error.slug],
        detail + "Only the provider's agency can mend this: tell it the message_id.",
        x_road=_NETWORK,
    )  # fmt: skip


def journal_unavailable() -> Refusal:
    return unavailable(
        "journal-unavailable", "The journal cannot be written",
        "Nothing is forwarded unrecorded. Try again in a moment.",
    )  # fmt: skip


def outcome_unknown() -> Refusal:
    return Refusal(
        503, "outcome-unknown", "The provider was called, but its answer may not be given",
        "The journal could not be written. The provider may have acted: before you repeat a call "
        "that changes something, ask it.",
        x_road="server.internal_error",
    )  # fmt: skip


def scope_missing(scope: str) -> Refusal:
    return Refusal(
        403, "scope-missing", "The token does not reach this far",
        f"Ask the token endpoint for the scope {scope}.",
        x_road="client.access_denied",
    )  # fmt: skip


def routes_unavailable() -> Refusal:
    return unavailable(
        "routes-unavailable", "The routing table has not arrived yet", "Try again in a moment."
    )


def client_mismatch() -> Refusal:
    return Refusal(
        403, "client-mismatch", "The client named is not the client that calls",
        "Leave X-Road-Client (or GovStack's header) out, or name the application your token was "
        "given to.",
        x_road="client.access_denied",
    )  # fmt: skip


def represented_mismatch() -> Refusal:
    return Refusal(
        403, "represented-party-mismatch", "The party named is not the one the token acts for",
        "Leave X-Road-Represented-Party out, or name the business as COM/ and its NIB.",
        x_road="client.access_denied",
    )  # fmt: skip


def represented_elsewhere() -> Refusal:
    """The platform's own interfaces keep what is whose by our ids, and another instance has its."""
    return Refusal(
        403, "represented-party-elsewhere", "The party named is one of another instance",
        "This interface knows parties of here alone; who represents it signs in here for that.",
        x_road="client.access_denied",
    )  # fmt: skip


def query_invalid(limit: int) -> Refusal:
    return Refusal(
        400, "query-invalid", "The query cannot be forwarded",
        f"Percent-encode the query; at most {limit} bytes are taken.",
    )  # fmt: skip


def credential_unavailable() -> Refusal:
    return unavailable(
        "provider-credential-unavailable", "The gateway cannot show who it is",
        "It lacks the secret by which it appears before this provider. Nothing was forwarded; "
        "tell the provider's agency the message_id.",
        seconds=10,
    )  # fmt: skip


def provider_busy() -> Refusal:
    return unavailable(
        "provider-busy", "The interface has no room",
        "It has as many calls under way as it takes. Nothing was forwarded; try again in a moment.",
        x_road=_NETWORK,
    )  # fmt: skip


def provider_unavailable(seconds: float) -> Refusal:
    return unavailable(
        "provider-unavailable", "The provider has failed repeatedly",
        "All its addresses are left out for a while. Nothing was forwarded; try again later.",
        seconds=int(seconds) + 1, x_road=_NETWORK,
    )  # fmt: skip


def stream_not_supported(status: int) -> Refusal:
    return Refusal(
        status, "stream-not-supported", "Streams without an end do not pass the bus",
        "A call has an end, because its evidence has. Subscribe to the provider's events instead.",
        x_road=_NETWORK,
    )  # fmt: skip


def digest_missing(limit: int) -> Refusal:
    return Refusal(
        400, "digest-missing", "The body's digest must be told first",
        f"To another instance, send Content-Digest (sha-256) with more than {limit} bytes.",
    )  # fmt: skip
