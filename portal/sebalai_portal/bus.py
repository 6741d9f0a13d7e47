"""Reads through the bus, as any application does: token, purpose, `/r1/` address. Nothing is
written, and no other address is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sebalai_shared import http

from sebalai_portal.failures import Gone, NotFound, Reason, Unavailable
from sebalai_portal.tokens import TokenSource

PURPOSE = "penyajian-portal"
PLATFORM = "GOV/diskominfo/sebalai"
APPLICATION = "GOV/diskominfo/portal"
ANSWER_BYTES_LIMIT = 1024 * 1024

Shape = TypeVar("Shape", bound=BaseModel)


class Bus:
    def __init__(self, client: http.Client, tokens: TokenSource, instance: str) -> None:
        self._client, self._tokens, self._instance = client, tokens, instance
        self.application = f"{instance}/{APPLICATION}"

    async def read(
        self,
        interface: str,
        path: str,
        shape: type[Shape],
        params: Mapping[str, str | int] | None = None,
    ) -> Shape:
        """GET of one of the platform's own interfaces, checked into `shape`.

        Raises: Unavailable, NotFound.
        """
        address = f"/r1/{self._instance}/{PLATFORM}/{interface}{path}"
        answer = await self._get(address, params)
        if answer.status_code == 401:  # ended early: revoked, or the signing key turned
            self._tokens.forget(_token_of(answer))
            answer = await self._get(address, params)
        message_id = _message_id(answer)
        if answer.status_code == 410:
            raise Gone(interface)
        if answer.status_code == 404:
            raise NotFound(interface)
        if answer.status_code != 200:
            raise Unavailable.from_status(answer.status_code, message_id)
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as error:
            detail = f"{interface} answered in another shape"
            raise Unavailable(Reason.UNREADABLE, detail, message_id) from error

    async def _get(self, address: str, params: Mapping[str, str | int] | None) -> http.Response:
        token = await self._tokens.current()
        headers = {"Authorization": f"Bearer {token}", "Sebalai-Purpose": PURPOSE}
        try:
            return await self._client.fetch(
                address, limit=ANSWER_BYTES_LIMIT, params=params, headers=headers
            )
        except http.Error as error:
            raise Unavailable.from_error(error) from error


def _token_of(answer: http.Response) -> str:
    return answer.request.headers["Authorization"].removeprefix("Bearer ")


def _message_id(answer: http.Response) -> str | None:
    """The call's number if it is one: a header of a broken proxy must not reach a link."""
    try:
        return str(UUID(answer.headers.get("Sebalai-Message-Id", "")))
    except ValueError:
        return None
