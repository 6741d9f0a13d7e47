"""Files made to fill a machine: each has its answer, in memory that has a bound."""

import io
import subprocess
import sys
import zipfile
import zlib
from functools import cache

import pytest
from sebalai_archive import examining

MIB = 1024**2
READER_MIB = 300
PAGES = 100_000
BOMB_MIB = 1024
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]%s>>"
FONT = b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"


def pdf_of(objects, more=b""):
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(places) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    trailer = b"trailer<</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out) + head + table + trailer % (size, more, len(out))


def one_page(more, stream=None):
    objects = [CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", PAGE % more]
    return objects if stream is None else [*objects, stream]


@cache
def long_pdf():
    text = b"BT /F1 12 Tf 72 720 Td (Lembar arsip) Tj ET"
    kids = b" ".join(b"%d 0 R" % number for number in range(4, PAGES + 4))
    pages = b"<</Type/Pages/Count %d/Kids[%s]>>" % (PAGES, kids)
    stream = b"<</Length %d>>stream\n%s\nendstream" % (len(text), text)
    return pdf_of([CATALOG, pages, stream, *[PAGE % (b"/Contents 3 0 R" + FONT)] * PAGES])


@cache
def packed_pdf():
    """A gibibyte of spaces in two kilobytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * MIB) for _ in range(BOMB_MIB)) + packer.flush()
    twice = zlib.compress(packed, 9)
    facts = b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>" % len(twice)
    stream = b"%sstream\n%s\nendstream" % (facts, twice)
    return pdf_of(one_page(b"/Contents 4 0 R", stream))


def deep_pdf():
    return pdf_of(one_page(b"/A " + b"[" * 1_000_000 + b"]" * 1_000_000))


def locked_pdf():
    """Nobody's password fits: what would prove one is zeros."""
    more = b"/ID[(a)(a)]/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O<%s>/U<%s>>>"
    return pdf_of(one_page(b""), more % (b"00" * 32, b"00" * 32))


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@cache
def nested_zip():
    """A hundred MiB, fifty times fifty times over."""
    whole = zipped({"a": b"0" * (100 * MIB)})
    for _ in range(2):
        whole = zipped({f"{number}.zip": whole for number in range(50)})
    return whole


@cache
def crowded_zip():
    names = {str(number): b"" for number in range(50_000)}
    return zipped(names | {"word/document.xml": b"<w>Nota</w>"})


CASES = {
    "100,000 pages": (long_pdf, "text"),
    "PDF that unpacks to 1 GiB": (packed_pdf, "over_limit"),
    "PDF a million arrays deep": (deep_pdf, "no_text"),
    "PDF behind a password": (locked_pdf, "no_text"),
    "zip in zip in zip": (nested_zip, "no_text"),
    "zip of 50,000 members": (crowded_zip, "text"),
}
ANSWERED = [name for name, (_, state) in CASES.items() if state != "over_limit"]
PEAK = """
import sys
from pathlib import Path
from sebalai_archive import examine_child
examine_child.limit_self()
examine_child.examine(Path(sys.argv[1]))
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.parametrize("name", CASES)
async def test_a_file_made_to_fill_a_machine_has_its_answer(name, tmp_path):
    make, state = CASES[name]
    path = tmp_path / "a"
    path.write_bytes(make())
    found = await examining.examine(path)
    assert found.state == state, found
    assert found.pages in {None, 1, PAGES}
    assert found.note or state != "over_limit"


@pytest.mark.parametrize("name", ANSWERED)
def test_its_reader_takes_little_memory(name, tmp_path):
    """What does not get by with it ends at the limit of the child, as the one over it does."""
    path = tmp_path / "a"
    path.write_bytes(CASES[name][0]())
    told = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], check=True, capture_output=True, text=True
    )
    assert int(told.stdout) // 1024 <= READER_MIB
