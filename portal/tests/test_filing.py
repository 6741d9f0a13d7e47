"""A request on the portal: begun, filled in, filed, corrected; by whom it belongs to and no other."""

from __future__ import annotations

import re

import pytest
from portal_stand_in import TIMAH, field
from sebalai_portal import filing_api
from sebalai_portal.uploads import BODY_BYTES_MAX

PATH = "/layanan/izin-penelitian"


@pytest.fixture(autouse=True)
def published(gateway):
    asked = [
        {"code": "proposal", "kind": "document", "name": {"id": "Proposal", "en": "Proposal"}},
        {"code": "judul", "kind": "data", "name": {"id": "Judul penelitian", "en": "Title"}},
        {"code": "lama", "kind": "data", "name": {"id": "Lama penelitian", "en": "Length"}},
    ]
    gateway.answers["/v1/places"] = "[]"
    gateway.answers["/v1/services/izin-penelitian"] = {
        "slug": "izin-penelitian", "name": {"id": "Izin penelitian", "en": "Research permit"},
        "agency": "dpmptsp", "summary": {"id": "…", "en": ""}, "state": "published",
        "channels": ["daring"], "legal_basis": [],
        "provenance": {"status": "synthetic", "source": "…"},
        "standard": {
            "requirements": asked, "procedure": [], "duration": {"value": 3, "unit": "days"},
            "fee": {"kind": "free"}, "product": {"name": {"id": "Izin", "en": None}},
            "complaints": {"channels": [], "appeal_to": "…", "appeal_working_days": 1},
        },
    }  # fmt: skip


async def begin(visitor):
    page = await visitor.get(PATH)
    sent = {name: field(page, name) for name in ("csrf", "sekali", "untuk")}
    return sent, await visitor.post(f"{PATH}/ajukan", data=sent)


@pytest.fixture
async def draft(visitor, gateway, enter):
    gateway.people.acting_for = TIMAH
    await enter()
    _, answer = await begin(visitor)
    return answer.headers["location"]


def row(gateway):
    ((_, found),) = gateway.people.drafts.values()
    return found


async def fill(visitor, path, step="simpan", **answers):
    page = await visitor.get(path)
    sent = {name: field(page, name) for name in ("csrf", "revisi", "sekali")} | {"langkah": step}
    return await visitor.post(path, data=sent | {f"isi-{code}": a for code, a in answers.items()})


async def upload(visitor, path, content=b"%PDF-1.7 proposal", code="proposal", **changed):
    page = await visitor.get(path)
    sent = {"csrf": field(page, "csrf"), "revisi": field(page, "revisi")} | changed
    files = {"berkas": ("proposal saya.pdf", content, "application/pdf")}
    return await visitor.post(f"{path}/dokumen/{code}", data=sent, files=files)


async def test_request_that_is_begun_for_a_business_is_the_businesss(
    visitor, gateway, enter, draft
):
    ((party, _),) = gateway.people.drafts.values()
    assert party == TIMAH["business"]
    page = (await visitor.get(draft)).text
    assert "PT Contoh Timah" in page
    assert "24 Desember 2026" in page
    assert draft in (await visitor.get("/urusan")).text
    await enter("diri")
    assert (await visitor.get(draft)).status_code == 404
    assert draft not in (await visitor.get("/urusan")).text


async def test_service_says_for_whom_and_asks_who_is_not_signed_in(visitor, gateway, enter):
    page = (await visitor.get(PATH)).text
    assert "/masuk?tujuan=%2Flayanan%2Fizin-penelitian" in page
    gateway.people.acting_for = TIMAH
    assert (await enter("usaha", PATH)).headers["location"] == PATH
    assert "Ajukan untuk PT Contoh Timah" in (await visitor.get(PATH)).text


async def test_begun_twice_by_one_press_is_one_request(visitor, gateway, enter):
    await enter("diri")
    sent, first = await begin(visitor)
    again = await visitor.post(f"{PATH}/ajukan", data=sent)
    assert again.headers["location"] == first.headers["location"]
    assert len(gateway.people.drafts) == 1


