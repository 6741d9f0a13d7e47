"""What a signature must cover: the profile `sebalai-r1` (r1, section 4b). Pure."""

from __future__ import annotations

from sebalai_shared.signatures import Headers

REQUEST_TAG = ANSWER_TAG = "sebalai-r1"
GATEWAY_TAG = "sebalai-gateway"
WINDOW_SECONDS, SKEW_SECONDS = 300, 30
NONCE_LENGTHS = range(16, 129)
NO_BODY = frozenset({204, 304})
MESSAGE_ID = '"x-road-request-id";req'

_ALWAYS = ("@method", "@path", "@query", "sebalai-purpose")
_CONTENT = "content-digest"
# What is said to the bus or the provider about the call must not be changed on the way.
_PREFIXES, _NAMED = (
    ("x-road-", "sebalai-"),
    frozenset({"idempotency-key", "upload-offset", "upload-length", "repr-digest"}),
)
ACCEPTED = (
    'sig=("@method" "@path" "@query" "content-digest" "sebalai-purpose")'
    f';created;keyid;nonce;tag="{REQUEST_TAG}"'
)


def of_request(headers: Headers, *, has_body: bool) -> list[str]:
    """The components a request's signature must cover, serialised."""
    names = {name.decode("latin-1") for name, _ in headers}
    told = sorted(n for n in names if n.startswith(_PREFIXES) or n in _NAMED)
    wanted = [*_ALWAYS, *told, *([_CONTENT] if has_body else [])]
    return [f'"{name}"' for name in dict.fromkeys(wanted)]


def of_answer(method: str, status: int, headers: Headers) -> list[str]:
    """The components an answer's signature must cover, serialised."""
    is_empty = (b"content-length", b"0") in headers
    has_body = method != "HEAD" and status not in NO_BODY and not is_empty
    return ['"@status"', MESSAGE_ID, *([f'"{_CONTENT}"'] if has_body else [])]


def of_onward(headers: Headers) -> list[str]:
    """What the gateway signs of a request it forwards, by name: all it says itself, and the body's
    digest where the consumer told one.
    """
    names = {name.decode("latin-1") for name, _ in headers}
    told = ("x-road-client", "x-road-id", "x-road-request-id", "sebalai-purpose", _CONTENT)
    return ["@method", "@path", "@query", *(name for name in told if name in names)]
