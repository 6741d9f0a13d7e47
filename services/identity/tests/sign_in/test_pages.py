"""Signing in at the pages: who may, what an attacker learns, and where it ends."""

import dataclasses
import re
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sebalai_identity.app import identity_app
from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.factors import STEP_SECONDS, TOTP
from sebalai_identity.credentials.hashing import PasswordsBusy, PasswordWorkers
from sebalai_identity.desk import OPERATOR, Desk
from sebalai_identity.interactions.actions import get_interaction
from sebalai_identity.persons.actions import deactivate_person, register_person
from sebalai_identity.persons.schema import PersonRegister
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.sign_in import actions as sign_in
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

NOWHERE = "postgresql://nobody@/none?host=/no/such/folder"
LOGIN = "siti.rahma"
PASSWORD = "tepung garam jembatan biru"
OTHER = "layar kompas teluk sauh"


@pytest.fixture
def current(keeper):
    async def current(browser):
        async with keeper.database.transaction() as session:
            return await sessions.current(session, keeper.clock, cookie=browser.session)

    return current


async def test_person_signs_in_by_password_and_sees_own_access(browser, person, current):
    answer = await browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/my-access")
    found = await current(browser)
    assert (found.subject, found.acr) == (person, "urn:sebalai:acr:1")
    assert (await browser.open("/my-access")).status_code == 200
    assert "Siti Rahma" in browser.shown()


async def test_cookies_are_bound_to_the_host_and_hidden_from_scripts(browser, person):
    answer = await browser.sign_in()
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {
        "__Host-sebalai-session",
        "__Host-sebalai-browser",
        "__Host-sebalai-device",
    }
    for cookie in cookies:
        for mark in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert mark in cookie
        assert "Domain" not in cookie


async def test_application_gets_the_person_back(browser, person, interaction):
    begun = await interaction()
    answer = await browser.sign_in(interaction=begun)
    assert answer.headers["location"] == f"/oauth/authorize/continue?interaction={begun}"


async def test_page_names_the_application_and_fills_in_the_hint(browser, interaction):
    begun = await interaction(login_hint="budi")
    await browser.open(f"/sign-in?interaction={begun}")
    assert "untuk melanjutkan ke Perizinan" in browser.shown()
    assert 'value="budi"' in browser.page.text


@pytest.mark.parametrize("path", ["/sign-in", "/consent"])
async def test_unknown_interaction_is_told_to_begin_again(browser, person, path):
    answer = await browser.open(f"{path}?interaction={'x' * 43}")
    assert answer.status_code == 404
    assert "Permintaan ini sudah berakhir" in browser.shown()


@pytest.mark.parametrize(
    "where",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"],
)
async def test_no_parameter_leads_elsewhere(browser, person, where):
    fields = dict.fromkeys(("next", "return_to", "redirect_uri", "location", "interaction"), where)
    await browser.open("/sign-in?next=" + where)
    answer = await browser.send("/sign-in", login=LOGIN, password=PASSWORD, **fields)
    # As an interaction it is unknown; in any other field nobody reads it.
    assert answer.status_code == 404
    del fields["interaction"]
    answer = await browser.sign_in(**fields)
    assert answer.headers["location"] == "/my-access"


async def test_wrong_password_and_unknown_name_are_answered_alike(browser, another, person):
    wrong = await browser.sign_in(password="not the right one at all")
    other = another()
    unknown = await other.sign_in(login="siti.rahmb", password="not the right one at all")
    assert wrong.status_code == unknown.status_code == 422
    assert browser.shown() == other.shown()
    assert "tidak cocok" in browser.shown()
    secret = re.compile(r'value="[^"]{20,}"|data-csrf="[^"]+"|siti.rahm[ab]')
    assert secret.sub("", wrong.text) == secret.sub("", unknown.text)
    assert browser.session is None


async def test_password_is_never_shown_again(browser, person):
    answer = await browser.sign_in(password="not the right one at all")
    assert "not the right" not in answer.text


async def test_guessing_is_told_to_wait(browser, person):
    for _ in range(5):
        assert (await browser.sign_in(password="wrong")).status_code == 422
    answer = await browser.sign_in()
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert "Terlalu banyak percobaan" in browser.shown()


