"""How letters go to the national application and come from it.

Owns the words of the wire; what is queued, repeated and told is `jobs`' and `actions`'. SRIKANDI's
own interface is open to parties of an agreement only, and was not seen: this is its public field
list (number, date, matter, kind, urgency, class, code, sender, addressees, file) in a shape of
ours. Another interface is another class with these three methods.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol
from urllib.parse import quote

import orjson
from pydantic import BaseModel, ConfigDict, Field
from sebalai_shared import http
from typing_extensions import override

from sebalai_archive.reader import SecurityClass
from sebalai_archive.signing.outside import within
from sebalai_archive.texts import Line

LETTER_BYTES_MAX = 20 * 1024**2
PAGE_ITEMS = 50
PAGE_BYTES_MAX = 1024**2
WHOLE_SECONDS = 60.0  # a call with a file, however steadily it drips
Id = str


class Away(Exception):
    """The national application cannot be reached or does not work; later it may."""


class Refused(Exception):
    """It does not take this letter, and will not by asking again; `slug` says why in our words."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class Differs(Exception):
    """It has another content under the same name. Neither side is overwritten."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`name` is our own id of the letter: sending twice is one letter there."""

    name: str
    facts: dict[str, Any]
    pdf: bytes


class Incoming(BaseModel):
    """A letter there that is for an agency of ours, as its list tells it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    order: str = Field(alias="urutan", pattern=r"^[A-Za-z0-9._-]{1,100}$")
    unit: str = Field(alias="instansi_tujuan", max_length=100)
    sender: Line = Field(alias="pengirim")
    number: Line = Field(alias="nomor")
    dated: date = Field(alias="tanggal")
    subject: Line = Field(alias="hal")
    urgency: Literal["biasa", "segera", "sangat_segera"] = Field(alias="sifat")
    security_class: SecurityClass = Field(alias="tingkat_keamanan")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(alias="ukuran", ge=1, le=LETTER_BYTES_MAX)


class _Listed(BaseModel):
    items: list[Incoming] = Field(max_length=PAGE_ITEMS)


class National(Protocol):
    async def send(self, letter: Outgoing) -> Id:
        """Its id there; the same again is the same. Raises: Away, Refused, Differs."""
        ...

    async def after(self, order: str) -> Sequence[Incoming]:
        """A page of what came after that place, in its order. Raises: Away."""
        ...

    async def fetch(self, letter: Incoming) -> bytes:
        """The file, which is what its digest says. Raises: Away, Refused."""
        ...


class Srikandi(National):
    """`client` brings the token; see `jobs.national_client`."""

    def __init__(self, client: http.Client) -> None:
        self._client = client

    @override
    async def send(self, letter: Outgoing) -> Id:
        body = letter.facts | {
            "sha256": hashlib.sha256(letter.pdf).hexdigest(),
            "berkas": base64.b64encode(letter.pdf).decode(),
        }
        answer = await self._ask(f"/naskah/{quote(letter.name)}", method="PUT",
                                 content=orjson.dumps(body))  # fmt: skip
        if answer.status_code == 409:
            raise Differs
        if answer.status_code in {400, 404, 413, 422}:
            raise Refused("letter-refused")
        return _text(_read(answer), "id")

    @override
    async def after(self, order: str) -> Sequence[Incoming]:
        path = f"/naskah-masuk?sesudah={quote(order)}&batas={PAGE_ITEMS}"
        try:
            return _Listed.model_validate(_read(await self._ask(path, limit=PAGE_BYTES_MAX))).items
        except ValueError as error:
            raise Away("its list cannot be read") from error

    @override
    async def fetch(self, letter: Incoming) -> bytes:
        path = f"/naskah-masuk/{quote(letter.id)}/berkas"
        answer = await self._ask(path, limit=letter.size)
        if answer.status_code in {404, 410}:
            raise Refused("content-gone")
        _require_done(answer)
        if hashlib.sha256(answer.content).hexdigest() != letter.sha256:
            raise Away("the file is not what its digest says")
        return answer.content

    async def _ask(self, path: str, **options: Any) -> http.Response:
        try:
            return await within(self._client.fetch(path, **options), WHOLE_SECONDS)
        except http.Error as error:
            raise Away(type(error).__name__) from error


def _require_done(answer: http.Response) -> None:
    if answer.status_code != 200:
        raise Away(f"it answered {answer.status_code}")


def _read(answer: http.Response) -> Any:
    _require_done(answer)
    try:
        return orjson.loads(answer.content)
    except ValueError as error:
        raise Away("its answer is not JSON") from error


def _text(body: Any, name: str) -> str:
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, str) or not 0 < len(found) <= 100:
        raise Away("its answer names no letter")
    return found
