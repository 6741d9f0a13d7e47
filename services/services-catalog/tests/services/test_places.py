"""Where services have their service points: narrowed by, counted, shown and exported."""

import csv
from io import StringIO

import pytest
from sebalai_shared.testing.http import system

TAX = "pajak-kendaraan-bermotor"
VEHICLES = {TAX, "bea-balik-nama-kendaraan-bermotor", "pemutihan-pajak-kendaraan"}
BELITUNG, KOTA = "19.02", "19.71"


async def slugs(client, url, **params):
    answer = await client.get(url, params=params)
    assert answer.status_code == 200, answer.text
    return {item["slug"] for item in answer.json()["items"]}


async def counted(client):
    return {one["code"]: one for one in (await client.get("/v1/places")).json()}


async def test_services_are_narrowed_to_those_with_a_service_point_in_a_place(loaded, anonymous):
    assert await slugs(anonymous, "/v1/services", place=BELITUNG) == VEHICLES
    in_kota = await slugs(anonymous, "/v1/services", place=KOTA, limit=100)
    assert "izin-penelitian" in in_kota
    assert "layanan-kesehatan-jiwa" not in in_kota


async def test_a_search_is_narrowed_and_counts_the_places_of_what_matched(loaded, anonymous):
    found = (await anonymous.get("/v1/search", params={"q": "pajak kendaraan", "limit": 1})).json()
    assert [item["slug"] for item in found["items"]] == [TAX]
    counts = {one["code"]: one["services"] for one in found["places"]}
    assert counts[BELITUNG] == 3
    assert counts[KOTA] > 3
    assert await slugs(anonymous, "/v1/search", q="pajak", place=BELITUNG) <= VEHICLES
    elsewhere = await slugs(anonymous, "/v1/search", q="izin penelitian", place=BELITUNG)
    assert "izin-penelitian" not in elsewhere


async def test_places_are_counted_by_name_and_a_retired_service_is_not(
    loaded, anonymous, client_of
):
    before = await counted(anonymous)
    assert len(before) == 7
    assert before[BELITUNG] == {"code": BELITUNG, "name": "Kabupaten Belitung", "services": 3}
    head = client_of(system("ID-BB/GOV/bakuda/kepala", "catalog.decide"))
    retired = await head.post(f"/v1/services/{TAX}/retirement", json={"reason": "Digabung"})
    assert retired.status_code == 200, retired.text
    assert (await counted(anonymous))[BELITUNG]["services"] == 2


@pytest.mark.parametrize("url", ["/v1/services", "/v1/search"])
@pytest.mark.parametrize("place", ["19", "19.71.01", "Belitung", ""])
async def test_a_malformed_place_is_refused_by_name(loaded, anonymous, url, place):
    answer = await anonymous.get(url, params={"place": place, "q": "pajak"})
    assert answer.status_code == 422
    assert "place" in answer.text


async def test_a_service_says_where_and_when_its_counters_are_open(loaded, anonymous):
    service = (await anonymous.get(f"/v1/services/{TAX}")).json()
    assert len(service["places"]) == len(service["standard"]["points"]) == 7
    (point,) = (p for p in service["standard"]["points"] if p["region"] == BELITUNG)
    assert point["name"] == "Samsat Belitung"
    assert point["hours"][1] == {"weekdays": [5], "opens": "08:00", "closes": "11:30"}
    assert service["provenance"]["status"] == "unverified"


async def test_exports_tell_the_service_points(loaded, anonymous):
    sheet = (await anonymous.get("/v1/exports/sippn.csv")).content.decode("utf-8-sig")
    (row,) = (one for one in csv.DictReader(StringIO(sheet)) if one["kode"] == "izin-penelitian")
    assert "Kota Pangkalpinang (Senin/Selasa/Rabu/Kamis 08.00–15.30" in row["titik_layanan"]
    document = (await anonymous.get("/v1/exports/cpsv-ap.jsonld")).json()
    nodes = {node["@id"]: node for node in document["@graph"]}
    base = f"https://bus.example/api/catalog/v1/services/{TAX}"
    point = nodes[f"{base}#point-samsat-belitung"]
    assert "cv:ContactPoint" in point["@type"]
    assert nodes[f"{base}#point-samsat-belitung-hours-0"]["sebalai:opens"] == "08:00"
    assert nodes[f"{base}#point-samsat-belitung-place"]["dct:isPartOf"] == {
        "@id": f"urn:sebalai:region:{BELITUNG}"
    }
    assert {"@id": f"urn:sebalai:region:{BELITUNG}"} in nodes[base]["dct:spatial"]
