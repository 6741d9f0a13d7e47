"""The portal's own access token: asked for like any application's (private_key_jwt), kept until
shortly before it ends. Owns no rights: what the token may do is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import BaseModel, Field, ValidationError
from sebalai_shared import http
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7

from sebalai_portal.failures import Reason, Unavailable
from sebalai_portal.settings import PortalSettings

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
RENEW_BEFORE_END = timedelta(seconds=30)
TOKEN_SECONDS_MAX = 3600


class _Grant(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: int = Field(ge=1, le=TOKEN_SECONDS_MAX)


class TokenSource:
    """One token for the whole process; callers who need it at the same moment share one request."""

    def __init__(self, client: http.Client, settings: PortalSettings, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._client_id, self._issuer = settings.client_id, settings.public_url
        self._key = _read_key(settings.client_key_file)
        self._lock = asyncio.Lock()
        self._token, self._renew_at = "", clock.now()

    async def current(self) -> str:
        """Raises: Unavailable."""
        async with self._lock:
            if not self._token or self._clock.now() >= self._renew_at:
                self._token, self._renew_at = await self._ask()
            return self._token

    def forget(self, token: str) -> None:
        """The gateway refused this token; the next caller asks for a new one."""
        if token == self._token:
            self._token = ""

    async def _ask(self) -> tuple[str, datetime]:
        asked_at = self._clock.now()
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(asked_at),
        }
        try:
            answer = await self._client.post("/oauth/token", data=form)
        except http.Error as error:
            raise Unavailable.from_error(error) from error
        if answer.status_code != 200:
            reason = Reason.FAULT if answer.status_code >= 500 else Reason.NOT_KNOWN
            raise Unavailable(reason, f"token answered {answer.status_code}")
        try:
            grant = _Grant.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable(Reason.UNREADABLE, "token answer has another shape") from error
        lifetime = timedelta(seconds=grant.expires_in)
        return grant.access_token, asked_at + lifetime - min(RENEW_BEFORE_END, lifetime / 2)

    def _assertion(self, now: datetime) -> str:
        issued_at = int(now.timestamp())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._issuer,
            "jti": str(uuid7()),
            "iat": issued_at,
            "exp": issued_at + ASSERTION_SECONDS,
        }
        return jwt.encode({"alg": "ES256", "kid": self._kid}, claims, self._key)

    @property
    def _kid(self) -> str:
        return str(self._key.kid or self._key.thumbprint())


def _read_key(path: Path) -> ECKey:
    return ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))
