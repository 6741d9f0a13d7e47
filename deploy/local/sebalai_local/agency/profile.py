"""Who the developer calls as, remembered between commands, and the client that does.

The profile holds the address, the client id and the path of the key; never the key or a token.
`SEBALAI_PROFILE` names another file.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import BaseModel, ValidationError
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7

from sebalai_local.failures import Failure

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
READ_SECONDS = 60.0
TOKEN_SPARE_SECONDS = 30.0


class Profile(BaseModel):
    gateway: str
    client_id: str
    key_file: str


def place() -> Path:
    told = os.environ.get("SEBALAI_PROFILE")
    return Path(told) if told else Path.home() / ".config" / "sebalai" / "profile.json"


def load() -> Profile:
    """Raises: Failure."""
    try:
        return Profile.model_validate_json(place().read_bytes())
    except (OSError, ValidationError) as error:
        raise Failure(
            "Nobody is logged in.", "sebalai login --gateway URL --client-id ID --key FILE"
        ) from error


def save(profile: Profile) -> Path:
    file = place()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(profile.model_dump_json(indent=1) + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def key_of(name: str) -> ECKey:
    """Raises: Failure."""
    try:
        return ECKey.import_key(json.loads(Path(name).read_bytes()))
    except (OSError, ValueError, JoseError) as error:
        raise Failure(f"The key {name} cannot be read: {error}", "Log in again.") from error


class Agency:
    """The gateway as the profile's application sees it."""

    def __init__(self, profile: Profile, client: http.Client) -> None:
        self.profile, self._client = profile, client
        self._token, self._token_until = "", 0.0

    async def token(self) -> str:
        """A new one shortly before the last one ends. Raises: Failure."""
        if time.monotonic() < self._token_until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": await self._assertion(),
        }
        answer = await self._client.post("/oauth/token", data=form)
        if answer.status_code != 200:
            raise refused("No token", answer)
        self._token = str(answer.json()["access_token"])
        life = float(answer.json()["expires_in"]) - TOKEN_SPARE_SECONDS
        self._token_until = time.monotonic() + life
        return self._token

    async def _assertion(self) -> str:
        key = key_of(self.profile.key_file)
        issuer = (await self.discovery()).json()["issuer"]
        now = int(SystemClock().now().timestamp())
        claims = {
            "iss": self.profile.client_id,
            "sub": self.profile.client_id,
            "aud": issuer,
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key)

    async def discovery(self) -> http.Response:
        """What the gateway tells of itself, its issuer in it. Raises: Failure."""
        found = await self._client.fetch("/.well-known/openid-configuration")
        try:
            is_ours = found.status_code == 200 and isinstance(found.json()["issuer"], str)
        except (ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours:
            raise Failure(
                f"What answers at {self.profile.gateway} ({found.status_code}) is no gateway.",
                "sebalai login with the address of one",
            )
        return found

    async def send(self, method: str, path: str, **options: Any) -> http.Response:
        headers = await self._head(options)
        return await self._client.request(method, path, headers=headers, **options)

    async def _head(self, options: dict[str, Any]) -> dict[str, str]:
        headers = {"Idempotency-Key": str(uuid7()), **options.pop("headers", {})}
        return {"Authorization": f"Bearer {await self.token()}", **headers}

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer below 300. Raises: Failure, in the problem's own words."""
        answer = await self.send(method, path, **options)
        if answer.status_code >= 300:
            raise refused(f"{method} {path}", answer)
        return answer.json()

    def stream(self, path: str, token: str, params: dict[str, str]) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return self._client.stream("GET", path, headers=headers, params=params)


def refused(what: str, answer: http.Response) -> Failure:
    """A problem's detail is what to do next; anything else is shown as it came."""
    try:
        problem: dict[str, Any] = answer.json()
        listed = "".join(f"\n  - {line}" for line in problem.get("breaks", []))
        title = f"{what}: {answer.status_code} {problem['title']}{listed}"
        return Failure(title, str(problem["detail"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Failure(f"{what}: {answer.status_code} {answer.text[:300]}")


@asynccontextmanager
async def connected(profile: Profile | None = None) -> AsyncGenerator[Agency]:
    """Raises: Failure."""
    profile = profile or load()
    # The developer's own machine and gateway: no inner network to guard here.
    reach = Reach.parse(["0.0.0.0/0", "::/0"])
    async with http.client(reach, base_url=profile.gateway, read_seconds=READ_SECONDS) as client:
        try:
            yield Agency(profile, client)
        except http.Error as error:
            raise Failure(
                f"The gateway at {profile.gateway} does not answer: {error!r}", "sebalai doctor"
            ) from error
