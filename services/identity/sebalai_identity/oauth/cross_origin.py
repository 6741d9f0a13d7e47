"""Lets pages of other sites call the provider's endpoints for programs (Fetch: CORS). None looks at
a cookie, so any site may: it gains nothing that its own proof does not give it. What people visit,
and the administration, stay closed to other sites.
"""

from typing import Any

from fastapi.middleware.cors import CORSMiddleware

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


class CrossOrigin(CORSMiddleware):
    def __init__(self, app: Any) -> None:
        super().__init__(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "DPoP"],
            expose_headers=["DPoP-Nonce", "WWW-Authenticate", "Retry-After"],
            max_age=MAX_AGE_SECONDS,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] in PATHS:
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)
