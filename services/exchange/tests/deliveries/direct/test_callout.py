"""What the broker asks about a connection, as bytes from outside this program."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.direct import access
from sebalai_exchange.direct.callout import PASSWORD_LENGTH_MAX, ident_of, read
from sebalai_exchange.direct.steward import config
from sebalai_exchange.subscriptions.credentials import digest_of, fits, new_password

IDENT = UUID("01a225a5-80e9-7dd1-9f40-5c4a2d0b8f11")
VALUES = st.none() | st.integers(-9, 9) | st.text(max_size=5) | st.lists(st.none(), max_size=2)


def asked(**changed):
    told = {
        "server_id": {"id": "N1"}, "user_nkey": "U1",
        "connect_opts": {"user": f"{IDENT}.1", "pass": "secret"},
    }  # fmt: skip
    body = orjson.dumps({"iat": 1_790_000_000, "nats": told | changed})
    return b"e30." + base64.urlsafe_b64encode(body).rstrip(b"=") + b".x"


def test_who_asks_is_read_and_a_client_without_a_user_is_nobody():
    found = read(asked())
    assert (found.server, found.nkey, found.user, found.password) == (
        "N1", "U1", f"{IDENT}.1", "secret",
    )  # fmt: skip
    assert ident_of(found.user) == IDENT
    assert ident_of(read(asked(connect_opts={})).user) is None


@given(st.binary(max_size=80))
def test_what_is_no_request_is_answered_nothing(request):
    assert read(request) is None


@given(st.sampled_from(["server_id", "user_nkey", "connect_opts"]), VALUES)
def test_a_request_of_another_shape_is_no_error(name, value):
    found = read(asked(**{name: value}))
    assert found is None or name == "user_nkey"


def test_a_password_of_any_length_is_not_digested():
    long = {"user": f"{IDENT}.1", "pass": "x" * (PASSWORD_LENGTH_MAX + 1)}
    assert read(asked(connect_opts=long)) is None


@given(st.text(max_size=40))
def test_only_the_one_spelling_of_an_id_names_a_subscription(text):
    found = ident_of(text)
    assert found is None or text.startswith(str(found))
    for other in (str(IDENT).upper(), IDENT.hex, f"{{{IDENT}}}", f"urn:uuid:{IDENT}"):
        assert ident_of(other) is None


def test_no_permission_of_one_subscription_reaches_into_another():
    told = access.permissions(IDENT)
    for subject in (*told["pub"]["allow"], *told["sub"]["allow"]):
        before, _, after = subject.partition(str(IDENT))
        assert "*" not in before
        assert ">" not in before
        assert after in {"", ".>"}


def test_a_password_fits_its_own_digest_alone():
    one, other = new_password(), new_password()
    assert fits(one, digest_of(one))
    assert not fits(other, digest_of(one))
    assert not fits("", None)


def test_a_consumer_without_a_type_is_never_made():
    try:
        config(IDENT, datetime.now(UTC), [])
    except ValueError:
        return
    raise AssertionError("it would hear everything")
