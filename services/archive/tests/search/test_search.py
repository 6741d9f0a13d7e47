import base64
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.examinations.jobs import examine_contents
from sebalai_archive.search import actions
from sebalai_archive.search.jobs import index_records
from sebalai_archive.search.stemming import plain, stemmed
from sebalai_archive.search.store import Words
from sebalai_archive.storing import content_store_of
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import func, select, text

from services.archive.tests.conftest import PACKAGE
from services.archive.tests.systems.clamd import EICAR, clamd

TEXT = "Panitia telah memusnahkan arsip keuangan milik Dinas Sosial di Pangkalpinang."


@pytest.fixture
def store(settings):
    return content_store_of(settings)


@pytest.fixture
def keep(writer, database, store, clock):
    async def make(content=TEXT, **more):
        content = content if isinstance(content, bytes) else content.encode()
        draft = {"title": "Berita acara", "classification": "000.1.5"} | more
        made = await writer.post(
            "/v1/records", json=draft, headers={"idempotency-key": str(uuid7())}
        )
        record_id = made.json()["id"]
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        await writer.put(
            f"/v1/records/{record_id}/content",
            content=content,
            headers={"content-digest": f"sha-256=:{digest}:"},
        )
        await writer.post(f"/v1/records/{record_id}/declaration")
        await examine_contents(database, store, clock, None)
        await index_records(database, clock)
        return record_id

    return make


async def search(client, query):
    answer = await client.get("/v1/search", params={"q": query})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("query", ["pemusnahan", "dimusnahkan arsip", "KEUANGAN", '"dinas sosial"'])
async def test_words_are_found_by_their_stems_and_as_they_stand(keep, writer, query):
    record_id = await keep()
    found = await search(writer, query)
    assert [hit["record"] for hit in found["items"]] == [record_id]
    assert found["is_complete"]
    assert found["facets"]["classification"] == [{"value": "000.1.5", "count": 1}]


async def test_a_number_and_a_title_are_found_in_spite_of_a_typing_error(keep, writer):
    record_id = await keep(
        "x", title="Perjanjian Kerja Sama Pariwisata", number="B/17/000.1.5/2026"
    )
    for query in ("perjajian kerja", "B/17/000.1.5/2026", "pariwisata"):
        assert [hit["record"] for hit in (await search(writer, query))["items"]] == [record_id], (
            query
        )
    assert (await search(writer, "kepegawaian"))["items"] == []


async def test_the_snippet_shows_the_words(keep, writer):
    await keep()
    [hit] = (await search(writer, "arsip keuangan"))["items"]
    assert "⟦arsip⟧ ⟦keuangan⟧" in hit["snippet"]


async def test_a_title_weighs_more_than_the_text(keep, writer):
    in_title = await keep("lain", title="Laporan banjir")
    in_text = await keep("laporan banjir kemarin")
    found = [hit["record"] for hit in (await search(writer, "banjir"))["items"]]
    assert found == [in_title, in_text]


async def test_what_a_reader_may_not_know_is_not_found_nor_counted(
    keep, stranger, anonymous, writer
):
    await keep(security_class="rahasia", title="Operasi Rajawali")
    for outsider in (stranger, anonymous):
        for query in ("rajawali", "pemusnahan", "keuangan"):
            found = await search(outsider, query)
            assert (found["items"], found["matches"]) == ([], 0)
            assert not any(found["facets"].values())
    assert (await search(writer, "rajawali"))["matches"] == 1


async def test_an_archivist_finds_by_title_what_it_may_not_open_but_not_by_text(keep, client_of):
    operator = client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))
    standing = {"agency": "dinsos-pmd", "rank": "staff", "is_archivist": True}
    await operator.put("/v1/standings/arsiparis", json=standing)
    archivist = client_of(Caller(kind="civil_servant", subject="arsiparis", agency="dinsos-pmd"))
    await keep(security_class="rahasia", title="Operasi Rajawali")
    [hit] = (await search(archivist, "rajawali"))["items"]
    assert hit["snippet"] is None
    assert (await search(archivist, "pemusnahan"))["items"] == []


async def test_infected_content_is_not_given_out(keep, writer, database, store, clock, tmp_path):
    record_id = await keep()
    draft = {"title": "x", "classification": "000.1.5"}
    made = await writer.post("/v1/records", json=draft, headers={"idempotency-key": str(uuid7())})
    path = f"/v1/records/{made.json()['id']}"
    digest = base64.b64encode(hashlib.sha256(EICAR).digest()).decode()
    await writer.put(
        f"{path}/content", content=EICAR, headers={"content-digest": f"sha-256=:{digest}:"}
    )
    assert (await writer.get(f"{path}/examination")).status_code == 404
    async with clamd(tmp_path / "s") as socket:
        assert await examine_contents(database, store, clock, socket) == 1
    answer = await writer.get(f"{path}/content")
    assert answer.json()["type"] == "urn:sebalai:problem:content-infected"
    fine = (await writer.get(f"/v1/records/{record_id}/examination")).json()
    assert (fine["state"], fine["puid"], fine["scan"]) == ("text", "x-fmt/111", "not_scanned")


