"""CloudEvents 1.0 as they arrive: structured, binary and batched HTTP into one checked document.

Pure. Our own codec, because the Python SDK invents an id for an event that has none (nothing could
then tell a repetition), and knows no batch. Owns the attributes; not what `data` must look like.
Source: CloudEvents 1.0.2, its JSON format and its HTTP binding.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import orjson
from sebalai_shared.clock import from_text, to_text
from sebalai_shared.events import EVENT_BYTES_LIMIT

from sebalai_exchange.names import EVENT_TYPE_PATTERN

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
BATCH_EVENTS_MAX = 500
TEXT_LENGTH_MAX = 200
ATTRIBUTES_MAX = 30
AHEAD_MAX = timedelta(minutes=5)
# The bus puts events into documents of its own, and serialisers end at some 250 levels.
DEPTH_LIMIT = 64
BUS_ATTRIBUTES = frozenset({"position", "publisher", "recordedtime"})

_TYPE = re.compile(EVENT_TYPE_PATTERN)
_NAME = re.compile(r"^[a-z0-9]{1,20}$")
# RFC 3986: which characters a URI is written in, and how one begins that is no reference.
_URI_REFERENCE = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]]+\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONG_NUMBER = re.compile(r"(?<![0-9A-Fa-f])\d{16}(?![0-9A-Fa-f])")
_LONG_NUMBER_IN_DATA = re.compile(rb"(?<![0-9A-Fa-f.])\d{16}(?![0-9A-Fa-f])")
_REQUIRED = ("id", "source", "type", "specversion")
_HEADER = "ce-"


class MalformedEnvelopeError(ValueError):
    """`pointer` names the attribute that breaks the rule."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer, self.detail = pointer, detail


@dataclass(frozen=True, slots=True)
class Envelope:
    """A checked event; `text` is the document exactly as it is kept and delivered,
    `digest` the SHA-256 of what the publisher itself wrote.
    """

    source: str
    id: str
    type: str
    key: str | None
    data: Any
    text: str
    digest: bytes


