"""What every endpoint of the provider reads of an HTTP request."""

import base64
import hashlib
from urllib.parse import unquote_to_bytes

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth import dpop
from sebalai_identity.oauth.desk import Desk, Server
from sebalai_identity.oauth.dpop import Call
from sebalai_identity.oauth.errors import invalid_client
from sebalai_identity.sessions.actions import cookie_name

SOURCE = "Sebalai-Source"
CERTIFICATE = "Client-Cert"


def desk_of(request: Request, session: AsyncSession) -> Desk:
    state = request.app.state
    server = Server(state.settings.public_url, state.settings.audience)
    return Desk(session, state.clock, server, state.ring, state.register, state.client_documents)


def call_of(request: Request, desk: Desk) -> Call:
    """As the client wrote it: behind the edge our own address is another.

    Raises `OAuthError`.
    """
    proofs = request.headers.getlist("DPoP")
    if len(proofs) > 1:
        raise dpop.bad_proof("Send one DPoP proof.")
    return Call(
        request.method,
        desk.server.issuer + request.url.path,
        proofs[0] if proofs else None,
        _certificate(request.headers.get(CERTIFICATE)),
        source_of(request),
    )


def source_of(request: Request) -> str:
    """Whom the edge saw; it drops such a header that comes from outside."""
    seen = request.headers.get(SOURCE)
    return seen or (request.client.host if request.client is not None else "")


def cookie_of(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request.app.state.settings.public_url))


def _certificate(value: str | None) -> str | None:
    """The thumbprint (RFC 8705 3.1) of the certificate the edge saw (RFC 9440: `:base64 DER:`)."""
    if value is None:
        return None
    inner = unquote_to_bytes(value).strip()
    if not (inner.startswith(b":") and inner.endswith(b":")):
        raise invalid_client(f"{CERTIFICATE} is not a byte sequence.")
    try:
        der = base64.b64decode(inner[1:-1], validate=True)
    except ValueError as error:
        raise invalid_client(f"{CERTIFICATE} is not a byte sequence.") from error
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
