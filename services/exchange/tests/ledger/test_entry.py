"""What becomes an entry, in which log, for whom; and what is refused."""

import base64
import json
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.ledger.entry import (
    PAYLOAD_BYTES_LIMIT,
    MalformedEntryError,
    entry_of_call,
    entry_of_event,
)

SALT = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
ID = "0199d0c0-0000-7000-8000-000000000001"


def record(**more):
    return {
        "v": 1,
        "message_id": ID,
        "completed_at": "2026-12-31T23:59:59.999Z",
        "consumer": "ID-BB/GOV/dinsos-pmd/bansos",
        "provider": None,
        "outcome": "refused",
        "salt": SALT,
    } | more


def test_call_goes_to_the_log_of_its_year_without_its_salt():
    entry = entry_of_call(record())
    assert (entry.log, entry.kind, str(entry.id)) == ("exchanges/2026", "call", ID)
    assert "salt" not in json.loads(entry.payload)
    assert json.loads(entry.leaf) == {
        "v": 1,
        "kind": "call",
        "id": ID,
        "time": "2026-12-31T23:59:59.999Z",
        "commitment": sha256(b"s" * 32 + entry.payload.encode()).hexdigest(),
    }
    assert (entry.consumer, entry.provider, entry.agency) == (
        "ID-BB/GOV/dinsos-pmd/bansos",
        None,
        None,
    )


def test_year_is_that_of_utc():
    late = entry_of_call(record(completed_at="2027-01-01T06:00:00+07:00"))
    assert late.log == "exchanges/2026"


def test_event_goes_to_records_with_a_salt_of_its_own():
    event = {"id": ID, "time": "2026-11-24T08:00:00Z", "data": {"agency": "dinkes", "provider": 3}}
    first, second = entry_of_event(event), entry_of_event(event)
    assert (first.log, first.kind, first.agency) == ("records", "event", "dinkes")
    assert (first.consumer, first.provider) == (None, None)
    assert first.salt != second.salt
    assert entry_of_event(event | {"data": "text"}).agency is None


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        "x",
        record(message_id=None),
        record(message_id="x"),
        record(message_id=7),
        record(message_id=ID.upper()),
        record(completed_at=None),
        record(completed_at="yesterday"),
        record(completed_at="2026-12-31T23:59:59"),
        record(salt=None),
        record(salt="+/"),
        record(salt="AAAA"),
        record(salt="é"),
        record(status=2**60),
        record(text="\ud800"),
        record(**{"\ud800": 1}),
        record(text="x" * PAYLOAD_BYTES_LIMIT),
    ],
)
def test_record_that_breaks_the_contract_is_refused_by_name(broken):
    with pytest.raises(MalformedEntryError):
        entry_of_call(broken)


@given(st.recursive(st.none() | st.text() | st.floats() | st.integers(), st.lists))
def test_any_payload_becomes_an_entry_or_is_refused(value):
    try:
        entry = entry_of_call(record(extra=value, consumer=value))
    except MalformedEntryError:
        return
    assert entry.id == UUID(ID)
    assert entry.consumer is None or isinstance(value, str)
