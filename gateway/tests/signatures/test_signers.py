"""Whose keys sign: an application's own, by id or thumbprint, until their end."""

import pytest
from joserfc.jwk import ECKey
from sebalai_gateway.signatures.signers import Signers

JWK = ECKey.generate_key("P-256").as_dict(private=False)


def key(application="a", kid="k", thumbprint="t", until=None, jwk=JWK):
    return {
        "application": application,
        "kid": kid,
        "thumbprint": thumbprint,
        "jwk": jwk,
        "until": until,
    }


def test_a_key_is_found_by_both_its_names_for_its_application_alone():
    signers = Signers()
    assert signers.replace(1, [key()])
    assert signers.find("a", "k") is signers.find("a", "t") is not None
    assert signers.find("b", "k") is None
    assert signers.find("a", "") is None


def test_a_key_ends_at_its_end_and_a_newer_version_replaces_all():
    now = [100.0]
    signers = Signers(lambda: now[0])
    signers.replace(1, [key(until=101)])
    assert signers.find("a", "k") is not None
    now[0] = 101
    assert signers.find("a", "k") is None
    assert not signers.replace(1, [])
    assert signers.replace(2, [])
    assert signers.find("a", "t") is None


def test_a_key_that_cannot_be_read_harms_only_itself():
    signers = Signers()
    signers.replace(1, [key(), key("b", jwk={"kty": "EC"})])
    assert signers.find("a", "k").key
    with pytest.raises(KeyError):
        _ = signers.find("b", "k").key