@pytest.mark.parametrize("query", ["a", "x" * 301, "a\x00b"])
async def test_a_query_that_is_none_is_refused(anonymous, query):
    assert (await anonymous.get("/v1/search", params={"q": query})).status_code == 422


async def test_signs_alone_find_nothing(keep, writer):
    await keep()
    for query in ("!!", "& | !", "':*", "<->"):
        assert (await search(writer, query))["items"] == []


@given(st.text(max_size=200))
def test_any_text_has_words(text):
    assert len(plain(text).split()) >= len(stemmed(text).split())


def test_forms_of_one_word_meet():
    assert stemmed("pemusnahan") == stemmed("dimusnahkan") == stemmed("musnah")
    assert stemmed("dan yang di") == ""


async def test_readable_text_has_a_wall_of_its_own_in_the_database(keep, database):
    await keep()
    async with database.transaction() as session:
        for rank, seen in (("worker", 1), ("public", 0), ("", 0)):
            await session.execute(select(func.set_config("archive.rank", rank, True)))
            assert await session.scalar(text("SELECT count(*) FROM record_excerpt")) == seen, rank


def test_the_index_of_words_without_row_security_is_read_in_one_place():
    """Only `find` may read it, because `find` joins the records, which have row security."""
    sources = {
        path: path.read_text() for path in PACKAGE.rglob("*.py") if "versions" not in str(path)
    }
    assert len(sources) > 100
    naming = [path.name for path, source in sources.items() if "record_text" in source]
    assert naming == ["store.py"]
    [store] = [source for source in sources.values() if "record_text" in source]
    readers = store.count("TEXTS.c") + store.count("FROM record_text")
    assert readers == 3  # find, the newest place, and whether a record is indexed


async def test_a_word_of_a_title_nobody_may_know_is_not_told_by_mending(keep, stranger, writer):
    await keep("x", security_class="rahasia", title="Operasi Rajawali")
    found = await search(stranger, "rajawli")
    assert (found["items"], found["matches"]) == ([], 0)
    assert "rajawali" not in str(found).lower()
    assert (await search(writer, "rajawli"))["matches"] == 1


async def test_windows_widen_until_the_oldest_match_is_found(keep, writer, monkeypatch):
    monkeypatch.setattr(actions, "FIRST_WINDOW", 1)
    monkeypatch.setattr(actions, "WIDER_LEAST", 2)
    found = [await keep(f"banjir rob {n}", title="Laporan") for n in range(2)]
    for n in range(3):
        await keep(f"lain {n}", title="Lain")
    answer = await search(writer, "banjir")
    assert ({hit["record"] for hit in answer["items"]}, answer["is_complete"]) == (set(found), True)


async def test_more_matches_than_candidates_are_the_newest_and_not_called_all(
    keep, writer, monkeypatch
):
    monkeypatch.setattr(actions, "CANDIDATES", 2)
    monkeypatch.setattr(actions, "FIRST_WINDOW", 2)
    kept = [await keep(f"banjir rob {n}", title="Laporan") for n in range(4)]
    answer = await search(writer, "banjir")
    assert {hit["record"] for hit in answer["items"]} == set(kept[2:])
    assert (answer["matches"], answer["is_complete"]) == (2, False)


PARTS = ("arsip", "dimusnahkan", "musnah", "dan", "or", "B/17/000.1.5/2026", "a-b", "Dinas", "17,5",
         "e.g.", "x.id/a?b=1", "-arsip", '"dinas arsip"', "dinas", "\u00e9t\u00e9", "keuangan")  # fmt: skip
MISSED = """
    SELECT q.raw, d.plain FROM unnest(CAST(:raws AS text[]), CAST(:stems AS text[])) q (raw, stems),
      unnest(CAST(:plains AS text[]), CAST(:stemmed AS text[])) d (plain, stemmed)
    WHERE to_tsvector('simple', d.plain) @@ websearch_to_tsquery('simple', q.raw)
      AND NOT to_tsvector('simple', d.stemmed) @@ plainto_tsquery('simple', q.stems)
"""


async def test_of_plain_words_the_unstemmed_index_has_none_that_the_stemmed_has_not(database):
    """What lets a search leave two of the four indexes alone."""
    chance = random.Random(11)
    texts = [" ".join(chance.choices(PARTS, k=chance.randint(1, 6))) for _ in range(400)]
    words = [Words(one, plain(one), stemmed(one)) for one in texts]
    asked = [one for one in words if one.is_plain]
    assert 20 < len(asked) < len(words)
    named = {
        "raws": [one.raw for one in asked],
        "stems": [one.stemmed for one in asked],
        "plains": [one.plain for one in words],
        "stemmed": [one.stemmed for one in words],
    }
    async with database.transaction() as session:
        assert (await session.execute(text(MISSED), named)).all() == []


@pytest.mark.parametrize("query", ["arsip or keuangan", '"arsip"', "-arsip", "dimusnahkan", "dan"])
def test_what_is_more_than_plain_words_is_looked_for_in_all_indexes(query):
    assert not Words(query, plain(query), stemmed(query)).is_plain
