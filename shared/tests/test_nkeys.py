"""Keys as NATS writes them, against what its own tools made, and JWTs a broker reads."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from sebalai_shared.nkeys import AccountKey, MalformedSeedError


def _raw(text):
    return base64.b32decode(text + "=" * (-len(text) % 8))


@given(st.binary(min_size=32, max_size=32))
def test_a_seed_is_read_as_it_was_written(seed):
    key = AccountKey(seed)
    assert key.seed.startswith("SA")
    assert key.public.startswith("A")
    assert len(key.public) == 56
    assert AccountKey.from_seed(key.seed).public == key.public


@given(st.binary(min_size=32, max_size=32), st.integers(0, 57), st.sampled_from("ABYZ27"))
def test_a_seed_with_one_wrong_letter_is_refused(seed, place, letter):
    text = AccountKey(seed).seed
    wrong = text[:place] + letter + text[place + 1 :]
    if wrong == text:
        return
    with pytest.raises(MalformedSeedError):
        AccountKey.from_seed(wrong)


@pytest.mark.parametrize("text", ["", "SA", "no base32!", "é" * 58, "SU" + "A" * 56])
def test_what_is_no_seed_of_an_account_is_refused(text):
    with pytest.raises(MalformedSeedError):
        AccountKey.from_seed(text)


def test_a_token_is_signed_over_its_head_and_claims():
    key = AccountKey(b"k" * 32)
    head, claims, signature = key.sign({"sub": "U", "nats": {"type": "user"}}).split(".")
    public = Ed25519PublicKey.from_public_bytes(_raw(key.public)[1:-2])
    decoded = [base64.urlsafe_b64decode(part + "==") for part in (head, claims, signature)]
    public.verify(decoded[2], f"{head}.{claims}".encode())
    assert json.loads(decoded[0]) == {"typ": "JWT", "alg": "ed25519-nkey"}
    assert json.loads(decoded[1])["iss"] == key.public
