"""What every endpoint of the provider reads of an HTTP request."""

from fastapi import FastAPI, Request
from sebalai_shared.caller import Caller
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth import certificates, dpop
from sebalai_identity.oauth.certificates import Certificate
from sebalai_identity.oauth.desk import Desk, Server
from sebalai_identity.oauth.dpop import Call
from sebalai_identity.sessions.actions import cookie_name

SOURCE = "Sebalai-Source"
CERTIFICATE = "Client-Cert"


def desk_of(request: Request, session: AsyncSession) -> Desk:
    state = request.app.state
    return Desk(
        session, state.clock, server_of(request.app), state.ring, state.register,
        state.client_documents, state.client_authorities,
    )  # fmt: skip


def server_of(app: FastAPI) -> Server:
    settings = app.state.settings
    return Server(settings.public_url, settings.audience, settings.mtls_url)


def call_of(request: Request, desk: Desk, caller: Caller) -> Call:
    """As the client wrote it: behind the edge our own address is another.

    Raises `OAuthError`.
    """
    proofs = request.headers.getlist("DPoP")
    if len(proofs) > 1:
        raise dpop.bad_proof("Send one DPoP proof.")
    certificate = _certificate(request, caller)
    base = desk.server.issuer if certificate is None else desk.server.mtls_url
    return Call(
        request.method,
        (base or desk.server.issuer) + request.url.path,
        proofs[0] if proofs else None,
        certificate,
        source_of(request),
    )


def source_of(request: Request) -> str:
    """Whom the edge saw; it drops such a header that comes from outside."""
    seen = request.headers.get(SOURCE)
    return seen or (request.client.host if request.client is not None else "")


def cookie_of(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request.app.state.settings.public_url))


def _certificate(request: Request, caller: Caller) -> Certificate | None:
    """What the client showed the proxy (RFC 9440), if the gateway's assertion vouches for it: the
    header alone anybody could have written.
    """
    header = request.headers.get(CERTIFICATE)
    if header is None or caller.certificate is None:
        return None
    found = certificates.read(header)
    return found if found.thumbprint == caller.certificate else None
