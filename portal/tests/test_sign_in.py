"""Signing in for oneself and for a business, and what belongs to whom; identity is a stand-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from portal_stand_in import ISSUER, TIMAH, begin_sign_in, field
from sebalai_portal.sealing import Sealer
from sebalai_portal.visits import Business, Session

COOKIE = "__Host-sebalai-portal-session"


async def begin(visitor):
    return await begin_sign_in(visitor, "usaha", "/urusan")


async def complain(visitor, **changed):
    page = await visitor.get("/pengaduan")
    sent = {
        "csrf": field(page, "csrf"), "sekali": field(page, "sekali"),
        "untuk": field(page, "untuk"), "jenis": "pengaduan", "judul": "Lampu jalan mati",
        "isi": "Sudah tiga malam gelap di depan pabrik.",
    } | changed  # fmt: skip
    return sent, await visitor.post("/pengaduan", data=sent)


async def test_who_signs_in_as_a_business_acts_for_it_and_each_page_says_so(
    visitor, gateway, enter
):
    gateway.people.acting_for = TIMAH
    answer = await enter()
    assert answer.headers["location"] == "/urusan"
    (asked,) = gateway.people.pushed.values()
    assert "business" in asked["scope"].split()
    assert "acting_for" not in asked
    for path in ("/urusan", "/", "/layanan", "/pengaduan", "/tidak-ada"):
        page = (await visitor.get(path)).text
        assert "Untuk PT Contoh Timah" in page, path
        assert TIMAH["nib"] not in page
    page = (await visitor.get("/urusan", params={"lang": "en"})).text
    assert "You act for" in page
    assert "As a director" in page


async def test_what_is_made_belongs_to_the_party_of_the_page(visitor, gateway, enter):
    gateway.people.acting_for = TIMAH
    await enter()
    _, made = await complain(visitor)
    assert made.headers["location"] == "/urusan?pesan=pengaduan"
    assert [party for party, _ in gateway.people.complaints] == [TIMAH["business"]]
    assert "Lampu jalan mati" in (await visitor.get("/urusan")).text
    await enter("diri")
    page = (await visitor.get("/urusan")).text
    assert "Urusan saya" in page
    assert "Lampu jalan mati" not in page
    assert next(iter(gateway.people.pushed)) != list(gateway.people.pushed)[-1]
    assert list(gateway.people.pushed.values())[-1]["acting_for"] == "self"


async def test_switching_ends_what_was_before(visitor, gateway, enter):
    gateway.people.acting_for = TIMAH
    await enter()
    await enter("diri")
    assert "refresh-0" in gateway.people.ended
    assert "refresh-1" not in gateway.people.ended


async def test_form_of_one_party_is_not_taken_for_another(visitor, gateway, enter):
    gateway.people.acting_for = TIMAH
    await enter()
    page = await visitor.get("/pengaduan")
    await enter("diri")
    _, refused = await complain(visitor, untuk=field(page, "untuk"))
    assert refused.status_code == 403
    assert "dibuat untuk pihak lain" in refused.text
    assert "Sudah tiga malam" in refused.text
    assert gateway.people.complaints == []


async def test_sent_twice_is_one_complaint(visitor, gateway, enter):
    await enter("diri")
    sent, _ = await complain(visitor)
    again = await visitor.post("/pengaduan", data=sent)
    assert again.status_code == 303
    assert len(gateway.people.complaints) == 1


async def test_who_represents_nobody_is_told_and_acts_for_themself(visitor, enter):
    answer = await enter("usaha", "/pengaduan")
    assert answer.headers["location"] == "/urusan?pesan=tanpa-usaha"
    page = (await visitor.get(answer.headers["location"])).text
    assert "tidak ada yang tercatat Anda wakili" in page
    assert "diri sendiri" in page


async def test_representation_that_ended_signs_out_with_a_word(visitor, gateway, enter):
    gateway.people.acting_for = TIMAH
    await enter()
    gateway.people.ended.add("refresh-0")
    answer = await visitor.get("/urusan")
    assert answer.headers["location"] == "/masuk?pesan=berakhir"
    page = (await visitor.get(answer.headers["location"])).text
    assert "tidak lagi mewakili" in page
    assert "PT Contoh Timah" not in page
    assert COOKIE not in visitor.cookies


async def test_token_that_was_refused_is_asked_for_once_more_and_no_oftener(
    visitor, gateway, enter
):
    await enter("diri")
    gateway.people.refused.add("refresh-0")
    asked = gateway.asked["token"]
    answer = await visitor.get("/urusan")
    assert answer.headers["location"] == "/masuk?pesan=berakhir"
    assert gateway.asked["token"] == asked + 1


async def test_tokens_are_kept_until_shortly_before_their_end(visitor, gateway, enter, clock):
    await enter("diri")
    asked = gateway.asked["token"]
    await visitor.get("/urusan")
    assert gateway.asked["token"] == asked
    clock.move(timedelta(seconds=271))
    await visitor.get("/urusan")
    assert gateway.asked["token"] == asked + 1


async def test_session_ends_after_a_working_day(visitor, enter, clock):
    await enter("diri")
    clock.move(timedelta(hours=8))
    assert (await visitor.get("/urusan")).headers["location"] == "/masuk"


@pytest.mark.parametrize(
    "changed",
    [{"state": "other"}, {"iss": "https://other.example"}, {"code": ""}, {"iss": ""}],
)
async def test_answer_that_was_not_asked_for_signs_nobody_in(visitor, gateway, changed):
    uri = await begin(visitor)
    back = {"code": uri, "state": gateway.people.pushed[uri]["state"], "iss": ISSUER}
    answer = await visitor.get("/masuk/kembali", params=back | changed)
    assert answer.headers["location"] == "/masuk?pesan=gagal"
    assert COOKIE not in visitor.cookies


async def test_answer_in_another_browser_signs_nobody_in(visitor, gateway):
    uri = await begin(visitor)
    visitor.cookies.clear()
    back = {"code": uri, "state": gateway.people.pushed[uri]["state"], "iss": ISSUER}
    answer = await visitor.get("/masuk/kembali", params=back)
    assert answer.headers["location"] == "/masuk?pesan=gagal"


async def test_code_is_good_once(visitor, gateway):
    uri = await begin(visitor)
    gateway.people.ended.add(uri)
    back = {"code": uri, "state": gateway.people.pushed[uri]["state"], "iss": ISSUER}
    answer = await visitor.get("/masuk/kembali", params=back)
    assert answer.headers["location"] == "/masuk?pesan=gagal"


async def test_who_declined_is_told(visitor, gateway):
    uri = await begin(visitor)
    state = gateway.people.pushed[uri]["state"]
    back = {"error": "access_denied", "state": state, "iss": ISSUER}
    answer = await visitor.get("/masuk/kembali", params=back)
    assert answer.headers["location"] == "/masuk?pesan=batal"
    assert "Anda membatalkan" in (await visitor.get("/masuk?pesan=batal")).text


@pytest.mark.parametrize("path", ["/masuk", "/pengaduan", "/keluar"])
@pytest.mark.parametrize("forged", ["token", "origin", "kind", "cookie"])
async def test_form_that_we_did_not_show_does_nothing(visitor, gateway, enter, path, forged):
    await enter("diri")
    page = await visitor.get("/pengaduan")
    sent = {
        "csrf": field(page, "csrf"), "sekali": field(page, "sekali"), "untuk": "diri",
        "judul": "Lampu jalan mati", "isi": "Sudah tiga malam gelap.",
    }  # fmt: skip
    headers = {"Origin": "https://evil.example"} if forged == "origin" else {}
    if forged == "token":
        sent["csrf"] = "A" * 43
    if forged == "kind":
        headers["Content-Type"] = "text/plain"
    if forged == "cookie":
        visitor.cookies.delete("__Host-sebalai-portal-browser")
    pushed = len(gateway.people.pushed)
    answer = await visitor.post(path, data=sent, headers=headers)
    assert answer.status_code == 403, answer.text
    assert (len(gateway.people.pushed), gateway.people.complaints) == (pushed, [])
    assert "refresh-0" not in gateway.people.ended


async def test_signing_out_ends_it_here_and_leads_to_identitys_page(visitor, gateway, enter):
    await enter("diri")
    csrf = field(await visitor.get("/urusan"), "csrf")
    answer = await visitor.post("/keluar", data={"csrf": csrf})
    assert answer.headers["location"] == "/sign-out"
    assert "refresh-0" in gateway.people.ended
    assert COOKIE not in visitor.cookies


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/sign-out", "/x/../y"])
async def test_going_on_stays_at_the_portal(visitor, path):
    page = await visitor.get("/masuk", params={"tujuan": path})
    assert field(page, "tujuan") == "/urusan"


async def test_who_is_not_signed_in_is_asked_to_and_goes_on_then(visitor, enter):
    assert (await visitor.get("/urusan")).headers["location"] == "/masuk"
    answer = await visitor.get("/pengaduan")
    assert answer.headers["location"] == "/masuk?tujuan=%2Fpengaduan"
    assert (await enter("diri", "/pengaduan")).headers["location"] == "/pengaduan"


async def test_cookies_are_for_us_alone(visitor, enter):
    answer = await enter("diri")
    for line in answer.headers.get_list("set-cookie"):
        assert line.startswith("__Host-sebalai-portal-")
        for mark in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert mark in line


@pytest.mark.parametrize(
    ("status", "slug", "words"),
    [
        (403, "mandate-too-narrow", "Kuasa Anda tidak mencakup"),
        (404, "service-unknown", "tidak dikenal"),
        (422, "validation-failed", "Periksa panjang"),
        (409, "", "Periksa panjang"),
    ],
)
async def test_refusal_is_told_and_keeps_what_was_written(
    visitor, gateway, enter, status, slug, words
):
    await enter("diri")
    gateway.people.problem = (status, slug)
    _, refused = await complain(visitor)
    assert refused.status_code == 422
    assert words in refused.text
    assert "Sudah tiga malam" in refused.text


async def test_outage_is_told_and_signs_nobody_out(visitor, gateway, enter):
    await enter("diri")
    gateway.people.problem = (503, "x")
    _, refused = await complain(visitor)
    assert refused.status_code == 503
    assert "Belum terkirim" in refused.text
    gateway.fails["par"] = 503
    page = await visitor.get("/masuk")
    answer = await visitor.post("/masuk", data={"csrf": field(page, "csrf"), "untuk": "diri"})
    assert answer.status_code == 503
    assert "tidak dapat dilakukan sekarang" in answer.text
    assert COOKIE in visitor.cookies


def test_what_a_browser_keeps_is_opened_by_its_own_key_and_shape_alone(clock):
    session = Session(refresh="r", name="Ani", acting_for=None, until=clock.now())
    ours, theirs = Sealer(b"a" * 32), Sealer(b"b" * 32)
    sealed = ours.seal(session)
    assert ours.open(sealed, Session) == session
    assert "Ani" not in sealed
    assert theirs.open(sealed, Session) is None
    assert ours.open(sealed, Business) is None
    for other in (None, "", "a.b.c", sealed[:-2], sealed + "A", "é" * 9, "x" * 4_000):
        assert ours.open(other, Session) is None


def test_the_longest_session_fits_in_a_cookie(clock):
    business = Business(business=TIMAH["business"], name="Ñ" * 300, capacity="attorney")
    session = Session(
        refresh="r" * 100, name="Ñ" * 200, acting_for=business, until=clock.now()
    )  # fmt: skip
    assert len(Sealer(b"a" * 32).seal(session)) < 3_500
    with pytest.raises(ValueError, match="cookie"):
        Sealer(b"a" * 32).seal(session.model_copy(update={"name": "a" * 5_000}))
