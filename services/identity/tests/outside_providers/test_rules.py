"""The rules of a relying party as pure functions: levels, whose an identity may become, addresses."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey
from sebalai_identity.assurance import level_by, outside_methods
from sebalai_identity.outside_providers.access import level_of, may_become
from sebalai_identity.outside_providers.faults import ProviderDistrusted
from sebalai_identity.outside_providers.relying import Asking, kid_of, proven, usable_keys
from sebalai_identity.outside_providers.schema import (
    Label,
    Proof,
    Provider,
    ProviderSettings,
    require_address,
)

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ASKING = Asking("state", "nonce", "verifier", 3600)
PROVIDER = Provider(
    UUID(int=1),
    "inapas",
    ProviderSettings(
        issuer="https://inapas.example",
        client_id="us",
        key_file="k.jwk",
        acr_levels={"loa2": 2},
        nik_claim="nik",
        label=Label(id="INApas", en="INApas"),
    ),
)
GOOD = {
    "iss": "https://inapas.example", "aud": "us", "nonce": "nonce", "sub": "one", "iat": AT,
    "exp": AT + 300, "auth_time": AT, "acr": "loa2",
}  # fmt: skip
people = st.sampled_from([UUID(int=number) for number in range(1, 4)])
JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)


@given(st.text(max_size=5) | st.none(), st.dictionaries(st.text(max_size=5), st.integers(1, 3)))
def test_level_is_as_agreed_or_the_least(acr, levels):
    assert level_of(acr, levels) == levels.get(acr, 1)


@given(st.integers(1, 3), st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True))
def test_session_of_an_outside_provider_is_worth_no_more_than_told(level, slug):
    # Not even a provider called like one of our own methods raises it.
    assert level_by(outside_methods(slug, level)) == level


@given(people, people | st.none(), people | st.none(), st.booleans(), st.booleans())
def test_nobody_becomes_another(person, begun_by, nik_person, has_nik, has_own):
    proof = Proof(UUID(int=9), "https://i", b"", has_nik, nik_person if has_nik else None, begun_by)
    if may_become(proof, person, has_own_nik=has_own):
        assert begun_by in (None, person)
        # Without a number that tells whose it is, only who was signed in when it was begun.
        assert person in (begun_by, nik_person)
        assert proof.nik_person in (None, person)
        assert not (has_nik and has_own and proof.nik_person is None)


@given(st.sampled_from(sorted(GOOD)), JSON | st.lists(JSON, max_size=2))
def test_any_other_claim_is_refused_or_harmless(name, value):
    try:
        found = proven(GOOD | {name: value}, PROVIDER, ASKING, NOW)
    except ProviderDistrusted:
        return
    assert name in {"sub", "acr", "iat", "exp", "auth_time", "aud"} or value == GOOD[name]
    assert found.auth_time <= NOW
    assert found.level <= 2


def test_good_claims_are_believed():
    found = proven(GOOD | {"aud": ["us"], "nik": "x"}, PROVIDER, ASKING, NOW)
    assert (found.subject, found.level, found.auth_time, found.nik) == ("one", 2, NOW, "x")


@given(st.text(alphabet="abc.=-_{}\"' \x00", max_size=40))
def test_what_is_no_token_is_refused(compact):
    with pytest.raises(ProviderDistrusted):
        kid_of(compact, "ES512")


def test_only_keys_of_the_agreed_algorithm_count():
    made = [ECKey.generate_key("P-521"), ECKey.generate_key("P-256"), OctKey.generate_key(256)]
    listed = [one.as_dict(private=False) | {"kid": str(n)} for n, one in enumerate(made[:2])]
    listed.append(made[2].as_dict(private=True) | {"kid": "2"})
    listed.append(RSAKey.generate_key(2048).as_dict(private=False) | {"kid": "3"})
    for wrong in ({"use": "enc"}, {"alg": "ES256"}, {"x": "AA"}, {"crv": "P-9"}):
        listed.append(listed[0] | wrong | {"kid": "wrong"})
    assert set(usable_keys({"keys": [*listed, 1, None, {}]}, "ES512")) == {"0"}
    assert set(usable_keys({"keys": listed}, "RS256")) == {"3"}
    assert usable_keys({"keys": {"kid": 1}}, "ES512") == usable_keys({}, "ES512") == {}


@given(st.text(max_size=30), st.sampled_from(["", "https://", "http://", "https://h.example/"]))
def test_addresses_are_safe_or_refused(rest, start):
    try:
        address = require_address(start + rest)
    except ValueError:
        return
    assert address.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]"))
    assert not set(address) & set(" \\@\"'<>#?\n\r\t")  # nothing a browser reads otherwise
