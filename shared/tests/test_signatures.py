"""HTTP message signatures against the RFC's own vectors, and in one spelling only."""

import base64
import contextlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicNumbers,
    generate_private_key,
)
from hypothesis import given
from hypothesis import strategies as st
from sebalai_shared.signatures import Message, Terms, Unreadable, base_of, holds, read, sign

# RFC 9421, appendix B.1.3: test-key-ecc-p256.
RFC_KEY = EllipticCurvePublicNumbers(
    *(
        int.from_bytes(base64.urlsafe_b64decode(part + "="))
        for part in (
            "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
            "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
        )
    ),
    SECP256R1(),
).public_key()
REQUEST_DIGEST = b"sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
ANSWER_DIGEST = b"sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
# Appendix B.2: the messages that are signed there.
REQUEST = Message(
    [
        (b"host", b"example.com"),
        (b"date", b"Tue, 20 Apr 2021 02:07:55 GMT"),
        (b"content-type", b"application/json"),
        (b"content-digest", REQUEST_DIGEST),
        (b"content-length", b"18"),
    ],
    "POST", "/foo", "param=Value&Pet=dog", "example.com",
)  # fmt: skip
ANSWER = Message(
    [
        (b"date", b"Tue, 20 Apr 2021 02:07:56 GMT"),
        (b"content-type", b"application/json"),
        (b"content-digest", ANSWER_DIGEST),
        (b"content-length", b"23"),
    ],
    status=200,
)
DATE = '"date": Tue, 20 Apr 2021 02:07:55 GMT'
VECTORS = {
    "b21": (
        '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
        [],
    ),
    "b23": (
        ('("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" '
        '"content-length");created=1618884473;keyid="test-key-rsa-pss"'),
        [
            DATE, '"@method": POST', '"@path": /foo', '"@query": ?param=Value&Pet=dog',
            '"@authority": example.com', '"content-type": application/json',
            f'"content-digest": {REQUEST_DIGEST.decode()}', '"content-length": 18',
        ],
    ),
    "b25": (
        '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        [DATE, '"@authority": example.com', '"content-type": application/json'],
    ),
    "b26": (
        ('("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'),
        [
            DATE, '"@method": POST', '"@path": /foo', '"@authority": example.com',
            '"content-type": application/json', '"content-length": 18',
        ],
    ),
}  # fmt: skip
KEY = generate_private_key(SECP256R1())
TERMS = Terms("sig", "k1", 1_700_000_000, "here", "0123456789abcdef")


def with_fields(message, *fields):
    return replace(message, headers=[*message.headers, *fields])


@pytest.mark.parametrize("name", VECTORS)
def test_signature_bases_are_the_rfcs(name):
    inner, lines = VECTORS[name]
    fields = with_fields(
        REQUEST,
        (b"signature-input", f'sig={inner};tag="x"'.encode()),
        (b"signature", b"sig=:AA==:"),
    ).headers
    found = read(fields, "x")
    base = base_of(found.components, inner, REQUEST)
    assert base.decode().split("\n") == [*lines, f'"@signature-params": {inner}']


def test_the_rfcs_ecdsa_signature_holds_and_no_other_answer_bears_it():
    inner = '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"'
    value = b"sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:"
    tagged = (b"signature-input", f'sig-b24={inner};tag="x"'.encode())
    found = read([tagged, (b"signature", value)], "x")
    assert holds(RFC_KEY, found, base_of(found.components, inner, ANSWER))
    other = replace(ANSWER, status=201)
    assert not holds(RFC_KEY, found, base_of(found.components, inner, other))
    assert not holds(KEY.public_key(), found, base_of(found.components, inner, ANSWER))


