from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_portal.uploads import NAME_LENGTH_MAX, PARTS_MAX, File, read_upload
from starlette.requests import Request

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


def form(content, name="peta.pdf", kind="application/pdf", **fields):
    """As a browser sends it (HTML, multipart/form-data encoding algorithm)."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="berkas"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return b"".join([*parts, head.encode(), content, f"\r\n--{BOUNDARY}--\r\n".encode()])


async def parse(kind, body, cut=4_096):
    """What is read of a body that comes in pieces."""
    pieces = [body[i : i + cut] for i in range(0, len(body), cut)] or [b""]

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    headers = [(b"content-type", kind.encode("utf-8", "replace"))]
    return await read_upload(
        Request({"type": "http", "method": "POST", "headers": headers}, receive)
    )


@given(
    st.binary(min_size=1), st.integers(1, 200), st.text(st.characters(codec="utf-8"), max_size=20)
)
async def test_file_and_fields_come_as_they_were_sent(content, cut, text):
    field = text.replace("\x00", "").replace("\r", "").replace("\n", "")
    sent = await parse(KIND, form(content, csrf=field), cut)
    assert sent.file == File("peta.pdf", "application/pdf", content)
    assert sent.fields == {"csrf": field}


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("peta lokasi é.pdf", "peta lokasi é.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("C:\\peta.pdf", "peta.pdf"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
        ("a\x00b\x1f.pdf", "ab_.pdf"),
        ("", "dokumen"),
    ],
)
async def test_a_name_is_one_that_a_document_can_have(given_name, kept):
    assert (await parse(KIND, form(b"x", given_name))).file.name == kept


async def test_no_file_chosen_is_none():
    assert (await parse(KIND, form(b"", ""))).file is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"csrf=a"),
        ("multipart/form-data", form(b"x")),
        ("multipart/form-data; boundary=other", form(b"x")),
        ("multipart/form-data; boundary=", form(b"x")),
        (KIND, b""),
        (KIND, b"\r\n\r\n"),
    ],
)
async def test_what_is_no_such_form_is_empty(kind, body):
    sent = await parse(kind, body)
    assert (sent.fields, sent.file) == ({}, None)


PIECES = st.sampled_from(
    [
        b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"--", b"; ", b"\0", b"\xff\xfe", b"/../", b"x" * 300,
        b'Content-Disposition: form-data; name="a"', b'; filename="a/b.pdf"', b'; filename=""',
        b"Content-Type: TEXT/Plain; charset=x", b'name="',
    ]
)  # fmt: skip
BROKEN = st.one_of(st.binary(), st.lists(PIECES, max_size=20).map(b"".join))


@given(BROKEN, st.one_of(st.text(max_size=100), st.just("multipart/form-data; boundary=b")))
async def test_whatever_comes_a_file_has_a_name_that_is_only_a_name(body, kind):
    sent = await parse(kind, body)
    assert len(sent.fields) <= PARTS_MAX
    assert not any("\0" in value for value in sent.fields.values())
    if sent.file is not None:
        assert 0 < len(sent.file.name) <= NAME_LENGTH_MAX
        assert not set("/\\\r\n\0") & set(sent.file.name)
        assert sent.file.content


@pytest.mark.parametrize(
    "body",
    [
        form(b"x", **{f"f{number}": "" for number in range(PARTS_MAX + 1)}),
        form(b"x")[:-20],
        form(b"x").replace(b' name="berkas";', b""),
    ],
    ids=["too many parts", "cut off", "without a name"],
)
async def test_what_is_not_a_whole_form_of_ours_gives_no_file(body):
    assert (await parse(KIND, body)).file is None
