"""Signing people in by identity (authorization code, PKCE, pushed requests), for themself or for a
business they represent, and the access tokens of who signed in. Decides nothing of their rights.

Who it is and whom they act for is what `/oauth/userinfo` says of the token; no ID token is read.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, Field, ValidationError
from sebalai_shared import http
from sebalai_shared.clock import Clock

from sebalai_portal.failures import Reason, Unavailable
from sebalai_portal.proof import Proof
from sebalai_portal.settings import PortalSettings
from sebalai_portal.tokens import read_grant
from sebalai_portal.visits import SESSION_KEPT, SIGN_IN_KEPT, Begun, Business, Session

SCOPE = "openid profile business offline_access"
BACK = "/masuk/kembali"
THEMSELF = "self"
TOKENS_LIMIT = 10_000
NAME_LENGTH_MAX = 200

Shape = TypeVar("Shape", bound=BaseModel)


class SessionEnded(Exception):
    """Signed out, or may not act any more: the representation ended, the person was deactivated."""


class SignInRefused(Exception):
    """Identity did not take what came back: too old, used before, or not ours."""


class _Pushed(BaseModel):
    request_uri: str = Field(min_length=1)


class _Told(BaseModel):
    """What userinfo says."""

    name: str = ""
    acting_for: Business | None = None


class SignIn:
    def __init__(
        self, client: http.Client, proof: Proof, settings: PortalSettings, clock: Clock
    ) -> None:
        self._client, self._proof, self._clock = client, proof, clock
        self._url = settings.public_url.rstrip("/")
        self._tokens: OrderedDict[str, tuple[str, datetime]] = OrderedDict()

    async def begin(self, *, for_business: bool, path: str, language: str) -> tuple[str, Begun]:
        """Where the browser goes, and what it keeps meanwhile. Raises: Unavailable."""
        begun = Begun(
            state=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48), path=path,
            language=language, wants_business=for_business,
            until=self._clock.now() + SIGN_IN_KEPT,
        )  # fmt: skip
        asked = self._request(begun) | ({} if for_business else {"acting_for": THEMSELF})
        answer = await self._post("/oauth/par", asked)
        if answer.status_code != 201:
            raise Unavailable.from_status(answer.status_code, None)
        pushed = _read(answer, _Pushed)
        query = {"client_id": self._proof.client_id, "request_uri": pushed.request_uri}
        return f"{self._url}/oauth/authorize?{urlencode(query)}", begun

    def _request(self, begun: Begun) -> dict[str, str]:
        digest = hashlib.sha256(begun.verifier.encode()).digest()
        return {
            "client_id": self._proof.client_id,
            "response_type": "code",
            "redirect_uri": self._url + BACK,
            "scope": SCOPE,
            "state": begun.state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "ui_locales": begun.language,
        }

    async def finish(self, code: str, begun: Begun) -> Session:
        """Raises: Unavailable, SignInRefused."""
        asked_at = self._clock.now()
        answer = await self._post("/oauth/token", {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._url + BACK,
            "code_verifier": begun.verifier,
        })  # fmt: skip
        if answer.status_code == 400:
            raise SignInRefused
        grant = read_grant(answer)
        if grant.refresh_token is None:
            raise Unavailable(Reason.UNREADABLE, "no refresh token came")
        told = await self._told(grant.access_token)
        self._keep(grant.refresh_token, grant.access_token, grant.renew_at(asked_at))
        return Session(
            refresh=grant.refresh_token, name=told.name[:NAME_LENGTH_MAX],
            acting_for=told.acting_for, until=asked_at + SESSION_KEPT,
        )  # fmt: skip

    async def _told(self, token: str) -> _Told:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.fetch("/oauth/userinfo", headers=headers)
        except http.Error as error:
            raise Unavailable.from_error(error) from error
        if answer.status_code != 200:
            raise Unavailable.from_status(answer.status_code, None)
        return _read(answer, _Told)

    async def access(self, session: Session) -> str:
        """A token of the person, as whom they act for. Raises: Unavailable, SessionEnded."""
        token, renew_at = self._tokens.get(session.refresh, ("", self._clock.now()))
        if token and self._clock.now() < renew_at:
            self._tokens.move_to_end(session.refresh)
            return token
        asked_at = self._clock.now()
        form = {"grant_type": "refresh_token", "refresh_token": session.refresh}
        answer = await self._post("/oauth/token", form)
        if answer.status_code == 400:
            raise SessionEnded
        grant = read_grant(answer)
        self._keep(session.refresh, grant.access_token, grant.renew_at(asked_at))
        return grant.access_token

    def forget(self, session: Session) -> None:
        """Its token was refused; the next one asks whether the person may act still."""
        self._tokens.pop(session.refresh, None)

    async def end(self, session: Session) -> None:
        """Its tokens are good no more. Raises: Unavailable."""
        self.forget(session)
        await self._post("/oauth/revoke", {"token": session.refresh})

    def _keep(self, refresh: str, token: str, renew_at: datetime) -> None:
        self._tokens[refresh] = token, renew_at
        while len(self._tokens) > TOKENS_LIMIT:
            self._tokens.popitem(last=False)

    async def _post(self, path: str, form: Mapping[str, str]) -> http.Response:
        try:
            return await self._client.post(path, data={**form, **self._proof.fields()})
        except http.Error as error:
            raise Unavailable.from_error(error) from error


def _read(answer: http.Response, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate_json(answer.content)
    except ValidationError as error:
        raise Unavailable(Reason.UNREADABLE, "identity answered in another shape") from error
