"""Signing in with an outside provider: the way through, and what it is worth."""

from datetime import UTC, datetime, timedelta


async def test_linked_person_signs_in_at_the_level_of_the_provider(
    linked, browser, provider, come_back, current
):
    answer = await come_back(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/my-access")
    found = await current(browser)
    assert (found.subject, found.acr) == (linked, "urn:sebalai:acr:2")
    assert set(found.amr) == {"outside:inapas", "outside-2"}
    assert "/par" in provider.seen


async def test_the_application_that_asked_gets_them_back(linked, browser, come_back, interaction):
    begun = await interaction()
    answer = await come_back(browser, begun)
    assert answer.headers["location"] == f"/oauth/authorize/continue?interaction={begun}"


async def test_acr_is_worth_what_was_agreed_and_nothing_raises_it(
    linked, browser, provider, come_back, current
):
    for acr, level in (("loa3", 3), ("unknown", 1), (None, 1), (["loa3"], 1)):
        provider.person = {"sub": "outside-1", "acr": acr}
        browser.client.cookies.clear()
        await come_back(browser)
        found = await current(browser)
        assert (acr, found.level, f"outside-{level}" in found.amr) == (acr, level, True)


async def test_session_counts_from_the_proof_at_the_provider(
    linked, browser, provider, come_back, current, clock
):
    earlier = int((clock.now() - timedelta(minutes=30)).timestamp())
    provider.bad = {"claims": {"auth_time": earlier}}
    await come_back(browser)
    assert (await current(browser)).auth_time == datetime.fromtimestamp(earlier, UTC)
    await browser.open("/my-access")
    # Half an hour old is too old to change how one signs in.
    assert (await browser.open("/my-access/password")).headers["location"] == "/sign-in?again=1"


async def test_what_the_application_wants_is_asked_for(
    linked, browser, provider, come_back, interaction
):
    begun = await interaction(acr_values=("urn:sebalai:acr:2",), max_age=60, prompt=("consent",))
    await come_back(browser, begun)
    assert (provider.asked["acr_values"], provider.asked["max_age"]) == ("loa2 loa3", "60")
    assert "prompt" not in provider.asked
    begun = await interaction(prompt=("login",))
    await come_back(browser, begun)
    assert (provider.asked["prompt"], provider.asked["max_age"]) == ("login", "0")


async def test_provider_without_pushed_requests_is_asked_by_the_browser(
    enabled, browser, provider, come_back
):
    provider.pushes = False
    assert (await come_back(browser)).headers["location"] == "/sign-in/link"
    assert "/par" not in provider.seen


async def test_keys_are_shown_to_the_provider(enabled, browser, own_key):
    found = (await browser.open("/sign-in/outside/inapas/keys")).json()
    (key,) = found["keys"]
    assert (key["crv"], key["alg"], key["kid"]) == ("P-521", "ES512", own_key.thumbprint())
    assert "d" not in key
    assert (await browser.open("/sign-in/outside/lain/keys")).status_code == 404


async def test_language_chosen_here_is_kept_on_the_way(enabled, browser, provider, to_provider):
    await browser.open("/sign-in?lang=en")
    assert "Sign in with INApas (stand-in)" in browser.shown()
    path = await to_provider(browser, lang="en")
    assert provider.asked["ui_locales"] == "en"
    await browser.open(path)
    assert browser.page.headers["location"] == "/sign-in/link?lang=en"
    await browser.open("/sign-in/link?lang=en")
    assert "not linked to an account here yet" in browser.shown()
