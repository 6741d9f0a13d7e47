from __future__ import annotations

import pytest
from portal_stand_in import FAILED_CALL, call, trace

ADDRESS = f"/panggilan/{call(1)['message_id']}"


async def test_visitor_sees_times_ground_and_receipt_of_a_call(visitor):
    page = await visitor.get(ADDRESS)
    assert page.status_code == 200
    text = page.text.replace("<wbr>", "")
    assert "24 November 2026 09.00.31,250 WIB" in text
    assert "+25 ms" in text
    for shown in ("r1", "verifikasi-bansos", "Permensos 3/2021 pasal 12", trace(1)["agreement"]):
        assert shown in text
    assert f'href="/receipts/{call(1)["message_id"]}"' in text


async def test_public_view_says_where_the_ground_stands(visitor, gateway):
    gateway.answers[f"/v1/calls/{call(1)['message_id']}"] = call(1)
    text = (await visitor.get(ADDRESS)).text
    assert "hanya terbuka bagi para pihak" in text
    assert text.count("<li><time") == 2


async def test_digests_and_application_names_are_not_shown(visitor, gateway):
    gateway.answers[f"/v1/calls/{call(1)['message_id']}"] = trace(
        1, consumer="ID-BB/GOV/x/rahasia", response={"sha256": "1" * 64, "bytes": 1}
    )
    text = (await visitor.get(ADDRESS)).text
    assert "rahasia" not in text
    assert "1" * 64 not in text


async def test_refused_call_says_that_the_provider_was_not_called(visitor, gateway):
    refused = trace(
        1, outcome="refused", status=403, problem="agreement-missing", rule=None, agreement=None,
        forwarded_at=None, responded_at=None,
    )  # fmt: skip
    gateway.answers[f"/v1/calls/{refused['message_id']}"] = refused
    text = (await visitor.get(ADDRESS)).text
    assert "penyedia tidak dipanggil" in text
    assert "agreement-missing" in text
    assert "diteruskan" not in text


@pytest.mark.parametrize("number", [call(7)["message_id"], "bukan-nomor", "1%2F2"])
async def test_unknown_call_is_a_page_that_says_what_to_do(visitor, number):
    page = await visitor.get(f"/panggilan/{number}")
    assert page.status_code == 404
    assert "<h1>" in page.text
    assert page.headers["content-type"].startswith("text/html")


async def test_malformed_number_is_never_called_for(visitor, gateway):
    await visitor.get("/panggilan/..%2fagencies")
    await visitor.get("/panggilan/bukan-nomor")
    assert gateway.asked["calls"] == 0


async def test_unavailable_trace_is_a_503_that_says_why(visitor, gateway):
    gateway.fails["calls"] = 500
    page = await visitor.get(ADDRESS)
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert FAILED_CALL in page.text
    assert "sedang terganggu" in page.text
