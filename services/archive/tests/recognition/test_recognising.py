"""Scans get text from a queue, within limits, and are found only by who may open them."""

import shutil
from pathlib import Path

import pytest
from sebalai_archive import examining, recognise_child
from sebalai_archive.examinations.jobs import examine_contents
from sebalai_archive.recognition import engine
from sebalai_archive.recognition.engine import Engine, Read, Tesseract
from sebalai_archive.recognition.jobs import recognise_scans
from sebalai_archive.rendering.letters import render
from sebalai_archive.search.jobs import index_records
from sebalai_archive.storing import content_store_of
from sqlalchemy import text

from services.archive.tests.records.conftest import Desk
from services.archive.tests.signing.test_file_signer import AT, LETTER

PROGRAM = Path(shutil.which("tesseract") or "/usr/bin/tesseract")
has_tesseract = pytest.mark.skipif(
    not PROGRAM.exists(),
    reason="Tesseract is not installed (Debian: tesseract-ocr tesseract-ocr-ind): no scan is read",
)
WORDS = "Permohonan audiensi Kepala Dinas"


@pytest.fixture
def scanner(stand_in):
    return stand_in("scanner")


@pytest.fixture
async def picture(scanner):
    return scanner.picture_of(await render(LETTER, AT))


class Reader(Engine):
    """Says one thing of every scan, and how often it was asked."""

    def __init__(self, read):
        self.said, self.asked = read, 0

    async def read(self, path):
        self.asked += 1
        assert path.read_bytes().startswith((b"%PDF", b"\x89PNG"))
        return self.said


@pytest.fixture
def work(database, settings, clock):
    """One pass of the worker with this engine, if any."""
    store = content_store_of(settings)

    async def run(reader):
        await examine_contents(database, store, clock, None)
        await index_records(database, clock)
        done = reader and await recognise_scans(database, store, clock, reader)
        await index_records(database, clock)
        return done

    return run


@pytest.fixture
def scan(writer):
    desk = Desk(writer)

    async def keep(content=b"\x89PNG\r\n\x1a\n\x00", **more):
        record_id = await desk.draft(**more)
        await desk.put(record_id, content)
        await desk.declare(record_id)
        return record_id

    return keep


async def hits(client, query):
    return [
        one["record"]
        for one in (await client.get("/v1/search", params={"q": query})).json()["items"]
    ]


async def examined(client, record_id):
    return (await client.get(f"/v1/records/{record_id}/examination")).json()


async def test_a_scan_is_found_by_its_text_once_it_was_read(work, scan, writer):
    record_id = await scan()
    reader = Reader(Read("done", 1, WORDS))
    assert await work(reader) == 1
    assert await work(reader) == 0
    assert await hits(writer, "audiensi") == [record_id]
    found = await examined(writer, record_id)
    assert (found["state"], found["recognition"], found["recognised_pages"]) == ("text", "done", 1)


async def test_its_text_has_the_rights_of_the_record(work, scan, writer, stranger, anonymous):
    await scan(security_class="rahasia")
    await work(Reader(Read("done", 1, WORDS)))
    for outsider in (stranger, anonymous):
        assert await hits(outsider, "audiensi") == []
    assert len(await hits(writer, "audiensi")) == 1


async def test_without_an_engine_the_state_says_so(work, scan, writer, app, settings):
    record_id = await scan()
    await work(Reader(Read("failed")))
    assert (await examined(writer, record_id))["recognition"] == "failed"
    other = await scan(b"\x89PNG\r\n\x1a\n\x00 other")
    await work(None)
    assert (await examined(writer, other))["recognition"] == "no_engine"
    app.state.settings = settings.model_copy(update={"ocr_program": PROGRAM})
    assert (await examined(writer, other))["recognition"] == "waiting"


async def test_a_text_is_no_scan_and_an_unreadable_one_keeps_no_other_waiting(work, scan, writer):
    plain = await scan(b"Notula rapat")
    await scan()
    reader = Reader(Read("failed"))
    assert await work(reader) == 1
    assert reader.asked == 1
    assert (await examined(writer, plain))["recognition"] is None


async def test_what_was_destroyed_meanwhile_gets_no_text(work, scan, database, clock):
    await scan()

    class Slow(Engine):
        async def read(self, path):
            assert path.exists()
            async with database.transaction() as session:
                await session.execute(text("DELETE FROM examination"))
            return Read("done", 1, WORDS)

    await work(Slow())
    async with database.transaction() as session:
        assert (
            await session.scalar(text("SELECT count(*) FROM examination WHERE body IS NOT NULL"))
            == 0
        )


@has_tesseract
async def test_tesseract_reads_a_scanned_letter(scanner, picture, tmp_path):
    path = tmp_path / "scan"
    path.write_bytes(scanner.pdf_of(picture))
    assert (await examining.examine(path)).is_scan
    read = await Tesseract(PROGRAM, "ind", 0).read(path)
    assert (read.outcome, read.pages) == ("done", 1)
    assert "Kepala Dinas Kesehatan" in read.body
    path.write_bytes(picture)
    assert "PANGKALPINANG" in (await Tesseract(PROGRAM, "ind", 0).read(path)).body.upper()


BLANK = b"P5 100 100 255\n" + b"\xff" * 10_000


@has_tesseract
@pytest.mark.parametrize(
    ("content", "outcome"),
    [(b"", "failed"), (b"%PDF-1.7 cut", "failed"), (b"\x89PNG\r\n\x1a\n\x00", "failed"),
     (BLANK, "empty")],
)  # fmt: skip
async def test_a_scan_that_is_none_has_a_clear_answer(content, outcome, tmp_path):
    path = tmp_path / ("n" * 255)
    path.write_bytes(content)
    assert (await Tesseract(PROGRAM, "ind", 0).read(path)).outcome == outcome


@has_tesseract
async def test_a_reader_that_is_late_is_killed_with_the_program_it_started(
    scanner, tmp_path, monkeypatch
):
    path = tmp_path / "scan"
    path.write_bytes(scanner.pdf_of(BLANK))
    monkeypatch.setattr(engine, "WALL_SECONDS", 0.0)
    assert (await Tesseract(PROGRAM, "ind", 0).read(path)).outcome == "over_limit"


@has_tesseract
def test_only_the_first_pages_are_read_and_a_huge_page_is_drawn_smaller(
    scanner, tmp_path, monkeypatch
):
    path = tmp_path / "scan"
    path.write_bytes(scanner.pdf_of(BLANK, pages=5).replace(b"[0 0 595 842]", b"[0 0 14400 14400]"))
    monkeypatch.setattr(recognise_child, "PAGES_READ", 2)
    monkeypatch.setattr(recognise_child, "PIXELS_MAX", 10_000)
    assert recognise_child.recognise(str(PROGRAM), "ind", path)["pages"] == 2
    [first, _] = recognise_child._pages(path)
    assert len(first) < 11_000
