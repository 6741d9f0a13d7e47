"""The evidence of one call: what is in it, and what never is."""

import os
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.calls.record import LONG_SECONDS, SALT_BYTES, Call, _text
from sebalai_shared.clock import to_text


def test_only_a_call_that_may_last_long_names_its_deadline_and_only_while_it_is_asked():
    call = Call("PUT", "t")
    short = orjson.loads(call.request_record(LONG_SECONDS))
    long = orjson.loads(call.request_record(3_600))
    assert "deadline" not in short
    assert datetime.fromisoformat(long["deadline"]) - datetime.fromisoformat(
        long["requested_at"]
    ) == timedelta(hours=1)
    assert "deadline" not in orjson.loads(call.record("answered", 200))


@pytest.mark.parametrize("given", ["3171010101900001", "", "a" * 129, "a\nb", "é"])
def test_free_text_in_the_correlation_id_is_never_recorded(given):
    call = Call("GET", "t")
    call.correlate(given)
    assert orjson.loads(call.record("answered", 200))["correlation_id"] is None


def test_target_is_recorded_only_as_a_salted_digest():
    one, two = Call("GET", "t"), Call("GET", "t")
    one.target = two.target = b"/residents/3171010101900001"
    records = [call.record("answered", 200) for call in (one, two)]
    assert all(b"residents" not in record and b"3171" not in record for record in records)
    first, second = (orjson.loads(record)["target_digest"] for record in records)
    assert first != second


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)))
def test_stamps_are_spelled_as_every_other_time(naive):
    at = naive.replace(tzinfo=UTC)
    whole = int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    assert _text(whole // 1_000) == to_text(at)


def test_numbers_and_salts_never_come_twice():
    calls = [Call("GET", "t") for _ in range(1_000)]
    assert len({call.name for call in calls}) == len({call.salt for call in calls}) == 1_000


def test_process_that_was_forked_has_chance_of_its_own():
    Call("GET", "t")
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.write(writes, Call("GET", "t").salt)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reads, SALT_BYTES) != Call("GET", "t").salt
    os.close(reads)
    os.close(writes)
