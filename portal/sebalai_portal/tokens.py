"""The portal's own access token: asked for like any application's (private_key_jwt), kept until
shortly before it ends. Owns no rights: what the token may do is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, ValidationError
from sebalai_shared import http
from sebalai_shared.clock import Clock

from sebalai_portal.failures import Reason, Unavailable
from sebalai_portal.proof import Proof

RENEW_BEFORE_END = timedelta(seconds=30)
TOKEN_SECONDS_MAX = 3600


class Grant(BaseModel):
    """What the token endpoint gives; `refresh_token` with the tokens of a person alone."""

    access_token: str = Field(min_length=1)
    expires_in: int = Field(ge=1, le=TOKEN_SECONDS_MAX)
    refresh_token: str | None = None

    def renew_at(self, asked_at: datetime) -> datetime:
        lifetime = timedelta(seconds=self.expires_in)
        return asked_at + lifetime - min(RENEW_BEFORE_END, lifetime / 2)


class TokenSource:
    """One token for the whole process; callers who need it at the same moment share one request."""

    def __init__(self, client: http.Client, proof: Proof, clock: Clock) -> None:
        self._client, self._proof, self._clock = client, proof, clock
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
        form = {"grant_type": "client_credentials", **self._proof.fields()}
        try:
            answer = await self._client.post("/oauth/token", data=form)
        except http.Error as error:
            raise Unavailable.from_error(error) from error
        grant = read_grant(answer)
        return grant.access_token, grant.renew_at(asked_at)


def read_grant(answer: http.Response) -> Grant:
    """Raises: Unavailable."""
    if answer.status_code != 200:
        reason = Reason.FAULT if answer.status_code >= 500 else Reason.NOT_KNOWN
        raise Unavailable(reason, f"token answered {answer.status_code}")
    try:
        return Grant.model_validate_json(answer.content)
    except ValidationError as error:
        raise Unavailable(Reason.UNREADABLE, "token answer has another shape") from error
