"""A request from its draft to being filed, and corrected where it came back: what the catalogue
says of it, beside what its service asks for. Which step is possible is the catalogue's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from sebalai_portal.catalogue import Catalogue
from sebalai_portal.failures import NotFound
from sebalai_portal.matters import Matters
from sebalai_portal.service_readings import Asked, ServiceFull
from sebalai_portal.texts import WIB
from sebalai_portal.uploads import File
from sebalai_portal.visits import Session

STEPS = ("submit", "resubmit", "discard")


class Mark(BaseModel):
    code: str
    reason: str


class Clock(BaseModel):
    due_text: str | None = None


class Draft(BaseModel):
    """One request, as its party sees it."""

    id: UUID
    ticket: str
    service: str
    agency: str
    state: str
    revision: int
    possible: list[str]
    answers: dict[str, dict[str, Any]]
    marks: list[Mark]
    reason: str | None
    reply_by: datetime | None
    clock: Clock

    @property
    def reply_day(self) -> date | None:
        """The last day: one instant before it is too late."""
        if self.reply_by is None:
            return None
        return (self.reply_by - timedelta(microseconds=1)).astimezone(WIB).date()

    def is_open(self, code: str) -> bool:
        """Whether it may be answered now: of what came back only what the officer marked."""
        is_marked = any(mark.code == code for mark in self.marks)
        return self.state == "draft" or (self.state == "returned" and is_marked)

    def mark_of(self, code: str) -> str | None:
        return next((mark.reason for mark in self.marks if mark.code == code), None)


class Case(BaseModel):
    """What the page of one request shows; `service` is None where it is not to be read now."""

    request: Draft
    service: ServiceFull | None

    @property
    def asked(self) -> list[Asked]:
        return self.service.standard.requirements if self.service else []

    @property
    def steps(self) -> list[str]:
        return [step for step in STEPS if step in self.request.possible]


class Filing:
    def __init__(self, matters: Matters, catalogue: Catalogue) -> None:
        self._matters, self._catalogue = matters, catalogue

    async def begin(self, session: Session, service: str, once: UUID) -> Draft:
        """Raises: Unavailable, NotFound, SessionEnded, Refused; so do all of these."""
        said = {"service": service, "channel": "daring", "submit": False}
        return await self._matters.write(
            session, "POST", "/v1/requests", Draft, json=said, once=once
        )

    async def find(self, session: Session, key: UUID) -> Case:
        request = await self._matters.read(session, f"/v1/requests/{key}", Draft, {})
        try:
            shown = await self._catalogue.service(request.service)
        except NotFound:  # withdrawn from the list since; the request goes on
            return Case(request=request, service=None)
        return Case(request=request, service=shown.service)

    async def answer(self, session: Session, request: Draft, texts: Mapping[str, str]) -> Draft:
        """Sets what was written, takes back what was emptied, and leaves the rest."""
        before = {code: one.get("value", "") for code, one in request.answers.items()}
        changed = {code: text for code, text in texts.items() if text != before.get(code, "")}
        if not changed:
            return request
        answers = {code: {"value": text} if text else None for code, text in changed.items()}
        said = {"revision": request.revision, "answers": answers}
        path = f"/v1/requests/{request.id}/answers"
        return await self._matters.write(session, "PUT", path, Draft, json=said)

    async def take(self, session: Session, request: Draft, step: str, once: UUID) -> Draft:
        said = {"act": step, "revision": request.revision}
        path = f"/v1/requests/{request.id}/acts"
        return await self._matters.write(session, "POST", path, Draft, json=said, once=once)

    async def attach(
        self, session: Session, key: UUID, revision: int, document: tuple[str, File]
    ) -> Draft:
        code, file = document
        params = {"revision": str(revision), "name": file.name}
        path = f"/v1/requests/{key}/documents/{code}"
        return await self._matters.put(session, path, Draft, params=params, file=file)