def parse_request(
    content_type: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> list[Envelope]:
    """All events of one request, in order. Raises: MalformedEnvelopeError."""
    media = content_type.partition(";")[0].strip().lower()
    if media == BATCH:
        return _batch(body, now)
    if media == STRUCTURED:
        return [envelope(_json(body, ""), now)]
    if "ce-specversion" in headers:
        return [envelope(_binary(media, headers, body), now)]
    raise MalformedEnvelopeError(
        "/", f"send {STRUCTURED}, {BATCH}, or the attributes as ce-* headers"
    )


def _batch(body: bytes, now: datetime) -> list[Envelope]:
    documents = _json(body, "")
    if not isinstance(documents, list):
        raise MalformedEnvelopeError("", "a batch is a JSON array of events")
    found = cast("list[Any]", documents)
    if not 1 <= len(found) <= BATCH_EVENTS_MAX:
        raise MalformedEnvelopeError("", f"a batch holds 1 to {BATCH_EVENTS_MAX} events")
    return [envelope(document, now, f"/{number}") for number, document in enumerate(found)]


def _json(body: bytes, at: str) -> Any:
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise MalformedEnvelopeError(at, "not UTF-8 JSON") from error


def _binary(media: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in headers.items():
        if name.startswith(_HEADER):
            attribute = name.removeprefix(_HEADER)
            if not value.isascii():  # whatever stood there, its bytes were changed on the way
                raise MalformedEnvelopeError(f"/{attribute}", "percent-encode it in a header")
            try:
                document[attribute] = unquote_to_bytes(value).decode()
            except UnicodeDecodeError as error:
                raise MalformedEnvelopeError(f"/{attribute}", "not UTF-8") from error
    if body:
        if not _is_json(media):
            raise MalformedEnvelopeError("/datacontenttype", "data is JSON on this bus")
        document["datacontenttype"] = media
        document["data"] = _json(body, "/data")
    return document


def envelope(document: Any, now: datetime, at: str = "") -> Envelope:
    """Checks one document; `at` is its place in a batch. Raises: MalformedEnvelopeError."""
    if not isinstance(document, dict):
        raise MalformedEnvelopeError(at, "an event is a JSON object")
    fields = {
        name: value
        for name, value in cast("dict[str, Any]", document).items()
        if value is not None or name == "data"  # a null attribute counts as not given
    }
    if len(fields) > ATTRIBUTES_MAX:
        raise MalformedEnvelopeError(at, f"at most {ATTRIBUTES_MAX} attributes")
    for name in _REQUIRED:
        if name not in fields:
            raise MalformedEnvelopeError(f"{at}/{name}", "is required")
    for name, value in fields.items():
        if name != "data":
            _check(name, value, at)
    _check_known(fields, now, at)
    if _nests_deeper(fields.get("data"), DEPTH_LIMIT):
        raise MalformedEnvelopeError(f"{at}/data", f"nests deeper than {DEPTH_LIMIT} levels")
    digest = sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).digest()
    fields.setdefault("time", to_text(now))
    if "data" in fields:
        fields.setdefault("datacontenttype", "application/json")
    return _sealed(fields, digest, at)


def _check(name: str, value: Any, at: str) -> None:
    pointer = f"{at}/{name[:40]}"
    if name == "data_base64":
        raise MalformedEnvelopeError(pointer, "data is JSON on this bus; send a link to a file")
    if not _NAME.match(name):
        raise MalformedEnvelopeError(pointer, "an attribute is named by 1 to 20 of a-z and 0-9")
    if name in BUS_ATTRIBUTES:
        raise MalformedEnvelopeError(pointer, "is set by the bus")
    if isinstance(value, (bool, int)):
        return
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_LENGTH_MAX:
        raise MalformedEnvelopeError(pointer, f"is a text of 1 to {TEXT_LENGTH_MAX} characters")
    if _CONTROL.search(value):
        raise MalformedEnvelopeError(pointer, "holds a control character")
    if _LONG_NUMBER.search(value):
        raise MalformedEnvelopeError(pointer, "must not hold a NIK or another number of 16 digits")


def _check_known(fields: Mapping[str, Any], now: datetime, at: str) -> None:
    for name in (*_REQUIRED, "subject", "time", "datacontenttype", "dataschema"):
        if not isinstance(fields.get(name, ""), str):
            raise MalformedEnvelopeError(f"{at}/{name}", "is a text")
    if fields["specversion"] != "1.0":
        raise MalformedEnvelopeError(f"{at}/specversion", "must be 1.0")
    if not _TYPE.match(fields["type"]):
        raise MalformedEnvelopeError(f"{at}/type", "is <owner>.<noun>.<past verb>.v<n>")
    if not _URI_REFERENCE.match(fields["source"]):
        raise MalformedEnvelopeError(f"{at}/source", "is a URI reference (RFC 3986)")
    schema = fields.get("dataschema", "urn:")
    if not _URI_REFERENCE.match(schema) or not _SCHEME.match(schema):
        raise MalformedEnvelopeError(f"{at}/dataschema", "is a URI (RFC 3986)")
    if not _is_json(fields.get("datacontenttype", "application/json")):
        raise MalformedEnvelopeError(f"{at}/datacontenttype", "data is JSON on this bus")
    if "time" in fields and _time(fields["time"], at) > now + AHEAD_MAX:
        raise MalformedEnvelopeError(f"{at}/time", "lies more than 5 minutes ahead of our clock")


def _is_json(media: str) -> bool:
    name = media.partition(";")[0].strip().lower()
    return name == "application/json" or name.endswith("+json")


def _nests_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        inner: list[Any] = list(cast("dict[str, Any]", value).values())
    elif isinstance(value, list):
        inner = cast("list[Any]", value)
    else:
        return False
    return levels == 0 or any(_nests_deeper(one, levels - 1) for one in inner)


def _time(text: str, at: str) -> datetime:
    try:
        return from_text(text)
    except ValueError as error:
        raise MalformedEnvelopeError(f"{at}/time", "is RFC 3339 with an offset") from error


def _sealed(fields: dict[str, Any], digest: bytes, at: str) -> Envelope:
    text = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    if len(text) > EVENT_BYTES_LIMIT:
        raise MalformedEnvelopeError(
            at, f"an event has at most {EVENT_BYTES_LIMIT} bytes; send ids and a link"
        )
    if b"\\u0000" in text:
        raise MalformedEnvelopeError(f"{at}/data", "holds a NUL character")
    if _LONG_NUMBER_IN_DATA.search(orjson.dumps(fields.get("data"))):
        detail = "must not hold a NIK or another number of 16 digits; send an id of your own"
        raise MalformedEnvelopeError(f"{at}/data", detail)
    return Envelope(
        source=fields["source"],
        id=fields["id"],
        type=fields["type"],
        key=fields.get("subject"),
        data=fields.get("data"),
        text=text.decode(),
        digest=digest,
    )
