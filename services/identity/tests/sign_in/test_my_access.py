"""A person sees and ends their own access, and nobody else's."""

import re
from datetime import timedelta

import pytest
from sebalai_identity.businesses import actions as businesses
from sebalai_identity.businesses.schema import BusinessRegister, RepresentationRecord
from sebalai_identity.credentials.factors import STEP_SECONDS, TOTP
from sebalai_identity.desk import OPERATOR, Desk
from sebalai_identity.sessions import actions as sessions
from sqlalchemy import text

PASSWORD = "tepung garam jembatan biru"
FRESH = "layar kompas teluk sauh"


@pytest.fixture
async def at_home(browser, person):
    await browser.sign_in()
    await browser.open("/my-access")
    return browser


@pytest.fixture
def is_open(keeper):
    async def is_open(browser):
        async with keeper.database.transaction() as session:
            cookie = browser.session
            return await sessions.current(session, keeper.clock, cookie=cookie) is not None

    return is_open


@pytest.fixture
def revoked(keeper):
    async def revoked():
        async with keeper.database.transaction() as session:
            rows = await session.execute(text("SELECT key FROM revocation"))
            return set(rows.scalars())

    return revoked


PAGES = ["/my-access", "/my-access/password", "/my-access/one-time", "/my-access/codes"]


@pytest.mark.parametrize("path", PAGES)
async def test_who_is_not_signed_in_is_asked_to(browser, path):
    assert (await browser.open(path)).headers["location"].startswith("/sign-in")


async def test_session_elsewhere_is_shown_and_ended_with_its_tokens(
    at_home, another, is_open, revoked
):
    elsewhere = another(**{"User-Agent": "Firefox/140 Android", "Sebalai-Source": "203.0.113.7"})
    await elsewhere.sign_in()
    await at_home.open("/my-access")
    shown = at_home.shown()
    assert "Firefox, Android" in shown
    assert "203.0.113.0/24" in shown
    assert "203.0.113.7" not in at_home.page.text
    session = re.search(r'name="session" value="([^"]+)"', at_home.page.text).group(1)
    await at_home.send("/my-access/sessions/end", session=session)
    assert not await is_open(elsewhere)
    assert await is_open(at_home)
    assert f"sid.{session}" in await revoked()


async def test_session_of_somebody_else_stays(at_home, another, person_named, is_open, keeper):
    await person_named("Budi", "budi")
    other = another()
    await other.sign_in(login="budi")
    async with keeper.database.transaction() as session:
        found = await sessions.current(session, keeper.clock, cookie=other.session)
    await at_home.send("/my-access/sessions/end", session=str(found.id))
    assert await is_open(other)


async def test_signing_out_everywhere_ends_all_and_revokes(
    at_home, another, is_open, revoked, person, keeper
):
    elsewhere = another()
    await elsewhere.sign_in()
    async with keeper.database.transaction() as session:
        living = await sessions.list_sessions(session, keeper.clock, subject=person)
    assert len(living) == 2
    await at_home.open("/my-access")
    await at_home.send("/my-access/sessions/end-all")
    assert not await is_open(elsewhere)
    assert at_home.session is None
    assert {f"sid.{one.id}" for one in living} <= await revoked()


async def test_new_password_ends_other_sessions_and_the_old_password(at_home, another, is_open):
    elsewhere = another()
    await elsewhere.sign_in()
    await at_home.open("/my-access/password")
    weak = await at_home.send("/my-access/password", password="short")
    assert (weak.status_code, "Terlalu pendek" in at_home.shown()) == (422, True)
    assert (await at_home.send("/my-access/password", password=FRESH)).status_code == 303
    assert await is_open(at_home)
    assert not await is_open(elsewhere)
    assert (await another().sign_in()).status_code == 422
    assert (await another().sign_in(password=FRESH)).status_code == 303


async def test_new_password_ends_what_came_of_sessions_that_had_lapsed(
    at_home, another, person, keeper, clock, revoked
):
    """A refresh token outlives the session it came of."""
    await another().sign_in()
    async with keeper.database.transaction() as session:
        living = await sessions.list_sessions(session, keeper.clock, subject=person)
    clock.move(timedelta(days=30))
    await at_home.sign_in()
    await at_home.open("/my-access/password")
    await at_home.send("/my-access/password", password=FRESH)
    assert {f"sid.{one.id}" for one in living} <= await revoked()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/my-access/password", {"password": FRESH}),
        ("/my-access/codes", {}),
        ("/my-access/one-time", {"code": "123456"}),
        ("/my-access/one-time/remove", {}),
        ("/my-access/passkeys/remove", {"passkey": "eA"}),
    ],
)
async def test_changes_need_a_fresh_sign_in_and_our_own_form(at_home, clock, path, fields):
    assert (await at_home.send(path, csrf="x", **fields)).status_code == 403
    await at_home.open("/my-access")
    clock.move(timedelta(minutes=10))
    answer = await at_home.send(path, **fields)
    assert answer.headers["location"] == "/sign-in?again=1"


