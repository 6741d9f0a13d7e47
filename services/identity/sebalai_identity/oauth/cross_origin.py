"""Lets pages of other sites call the provider's endpoints for programs (Fetch: CORS). None looks at
a cookie, so any site may: it gains nothing that its own proof does not give it. What people visit,
and the administration, stay closed to other sites.
"""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = frozenset(
    {
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth/jwks",
        "/oauth/token",
        "/oauth/par",
        "/oauth/revoke",
        "/oauth/userinfo",
        "/oauth/device_authorization",
    }
)
MAX_AGE_SECONDS = 3_600


class CrossOrigin:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "DPoP"],
            expose_headers=["DPoP-Nonce", "WWW-Authenticate", "Retry-After"],
            max_age=MAX_AGE_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["type"] == "http" and scope["path"] in PATHS
        await (self._open if is_open else self._app)(scope, receive, send)
