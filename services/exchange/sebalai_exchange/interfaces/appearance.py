"""Wire shapes of how the gateway meets a provider: whom it trusts and what it shows there.

The secret itself is never here: the operator keeps it at the gateway, under the id named here.
"""

from typing import Annotated, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from sebalai_exchange.names import CredentialId

TRUST_ANCHORS_LENGTH_MAX = 16 * 1024
TRUST_ANCHORS_MAX = 8
# What carries the exchange itself, or is the gateway's own word, carries no secret.
_TAKEN = frozenset(
    {
        "host", "content-length", "content-type", "content-digest", "transfer-encoding",
        "connection", "keep-alive", "te", "trailer", "upgrade", "expect", "accept", "cookie",
        "forwarded", "via", "dpop", "client-cert", "client-cert-chain", "traceparent",
        "tracestate", "user-agent", "idempotency-key", "x-real-ip",
    }
)  # fmt: skip
_TAKEN_PREFIXES = ("sebalai-", "x-road-", "x-forwarded-", "proxy-")


def _certificates(text: str) -> str:
    """The certificates alone, whatever else stands between them."""
    if "PRIVATE KEY" in text:
        raise ValueError("must not hold a private key: give the certificates alone")
    try:
        found = x509.load_pem_x509_certificates(text.encode("ascii")) if text.strip() else []
    except ValueError:
        raise ValueError("must be certificates in PEM") from None
    if len(found) > TRUST_ANCHORS_MAX:
        raise ValueError(f"must be at most {TRUST_ANCHORS_MAX} certificates")
    return "".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in found)


def _header(name: str) -> str:
    if name.lower() in _TAKEN or name.lower().startswith(_TAKEN_PREFIXES):
        raise ValueError("must not be a header that carries the exchange or the gateway's word")
    return name


TrustAnchors = Annotated[
    str, StringConstraints(max_length=TRUST_ANCHORS_LENGTH_MAX), AfterValidator(_certificates)
]
HeaderName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,59}$"), AfterValidator(_header)
]


class Credential(BaseModel):
    """By which secret the gateway appears before the provider: `client_certificate` in TLS,
    `bearer` (RFC 6750) and `basic` (RFC 7617) in Authorization, `header` in the one it names.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["client_certificate", "bearer", "header", "basic"]
    id: CredentialId
    header: HeaderName | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.kind == "header") != (self.header is not None):
            raise ValueError("header is given with kind header, and with no other")
        return self
