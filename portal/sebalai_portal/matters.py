"""The matters of who signed in, read from and written to the catalogue by their own token: what is
theirs, or the business's they act for, the catalogue decides. Nothing of it is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError
from sebalai_shared import http

from sebalai_portal.failures import NotFound, Reason, Unavailable
from sebalai_portal.signing_in import SessionEnded, SignIn
from sebalai_portal.uploads import File
from sebalai_portal.visits import Session

CATALOGUE = "/api/catalog"
ANSWER_BYTES_LIMIT = 1024 * 1024
ROWS = 20
REFUSALS = frozenset({400, 403, 409, 413, 422})
SLUG_LENGTH_MAX = 80

Shape = TypeVar("Shape", bound=BaseModel)


class Refused(Exception):
    """The catalogue did not take it; `slug` is that of its problem."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class _Problem(BaseModel):
    type: str = ""


class Request(BaseModel):
    id: UUID
    ticket: str
    service: str
    agency: str
    state: str
    due_at: datetime | None


class Requests(BaseModel):
    items: list[Request]
    next: str | None = None


class Complaint(BaseModel):
    id: UUID
    ticket: str
    kind: str
    title: str
    public_state: str
    deadline_at: datetime | None


class Complaints(BaseModel):
    items: list[Complaint]
    next: str | None = None


class Filed(BaseModel):
    ticket: str = Field(min_length=1)


class Mine(BaseModel):
    """What the page of who signed in shows, the latest first."""

    requests: Requests
    complaints: Complaints


class Matters:
    def __init__(self, client: http.Client, sign_in: SignIn) -> None:
        self._client, self._sign_in = client, sign_in

    async def mine(self, session: Session) -> Mine:
        """Raises: Unavailable, NotFound, SessionEnded."""
        rows = {"limit": str(ROWS)}
        requests = await self.read(session, "/v1/requests", Requests, {"mine": "true"} | rows)
        complaints = await self.read(session, "/v1/complaints", Complaints, rows)
        return Mine(requests=requests, complaints=complaints)

    async def complain(self, session: Session, said: Mapping[str, Any], once: UUID) -> Filed:
        """Raises: Unavailable, NotFound, SessionEnded, Refused."""
        return await self.write(session, "POST", "/v1/complaints", Filed, json=said, once=once)

    async def read(
        self, session: Session, path: str, shape: type[Shape], params: Mapping[str, str]
    ) -> Shape:
        """Raises: Unavailable, NotFound, SessionEnded."""
        try:
            return _read(await self._send(session, "GET", path, params=params), shape)
        except Refused as refused:
            raise Unavailable(Reason.NOT_ALLOWED, refused.slug) from refused

    async def write(
        self,
        session: Session,
        method: str,
        path: str,
        shape: type[Shape],
        *,
        json: Mapping[str, Any],
        once: UUID | None = None,
    ) -> Shape:
        """`once`: the same one has the same effect once. Raises: Unavailable, NotFound,
        SessionEnded, Refused.
        """
        more = {"Idempotency-Key": str(once)} if once else {}
        return _read(await self._send(session, method, path, headers=more, json=json), shape)

    async def put(
        self,
        session: Session,
        path: str,
        shape: type[Shape],
        *,
        params: Mapping[str, str],
        file: File,
    ) -> Shape:
        """The body is the file itself. Raises: Unavailable, NotFound, SessionEnded, Refused."""
        head = {"Content-Type": file.media_type}
        sent = {"params": params, "headers": head, "content": file.content}
        return _read(await self._send(session, "PUT", path, **sent), shape)

    async def _send(
        self, session: Session, method: str, path: str, **options: Any
    ) -> http.Response:
        answer = await self._try(session, method, path, options)
        if answer.status_code == 401:  # revoked: whether anything is left, identity knows
            self._sign_in.forget(session)
            answer = await self._try(session, method, path, options)
        if answer.status_code == 401:
            raise SessionEnded
        return answer

    async def _try(
        self, session: Session, method: str, path: str, options: Mapping[str, Any]
    ) -> http.Response:
        token = await self._sign_in.access(session)
        headers = {**options.get("headers", {}), "Authorization": f"Bearer {token}"}
        try:
            return await self._client.fetch(
                CATALOGUE + path, method=method, limit=ANSWER_BYTES_LIMIT,
                **{**options, "headers": headers},
            )  # fmt: skip
        except http.Error as error:
            raise Unavailable.from_error(error) from error


def _read(answer: http.Response, shape: type[Shape]) -> Shape:
    if answer.status_code == 404:
        raise NotFound(shape.__name__)
    if answer.status_code in REFUSALS:
        raise Refused(_slug(answer))
    if answer.status_code not in (200, 201):
        raise Unavailable.from_status(answer.status_code, None)
    try:
        return shape.model_validate_json(answer.content)
    except ValidationError as error:
        detail = f"the catalogue answered {shape.__name__} in another shape"
        raise Unavailable(Reason.UNREADABLE, detail) from error


def _slug(answer: http.Response) -> str:
    try:
        found = _Problem.model_validate_json(answer.content).type
    except ValidationError:
        return ""
    return found.rpartition(":")[2][:SLUG_LENGTH_MAX]