async def test_code_app_is_set_up_and_asked_from_then_on(at_home, another, clock):
    await at_home.open("/my-access/one-time")
    seed = re.search(r"<code>([A-Z2-7]{32})</code>", at_home.page.text).group(1)
    assert "<svg" in at_home.page.text
    again = (await at_home.open("/my-access/one-time")).text
    assert seed in again
    assert (await at_home.send("/my-access/one-time", code="000000")).status_code == 422
    code = TOTP(seed).generate_otp(int(clock.now().timestamp()) // STEP_SECONDS)
    assert (await at_home.send("/my-access/one-time", code=code)).status_code == 200
    codes = re.findall(r"<li>([A-Z2-7-]{19})</li>", at_home.page.text)
    assert len(codes) == 10
    other = another()
    assert (await other.sign_in()).headers["location"] == "/sign-in/second"
    await other.open("/sign-in/second")
    assert (await other.send("/sign-in/second", code=codes[0])).status_code == 303
    await other.open("/my-access")
    assert "Sisa kode pemulihan: 9" in other.shown()
    await other.send("/my-access/one-time/remove")
    assert (await another().sign_in()).headers["location"] == "/my-access"


async def test_password_alone_does_not_remove_the_code_app(at_home, another, clock):
    await at_home.open("/my-access/one-time")
    seed = re.search(r"<code>([A-Z2-7]{32})</code>", at_home.page.text).group(1)
    code = TOTP(seed).generate_otp(int(clock.now().timestamp()) // STEP_SECONDS)
    await at_home.send("/my-access/one-time", code=code)
    await at_home.open("/my-access")
    answer = await at_home.send("/my-access/one-time/remove")
    assert answer.headers["location"] == "/sign-in?again=1"


async def test_name_with_marks_stays_text(browser, person_named):
    await person_named("<script>alert(1)</script>", "budi")
    await browser.sign_in(login="budi")
    page = await browser.open("/my-access")
    assert "&lt;script&gt;" in page.text
    assert "<script>alert" not in page.text


async def test_address_that_is_no_address_is_not_repeated(browser, another, person):
    strange = another(**{"Sebalai-Source": "<b>x"})
    await strange.sign_in()
    page = await strange.open("/my-access")
    assert "<b>x" not in page.text


@pytest.fixture
def represented(keeper, app, person):
    """The id of a representation of the person's."""

    async def represented(holder=None, name="PT Contoh Timah", nib="8120001234567"):
        desk = Desk(OPERATOR, keeper.clock, app.state.vault)
        async with keeper.database.transaction() as session:
            made = await businesses.register_business(
                session, desk, wanted=BusinessRegister(name=name, nib=nib)
            )
            wanted = RepresentationRecord(
                person_id=holder or person, capacity="attorney", document="Kuasa 2/2026",
                matters={"izin-tambang"}, valid_from="2026-01-01T00:00:00Z",
            )  # fmt: skip
            one = await businesses.record_representation(
                session, desk, business_id=made.id, wanted=wanted
            )
            return str(one.id)

    return represented


async def test_business_they_represent_is_shown_and_laid_down(
    at_home, represented, person, keeper, revoked
):
    one = await represented()
    await at_home.open("/my-access")
    for words in ("PT Contoh Timah", "NIB 8120001234567", "penerima kuasa", "izin-tambang"):
        assert words in at_home.shown()
    answer = await at_home.send("/my-access/representations/end", representation=one)
    assert answer.headers["location"] == "/my-access"
    assert f"rep.{one}" in await revoked()
    await at_home.open("/my-access")
    assert "PT Contoh Timah" not in at_home.shown()


async def test_representation_of_somebody_else_stays(at_home, represented, person_named, revoked):
    one = await represented(await person_named("Budi", "budi"))
    answer = await at_home.send("/my-access/representations/end", representation=one)
    assert answer.status_code == 404
    assert f"rep.{one}" not in await revoked()