async def test_button_of_one_party_begins_nothing_for_another(visitor, gateway, enter):
    gateway.people.acting_for = TIMAH
    await enter()
    old = await visitor.get(PATH)
    await enter("diri")
    new = await visitor.get(PATH)
    sent = {
        "csrf": field(new, "csrf"),
        "sekali": field(new, "sekali"),
        "untuk": field(old, "untuk"),
    }
    refused = await visitor.post(f"{PATH}/ajukan", data=sent)
    assert refused.status_code == 403
    assert gateway.people.drafts == {}


async def test_what_is_written_is_kept_taken_back_and_left_alone(visitor, gateway, draft):
    assert (await fill(visitor, draft, judul="Timah", lama="2 bulan")).status_code == 303
    assert row(gateway)["answers"]["judul"] == {"kind": "value", "value": "Timah"}
    revision = row(gateway)["revision"]
    await fill(visitor, draft, judul="Timah", lama="2 bulan")
    assert row(gateway)["revision"] == revision
    await fill(visitor, draft, judul="Timah", lama="")
    assert set(row(gateway)["answers"]) == {"judul"}


async def test_an_answer_that_is_too_long_is_for_the_catalogue_to_refuse_and_never_cut(
    visitor, gateway, draft
):
    await fill(visitor, draft, judul="T" * 2_500)
    assert row(gateway)["answers"]["judul"]["value"] == "T" * 2_500


async def test_no_document_is_held_for_who_is_not_signed_in(visitor, monkeypatch):
    async def read(_):
        raise AssertionError

    monkeypatch.setattr(filing_api, "read_upload", read)
    path = "/urusan/01a22df3-6500-7d02-9906-94804cf4ad39"
    answer = await visitor.post(f"{path}/dokumen/proposal", files={"berkas": ("a.pdf", b"%PDF")})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/masuk?")


async def test_document_goes_as_it_is_and_the_request_is_filed(visitor, gateway, draft):
    refused = await fill(visitor, draft, "submit", judul="Timah")
    assert refused.status_code == 422
    assert "masih ada dokumen" in refused.text
    assert row(gateway)["answers"]["judul"]["value"] == "Timah"
    assert (await upload(visitor, draft)).status_code == 303
    assert gateway.people.documents == [("proposal", "application/pdf", b"%PDF-1.7 proposal")]
    assert "proposal saya.pdf" in (await visitor.get(draft)).text
    assert (await fill(visitor, draft, "submit", judul="Timah")).headers["location"] == draft
    page = (await visitor.get(draft)).text
    assert row(gateway)["state"] == "submitted"
    assert "diajukan" in page
    assert "langkah" not in page


async def test_page_of_a_service_that_asks_for_documents_alone_has_no_empty_part(
    visitor, gateway, draft
):
    asked = gateway.answers["/v1/services/izin-penelitian"]["standard"]["requirements"]
    del asked[1:]
    visitor._transport.app.state.catalogue._cache._kept.clear()
    page = (await visitor.get(draft)).text
    assert "Isian" not in page
    assert 'value="submit"' in page
    row(gateway).update(state="issued", possible=[], clock={"due_text": "hari kerja ke-1 dari 3"})
    page = (await visitor.get(draft, params={"lang": "en"})).text
    assert "h-isian" not in page
    assert '<dd lang="id">hari kerja ke-1 dari 3</dd>' in page


async def test_draft_is_thrown_away(visitor, gateway, draft):
    answer = await fill(visitor, draft, "discard", judul="nothing is kept of it")
    assert answer.headers["location"] == "/urusan"
    assert (row(gateway)["state"], row(gateway)["answers"]) == ("discarded", {})


