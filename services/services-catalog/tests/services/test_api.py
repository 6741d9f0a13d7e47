import pytest


async def walk(client, **params):
    items, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await client.get("/v1/services", params={"limit": 5} | params | more)).json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


async def test_anyone_lists_every_service_once_by_name_and_marked(loaded, anonymous):
    items = await walk(anonymous)
    slugs = [item["slug"] for item in items]
    assert len(slugs) == len(set(slugs)) >= 20
    assert {item["provenance"]["status"] for item in items} == {"unverified"}
    assert {item["state"] for item in items} == {"published"}
    assert {item["version"] for item in items} == {1}


async def test_services_are_filtered_by_agency_and_audience(loaded, anonymous):
    assert {item["agency"] for item in await walk(anonymous, agency="bakuda")} == {"bakuda"}
    items = await walk(anonymous, audience="asn")
    assert items
    assert all("asn" in item["audiences"] for item in items)


async def test_every_word_of_q_occurs_in_either_language(loaded, anonymous):
    assert "bea-balik-nama-kendaraan-bermotor" in {
        item["slug"] for item in await walk(anonymous, q="KENDARAAN bea")
    }
    assert [item["slug"] for item in await walk(anonymous, q="library card")] == [
        "kartu-anggota-perpustakaan"
    ]


@pytest.mark.parametrize("q", ["%", "_", "\\", "pajak%izin"])
async def test_signs_of_a_pattern_are_plain_letters(loaded, anonymous, q):
    assert await walk(anonymous, q=q) == []


async def test_one_service_is_read_by_slug(loaded, anonymous):
    service = (await anonymous.get("/v1/services/rekomendasi-pengangkatan-anak")).json()
    assert service["agency"] == "dinsos-pmd"
    assert service["name"]["id"] == "Rekomendasi Pengangkatan Anak"


async def test_an_unknown_service_is_told_so(loaded, anonymous):
    answer = await anonymous.get("/v1/services/tidak-ada")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:sebalai:problem:service-unknown"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "audience=x", "agency=A", "q=%00", "cursor=WzFd", "cursor=!"]
)
async def test_a_malformed_query_is_refused(anonymous, query):
    assert (await anonymous.get(f"/v1/services?{query}")).status_code == 422