async def test_crowd_is_told_to_come_back(browser, person, workers, monkeypatch):
    await browser.open("/sign-in")

    async def full(*_):
        raise PasswordsBusy("x")

    monkeypatch.setattr(workers, "_run", full)
    answer = await browser.send("/sign-in", login=LOGIN, password=PASSWORD)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "Banyak orang" in browser.shown()


@pytest.mark.parametrize(
    "forged",
    [
        {"csrf": None},
        {"csrf": "x" * 43},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": "null"}},
    ],
)
async def test_form_of_another_site_signs_nobody_in(browser, person, forged):
    answer = await browser.sign_in(**forged)
    assert answer.status_code == 403
    assert browser.session is None


async def test_token_of_another_browser_is_worth_nothing(browser, another, person):
    await browser.open("/sign-in")
    answer = await another().sign_in(csrf=browser.csrf())
    assert answer.status_code == 403


async def test_planted_session_cookie_opens_nothing_after_sign_in(
    browser, another, person, person_named, current
):
    await person_named("Penyerang", "penyerang")
    thief = another()
    await thief.sign_in(login="penyerang")
    browser.client.cookies.set("__Host-sebalai-session", thief.session)
    planted = thief.session
    await browser.open("/sign-in?again=1")
    await browser.send("/sign-in", login=LOGIN, password=PASSWORD)
    assert await current(thief) is None
    assert (await browser.open("/my-access")).status_code == 200
    assert planted not in browser.page.headers.get("set-cookie", "")


async def test_planted_browser_cookie_does_not_see_the_half_sign_in(
    browser, another, person, keeper, clock
):
    await _set_up_codes(keeper, person)
    thief = another()
    await thief.open("/sign-in")
    planted = thief.client.cookies["__Host-sebalai-browser"]
    browser.client.cookies.set("__Host-sebalai-browser", planted)
    answer = await browser.sign_in()
    assert answer.headers["location"] == "/sign-in/second"
    assert (await thief.open("/sign-in/second")).status_code == 303
    assert (await browser.open("/sign-in/second")).status_code == 200


async def _set_up_codes(keeper, person):
    async with keeper.database.transaction() as session:
        totp = TOTP(await credentials.begin_one_time(session, keeper, subject=person))
        step = int(keeper.clock.now().timestamp()) // STEP_SECONDS
        codes = await credentials.confirm_one_time(
            session, keeper, subject=person, code=totp.generate_otp(step - 1)
        )
    return totp.generate_otp(step), codes


async def test_second_factor_is_asked_and_counts_once(browser, another, person, keeper, current):
    code, _ = await _set_up_codes(keeper, person)
    answer = await browser.sign_in()
    assert answer.headers["location"] == "/sign-in/second"
    assert browser.session is None
    await browser.open("/sign-in/second")
    assert (await browser.send("/sign-in/second", code="000000")).status_code == 422
    answer = await browser.send("/sign-in/second", code=code)
    assert answer.headers["location"] == "/my-access"
    assert (await current(browser)).acr == "urn:sebalai:acr:2"
    other = another()
    await other.sign_in()
    await other.open("/sign-in/second")
    assert (await other.send("/sign-in/second", code=code)).status_code == 422
    assert other.session is None


async def test_recovery_code_stands_in_for_the_phone(browser, person, keeper, current):
    _, codes = await _set_up_codes(keeper, person)
    await browser.sign_in()
    await browser.open("/sign-in/second")
    assert (await browser.send("/sign-in/second", code=codes[3])).status_code == 303
    assert ((await current(browser)).level, (await current(browser)).amr) == (2, ("pwd", "rcv"))


async def test_person_deactivated_between_the_two_steps_is_not_let_in(browser, person, keeper):
    code, _ = await _set_up_codes(keeper, person)
    await browser.sign_in()
    await browser.open("/sign-in/second")
    async with keeper.database.transaction() as session:
        await session.execute(text("UPDATE person SET state = 'deactivated', reason = 'pensiun'"))
    assert (await browser.send("/sign-in/second", code=code)).status_code == 403
    assert browser.session is None


