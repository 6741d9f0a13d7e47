from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest
from portal_stand_in import FAILED_CALL

PAGE_BYTES_LIMIT = 60_000


def dataset(slug="produksi-lada", **more):
    return {
        "slug": slug, "agency": "distan", "modified_at": "2026-11-20T01:00:00Z", "id": "…",
        "metadata": {
            "title": {"id": "Produksi lada", "en": None},
            "description": {"id": "Ton per kabupaten", "en": "Tonnes a regency"},
            "keywords": ["lada", "perkebunan"], "license": "CC-BY-4.0", "access": "PUBLIC",
            "frequency": "ANNUAL", "contact": {"name": "Meja data", "email": "data@example.id"},
            "standard": None,
            "distributions": [
                {"title": "Tabel", "url": "https://data.example/lada.csv", "format": "CSV"},
            ],
            **more,
        },
    }  # fmt: skip


def api(name="ID-BB/GOV/dp3acskb/kependudukan/penduduk", **more):
    return {
        "kind": "interface", "name": name, "agency": "dp3acskb", "title": "Data penduduk",
        "lifecycle": "active", "contract": "/api/exchange/v1/interfaces/1/contract", "calls": 41,
        "consumers": 3, "agencies": 2, "last_used_on": "2026-11-23", **more,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def published(gateway):
    gateway.answers["/v1/datasets"] = [dataset()]
    gateway.answers["/v1/datasets/produksi-lada"] = dataset()
    gateway.answers["/v1/apis"] = [api()]


async def test_visitor_sees_datasets_and_goes_to_one(visitor):
    page = (await visitor.get("/data")).text
    assert re.search(r'href="/data/produksi-lada">Produksi lada</a>', page)
    one = await visitor.get("/data/produksi-lada")
    assert one.status_code == 200
    for shown in ("Ton per kabupaten", "setiap tahun", "CC-BY-4.0", "data@example.id"):
        assert shown in one.text
    assert 'href="https://data.example/lada.csv">Tabel (CSV)</a>' in one.text


async def test_what_is_not_translated_says_in_which_language_it_stands(visitor):
    page = (await visitor.get("/data/produksi-lada?lang=en")).text
    assert '<h1 lang="id">Produksi lada</h1>' in page
    assert '<p class="lead">Tonnes a regency</p>' in page
    assert 'href="/data?lang=en"' in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example/x", "http://x.example/"])
async def test_no_other_scheme_becomes_a_link(visitor, gateway, url):
    one = {"title": "Tabel", "url": url, "format": "CSV"}
    gateway.answers["/v1/datasets/produksi-lada"] = dataset(distributions=[one])
    page = (await visitor.get("/data/produksi-lada")).text
    assert "<b>Tabel (CSV)</b>" in page
    assert url not in page


async def test_visitor_sees_interfaces_with_their_use_and_announced_end(visitor, gateway):
    gateway.answers["/v1/apis"] = [
        api(),
        api("a/b/c/d/tua", lifecycle="deprecated", ends_at="2027-05-01T00:00:00Z", successor="x/y"),
        api("dp3acskb.birth.recorded.v1", kind="event", title="Kelahiran"),
    ]
    page = re.sub("<wbr>", "", (await visitor.get("/antarmuka")).text)
    assert "41 panggilan, 2 instansi" in page
    assert "akan berakhir</span> 1 Mei 2027" in page
    assert "x/y" in page
    assert re.search(r"Kelahiran</a>.*peristiwa</span>", page, re.DOTALL)


@pytest.mark.parametrize("path", ["/data", "/antarmuka"])
async def test_words_are_passed_on_kept_in_the_box_and_in_the_next_link(visitor, gateway, path):
    row = dataset() if path == "/data" else api()
    gateway.answers["/v1/datasets" if path == "/data" else "/v1/apis"] = [row] * 21
    page = (await visitor.get(path, params={"cari": ' lada  "putih" ', "lang": "en"})).text
    assert parse_qs(gateway.queries[-1])["q"] == ['lada "putih"']
    assert 'value="lada &#34;putih&#34;"' in page
    assert '<input type="hidden" name="lang" value="en">' in page
    following = re.search(rf'href="({path}\?[^"]*lanjut[^"]*)"', page).group(1)
    await visitor.get(following.replace("&amp;", "&"))
    asked = parse_qs(gateway.queries[-1])
    assert (asked["q"], asked["cursor"]) == (['lada "putih"'], ["more"])


async def test_another_language_keeps_what_was_looked_for(visitor):
    page = (await visitor.get("/data?cari=lada+putih")).text
    assert 'href="/data?lang=en&amp;cari=lada+putih" lang="en"' in page
    assert 'href="/data?lang=en" lang="en"' in (await visitor.get("/data")).text


async def test_nothing_found_says_so(visitor, gateway):
    gateway.answers["/v1/datasets"] = []
    assert "Tidak ada yang cocok" in (await visitor.get("/data?cari=zzz")).text
    assert "Belum ada yang diterbitkan" in (await visitor.get("/data")).text


async def test_long_or_odd_words_are_cut_and_asked_for(visitor, gateway):
    assert (await visitor.get("/data", params={"cari": "a\0" * 300})).status_code == 200
    assert len(parse_qs(gateway.queries[-1])["q"][0]) <= 100


@pytest.mark.parametrize("path", ["/data/tidak-ada", "/data/..%2f..%2fx", "/data/ADA"])
async def test_an_unknown_dataset_is_a_page(visitor, path):
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize("path", ["/data", "/data/produksi-lada", "/antarmuka"])
async def test_a_catalogue_that_cannot_be_read_says_why(visitor, gateway, path):
    gateway.fails["services"] = 503
    answer = await visitor.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert FAILED_CALL in answer.text.replace("<wbr>", "")


async def test_hostile_words_and_titles_stay_text_and_pages_small(visitor, gateway):
    hostile = {"id": "<script>alert(1)</script>" + "x" * 170}
    long = {"id": "d" * 2_500}
    gateway.answers["/v1/datasets"] = [dataset(title=hostile, description=long)] * 20
    page = await visitor.get("/data", params={"cari": "<script>"})
    assert "<script" not in page.text
    assert len(page.content) < PAGE_BYTES_LIMIT
