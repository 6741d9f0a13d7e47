"""A revoked token is refused although its signature is good, from the cache too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.admission import revoked as module
from sebalai_gateway.admission.revoked import RevokedSet
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.refusals import Refusal

SOURCE = "10.0.0.1"
NOW = 1_800_000_000


ACTING = {"business": "b", "nib": "8120001234567", "representation": "v"}
PERSONAL = {"sid": "s", "posting": "p", "rjti": "r", "acting_for": ACTING}
NAMES = ["cli.c", "sub.c", "jti.j", "jti.r", "sid.s", "pst.p", "rep.v", "kid.k1"]


@pytest.fixture
def held(clock):
    return RevokedSet(clock)


@pytest.fixture
def verifier(issuer, clock, held):
    return TokenVerifier(issuer.url, issuer.audience, issuer.keys, clock, held)


@pytest.fixture
def token(issuer, clock):
    """Makes tokens; the clock has gone on by a second since."""
    clock.now = NOW + 1
    return lambda **claims: issuer.token(NOW, **claims).encode()


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_token_is_revoked_by_it_is_refused_at_its_next_use(verifier, held, name, token):
    bearer = b"Bearer " + token(**PERSONAL)
    assert verifier.verify(bearer, SOURCE).sub == "c"
    held.take(1, [(name, NOW + 1, NOW + 400)], is_whole=False)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            verifier.verify(bearer, SOURCE)
        assert (refused.value.status, refused.value.slug) == (401, "token-revoked")


@pytest.mark.parametrize("name", NAMES)
def test_revoked_token_that_was_never_seen_is_refused(verifier, held, name, token):
    held.take(1, [(name, NOW + 1, NOW + 400)], is_whole=False)
    with pytest.raises(Refusal):
        verifier.verify(b"Bearer " + token(**PERSONAL), SOURCE)


def test_token_issued_after_the_revocation_is_good(verifier, held, token):
    held.take(1, [(name, NOW, NOW + 400) for name in NAMES], is_whole=False)
    assert verifier.verify(b"Bearer " + token(**PERSONAL), SOURCE)


def test_revocation_of_another_hurts_nobody(verifier, held, token):
    other = [f"{kind}.other" for kind in ("cli", "sub", "jti", "sid", "pst", "kid")]
    held.take(
        1, [(name, NOW + 1, NOW + 400) for name in [*other, "sid.", "pst.", "jti."]], is_whole=False
    )
    assert verifier.verify(b"Bearer " + token(), SOURCE)


def test_entry_ends_when_no_token_can_show_it_any_more(held, clock):
    held.take(1, [("sub.a", NOW, NOW + 360)], is_whole=False)
    clock.now = NOW + 361
    held.take(2, [("sub.b", NOW + 361, NOW + 721)], is_whole=False)
    assert [key for key, *_ in held.entries()] == ["sub.b"]


def test_whole_answer_lets_go_what_it_does_not_name(held):
    held.take(1, [("sub.a", NOW + 1, NOW + 360)], is_whole=False)
    held.take(2, [("sub.b", NOW + 1, NOW + 360)], is_whole=True)
    assert not held.covers("sub.a", NOW)
    assert held.covers("sub.b", NOW)


def test_more_than_the_limit_is_refused_and_the_known_stays(held, monkeypatch):
    monkeypatch.setattr(module, "ENTRIES_LIMIT", 2)
    held.take(1, [("sub.a", NOW + 1, NOW + 360)], is_whole=False)
    with pytest.raises(ValueError, match="more than 2"):
        held.take(2, [(f"sub.{n}", NOW + 1, NOW + 360) for n in range(3)], is_whole=False)
    assert held.covers("sub.a", NOW)
    assert held.version == 1


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 50), st.integers(60, 99)), max_size=20
    )
)
def test_told_twice_or_out_of_order_the_latest_revocation_counts(entries):
    one, other = RevokedSet(lambda: 0.0), RevokedSet(lambda: 0.0)
    for held, order in ((one, entries), (other, entries[::-1] + entries)):
        for entry in order:
            held.take(1, [entry], is_whole=False)
    for key in "abc":
        limit = max((n for k, n, _ in entries if k == key), default=0)
        for issued in (limit - 1, limit):
            assert (
                one.covers(key, issued)
                == other.covers(key, issued)
                == (issued < limit and limit > 0)
            )
