"""The page that a letter's QR code leads to."""

from __future__ import annotations

import pytest
from portal_stand_in import CODE, FAILED_CALL, FILE_DIGEST, report, verification

ADDRESS = f"/verifikasi/{CODE}"
LETTER = f"/v1/verifications/{CODE}"


async def test_a_person_reads_who_signed_when_and_that_it_is_unchanged(visitor):
    page = await visitor.get(ADDRESS)
    assert page.status_code == 200
    text = page.text.replace("<wbr>", "")
    for shown in (
        "asli dan tidak berubah", "800.1.11.1/091/DINSOS/XI/2026", "24 November 2026",
        "Sari Contoh", "Plt. Kepala Dinas Sosial", "dinsos-pmd", "Tanda tangan sah dan tepercaya",
        FILE_DIGEST, verification()["receipt"], verification()["content"],
    ):  # fmt: skip
        assert shown in text, shown
    assert "<script" not in text


async def test_the_page_speaks_english(visitor):
    text = (await visitor.get(ADDRESS, params={"lang": "en"})).text
    assert "genuine and unchanged" in text
    assert "The signature is valid and trusted" in text
    assert "Tanda tangan sah" not in text


async def test_a_closed_letter_has_no_link_and_says_so(visitor, gateway):
    gateway.answers[LETTER] = verification(content=None)
    text = (await visitor.get(ADDRESS)).text
    assert "/content" not in text
    assert "tidak terbuka untuk umum" in text


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"is_intact": False, "is_trusted": False, "explanation": "Berubah / Changed"}, "tidak sah"),
        ({"is_trusted": False, "explanation": "Tidak tepercaya / Not trusted"}, "tidak berubah, tetapi"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_signature_is_said(visitor, gateway, told, words):
    gateway.answers[f"{LETTER}/signature"] = report(**told)
    text = (await visitor.get(ADDRESS)).text
    assert words in text
    assert told["explanation"].partition(" / ")[0] in text
    assert "asli dan tidak berubah" not in text


async def test_a_file_is_compared_by_its_digest(visitor):
    same = await visitor.get(ADDRESS, params={"sha256": f" {FILE_DIGEST.upper()} "})
    assert "berkas Anda sama" in same.text
    other = await visitor.get(ADDRESS, params={"sha256": '"><script>'})
    assert "bukan salah satu berkas" in other.text
    assert "<script>" not in other.text


@pytest.mark.parametrize("told", [True, False])
async def test_a_destroyed_letter_says_what_remains(visitor, gateway, told):
    gateway.answers[LETTER] = verification(is_destroyed=told, content=None)
    gateway.answers[f"{LETTER}/signature"] = 410
    page = await visitor.get(ADDRESS)
    assert page.status_code == 200
    assert "sudah dimusnahkan" in page.text


async def test_without_a_report_the_letter_is_still_shown(visitor, gateway):
    gateway.answers[f"{LETTER}/signature"] = 503
    page = await visitor.get(ADDRESS)
    assert page.status_code == 200
    assert "belum dapat diperiksa sekarang" in page.text
    assert "Sari Contoh" in page.text


@pytest.mark.parametrize("code", ["A" * 20, "x", "..%2fagencies", "A" * 21])
async def test_an_unknown_code_warns(visitor, code):
    page = await visitor.get(f"/verifikasi/{code}")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")


async def test_what_is_no_code_is_never_asked_for(visitor, gateway):
    await visitor.get("/verifikasi/x")
    assert gateway.asked["verifications"] == 0


async def test_an_archive_that_is_away_is_no_forgery(visitor, gateway):
    gateway.fails["verifications"] = 500
    page = await visitor.get(ADDRESS)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert FAILED_CALL in page.text
    assert "tidak berarti naskahnya palsu" in page.text
