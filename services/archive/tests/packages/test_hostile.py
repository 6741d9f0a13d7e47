"""Bags of strangers: each lie has its answer, and nothing of it is kept."""

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.packages import bag_reading
from sebalai_archive.packages.bag_reading import BagRefused, read_bag

from services.archive.tests.packages.conftest import Forged, exported, sent


def _named(name):
    def spoil(bag):
        bag.files[name.replace("TOP", bag.top)] = b"x"

    return spoil


def _linked(bag):
    name = f"{bag.top}/data/link"
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    bag.infos[name], bag.files[name] = info, b"/etc/passwd"


def _changed(ending, content):
    return lambda bag: bag.change(ending, content)


def _facts(**more):
    def spoil(bag):
        bag.facts(**more)
        bag.rehash()

    return spoil


def _entities(bag):
    path = bag.path("/METS.xml")
    bag.rehash()
    mets = b'<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + bag.files[path]
    bag.files[path] = mets
    bag._mets = lambda _: mets
    bag.rehash()


def _dropped(ending):
    return lambda bag: bag.files.pop(bag.path(ending))


SPOILED = {
    "a path out of the folder": _named("TOP/data/../../x"),
    "an absolute path": _named("/etc/x"),
    "a path of Windows": _named("TOP\\data\\x"),
    "a drive": _named("C:/x"),
    "a second folder": _named("other/x"),
    "a control character in a name": _named("TOP/data/a\nb"),
    "a name over 255 bytes": _named("TOP/data/" + "x" * 256),
    "a file twice but for its case": _named("TOP/BAGIT.TXT"),
    "a symlink": _linked,
    "a file no manifest names": _named("TOP/data/x"),
    "a file to fetch": _named("TOP/fetch.txt"),
    "other content": _changed("/data/content", b"lain"),
    "no manifest": _dropped("/manifest-sha256.txt"),
    "a manifest of a weak digest alone": lambda bag: bag.files.update(
        {f"{bag.top}/manifest-md5.txt": bag.files.pop(bag.path("/manifest-sha256.txt"))}
    ),
    "a manifest that is none": _changed("/manifest-sha256.txt", b"\xff\xfe"),
    "a manifest with half a line": _changed("/manifest-sha256.txt", b"abc data/x\n"),
    "a changed tag file": _changed("/bag-info.txt", b"Payload-Oxum: 1.1\n"),
    "another version": _changed("/bagit.txt", b"BagIt-Version: 9.9\n"),
    "no METS": _dropped("/METS.xml"),
    "facts that are none": _facts(content=None),
    "a content outside its folder": _facts(
        content={"path": "../x", "type": "a/b", "bytes": 1, "sha256": "0" * 64}
    ),
    "an unknown security class": _facts(record={"title": "x", "security_class": "top"}),
    "a proof of something else": _facts(
        proof={"event_id": "019a0000-0000-7000-8000-000000000000", "salt": "00", "statement": "{}",
               "declared_at": "2026-01-01T00:00:00Z", "commitment": "0" * 64}
    ),
    "XML with entities": _entities,
}  # fmt: skip


@pytest.fixture
async def package(writer, keep):
    return await exported(writer, record=await keep())


@pytest.mark.parametrize("how", SPOILED)
async def test_each_lie_is_refused_and_nothing_is_kept(how, writer, package):
    bag = Forged(package)
    SPOILED[how](bag)
    before = (await writer.get("/v1/records")).json()
    answer = await sent(writer, bag.zip())
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:sebalai:problem:package-invalid"
    assert (await writer.get("/v1/records")).json() == before


async def test_an_untouched_bag_put_together_again_is_taken(writer, package):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        answer = await sent(writer, Forged(package).rehash().zip(method))
        assert answer.status_code == 200, answer.text


async def test_a_classification_nobody_knows_is_named(writer, package):
    bag = Forged(package)
    bag.facts(record={"title": "x", "classification": "999.9.9"})
    answer = await sent(writer, bag.rehash().zip())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/classification"


async def test_a_bomb_is_refused_before_it_is_unpacked(writer, package, settings):
    bag = Forged(package)
    bag.files[f"{bag.top}/data/bomb"] = bytes(settings.content_bytes_limit + 1)
    packed = bag.rehash().zip(zipfile.ZIP_DEFLATED)
    assert len(packed) < 100_000
    answer = await sent(writer, packed)
    assert answer.status_code == 422
    assert "Unpacked" in answer.json()["detail"]


async def test_a_file_that_holds_more_than_it_says_is_refused(package, writer):
    """The list of members lies about the size; the bytes behind it are a bomb."""
    bag = Forged(package)
    bag.files[f"{bag.top}/data/bomb"] = bytes(2_000_000)
    packed = bytearray(bag.rehash().zip(zipfile.ZIP_DEFLATED))
    place = packed.rfind(b"PK\x01\x02", 0, packed.rfind(b"data/bomb"))
    packed[place + 24 : place + 28] = (10).to_bytes(4, "little")
    assert (await sent(writer, bytes(packed))).status_code == 422


def test_a_list_of_members_without_end_is_not_read(monkeypatch):
    monkeypatch.setattr(bag_reading, "DIRECTORY_BYTES_MAX", 1_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(100):
            archive.writestr(f"a/{number}", b"")
    with pytest.raises(BagRefused, match="lists more"):
        read_bag(out, 1_000)


async def test_a_body_over_the_limit_is_refused(writer, settings):
    answer = await sent(writer, bytes(settings.content_bytes_limit + 1))
    assert answer.status_code == 413


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(raw):
    for content in (raw, b"PK\x05\x06" + raw, raw + b"PK\x05\x06" + bytes(18)):
        with pytest.raises(BagRefused):
            read_bag(io.BytesIO(content), 1_000)
