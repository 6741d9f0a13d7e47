"""Ids, times, cursors, addresses, settings: rules without a server."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_shared.addresses import AddressRefused, Reach
from sebalai_shared.clock import from_text, to_text
from sebalai_shared.events import Event, MalformedEvent, decode
from sebalai_shared.ids import RANDOM_BYTES, uuid7, uuid7_text
from sebalai_shared.pagination import BadCursor, decode_cursor, encode_cursor, page
from sebalai_shared.settings import MemberSettings
from sebalai_shared.telemetry import enter_trace
from sebalai_shared.testing.clock import FixedClock

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_ids_are_version_7_and_ordered_by_millisecond():
    made = [uuid7() for _ in range(1000)]
    assert {(made_id.version, made_id.variant) for made_id in made} == {(7, RFC_4122)}
    assert len(set(made)) == 1000
    stamps = [made_id.int >> 80 for made_id in made]
    assert stamps == sorted(stamps)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_an_id_tells_its_moment_and_holds_74_bits_of_chance(milliseconds, chance):
    made = UUID(uuid7_text(milliseconds * 1_000_000 + 999_999, chance))
    assert (made.version, made.variant, made.int >> 80) == (7, RFC_4122, milliseconds)
    digits = chance.hex()
    assert made.hex[13:16] + made.hex[17:] == digits[:3] + digits[4:19]
    assert int(made.hex[16], 16) & 3 == int(digits[3], 16) & 3


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1)))
def test_a_time_survives_the_wire_to_the_millisecond(at):
    assert abs(from_text(to_text(at)) - at) < timedelta(milliseconds=1)


def test_a_time_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        from_text("2026-11-24T08:00:00")


def test_a_fixed_clock_moves_only_when_told():
    clock = FixedClock(AT.astimezone(timezone(timedelta(hours=7))))
    assert clock.now() == AT
    clock.move(timedelta(days=1))
    assert clock.now() == AT + timedelta(days=1)


# PostgreSQL keeps no NUL, so no sort key holds one.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


@given(st.lists(st.one_of(st.integers(-(2**53), 2**53), TEXTS), min_size=1))
def test_a_cursor_gives_back_what_it_hid(key):
    assert decode_cursor(encode_cursor(key), len(key)) == key


@pytest.mark.parametrize(
    "cursor", ["!!!", "AAAA", encode_cursor([1, 2]), encode_cursor(["a\x00"]), "é", "=" * 9]
)
def test_a_foreign_cursor_is_refused(cursor):
    with pytest.raises(BadCursor):
        decode_cursor(cursor, 1)


def test_a_page_says_that_there_is_more_only_when_there_is():
    first = page([1, 2, 3], 2, str, lambda row: [row])
    assert (first.items, first.next) == (["1", "2"], encode_cursor([2]))
    assert page([1, 2], 2, str, lambda row: [row]).next is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0",
        "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1", "fd00::1",
        "224.0.0.1", "ff02::1", "100.64.0.1", "240.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_internal_addresses_are_refused(address):
    with pytest.raises(AddressRefused):
        Reach().check("provider.example", address)


def test_public_addresses_are_reached_and_named_private_ones_too():
    Reach().check("provider.example", "1.1.1.1")
    Reach.parse(["10.0.0.0/8"]).check("provider.example", "10.1.2.3")
    Reach.parse(["Dukcapil.intra"]).check("dukcapil.intra", "10.1.2.3")
    with pytest.raises(AddressRefused):
        Reach.parse(["10.0.0.0/8"]).check("provider.example", "192.168.1.1")


def test_link_local_stays_closed_even_when_named():
    with pytest.raises(AddressRefused):
        Reach.parse(["169.254.0.0/16"]).check("metadata", "169.254.169.254")


def test_a_secret_comes_from_the_file_its_variable_names(tmp_path, monkeypatch):
    secret = tmp_path / "password"
    secret.write_text("s p/c@t\n")
    monkeypatch.setenv("SEBALAI_DATABASE_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("SEBALAI_DATABASE_URL", "postgresql://archive@127.0.0.1:5/archive")
    settings = MemberSettings.from_environment()
    assert settings.database_dsn() == "postgresql://archive:s%20p%2Fc%40t@127.0.0.1:5/archive"
    assert "s p/c@t" not in repr(settings)


def test_an_event_survives_the_wire():
    event = Event("archive.record.declared.v1", "/prov/x/archive", "r1", {"id": "1"}, AT)
    assert decode(event.encode()) == event
    assert event.nats_subject == "sebalai.archive.record.declared.v1"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"specversion":"0.3"}', b"\xff",
        b'{"specversion":"1.0","type":"a","source":"b","time":"2026-11-24T08:00:00Z"}',
        b"x" * 70_000,
    ],
)  # fmt: skip
def test_what_is_not_a_whole_event_is_refused(body):
    with pytest.raises(MalformedEvent):
        decode(body)


@pytest.mark.parametrize(
    ("given_header", "joins"),
    [
        (f"00-{'a' * 32}-{'b' * 16}-01", True),
        (f"00-{'0' * 32}-{'b' * 16}-01", False),
        (f"ff-{'a' * 32}-{'b' * 16}-01", False),
        ("junk", False),
        (None, False),
    ],
)
def test_a_valid_traceparent_is_joined_and_any_other_starts_anew(given_header, joins):
    assert (enter_trace(given_header).trace_id == "a" * 32) is joins
