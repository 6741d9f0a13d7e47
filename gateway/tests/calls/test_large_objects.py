"""Large objects in parts: places of the provider become the interface's, parts leave their evidence."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.calls.places import translated
from sebalai_gateway.routing.snapshot import Interface

NAME = "ID-BB/GOV/dp3acskb/kependudukan/berkas"
HERE = f"/r1/{NAME}".encode()


def place(value, *addresses):
    interface = Interface("i", NAME, "p", "a", list(addresses))
    return translated([(b"location", value), (b"x", value)], interface)


@pytest.mark.parametrize(
    ("told", "address", "here"),
    [
        (b"http://10.0.0.1:80/files/7", "http://10.0.0.1:80", HERE + b"/files/7"),
        (b"http://10.0.0.1/api/files/7?a=1", "http://10.0.0.1/api", HERE + b"/files/7?a=1"),
        (b"http://10.0.0.1/api", "http://10.0.0.1/api/", HERE),
        (b"/api/files/7", "http://10.0.0.1/api", HERE + b"/files/7"),
        (b"/files/7", "http://10.0.0.1", HERE + b"/files/7"),
    ],
)
def test_what_lies_at_the_provider_lies_at_its_interface(told, address, here):
    assert place(told, "http://o", address) == [(b"location", here), (b"x", told)]


@pytest.mark.parametrize(
    "told",
    [
        b"http://10.0.0.12/files", b"https://10.0.0.1/files", b"/apish/files", b"/other/files",
        b"//10.0.0.1/api/files", b"7", b"../7", b"", b"http://elsewhere.example/",
    ],
)  # fmt: skip
def test_what_lies_elsewhere_is_told_as_it_came(told):
    assert place(told, "http://10.0.0.1/api")[0] == (b"location", told)


@given(st.binary(max_size=60))
def test_any_place_stays_one_header_value(told):
    (_, here), (_, other) = place(told, "http://10.0.0.1", "http://10.0.0.1/api")
    assert other == told
    assert here.endswith(told[-1:]) or here == HERE


def digest(data):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(data).digest()).decode() + ":"


async def test_a_part_is_recorded_with_its_place_and_the_digest_of_the_whole(bus, provider):
    whole = b"abcdef"
    told = {"Tus-Resumable": "1.0.0", "Upload-Offset": "3", "Upload-Length": "6"}
    headers = bus.headers(**told, **{"Repr-Digest": digest(whole)})
    async with bus.call("PATCH", headers=headers, data=whole[3:]) as answer:
        assert answer.status == 200
    record = await bus.record()
    assert record["upload"] == {
        "offset": 3, "length": 6, "sha256": hashlib.sha256(whole).hexdigest(),
    }  # fmt: skip
    assert record["request"] == {"sha256": hashlib.sha256(b"def").hexdigest(), "bytes": 3}
    seen = provider.seen[0].headers
    assert {name: seen[name] for name in told} == told


async def test_what_is_no_number_or_digest_is_no_evidence_and_passes(bus, provider):
    told = {
        "Upload-Offset": "3197101010101000122",
        "Upload-Length": "x",
        "Repr-Digest": "md5=:AA==:",
    }
    async with bus.call("PATCH", headers=bus.headers(**told), data=b"x") as answer:
        assert answer.status == 200
    assert "upload" not in await bus.record()
    assert provider.seen[0].headers["Upload-Length"] == "x"


async def test_where_an_upload_lies_is_told_as_a_place_of_the_interface(bus, provider):
    async def created(seen, writer):
        head = (
            f"HTTP/1.1 201 Created\r\nLocation: {provider.url}/open/7\r\nContent-Length: 0\r\n\r\n"
        )
        writer.write(head.encode())

    provider.answer = created
    headers = bus.headers(**{"Idempotency-Key": "k"})
    for _ in range(2):
        async with bus.call("POST", headers=headers, data=b"") as answer:
            assert answer.headers["Location"] == bus.path("/open/7")
    assert len(provider.seen) == 1
    assert "open/7" not in str(bus.lines)
