"""A passkey signs its person in without a name; nothing else does."""

import json
from datetime import timedelta

import pytest
from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials import store
from sebalai_identity.credentials.actions import Enrolment, PasskeyRefused, PasskeysFull, Site
from sebalai_identity.sessions import actions as sessions
from sqlalchemy import text


@pytest.fixture
def device(authenticator):
    return authenticator()


@pytest.fixture
async def enrolled(browser, person, device, enrol):
    await browser.sign_in()
    answer = await enrol(browser, device, label="Laptop kantor")
    assert answer.status_code == 200, answer.text
    return person


@pytest.fixture
def by_passkey(ask):
    async def by_passkey(browser, device, flags=0x1D, **more):
        await browser.open("/sign-in")
        options = (await ask(browser, "/sign-in/passkey/options")).json()
        credential = device.get(options, flags)
        return await ask(browser, "/sign-in/passkey", credential=credential, **more)

    return by_passkey


async def test_person_enrols_and_signs_in_elsewhere(
    enrolled, another, device, by_passkey, keeper, interaction
):
    other, begun = another(), await interaction()
    answer = await by_passkey(other, device, interaction=begun)
    assert answer.json() == {"location": f"/oauth/authorize/continue?interaction={begun}"}
    async with keeper.database.transaction() as session:
        found = await sessions.current(session, keeper.clock, cookie=other.session)
    assert (found.subject, found.acr, found.amr) == (
        enrolled,
        "urn:sebalai:acr:2",
        ("swk", "user"),
    )
    await other.open("/my-access")
    assert "Laptop kantor" in other.shown()


async def test_options_name_nobody(browser, enrolled, another, ask):
    other = another()
    await other.open("/sign-in")
    options = (await ask(other, "/sign-in/passkey/options")).json()
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
    assert options["rpId"] == "bus.example"


async def test_answer_counts_once(enrolled, another, device, ask):
    other = another()
    await other.open("/sign-in")
    credential = device.get((await ask(other, "/sign-in/passkey/options")).json())
    first = await ask(other, "/sign-in/passkey", credential=credential)
    await other.open("/sign-in?again=1")
    second = await ask(other, "/sign-in/passkey", credential=credential)
    assert (first.status_code, second.status_code) == (200, 422)


async def test_answer_of_a_device_that_does_not_count_still_counts_once(
    browser, person, device, enrol, keeper
):
    # Neither the counter nor a renewed cookie may hide that the challenge is used up.
    device.count = -1
    await browser.sign_in()
    assert (await enrol(browser, device)).status_code == 200
    device.count, site = -1, Site.of("https://bus.example")
    async with keeper.database.transaction() as session:
        options = await credentials.begin_sign_in(session, keeper, site=site, browser="b" * 43)
        answer = {"site": site, "browser": "b" * 43, "credential": device.get(options)}
        assert (await credentials.finish_sign_in(session, keeper, **answer)).subject == person
        with pytest.raises(PasskeyRefused, match="answered before"):
            await credentials.finish_sign_in(session, keeper, **answer)


async def test_challenge_of_another_browser_is_refused(enrolled, another, device, ask):
    mine, theirs = another(), another()
    await mine.open("/sign-in")
    await theirs.open("/sign-in")
    credential = device.get((await ask(theirs, "/sign-in/passkey/options")).json())
    assert (await ask(mine, "/sign-in/passkey", credential=credential)).status_code == 422
    assert mine.session is None


async def test_late_answer_is_refused(enrolled, another, device, ask, clock):
    other = another()
    await other.open("/sign-in")
    credential = device.get((await ask(other, "/sign-in/passkey/options")).json())
    clock.move(timedelta(minutes=5))
    assert (await ask(other, "/sign-in/passkey", credential=credential)).status_code == 422


@pytest.mark.parametrize("change", ["origin", "rp_id", "key", "id", "user", "count"])
async def test_altered_answer_is_refused(
    enrolled, another, device, authenticator, by_passkey, change
):
    stranger, flags = authenticator(), 0x1D
    if change == "origin":
        device.origin = "https://bus.example.evil"
    elif change == "rp_id":
        device.rp_id = "evil.example"
    elif change == "key":
        device.key = stranger.key
    elif change == "id":
        device.id = stranger.id
    elif change == "count":
        # A copy of the device: it counts on from an earlier state.
        device.count = -1
    else:
        flags = 0x19
    other = another()
    answer = await by_passkey(other, device, flags)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:sebalai:problem:passkey-refused"
    assert other.session is None