async def test_nobody_is_deactivated_behind_the_back_of_their_sign_in(committed, keeper, clock):
    """Otherwise their new session is none of those that end with it."""
    desk = Desk(OPERATOR, clock)
    wanted = PersonRegister(name="Siti", valid_until=clock.now() + timedelta(days=1))
    async with committed.transaction() as session:
        person = await register_person(session, desk, wanted=wanted)
    try:
        async with committed.transaction() as opening:
            assert await sign_in.is_open(opening, keeper, subject=person.id)
            async with committed.sessions() as session:
                await session.execute(text("SET LOCAL lock_timeout = '100ms'"))
                with pytest.raises(DBAPIError, match="lock timeout"):
                    await deactivate_person(session, desk, person_id=person.id, reason="pensiun")
    finally:
        async with committed.transaction() as session:
            await session.execute(text("TRUNCATE person, outbox, act CASCADE"))


async def test_second_step_of_a_password_that_was_changed_is_not_taken(browser, person, keeper):
    """Whoever stole the password began before it was changed, and goes on afterwards."""
    code, _ = await _set_up_codes(keeper, person)
    await browser.sign_in()
    await browser.open("/sign-in/second")
    await _change_password(keeper, person)
    answer = await browser.send("/sign-in/second", code=code)
    assert (answer.headers["location"], browser.session) == ("/sign-in", None)


async def _change_password(keeper, person):
    async with keeper.database.transaction() as session:
        await credentials.set_password(session, keeper, subject=person, password=OTHER)


class Interrupted(PasswordWorkers):
    """Something happens while a password is hashed."""

    async def matches(self, stored, password):
        found = await super().matches(stored, password)
        await self.meanwhile()
        return found


async def test_password_changed_while_it_is_checked_opens_nothing(app, browser, person):
    kept, slow = app.state.keeper, Interrupted(1, PasswordHasher(1, 8, 1))
    slow.meanwhile = lambda: _change_password(kept, person)
    app.state.keeper = dataclasses.replace(kept, workers=slow)
    answer = await browser.sign_in()
    slow.close()
    assert (answer.status_code, browser.session) == (422, None)


async def test_half_sign_in_is_over_after_ten_minutes(browser, person, keeper, clock):
    await _set_up_codes(keeper, person)
    await browser.sign_in()
    clock.move(timedelta(minutes=10))
    answer = await browser.open("/sign-in/second")
    assert answer.headers["location"] == "/sign-in"


async def test_second_step_without_the_first_leads_back(browser, person):
    await browser.open("/sign-in")
    answer = await browser.send("/sign-in/second", code="123456")
    assert answer.headers["location"] == "/sign-in"


async def test_deactivated_person_is_not_let_in(browser, person, keeper):
    async with keeper.database.transaction() as session:
        await session.execute(text("UPDATE person SET state = 'deactivated', reason = 'pensiun'"))
    assert (await browser.sign_in()).status_code == 403
    assert browser.session is None


async def test_signed_in_person_proves_more_in_the_same_session(
    browser, person, keeper, current, interaction
):
    await browser.sign_in()
    before = await current(browser)
    code, _ = await _set_up_codes(keeper, person)
    begun = await interaction(acr_values=("urn:sebalai:acr:2",))
    await browser.open(f"/sign-in?interaction={begun}")
    assert "meminta pembuktian yang lebih kuat" in browser.shown()
    await browser.sign_in(interaction=begun)
    await browser.open(f"/sign-in/second?interaction={begun}")
    answer = await browser.send("/sign-in/second", code=code, interaction=begun)
    assert answer.headers["location"].endswith(begun)
    after = await current(browser)
    assert (after.id, after.level, before.level) == (before.id, 2, 1)


async def test_person_without_means_is_told_how_to_get_them(browser, person, interaction):
    await browser.sign_in()
    begun = await interaction(acr_values=("urn:sebalai:acr:2",))
    await browser.open(f"/sign-in?interaction={begun}")
    assert "belum punya kunci sandi" in browser.shown()


async def test_cancel_tells_the_application(browser, interaction, keeper):
    begun = await interaction()
    await browser.open(f"/sign-in?interaction={begun}")
    answer = await browser.send("/sign-in/refuse", interaction=begun)
    assert answer.headers["location"].endswith(begun)
    async with keeper.database.transaction() as session:
        assert (await get_interaction(session, begun)).refusal == "access_denied"


