"""Notes, keys and leaves byte for byte."""

from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.ledger import note
from sebalai_exchange.ledger.leaf import Leaf, commitment
from sebalai_verifier.checkpoint import open_checkpoint
from sebalai_verifier.keys import parse_key

# The example key pair of Go's golang.org/x/mod/sumdb/note documentation.
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK"
    "vqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_keys_and_signature_are_those_of_the_go_implementation():
    signer = note.read_signer(GO_SIGNER + "\n")
    assert signer.private_text() == GO_SIGNER
    assert signer.verifier_text() == GO_VERIFIER
    assert signer.sign(GO_TEXT) == GO_NOTE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        GO_SIGNER.replace("c74f20a3", "c74f20a4"),
        GO_SIGNER.replace("AYEK", "AoEK"),
        GO_SIGNER[:-1] + "=",
        GO_SIGNER.replace("AYEK", "===="),
        GO_SIGNER.replace("+PeterNeumann", "+Peter Neumann"),
    ],
)
def test_malformed_signer_is_refused_without_repeating_it(text):
    with pytest.raises(note.MalformedKeyError) as caught:
        note.read_signer(text)
    assert "AYEK" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("name", "seed"), [("", b"x" * 32), ("a b", b"x" * 32), ("a", b"short")])
def test_signer_needs_a_name_and_a_whole_seed(name, seed):
    with pytest.raises(note.MalformedKeyError):
        note.Signer(name, seed)


def test_text_without_a_last_newline_is_not_signed():
    with pytest.raises(ValueError, match="newline"):
        note.read_signer(GO_SIGNER).sign("open")


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**53 - 1))
def test_checkpoint_opens_with_the_verifier_under_the_ledgers_key(seed, size):
    ledger = note.Signer("bus.example/ledger", seed)
    origin = "bus.example/ledger/records"
    signed = ledger.named(origin).sign(note.checkpoint_text(origin, size, b"r" * 32))
    opened = open_checkpoint(signed, [parse_key(ledger.verifier_text())])
    assert (opened.origin, opened.size, opened.root) == (origin, size, b"r" * 32)
    assert parse_key(ledger.named(origin).verifier_text()).name == origin
    Ed25519PublicKey.from_public_bytes(ledger.public)


def test_leaf_is_canonical_and_says_only_what_it_may():
    leaf = Leaf("call", "2026-11-24T08:00:00.000Z", UUID(int=7), b"\xab" * 32)
    assert leaf.encode() == (
        b'{"commitment":"' + b"ab" * 32 + b'","id":"00000000-0000-0000-0000-000000000007",'
        b'"kind":"call","time":"2026-11-24T08:00:00.000Z","v":1}'
    )


def test_commitment_is_salt_then_payload_and_the_salt_is_whole():
    assert commitment(b"s" * 32, b"{}") == sha256(b"s" * 32 + b"{}").digest()
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(b"s" * 31, b"{}")