@pytest.mark.parametrize(
    "credential",
    [None, "x", 1, [], {}, {"id": "x"}, {"id": "\u00e9", "response": {"clientDataJSON": "e30"}}],
)
async def test_garbage_is_refused(browser, ask, credential):
    await browser.open("/sign-in")
    answer = await ask(browser, "/sign-in/passkey", credential=credential)
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 200_000, b"1" * 2_000_000])
async def test_body_that_is_no_answer_is_refused(browser, body):
    await browser.open("/sign-in")
    headers = {"Sebalai-Form": browser.csrf(), "Content-Type": "application/json"}
    answer = await browser.client.post("/sign-in/passkey", content=body, headers=headers)
    assert answer.status_code in (413, 422)


@pytest.mark.parametrize("path", ["/sign-in/passkey", "/my-access/passkeys"])
async def test_another_site_asks_nothing(browser, person, path):
    await browser.sign_in()
    for address in (path, f"{path}/options"):
        answer = await browser.client.post(address, json={}, headers={"Sebalai-Form": "x"})
        assert answer.status_code == 403


async def test_passkey_of_somebody_is_not_enrolled_for_another(
    enrolled, device, another, person_named, enrol
):
    await person_named("Budi", "budi")
    other = another()
    await other.sign_in(login="budi")
    assert (await enrol(other, device)).status_code == 422


async def test_label_of_any_text_is_kept_as_one_line_that_can_be_shown(
    browser, person, device, enrol
):
    await browser.sign_in()
    answer = await enrol(browser, device, label="a\x00b\n " + "c" * 100)
    assert answer.status_code == 200, answer.text
    await browser.open("/my-access")
    assert f"ab {'c' * 57}" in browser.shown()


async def test_interaction_that_cannot_be_written_is_none_of_ours(browser):
    await browser.open("/sign-in")
    body = json.dumps({"credential": {}, "interaction": "\ud800" * 43})
    headers = {"Sebalai-Form": browser.csrf(), "Content-Type": "application/json"}
    answer = await browser.client.post("/sign-in/passkey", content=body, headers=headers)
    assert answer.status_code == 404


async def test_passkeys_begun_while_there_was_room_do_not_pass_the_limit(
    keeper, person, authenticator, monkeypatch
):
    monkeypatch.setattr(store, "PASSKEYS_MAX", 1)
    where = {"site": Site.of("https://bus.example"), "browser": "b" * 43}
    async with keeper.database.transaction() as session:
        begun = [
            await credentials.begin_enrolment(
                session, keeper, **where, subject=person, login="siti.rahma"
            )
            for _ in range(2)
        ]
        made = [Enrolment(person, authenticator().create(options), "x") for options in begun]
        await credentials.finish_enrolment(session, keeper, **where, made=made[0])
        with pytest.raises(PasskeysFull):
            await credentials.finish_enrolment(session, keeper, **where, made=made[1])


async def test_unverified_user_enrols_nothing(browser, person, device, enrol):
    await browser.sign_in()
    assert (await enrol(browser, device, flags=0x59)).status_code == 422


async def test_enrolment_needs_a_fresh_sign_in(browser, person, device, ask, clock):
    await browser.sign_in()
    await browser.open("/my-access")
    clock.move(timedelta(minutes=10))
    answer = await ask(browser, "/my-access/passkeys/options")
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:sebalai:problem:prove-again"


async def test_stolen_password_adds_no_passkey_where_there_is_one(
    enrolled, another, authenticator, ask
):
    thief = another()
    await thief.sign_in()
    await thief.open("/my-access")
    answer = await ask(thief, "/my-access/passkeys/options")
    assert answer.status_code == 403


async def test_stranger_asks_for_no_enrolment(browser, ask):
    await browser.open("/sign-in")
    assert (await ask(browser, "/my-access/passkeys/options")).status_code == 401


async def test_removed_passkey_opens_nothing(
    browser, enrolled, another, device, by_passkey, keeper
):
    other = another()
    await by_passkey(other, device)
    await other.open("/my-access")
    async with keeper.database.transaction() as session:
        reference = await session.scalar(text("SELECT encode(id, 'base64') FROM passkey"))
    reference = reference.replace("+", "-").replace("/", "_").replace("\n", "").rstrip("=")
    assert (await other.send("/my-access/passkeys/remove", passkey=reference)).status_code == 303
    assert (await by_passkey(another(), device)).status_code == 422


async def test_passkey_that_says_it_is_bound_gives_no_third_level(
    browser, person, device, enrol, by_passkey, keeper
):
    # Flags are the authenticator's own word; without a maker's attestation nobody vouches for them.
    await browser.sign_in()
    assert (await enrol(browser, device, flags=0x45)).status_code == 200
    await browser.send("/sign-out")
    await by_passkey(browser, device, flags=0x05)
    async with keeper.database.transaction() as session:
        found = await sessions.current(session, keeper.clock, cookie=browser.session)
    assert found.level == 2
