"""From a journal record or an event to an entry of a log: validated, committed to, leaf made.

Pure. Owns which log an entry belongs to and who its parties are. A record that breaks the contract
is refused by name, so that it can be set aside without holding up the others.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, cast
from uuid import UUID

import rfc8785
from sebalai_shared.clock import from_text

from sebalai_exchange.ledger.leaf import SALT_BYTES, Leaf, LeafKind, commitment

PAYLOAD_BYTES_LIMIT = 64 * 1024
RECORDS = "records"
PARTY_LENGTH_MAX = 200


class MalformedEntryError(ValueError):
    """What arrived cannot become an entry."""


@dataclass(frozen=True)
class Entry:
    """`payload` and `leaf` are exact canonical texts; `agency` may read it beside both parties."""

    id: UUID
    log: str
    kind: LeafKind
    payload: str
    salt: bytes
    leaf: str
    consumer: str | None = None
    provider: str | None = None
    agency: str | None = None


def entry_of_call(record: Any) -> Entry:
    """A `completed` journal record (wiring, section 9) with its salt.

    Raises `MalformedEntryError`.
    """
    payload = _object(record)
    salt = _salt(payload.pop("salt", None))
    time = _time(payload.get("completed_at"))
    year = from_text(time).astimezone(UTC).year
    return _entry(
        "call",
        f"exchanges/{year:04d}",
        salt,
        payload,
        (_id(payload.get("message_id")), time),
        {"consumer": payload.get("consumer"), "provider": payload.get("provider")},
    )


def entry_of_event(document: Any, salt: bytes | None = None) -> Entry:
    """A CloudEvent as it arrived; its salt is made here, because nobody else needs it.

    Raises `MalformedEntryError`.
    """
    return _of_event(document, salt, RECORDS)


def entry_of_exchange(document: Any) -> Entry:
    """Evidence that an event was accepted or delivered: it belongs to the exchanges of its year.

    Raises `MalformedEntryError`.
    """
    year = from_text(_time(_object(document).get("time"))).astimezone(UTC).year
    return _of_event(document, None, f"exchanges/{year:04d}")


def _of_event(document: Any, salt: bytes | None, log: str) -> Entry:
    payload = _object(document)
    data = payload.get("data")
    fields: Mapping[str, Any] = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    return _entry(
        "event",
        log,
        salt or os.urandom(SALT_BYTES),
        payload,
        (_id(payload.get("id")), _time(payload.get("time"))),
        {name: fields.get(name) for name in ("consumer", "provider", "agency")},
    )


def _entry(
    kind: LeafKind,
    log: str,
    salt: bytes,
    payload: Mapping[str, Any],
    named: tuple[UUID, str],
    parties: Mapping[str, Any],
) -> Entry:
    ident, time = named
    try:
        text = rfc8785.dumps(dict(payload))
        if len(text) > PAYLOAD_BYTES_LIMIT:
            raise MalformedEntryError(f"the payload exceeds {PAYLOAD_BYTES_LIMIT} bytes")
        leaf = Leaf(kind, time, ident, commitment(salt, text)).encode()
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError) as error:
        raise MalformedEntryError("the payload is no plain JSON") from error
    return Entry(
        id=ident,
        log=log,
        kind=kind,
        payload=text.decode(),
        salt=salt,
        leaf=leaf.decode(),
        **{name: _party(value) for name, value in parties.items()},
    )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedEntryError("not a JSON object")
    return dict(cast("dict[str, Any]", value))


def _id(value: Any) -> UUID:
    try:
        found = UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise MalformedEntryError("the id is not a UUID") from error
    if str(found) != value:
        raise MalformedEntryError("the id is not in the canonical spelling")
    return found


def _time(value: Any) -> str:
    try:
        from_text(value)
    except (ValueError, TypeError) as error:
        raise MalformedEntryError("the time is not RFC 3339 with an offset") from error
    return str(value)


def _salt(value: Any) -> bytes:
    try:
        salt = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise MalformedEntryError("the salt is not base64url") from error
    if len(salt) != SALT_BYTES:
        raise MalformedEntryError(f"the salt has not {SALT_BYTES} bytes")
    return salt


def _party(value: Any) -> str | None:
    """A name to compare callers with; anything that cannot be one is nobody."""
    is_name = isinstance(value, str) and 0 < len(value) <= PARTY_LENGTH_MAX and "\0" not in value
    return value if is_name else None
