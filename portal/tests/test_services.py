from __future__ import annotations

import json
import re
from urllib.parse import parse_qs

import pytest

PLACES = [
    {"code": "19.02", "name": "Kabupaten Belitung", "services": 3},
    {"code": "19.71", "name": "Kota Pangkalpinang", "services": 40},
]
HOURS = {"weekdays": [1, 5], "opens": "08:00", "closes": "15:30"}


def listed(slug="pajak-kendaraan", **more):
    return {
        "slug": slug, "name": {"id": "Pajak kendaraan", "en": "Vehicle tax"}, "agency": "bakuda",
        "summary": {"id": "Membayar pajak", "en": "Pay the tax"},
        "provenance": {"status": "unverified", "source": "…"}, **more,
    }  # fmt: skip


def point(**more):
    return {
        "code": "samsat", "name": "Samsat Belitung", "address": "Jalan Sriwijaya",
        "region": "19.02.01", "channels": ["loket"], "hours": [HOURS], "position": None, **more,
    }  # fmt: skip


def service(**more):
    standard = {
        "requirements": [{"name": {"id": "STNK asli", "en": None}}],
        "procedure": [{"what": {"id": "Datang ke loket", "en": "Come to the counter"}}],
        "duration": {"value": 2, "unit": "working_days"},
        "fee": {
            "kind": "fixed", "rupiah": 250_000, "channels": {"daring": {"kind": "free"}},
        },
        "product": {"name": {"id": "Tanda bukti", "en": "Receipt"}},
        "complaints": {
            "channels": ["LAPOR!"], "appeal_to": "Kepala Bakuda", "appeal_working_days": 21,
        },
        "points": [point()],
    }  # fmt: skip
    law = {
        "kind": "uu", "number": "1", "year": 2022, "title": "Hubungan keuangan", "status": "dicabut"
    }  # fmt: skip
    standard |= more.pop("standard", {})
    head = {"state": "published", "channels": ["loket"], "legal_basis": [law]}
    return listed(standard=standard, **(head | more))


@pytest.fixture(autouse=True)
def published(gateway):
    gateway.answers["/v1/places"] = json.dumps(PLACES)
    gateway.answers["/v1/services"] = [listed()]
    gateway.answers["/v1/search"] = {"items": [listed()], "places": PLACES}
    gateway.answers["/v1/services/pajak-kendaraan"] = service()


async def test_visitor_chooses_a_place_and_words_and_both_stay(visitor, gateway):
    page = (await visitor.get("/layanan?cari=pajak&tempat=19.02")).text
    asked = [parse_qs(query) for query in gateway.queries if "q=" in query]
    assert asked == [{"limit": ["20"], "q": ["pajak"], "place": ["19.02"]}]
    assert '<option value="19.02" selected>Kabupaten Belitung (3)</option>' in page
    assert 'href="/layanan/pajak-kendaraan">Pajak kendaraan</a>' in page
    assert "lang=en&amp;cari=pajak&amp;tempat=19.02" in page


async def test_without_words_all_are_listed_page_by_page_in_the_place(visitor, gateway):
    gateway.answers["/v1/services"] = [listed()] * 21
    page = (await visitor.get("/layanan?tempat=19.71")).text
    following = re.search(r'href="(/layanan\?[^"]*lanjut[^"]*)"', page).group(1)
    await visitor.get(following.replace("&amp;", "&"))
    asked = parse_qs(gateway.queries[-1])
    assert (asked["place"], asked["cursor"]) == (["19.71"], ["more"])


async def test_an_odd_place_narrows_nothing(visitor, gateway):
    assert (await visitor.get("/layanan?tempat=%27--")).status_code == 200
    assert all("place" not in query for query in gateway.queries)


async def test_a_service_says_what_how_long_how_much_and_where(visitor):
    page = (await visitor.get("/layanan/pajak-kendaraan")).text
    for shown in (
        "STNK asli", "Datang ke loket", "2 hari kerja", "Rp250.000; daring: Gratis", "Tanda bukti",
        "Samsat Belitung", "Jalan Sriwijaya", "Kabupaten Belitung",
        "Senin, Jumat 08.00–15.30", "Kepala Bakuda", "UU 1/2022", "dicabut",
        "belum diverifikasi",
    ):  # fmt: skip
        assert shown in page, shown
    english = (await visitor.get("/layanan/pajak-kendaraan?lang=en")).text
    assert '<li lang="id">STNK asli</li>' in english
    assert "Monday, Friday" in english


async def test_a_suspended_service_says_why(visitor, gateway):
    gateway.answers["/v1/services/pajak-kendaraan"] = service(
        state="suspended", reason="Kantor pindah", standard={"points": [], "requirements": []}
    )
    page = (await visitor.get("/layanan/pajak-kendaraan")).text
    assert "tidak menerima permohonan" in page
    assert "Kantor pindah" in page
    assert "Di mana dan kapan buka" not in page


@pytest.mark.parametrize("path", ["/layanan/tidak-ada", "/layanan/ADA", "/layanan/..%2fx"])
async def test_an_unknown_service_is_a_page(visitor, path):
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


async def test_a_catalogue_that_does_not_answer_is_told(visitor, gateway):
    gateway.fails["services"] = 503
    answer = await visitor.get("/layanan")
    assert answer.status_code == 503
    assert "Katalog tidak dapat ditampilkan sekarang" in answer.text
