"""Signing in with an outside provider: the way through, and what it is worth."""


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
