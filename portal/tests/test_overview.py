from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from portal_stand_in import CLIENT_ID, FAILED_CALL, ISSUER, call, service
from sebalai_portal.bus import PURPOSE
from sebalai_portal.cache import FAILURE_KEPT
from sebalai_portal.desk import CALLS_FRESH, CALLS_SHOWN, DIRECTORY_FRESH

PAGE_BYTES_LIMIT = 60_000


async def test_visitor_sees_agencies_services_and_calls(visitor):
    page = await visitor.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Dinas Sosial dan Pemberdayaan Masyarakat Desa" in page.text
    assert "Rekomendasi bantuan sosial" in page.text
    assert f'href="/panggilan/{call(1)["message_id"]}"' in page.text
    assert "24 Nov 09.00.31" in page.text
    assert "dijawab" in page.text


async def test_unverified_rows_are_marked_and_verified_ones_are_not(visitor):
    page = (await visitor.get("/")).text
    assert re.search(r"Dinas Kependudukan &amp; Catatan Sipil</b>\s*<span[^>]*>belum diverif", page)
    assert not re.search(r"Masyarakat Desa</b>\s*<span[^>]*>belum diverif", page)


async def test_row_without_a_mark_counts_as_unverified(visitor, gateway):
    gateway.answers["/v1/agencies"] = [{"slug": "a", "name": "Tanpa tanda"}]
    page = (await visitor.get("/")).text
    assert re.search(r"Tanpa tanda</b>\s*<span[^>]*>belum diverifikasi", page)


async def test_portal_calls_the_bus_as_an_application_with_its_purpose(visitor, gateway):
    await visitor.get("/")
    assert gateway.purposes == {PURPOSE}
    claims = gateway.assertions[0]
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT_ID, CLIENT_ID, ISSUER)
    assert claims["exp"] - claims["iat"] <= 300


async def test_many_visitors_at_once_cause_one_call_a_part_and_one_token(visitor, gateway):
    gateway.delay_seconds = 0.05
    pages = await asyncio.gather(*(visitor.get("/") for _ in range(30)))
    assert {page.status_code for page in pages} == {200}
    assert gateway.asked == {"token": 1, "agencies": 1, "services": 1, "calls": 1}


async def test_calls_are_read_again_when_they_are_no_longer_fresh(visitor, gateway, clock):
    await visitor.get("/")
    clock.move(CALLS_FRESH)
    await visitor.get("/")
    assert gateway.asked["calls"] == 2
    assert gateway.asked["agencies"] == 1
    clock.move(DIRECTORY_FRESH)
    await visitor.get("/")
    assert gateway.asked["agencies"] == 2


async def test_a_visitor_who_leaves_does_not_break_the_call_others_wait_for(visitor, gateway):
    gateway.delay_seconds = 0.1
    leaving = asyncio.create_task(visitor.get("/"))
    await asyncio.sleep(0.02)
    staying = asyncio.create_task(visitor.get("/"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert "dijawab" in (await staying).text
    assert gateway.asked["calls"] == 1


async def test_own_calls_are_hidden_until_the_switch_is_used(visitor, gateway):
    hidden = (await visitor.get("/")).text
    assert "Tampilkan juga panggilan portal sendiri" in hidden
    query = next(one for one in gateway.queries if "without_consumer" in one)
    assert parse_qs(query)["without_consumer"] == ["ID-BB/GOV/diskominfo/portal"]
    gateway.queries.clear()
    shown = (await visitor.get("/", params={"portal": "tampil"})).text
    assert "Sembunyikan panggilan portal sendiri" in shown
    assert gateway.queries == [f"limit={CALLS_SHOWN}"]


async def test_longer_list_says_that_it_goes_on(visitor, gateway):
    gateway.answers["/v1/calls"] = [call(n) for n in range(CALLS_SHOWN + 1)]
    assert "Yang lebih lama tidak ditampilkan" in (await visitor.get("/")).text


async def test_call_without_a_known_caller_is_shown_as_such(visitor, gateway):
    gateway.answers["/v1/calls"] = [
        call(1, consumer_agency=None, interface=None, method=None, outcome="refused", status=401)
    ]
    page = (await visitor.get("/")).text
    assert "tidak dikenal" in page
    assert "ditolak" in page


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (403, "tidak mempunyai perjanjian"),
        (429, "terlalu sering"),
        (503, "sedang terganggu"),
        (504, "batas waktu"),
        (404, "sedang terganggu"),
    ],
)
async def test_failing_part_is_named_and_the_others_stand(visitor, gateway, status, sentence):
    gateway.fails["calls"] = status
    page = await visitor.get("/")
    assert page.status_code == 200
    assert "Panggilan terakhir tidak dapat ditampilkan sekarang." in page.text
    assert sentence in page.text
    assert "Rekomendasi bantuan sosial" in page.text


async def test_failed_call_is_named_so_that_the_operator_finds_it(visitor, gateway):
    gateway.fails["services"] = 503
    page = (await visitor.get("/")).text.replace("<wbr>", "")
    assert FAILED_CALL in page


async def test_failure_is_kept_shortly_and_then_tried_again(visitor, gateway, clock):
    gateway.fails["calls"] = 503
    await visitor.get("/")
    await visitor.get("/")
    assert gateway.asked["calls"] == 1
    del gateway.fails["calls"]
    clock.move(FAILURE_KEPT)
    assert "dijawab" in (await visitor.get("/")).text


async def test_unreadable_answer_is_said_to_be_unreadable(visitor, gateway):
    gateway.answers["/v1/agencies"] = "<html>not what was asked for"
    page = await visitor.get("/")
    assert page.status_code == 200
    assert "Jawaban yang datang tidak dapat dibaca." in page.text


async def test_refused_key_is_said_to_be_refused(visitor, gateway):
    gateway.fails["token"] = 401
    page = await visitor.get("/")
    assert page.status_code == 200
    assert page.text.count("Portal tidak dikenali") == 3


async def test_token_is_used_until_shortly_before_its_end(visitor, gateway, clock):
    await visitor.get("/")
    clock.move(timedelta(seconds=269))
    await visitor.get("/")
    assert gateway.asked["token"] == 1
    clock.move(timedelta(seconds=2))
    await visitor.get("/")
    assert gateway.asked["token"] == 2


async def test_token_refused_early_is_replaced_once(visitor, gateway):
    gateway.revoked = {"token-1"}
    page = (await visitor.get("/")).text
    assert "dijawab" in page
    assert gateway.asked["token"] == 2


async def test_empty_lists_say_that_they_are_empty(visitor, gateway):
    for path in ("/v1/agencies", "/v1/services", "/v1/calls"):
        gateway.answers[path] = []
    page = (await visitor.get("/")).text
    assert page.count('class="empty"') == 3


async def test_full_page_stays_small(visitor, gateway):
    gateway.answers["/v1/agencies"] = [
        {"slug": f"a{n}", "name": "Dinas Pekerjaan Umum dan Penataan Ruang"} for n in range(100)
    ]
    gateway.answers["/v1/services"] = [
        service("Izin " + "x" * 60, summary={"id": "s" * 150}) for _ in range(100)
    ]
    gateway.answers["/v1/calls"] = [call(n) for n in range(100)]
    page = await visitor.get("/")
    assert page.text.count("dijawab") == CALLS_SHOWN
    assert len(page.content) < PAGE_BYTES_LIMIT


async def test_hostile_name_stays_text(visitor, gateway):
    gateway.answers["/v1/agencies"] = [{"slug": "a", "name": "<script>alert(1)</script>"}]
    assert "<script" not in (await visitor.get("/")).text
