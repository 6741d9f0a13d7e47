"""Search against a golden file of lay queries: affixes, everyday words, spelling such as "ijin".

The file was written by whoever wrote the services: an upper bound until citizens were asked.
"""

import csv
from pathlib import Path

import pytest
from sebalai_services_catalog.services.search import words_of
from sebalai_shared.testing.http import system
from sqlalchemy import text

GOLDEN = Path(__file__).parent / "golden_queries.csv"
HIT_1, HIT_5 = 0.85, 0.97


def golden():
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return [(row["query"], row["slug"]) for row in csv.DictReader(file)]


async def find(client, q, **more):
    answer = await client.get("/v1/search", params={"q": q, "limit": 5} | more)
    assert answer.status_code == 200, answer.text
    return [item["slug"] for item in answer.json()["items"]]


async def test_lay_queries_find_their_service(loaded, anonymous):
    queries = golden()
    assert len(queries) >= 150
    found = [(query, slug, await find(anonymous, query)) for query, slug in queries]
    wrong = [(query, slug, slugs[:3]) for query, slug, slugs in found if slugs[:1] != [slug]]
    hit_1 = 1 - len(wrong) / len(found)
    hit_5 = sum(slug in slugs for _, slug, slugs in found) / len(found)
    empty = [query for query, _, slugs in found if not slugs]
    print(f"hit@1 {hit_1:.3f} hit@5 {hit_5:.3f} of {len(found)}")
    assert empty == []
    assert hit_1 >= HIT_1, wrong
    assert hit_5 >= HIT_5, [one for one in wrong if one[1] not in one[2]]


@pytest.mark.parametrize("query", ["legalisr ijasah", "pengangktan anak", "pajk kendaraan"])
async def test_typing_errors_do_not_hide_a_service(loaded, anonymous, query):
    assert await find(anonymous, query)


async def test_search_is_narrowed_by_agency_audience_and_event(loaded, anonymous):
    assert set(await find(anonymous, "pajak", agency="bakuda")) >= {"pajak-alat-berat"}
    assert await find(anonymous, "pajak", agency="dinkes") == []
    assert "cuti-pns" in await find(anonymous, "cuti", audience="asn")
    assert "cuti-pns" not in await find(anonymous, "cuti", audience="pelaku_usaha")


async def test_what_nobody_finds_is_kept_without_long_numbers_and_an_officer_names_it(
    loaded, anonymous, client_of
):
    head = client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))
    assert await find(anonymous, "zzqx 1971014101909902") == []
    assert await find(anonymous, "zzqx") == []
    assert await find(anonymous, "1971014101909902") == []
    misses = (await head.get("/v1/search/misses")).json()
    assert [(miss["words"], miss["times"], miss["unfitting"]) for miss in misses] == [
        ("zzqx", 2, 0)
    ]
    body = {"means": ["penelitian"]}
    assert (await anonymous.put("/v1/search/synonyms/zzqx", json=body)).status_code == 401
    assert (await head.put("/v1/search/synonyms/zzqx", json=body)).status_code == 200
    assert (await find(anonymous, "zzqx"))[0] == "izin-penelitian"
    writer = client_of(system("ID-BB/GOV/dpmptsp/loket", "catalog.write"))
    assert (await writer.get("/v1/search/misses")).status_code == 403


async def test_who_finds_nothing_that_fits_may_say_so_without_a_name(loaded, anonymous, client_of):
    head = client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))
    said = {"q": "Cara urus pajak 1971014101909902"}
    for _ in range(2):
        assert (await anonymous.post("/v1/search/misses", json=said)).status_code == 204
    misses = (await head.get("/v1/search/misses")).json()
    assert [(miss["words"], miss["times"], miss["unfitting"]) for miss in misses] == [
        ("pajak", 2, 2)
    ]
    assert (await anonymous.post("/v1/search/misses", json={"q": "x" * 151})).status_code == 422


async def test_suggestions_complete_what_is_being_typed(loaded, anonymous):
    async def suggested(q):
        answer = await anonymous.get("/v1/search/suggestions", params={"q": q})
        assert answer.status_code == 200, answer.text
        return [one["slug"] for one in answer.json()]

    assert "izin-pengusahaan-air-tanah" in await suggested("izin peng")
    assert "izin-pengusahaan-air-tanah" in await suggested("tanah air")
    assert await suggested("izin zzqx") == []
    assert await suggested("%") == []
    assert len(await suggested("i")) <= 8


async def test_a_new_version_is_found_by_its_own_words_and_the_old_ones_no_more(
    loaded, anonymous, database
):
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO service_version (service_id, version, agency, name_id, summary_id, "
                "audiences, channels, inherited, standard, published_at, digest, "
                "provenance_status, provenance_source) "
                "SELECT v.service_id, v.version + 1, v.agency, 'Layanan Xylofon', 'Baru', "
                "v.audiences, v.channels, v.inherited, '{}', v.published_at, v.digest, "
                "v.provenance_status, v.provenance_source FROM service_version v "
                "JOIN service s ON s.id = v.service_id AND s.version = v.version "
                "WHERE s.slug = 'izin-penelitian'"
            )
        )
        await session.execute(
            text("UPDATE service SET version = version + 1 WHERE slug = 'izin-penelitian'")
        )
    assert await find(anonymous, "xylofon") == ["izin-penelitian"]
    assert "izin-penelitian" not in await find(anonymous, "surat keterangan penelitian")


@pytest.mark.parametrize("query", ["'", "& | !", "a:*", "%", "\\", "<->", "🚲", "x" * 150])
async def test_signs_of_a_query_language_are_only_signs(loaded, anonymous, query):
    await find(anonymous, query)


async def test_a_retired_service_is_not_found(loaded, anonymous, client_of):
    head = client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))
    await head.post("/v1/services/izin-penelitian/retirement", json={"reason": "x"})
    assert "izin-penelitian" not in await find(anonymous, "surat keterangan penelitian")


def test_words_around_the_meaning_are_left_out_but_never_all():
    assert words_of("bagaimana cara mengurus izin?") == ["izin"]
    assert words_of("bagaimana cara") == ["bagaimana", "cara"]
    assert words_of("nik 1971014101909902") == ["nik"]
