"""The gateway as any application sees it: a token by private_key_jwt, then calls with it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7

from sebalai_local import applications, secrets
from sebalai_local.failures import Failure
from sebalai_local.home import Home

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
READ_SECONDS = 30.0


class GatewayClient:
    def __init__(self, home: Home, client: http.Client) -> None:
        self._home, self._client = home, client
        self._tokens: dict[str, str] = {}

    async def token(self, short: str) -> str:
        """An access token of `agency/application`. Raises: Failure."""
        if short not in self._tokens:
            self._tokens[short] = await self._ask(applications.find(self._home, short))
        return self._tokens[short]

    async def _ask(self, application: applications.Application) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(application),
        }
        answer = await self._client.post("/oauth/token", data=form)
        if answer.status_code != 200:
            raise Failure(f"No token for {application.short}: {described(answer)}")
        return str(answer.json()["access_token"])

    def _assertion(self, application: applications.Application) -> str:
        key = ECKey.import_key(json.loads(secrets.read(applications.key_of(application))))
        now = int(SystemClock().now().timestamp())
        claims = {
            "iss": application.client_id,
            "sub": application.client_id,
            "aud": self._home.issuer,
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key)

    async def call(
        self, method: str, path: str, short: str | None = None, **options: Any
    ) -> http.Response:
        """A call as `short` (anonymous if none); creating POSTs get an idempotency key."""
        headers: dict[str, str] = {**options.pop("headers", {})}
        if short is not None:
            headers["Authorization"] = f"Bearer {await self.token(short)}"
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid7()))
        return await self._client.request(method, path, headers=headers, **options)


@asynccontextmanager
async def connect(home: Home) -> AsyncGenerator[GatewayClient]:
    reach = Reach.parse(home.hosts)
    async with http.client(reach, base_url=home.gateway_url, read_seconds=READ_SECONDS) as client:
        try:
            yield GatewayClient(home, client)
        except http.Error as error:
            raise Failure(
                f"The gateway at {home.gateway_url} does not answer: {error!r}",
                "Is the platform up? `sebalai status`",
            ) from error


def described(answer: http.Response) -> str:
    """Status and the problem's own words."""
    return f"{answer.status_code} {answer.text[:500]}"