async def test_invited_person_makes_an_account_and_is_signed_in(
    browser, person_named, keeper, current
):
    invited = await person_named("Budi Santoso")
    async with keeper.database.transaction() as session:
        made = await credentials.invite(session, keeper, subject=invited, issued_by="operator")
    await browser.open(f"/sign-in/invitation?code={made.code}")
    assert made.code in browser.page.text
    fields = {"code": made.code, "login": "budi", "password": PASSWORD}
    weak = await browser.send("/sign-in/invitation", **(fields | {"password": "password123456789"}))
    assert (weak.status_code, "mudah ditebak" in browser.shown()) == (422, True)
    assert (await browser.send("/sign-in/invitation", **fields)).status_code == 303
    assert (await current(browser)).subject == invited
    await browser.open("/sign-in/invitation")
    again = await browser.send("/sign-in/invitation", **fields)
    assert (again.status_code, "sudah dipakai" in browser.shown()) == (422, True)


async def test_invitation_ends_the_sessions_from_before(browser, another, person, keeper, current):
    await browser.sign_in()
    async with keeper.database.transaction() as session:
        made = await credentials.invite(session, keeper, subject=person, issued_by="operator")
    other = another()
    await other.open("/sign-in/invitation")
    answer = await other.send(
        "/sign-in/invitation", code=made.code, login=LOGIN, password="layar kompas teluk sauh"
    )
    assert answer.status_code == 303
    assert await current(browser) is None
    assert (await current(other)).subject == person


async def test_signing_out_needs_the_button(browser, person, current):
    await browser.sign_in()
    await browser.open("/sign-out")
    assert await current(browser)
    cookie = browser.session
    await browser.send("/sign-out")
    assert "Anda sudah keluar" in browser.shown()
    assert browser.session is None
    browser.client.cookies.set("__Host-sebalai-session", cookie)
    assert await current(browser) is None


@pytest.mark.parametrize("fields", ["login=a&login=b", "x" * 20_000, "login=%ff", "a=1&" * 50])
async def test_malformed_form_is_refused_with_a_page(browser, person, fields):
    await browser.open("/sign-in")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.client.post("/sign-in", content=fields, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


async def test_name_with_a_nul_is_no_fault(browser, person):
    assert (await browser.sign_in(login="a\x00b", password="\x00")).status_code == 422


PAGES = ["/sign-in", "/sign-in/invitation", "/sign-out", "/my-access", "/my-access/password",
         "/my-access/one-time"]  # fmt: skip


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_guarded_and_holds_nothing_inline(browser, person, path, language):
    await browser.sign_in()
    again = "?again=1&" if path == "/sign-in" else "?"
    page = await browser.open(f"{path}{again}lang={language}")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-frame-options"] == "DENY"
    assert f'<html lang="{language}">' in page.text
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", page.text)


@pytest.mark.parametrize(
    ("header", "query", "word"),
    [
        ("en-GB,en;q=0.9", "", "With a password"),
        ("fr, en;q=0.5, id;q=0.1", "", "With a password"),
        ("id,en;q=0.8", "", "Dengan kata sandi"),
        ("en", "?lang=id", "Dengan kata sandi"),
        ("zh;q=x", "", "Dengan kata sandi"),
    ],
)
async def test_page_speaks_the_visitors_language(browser, header, query, word):
    await browser.open(f"/sign-in{query}", **{"Accept-Language": header})
    assert word in browser.shown()


async def test_application_may_ask_for_a_language(browser, interaction):
    begun = await interaction(ui_locales=("en",))
    await browser.open(f"/sign-in?interaction={begun}", **{"Accept-Language": "id"})
    assert "to continue to Perizinan" in browser.shown()


async def test_files_of_the_pages_are_kept_for_ever_and_others_are_not_there(browser):
    page = await browser.open("/sign-in")
    for address in re.findall(r'(?:href|src)="(/sign-in/assets/[^"]+)"', page.text):
        file = await browser.open(address)
        assert (file.status_code, "immutable" in file.headers["cache-control"]) == (200, True)
    assert (await browser.open("/sign-in/assets/000000000000/identity.css")).status_code == 404


@pytest.mark.parametrize("path", ["/sign-in?lang=en", f"/oauth/authorize?client_id={uuid7()}"])
async def test_a_person_is_shown_a_page_while_the_database_is_away(settings, clock, another, path):
    away = Database(settings.model_copy(update={"database_url": NOWHERE}))
    answer = await another(identity_app(settings, away, clock)).open(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-frame-options"] == "DENY"
    await away.close()
