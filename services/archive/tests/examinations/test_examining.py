"""Files made to break a reader get an answer, in bounded time and memory."""

import io
import zipfile

import pytest
from sebalai_archive import examine_child, examining
from sebalai_archive.examining import ScanUnavailable, scan

from services.archive.tests.systems.clamd import EICAR, clamd

FONT = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"


def pdf(text="Berita acara pemusnahan arsip"):
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources" + FONT,
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    out = b"%PDF-1.4\n"
    for number, part in enumerate(parts, start=1):
        out += b"%d 0 obj%s endobj\n" % (number, part)
    return out + b"trailer<</Root 1 0 R/Size 5>>\n%%EOF\n"


def office(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/passwd", b"x")
        archive.writestr("word/document.xml", content)
    return file.getvalue()


BOMB = office(b"<a>" + b"0" * (examine_child.MEMBER_BYTES + 1))
DOCX = office(b"<w:t>Keputusan</w:t><w:t>Gubernur</w:t>")
CASES = {
    "empty": (b"", "no_text"),
    "text": (b"Notula rapat", "text"),
    "latin": (b"\xff\xfe\xe9" * 10, "no_text"),
    "nul": (b"abc\x00def", "no_text"),
    "pdf": (pdf(), "text"),
    "pdf cut": (pdf()[:40], "broken"),
    "pdf head only": (b"%PDF-1.7\n" + b"\x00" * 5_000, "broken"),
    "polyglot": (b"MZ" + b"\x90" * 60 + pdf(), "text"),
    "docx": (DOCX, "text"),
    "zip cut": (DOCX[:-30], "broken"),
    "zip bomb": (BOMB, "over_limit"),
    "zip without text": (office(b"")[:], "no_text"),
}


@pytest.mark.parametrize("name", CASES)
async def test_each_file_has_a_clear_answer(name, tmp_path):
    content, state = CASES[name]
    path = tmp_path / ("n" * 255)
    path.write_bytes(content)
    found = await examining.examine(path)
    assert found.state == state, found


async def test_what_is_found_is_told(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(pdf())
    found = await examining.examine(path)
    assert (found.pages, found.puid) == (1, "fmt/18")
    assert "pemusnahan" in found.body


async def test_a_reader_that_hangs_or_dies_is_an_answer(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"x")
    monkeypatch.setattr(examining, "WALL_SECONDS", 0.0)
    assert (await examining.examine(path)).state == "over_limit"
    monkeypatch.undo()
    assert (await examining.examine(tmp_path / "missing")).state == "broken"


async def test_the_scanner_finds_what_it_knows(tmp_path):
    async def clean():
        for _ in range(3):
            yield b"x" * 200_000

    async def bad():
        yield EICAR

    async with clamd(tmp_path / "socket") as socket:
        assert await scan(clean(), socket) == ("clean", None)
        assert await scan(bad(), socket) == ("infected", "Eicar-Test-Signature")
    with pytest.raises(ScanUnavailable):
        await scan(clean(), tmp_path / "none")
    assert await scan(clean(), None) == ("not_scanned", None)