def test_what_is_signed_is_read_and_holds():
    covered = ["@method", "@path", "@query", "content-digest"]
    signed = sign(KEY, covered, TERMS, REQUEST)
    found = read(signed.headers, "here")
    assert [one.strip('"') for one in found.components] == covered
    assert (found.created, found.text("keyid"), found.text("nonce")) == (
        TERMS.created, "k1", TERMS.nonce,
    )  # fmt: skip
    assert base_of(found.components, found.inner, REQUEST) == signed.base
    assert holds(KEY.public_key(), found, signed.base)


def test_an_answer_is_bound_to_what_it_answers():
    asked = Message([(b"x-id", b"7")], "GET", "/a")
    signed = sign(KEY, ["@status", "x-id;req", "@method;req"], TERMS, ANSWER, asked)
    found = read(signed.headers, "here")
    assert found.components == ('"@status"', '"x-id";req', '"@method";req')
    other = Message([(b"x-id", b"8")], "GET", "/a")
    assert not holds(KEY.public_key(), found, base_of(found.components, found.inner, ANSWER, other))
    with pytest.raises(Unreadable):
        base_of(found.components, found.inner, ANSWER)


@pytest.mark.parametrize(
    ("inputs", "marks"),
    [
        ('a=("x");tag="here"', ""),
        ('a=("x");tag="here"', "b=:AA==:"),
        ('a=("x");tag="here", a=("y");tag="here"', "a=:AA==:"),
        ('a=("x");tag="here", b=("y");tag="here"', "a=:AA==:, b=:AA==:"),
        ('a=("x" "x");tag="here"', "a=:AA==:"),
        ('a=("x");tag="here";tag="here"', "a=:AA==:"),
        ('a=("x"  "y");tag="here"', "a=:AA==:"),
        ('a=("x";sf);tag="here"', "a=:AA==:"),
        ('a=("x");tag=here', "a=:AA==:"),
        ('a=("x");tag="here",', "a=:AA==:"),
        ('a=("x");tag="here"', "a=:A:"),
        ('a=("x);tag="here"', "a=:AA==:"),
        ('a=("' + "x" * 9_000 + '");tag="here"', "a=:AA==:"),
    ],
)
def test_what_two_readers_could_read_differently_is_not_read(inputs, marks):
    with pytest.raises(Unreadable):
        read([(b"signature-input", inputs.encode()), (b"signature", marks.encode())], "here")


def test_signatures_of_others_are_passed_over():
    signed = sign(KEY, ["@method"], TERMS, REQUEST)
    theirs = sign(KEY, ["@path"], replace(TERMS, label="b", tag="there"), REQUEST)
    fields = [*theirs.headers, *signed.headers]
    assert read(fields, "here").label == "sig"
    assert read(fields, "nowhere") is None
    assert read([], "here") is None


def test_what_is_covered_must_be_there_and_be_ascii():
    for covered in (["x-missing"], ["@status"], ["@target-uri"], ["@method;req"]):
        with pytest.raises(Unreadable):
            sign(KEY, covered, TERMS, REQUEST)
    with pytest.raises(Unreadable):
        sign(KEY, ["x"], TERMS, Message([(b"x", "é".encode())], "GET", "/"))


def test_lines_of_one_field_are_joined_in_their_order():
    message = Message([(b"x", b" a "), (b"y", b"-"), (b"x", b"b")], "GET", "/")
    assert sign(KEY, ["x"], TERMS, message).base.startswith(b'"x": a, b\n')


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60))
def test_any_key_id_survives_its_spelling(keyid):
    found = read(sign(KEY, ["@method"], replace(TERMS, keyid=keyid), REQUEST).headers, "here")
    assert found.text("keyid") == keyid


@given(st.text(max_size=80), st.text(max_size=40))
def test_no_field_whatever_it_holds_does_more_than_be_refused(inputs, marks):
    fields = [
        (b"signature-input", inputs.encode("utf-8", "replace")),
        (b"signature", marks.encode("utf-8", "replace")),
    ]
    with contextlib.suppress(Unreadable):
        assert read(fields, "here") is None
