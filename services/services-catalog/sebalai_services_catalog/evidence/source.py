"""Where evidence comes from: the bus, called as any application is, under an agreement.

Owns the token and the call. Who may ask, and what is taken over, is decided elsewhere.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import quote, urlsplit
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7

from sebalai_services_catalog.outside import send
from sebalai_services_catalog.settings import CatalogSettings

log = logging.getLogger(__name__)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
TOKEN_KEPT = timedelta(seconds=200)
"""A token lives 300 s; one that the gateway refuses earlier is asked for anew."""
READ_SECONDS = 10.0
UNKNOWN_PERSON = (404, 422)
"""No such person; or a subject that is no person's id here, as of a client with pairwise ones."""
FETCHES_AT_ONCE = 8
"""A slow holder keeps no more than this many fetches of a process waiting."""

Outcome = Literal["no_match", "other_person", "refused", "unavailable"]


@dataclass(frozen=True, slots=True)
class Ask:
    """`body` says whom it is about; it goes to the holder and is kept nowhere."""

    interface: str
    path: str
    purpose: str
    consent: UUID
    body: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    message_id: UUID
    content: bytes


class FetchFailed(Exception):
    """`other_person`: the number is not known to be the caller's; `refused`: no agreement or none
    for this purpose; `unavailable`: the holder or the bus.
    """

    def __init__(self, outcome: Outcome, message_id: UUID | None = None) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome
        self.message_id = message_id


class EvidenceSource(Protocol):
    async def fetch(self, ask: Ask) -> Answered:
        """Raises: FetchFailed."""
        ...

    async def is_number_of(self, person: str, nik: str) -> bool:
        """False for who is not known here, or whose number is not. Raises: FetchFailed."""
        ...

    async def receipt(self, message_id: UUID) -> bytes | None:
        """The call receipt; null while it is not in the ledger yet. Raises: FetchFailed."""
        ...


class Bus:
    """The gateway with our application's key; close it at the end.

    Key and client id are read whenever a token is asked for: the application may be registered, or
    its key turned, while this process runs.
    """

    def __init__(self, settings: CatalogSettings, clock: Clock) -> None:
        host = urlsplit(settings.gateway_url).hostname or ""
        self._client = http.client(
            Reach.parse([host]), base_url=settings.gateway_url, read_seconds=READ_SECONDS
        )
        assert settings.client_key_file and settings.client_id_file  # noqa: S101, PT018 - checked as a whole
        self._key_file, self._id_file = settings.client_key_file, settings.client_id_file
        self._issuer = settings.public_url
        self._instance, self._clock = settings.instance, clock
        self._asking, self._places = asyncio.Lock(), asyncio.Semaphore(FETCHES_AT_ONCE)
        self._token, self._kept_until = "", clock.now()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def fetch(self, ask: Ask) -> Answered:
        if self._places.locked():
            raise FetchFailed("unavailable")
        path = f"/r1/{self._instance}/GOV/{ask.interface}{ask.path}"
        headers = {
            "Content-Type": "application/json",
            "Sebalai-Purpose": ask.purpose,
            "Sebalai-Consent": str(ask.consent),
        }
        async with self._places:
            answer = await self._call("POST", path, orjson.dumps(ask.body), headers)
        message_id = _message_id(answer)
        if answer.status_code == 404:
            raise FetchFailed("no_match", message_id)
        if answer.status_code in (401, 403):
            raise FetchFailed("refused", message_id)
        if answer.status_code != 200 or message_id is None:
            raise FetchFailed("unavailable", message_id)
        return Answered(message_id, answer.content)

    async def is_number_of(self, person: str, nik: str) -> bool:
        path = f"/api/identity/v1/persons/{quote(person, safe='')}/nik/comparison"
        headers = {"Content-Type": "application/json"}
        answer = await self._call("POST", path, orjson.dumps({"nik": nik}), headers)
        if answer.status_code in UNKNOWN_PERSON:
            return False
        try:
            answer.raise_for_status()
            return answer.json()["is_same"] is True
        except (http.Error, ValueError, KeyError, TypeError) as error:
            raise FetchFailed("unavailable") from error

    async def receipt(self, message_id: UUID) -> bytes | None:
        answer = await self._call("GET", f"/receipts/{message_id}", b"", {})
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise FetchFailed("unavailable", message_id)
        return answer.content

    async def _call(
        self, method: str, path: str, content: bytes, headers: dict[str, str]
    ) -> http.Response:
        try:
            answer = await self._with_token(method, path, content, headers)
            if answer.status_code == 401:  # the token was revoked, or its signing key turned
                self._token = ""
                answer = await self._with_token(method, path, content, headers)
        except http.Error as error:
            raise FetchFailed("unavailable") from error
        return answer

    async def _with_token(
        self, method: str, path: str, content: bytes, headers: dict[str, str]
    ) -> http.Response:
        bearer = {"Authorization": f"Bearer {await self._current()}"}
        return await send(self._client, method, path, content, headers | bearer)

    async def _current(self) -> str:
        async with self._asking:
            now = self._clock.now()
            if not self._token or now >= self._kept_until:
                self._token, self._kept_until = await self._ask_token(now), now + TOKEN_KEPT
            return self._token

    def _read(self) -> tuple[ECKey, str]:
        """Raises: FetchFailed where no application was registered yet."""
        try:
            key = ECKey.import_key(json.loads(self._key_file.read_text(encoding="utf-8")))
            return key, self._id_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            log.warning("no evidence is fetched: %s", error)
            raise FetchFailed("refused") from error

    async def _ask_token(self, now: datetime) -> str:
        at = int(now.timestamp())
        key, client = self._read()
        claims = {
            "iss": client, "sub": client, "aud": self._issuer, "jti": str(uuid7()), "iat": at,
            "exp": at + ASSERTION_SECONDS,
        }  # fmt: skip
        kid = str(key.kid or key.thumbprint())
        assertion = jwt.encode({"alg": "ES256", "kid": kid}, claims, key)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        answer = await self._client.post("/oauth/token", data=form)
        try:
            answer.raise_for_status()
            return str(answer.json()["access_token"])
        except (http.Error, ValueError, KeyError, TypeError) as error:
            raise FetchFailed("unavailable") from error


def _message_id(answer: http.Response) -> UUID | None:
    try:
        return UUID(answer.headers.get("Sebalai-Message-Id", ""))
    except ValueError:
        return None
