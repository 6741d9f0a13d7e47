"""The gateway as the connector calls it: tokens got and renewed, purposes and ids added, requests
signed, answers streamed back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared import http
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7
from sebalai_shared.signatures import Signed

from sebalai_local.agency.profile import (
    ASSERTION_SECONDS,
    ASSERTION_TYPE,
    TOKEN_SPARE_SECONDS,
    key_of,
)
from sebalai_local.connect.config import Config
from sebalai_local.connect.plain import Headers, Trouble
from sebalai_local.connect.proving import Prover
from sebalai_local.connect.signing import MessageSigner, content_digest

DISCOVERY = "/.well-known/openid-configuration"
UNAUTHORIZED = 401


class Bus:
    """One application's way to its gateway."""

    def __init__(self, config: Config, client: http.Client) -> None:
        """Raises: Failure, when the key cannot be read."""
        self.config, self._client = config, client
        self.key: ECKey = key_of(str(config.key_file))
        self.signer = MessageSigner(self.key)
        self._prover = Prover(self.key) if config.dpop else None
        self._token, self._token_until, self._getting = "", 0.0, asyncio.Lock()

    async def token(self) -> str:
        """A new one shortly before the last one ends. Raises: Trouble."""
        async with self._getting:
            if time.monotonic() >= self._token_until:
                await self._get_token()
            return self._token

    def forget_token(self) -> None:
        self._token_until = 0.0

    async def _get_token(self) -> None:
        try:
            found = await self._client.fetch(DISCOVERY)
            told = found.json()
            answer = await self._ask(told)
            if self._takes_nonce(answer):
                answer = await self._ask(told)
            if answer.status_code != 200:
                said = answer.text[:300]
                raise Trouble(502, "connect-no-token", f"The gateway gives no token: {said}")
            self._token = str(answer.json()["access_token"])
            life = float(answer.json()["expires_in"])
        except (http.Error, ValueError, KeyError, TypeError) as error:
            raise self.away(error) from error
        self._token_until = time.monotonic() + life - TOKEN_SPARE_SECONDS

    async def _ask(self, told: dict[str, Any]) -> http.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._assertion(str(told["issuer"])),
        }
        url, headers = str(told["token_endpoint"]), dict[str, str]()
        if self._prover is not None:
            headers["DPoP"] = self._prover.proof("POST", url)
        return await self._client.post(url, data=form, headers=headers)

    def _assertion(self, issuer: str) -> str:
        now, client_id = int(SystemClock().now().timestamp()), self.config.client_id
        claims = {"iss": client_id, "sub": client_id, "aud": issuer, "jti": str(uuid7())}
        claims |= {"iat": now, "exp": now + ASSERTION_SECONDS}  # pyright: ignore[reportOperatorIssue]
        return jwt.encode({"alg": "ES256", "kid": self.key.thumbprint()}, claims, self.key)

    def _takes_nonce(self, answer: http.Response) -> bool:
        """Whether the same is to be asked again with a nonce the server has just told."""
        nonce = answer.headers.get("DPoP-Nonce")
        if self._prover is None or nonce is None or nonce == self._prover.nonce:
            return False
        self._prover.nonce = nonce
        return answer.status_code in (400, UNAUTHORIZED)

    @asynccontextmanager
    async def call(
        self, method: str, target: str, headers: Headers, body: bytes, *, sign: bool
    ) -> AsyncGenerator[tuple[http.Response, Signed | None]]:
        """The head of the answer, whose body still flows, and what was signed.

        A refused token is renewed once and a wanted nonce used once: before that the gateway has
        forwarded nothing. Raises: Trouble.
        """
        try:
            answer, signed = await self._send(method, target, headers, body, sign=sign)
            if answer.status_code == UNAUTHORIZED:
                await answer.aread()
                await answer.aclose()
                if not self._takes_nonce(answer):
                    self.forget_token()
                answer, signed = await self._send(method, target, headers, body, sign=sign)
        except http.Error as error:
            raise self.away(error) from error
        try:
            yield answer, signed
        finally:
            await answer.aclose()

    async def _send(
        self, method: str, target: str, headers: Headers, body: bytes, *, sign: bool
    ) -> tuple[http.Response, Signed | None]:
        told, token = list(headers), await self.token()
        if body:
            told.append((b"content-digest", content_digest(body)))
        request = self._client.build_request(method, target, headers=told, content=body or None)
        signed = None
        if sign:
            # Over the target as the client writes it, not as it was given.
            signed = self.signer.request(method, request.url.raw_path.decode("ascii"), told)
            request.headers.update({n.decode(): v.decode() for n, v in signed.headers})
        scheme = "Bearer" if self._prover is None else "DPoP"
        request.headers["authorization"] = f"{scheme} {token}"
        if self._prover is not None:
            path = request.url.raw_path.decode("ascii")
            request.headers["dpop"] = self._prover.proof(method, self.config.gateway + path, token)
        return await self._client.send(request, stream=True), signed

    def away(self, error: Exception) -> Trouble:
        why = str(error) or type(error).__name__
        return Trouble(502, "connect-gateway-away", f"{self.config.gateway} does not answer: {why}")

    async def receipt(self, message_id: str) -> http.Response:
        """Raises: Trouble, http.Error."""
        async with self.call("GET", f"/receipts/{message_id}", [], b"", sign=False) as (found, _):
            await found.aread()
            return found