async def test_of_what_came_back_only_what_was_marked_is_open(visitor, gateway, draft):
    row(gateway).update(
        state="returned", possible=["resubmit", "withdraw"], reason="Perbaiki judul",
        marks=[{"code": "judul", "reason": "Terlalu umum"}],
        answers={"judul": {"value": "Timah"}, "lama": {"value": "2 bulan"}},
    )  # fmt: skip
    page = (await visitor.get(draft)).text
    assert "Terlalu umum" in page
    assert re.search(r'name="isi-lama"[^>]*readonly', page)
    assert "berkas-proposal" not in page
    await fill(visitor, draft, "resubmit", judul="Timah di Muntok", lama="3 bulan")
    assert row(gateway)["state"] == "verifying"
    assert row(gateway)["answers"]["judul"]["value"] == "Timah di Muntok"
    assert row(gateway)["answers"]["lama"]["value"] == "2 bulan"


async def test_page_that_is_older_than_the_request_changes_nothing(visitor, gateway, draft):
    page = await visitor.get(draft)
    await fill(visitor, draft, judul="Timah")
    sent = {name: field(page, name) for name in ("csrf", "revisi", "sekali")}
    sent |= {"langkah": "simpan", "isi-judul": "Lada"}
    late = await visitor.post(draft, data=sent)
    assert late.status_code == 422
    assert "berubah sementara itu" in late.text
    assert row(gateway)["answers"]["judul"]["value"] == "Timah"
    late = await upload(visitor, draft, revisi="1")
    assert "berubah sementara itu" in late.text


@pytest.mark.parametrize("step", ["withdraw", "issue", "", "resubmit"])
async def test_step_that_is_not_possible_is_not_taken(visitor, gateway, draft, step):
    assert (await fill(visitor, draft, step)).status_code == 403
    assert row(gateway)["state"] == "draft"


async def test_forged_forms_do_nothing(visitor, gateway, draft):
    page = await visitor.get(draft)
    sent = {"csrf": "A" * 43, "revisi": field(page, "revisi"), "langkah": "discard"}
    assert (await visitor.post(draft, data=sent)).status_code == 403
    assert (await upload(visitor, draft, csrf="A" * 43)).status_code == 403
    assert (await visitor.post(f"{PATH}/ajukan", data={"csrf": "A" * 43})).status_code == 403
    assert (row(gateway)["state"], gateway.people.documents) == ("draft", [])


async def test_document_that_is_none_or_too_large_is_told(visitor, gateway, draft):
    answer = await upload(visitor, draft, b"MZ program")
    assert (answer.status_code, "Kirim PDF" in answer.text) == (422, True)
    answer = await upload(visitor, draft, b"")
    assert (answer.status_code, "Kirim PDF" in answer.text) == (422, True)
    for revision in ("", "x", "-1", "9" * 5_000):
        answer = await upload(visitor, draft, revisi=revision)
        assert answer.status_code == 422
    answer = await upload(visitor, draft, b"%PDF-" + b"0" * BODY_BYTES_MAX)
    assert (answer.status_code, "terlalu besar" in answer.text) == (413, True)
    assert (await upload(visitor, draft, b"%PDF-" + b"0" * 2 * 1024**2)).status_code == 303


async def test_mandate_that_is_too_narrow_is_told(visitor, gateway, enter):
    await enter("diri")
    gateway.people.problem = (403, "mandate-too-narrow")
    _, refused = await begin(visitor)
    assert refused.status_code == 422
    assert "Kuasa Anda tidak mencakup" in refused.text


@pytest.mark.parametrize("path", ["/urusan/x", "/urusan/019a0000-0000-7000-8000-000000000001"])
async def test_request_that_is_none_is_no_page(visitor, enter, path):
    await enter("diri")
    assert (await visitor.get(path)).status_code == 404


async def test_service_that_left_the_list_leaves_its_request(visitor, gateway, draft):
    gateway.answers["/v1/services/izin-penelitian"] = 404
    visitor._transport.app.state.catalogue._cache._kept.clear()
    page = await visitor.get(draft)
    assert page.status_code == 200
    assert "izin-penelitian" in page.text
