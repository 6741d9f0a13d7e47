"""A person agrees or declines, and takes it back; nothing is agreed by accident."""

import pytest
from sebalai_identity.consents import actions as consents
from sebalai_identity.interactions.actions import get_interaction
from sebalai_shared.ids import uuid7

CLIENT = uuid7()


@pytest.fixture
async def asked(browser, person, interaction):
    await browser.sign_in()
    begun = await interaction(client_id=CLIENT, scopes=("openid", "profile", "odd.scope"))
    await browser.open(f"/consent?interaction={begun}")
    return begun


@pytest.fixture
def agreed(keeper, person):
    async def agreed():
        async with keeper.database.transaction() as session:
            return await consents.covers(
                session, keeper.clock, subject=person, client_id=CLIENT, scopes=["openid"]
            )

    return agreed


async def test_page_says_in_plain_words_what_is_asked(browser, asked):
    assert browser.page.status_code == 200
    shown = browser.shown()
    for words in ("Izinkan Perizinan?", "Nama Anda", "tanpa nama", "odd.scope", "365 hari"):
        assert words in shown


async def test_agreement_is_noted_and_the_person_goes_back(browser, person, asked, agreed, keeper):
    answer = await browser.send("/consent", interaction=asked, decision="agree")
    assert answer.headers["location"] == f"/oauth/authorize/continue?interaction={asked}"
    assert await agreed()
    async with keeper.database.transaction() as session:
        assert (await get_interaction(session, asked)).consented_by == person


@pytest.mark.parametrize("decision", ["decline", "", "AGREE", None])
async def test_anything_but_the_button_is_a_refusal(browser, asked, agreed, keeper, decision):
    answer = await browser.send("/consent", interaction=asked, decision=decision)
    assert answer.status_code == 303
    assert not await agreed()
    async with keeper.database.transaction() as session:
        assert (await get_interaction(session, asked)).refusal == "access_denied"


async def test_form_of_another_site_agrees_to_nothing(browser, asked, agreed):
    answer = await browser.send("/consent", interaction=asked, decision="agree", csrf="forged")
    assert answer.status_code == 403
    assert not await agreed()


async def test_who_is_not_signed_in_is_asked_to(another, interaction):
    begun, browser = await interaction(), another()
    answer = await browser.open(f"/consent?interaction={begun}")
    assert answer.headers["location"] == f"/sign-in?interaction={begun}"
    await browser.open("/sign-in")
    answer = await browser.send("/consent", interaction=begun, decision="agree")
    assert answer.headers["location"] == f"/sign-in?interaction={begun}"


async def test_withdrawn_permission_is_gone_from_the_page(browser, asked, agreed):
    await browser.send("/consent", interaction=asked, decision="agree")
    await browser.open("/my-access")
    assert str(CLIENT) in browser.page.text
    answer = await browser.send("/my-access/consents/withdraw", client=str(CLIENT))
    assert answer.status_code == 303
    assert not await agreed()
    await browser.open("/my-access")
    assert "Belum ada aplikasi" in browser.shown()
