"""Linking an outside identity: by its person alone, never in somebody's place, and undone again."""

import re
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sebalai_identity.desk import OPERATOR, Desk
from sebalai_identity.persons.actions import PersonRegister, deactivate_person, enrol_person
from sqlalchemy import text

NIK, OTHER_NIK = "1971014101909902", "1971011503859001"
LINK = "/sign-in/link"
PASSWORD = "tepung garam jembatan biru"


@pytest.fixture
def desk(app, clock):
    return Desk(OPERATOR, clock, app.state.vault)


@pytest.fixture
def citizen(desk, database, person_named):
    """`await citizen(nik)`: a person of that NIK, without an account."""

    async def citizen(nik=NIK):
        wanted = PersonRegister(name="Warga Contoh", nik=nik)
        async with database.transaction() as session:
            return (await enrol_person(session, desk, wanted=wanted, source="desk")).id

    return citizen


@pytest.fixture
def give_nik(desk, database):
    async def give_nik(person_id, nik):
        async with database.transaction() as session:
            await session.execute(
                text(
                    "UPDATE person SET nik_index = :index, nik_sealed = :sealed, nik_key = 'k'"
                    " WHERE id = :id"
                ),
                {
                    "id": person_id,
                    "index": desk.numbers.index("nik", nik),
                    "sealed": desk.numbers.seal(nik, f"person.nik:{person_id}"),
                },
            )

    return give_nik


@pytest.fixture
def confirm(outsider):
    """`await confirm(browser)`: links, by way of the provider once more where that is asked."""

    async def confirm(browser):
        await browser.open(LINK)
        answer = await browser.send(LINK)
        if "/authorize" in answer.headers.get("location", ""):
            back = (await outsider.get(answer.headers["location"])).headers["location"]
            await browser.open(back.removeprefix("https://bus.example"))
            await browser.open(LINK)
            answer = await browser.send(LINK)
        return answer

    return confirm


async def test_first_sign_in_leads_to_the_link_and_makes_no_account(  # noqa: PLR0917 - fixtures
    enabled, browser, person, come_back, to_provider, identities, interaction, current, database
):
    begun = await interaction()
    count = text("SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM account)")
    async with database.transaction() as session:
        before = (await session.execute(count)).one()
    assert (await come_back(browser, begun)).headers["location"] == f"{LINK}?interaction={begun}"
    await browser.open(f"{LINK}?interaction={begun}")
    assert "belum tertaut" in browser.shown()
    assert "cocok dengan akun" not in browser.shown()
    assert (await current(browser), await identities()) == (None, [])
    async with database.transaction() as session:
        assert (await session.execute(count)).one() == before
    # Signing in by another way leads back here, and from here to the application.
    answer = await browser.sign_in(interaction=begun)
    assert answer.headers["location"] == f"{LINK}?interaction={begun}"
    await browser.open(answer.headers["location"])
    assert "ke akun siti.rahma" in browser.shown()
    assert "buktikan sekali lagi" in browser.shown()
    path = await to_provider(browser, LINK, interaction=begun)
    assert await identities() == []
    answer = await browser.open(path)
    assert answer.headers["location"] == f"{LINK}?interaction={begun}"
    await browser.open(answer.headers["location"])
    assert "buktikan sekali lagi" not in browser.shown()
    assert await identities() == []
    answer = await browser.send(LINK, interaction=begun)
    assert answer.headers["location"] == f"/oauth/authorize/continue?interaction={begun}"
    assert [row.person_id for row in await identities()] == [person]
    assert browser.client.cookies.get("__Host-sebalai-outside") is None


async def test_proof_left_in_the_browser_is_not_the_next_ones(
    enabled, browser, person, come_back, provider, identities
):
    """A stranger proves his identity and walks away; Siti signs in and presses the button."""
    await come_back(browser)
    await browser.sign_in()
    await browser.open(LINK)
    sent = await browser.send(LINK)
    assert (sent.status_code, provider.issuer in sent.headers["location"]) == (303, True)
    assert await identities() == []
    # The stranger's proof is used up, and what waits at the provider is asked for anew there.
    assert (await browser.open(LINK)).headers["location"] == "/my-access"


async def test_proof_goes_with_who_signs_out(enabled, browser, person, come_back):
    proof = "__Host-sebalai-outside"
    for path in ("/sign-out", "/oauth/logout"):
        await come_back(browser)
        await browser.sign_in()
        token = browser.client.cookies.get(proof)
        assert token
        await browser.open(path)
        mark = re.search(r'name="mark" value="([^"]+)"', browser.page.text)
        await browser.send(path, **({"mark": mark[1], "csrf": "-"} if mark else {}))
        assert browser.client.cookies.get(proof) is None
        browser.client.cookies.set(proof, token)
        assert (await browser.open(LINK)).status_code == 303
        browser.client.cookies.clear()


async def test_link_is_declined(enabled, browser, person, come_back, identities):
    await come_back(browser)
    await browser.open(LINK)
    assert (await browser.send(f"{LINK}/cancel")).headers["location"] == "/my-access"
    assert (await browser.sign_in()).headers["location"] == "/my-access"
    assert (await browser.open(LINK)).headers["location"] == "/my-access"
    assert await identities() == []


async def test_link_needs_a_fresh_proof_of_both(
    enabled, browser, person, come_back, clock, identities
):
    await browser.sign_in()
    await browser.open("/my-access")
    token = browser.csrf()
    clock.move(timedelta(minutes=10))
    stale = await browser.send("/my-access/outside/inapas/link", csrf=token)
    assert stale.headers["location"] == "/sign-in?again=1"
    browser.client.cookies.clear()
    await come_back(browser)
    await browser.open(LINK)
    assert (await browser.send(LINK)).headers["location"] == "/sign-in"
    await browser.sign_in()
    await browser.open(LINK)
    token = browser.csrf()
    clock.move(timedelta(minutes=10))
    assert (await browser.send(LINK, csrf=token)).status_code == 303
    assert await identities() == []


async def test_identity_of_another_is_not_linked_and_signs_nobody_over(
    linked, browser, person_named, to_provider, identities, current
):
    budi = await person_named("Budi", "budi")
    await browser.sign_in("budi")
    await browser.open("/my-access")
    path = await to_provider(browser, "/my-access/outside/inapas/link")
    refused = await browser.open(path)
    assert (refused.status_code, "milik orang lain" in browser.shown()) == (403, True)
    assert [row.person_id for row in await identities()] == [linked]
    assert (await current(browser)).subject == budi


async def test_link_begun_by_one_is_not_finished_as_another(
    enabled, browser, person, person_named, to_provider, identities
):
    await person_named("Budi", "budi")
    await browser.sign_in()
    await browser.open("/my-access")
    path = await to_provider(browser, "/my-access/outside/inapas/link")
    assert (await browser.open(path)).headers["location"] == LINK
    await browser.open("/sign-in?again=1")
    await browser.send("/sign-in", login="budi", password=PASSWORD)
    await browser.open(LINK)
    assert "ke akun budi" in browser.shown()
    assert (await browser.send(LINK)).status_code == 403
    assert await identities() == []


async def test_link_begun_before_signing_out_is_not_finished_after(
    enabled, browser, person, to_provider
):
    await browser.sign_in()
    await browser.open("/my-access")
    path = await to_provider(browser, "/my-access/outside/inapas/link")
    await browser.open("/sign-out")
    await browser.send("/sign-out")
    assert (await browser.open(path)).status_code == 404
    assert browser.client.cookies.get("__Host-sebalai-outside") is None


async def test_of_two_who_bring_one_identity_the_first_has_it(  # noqa: PLR0917 - fixtures
    enabled, browser, another, person, person_named, come_back, to_provider, confirm, identities
):
    await person_named("Budi", "budi")
    later = another()
    for one, login in ((browser, "siti.rahma"), (later, "budi")):
        await come_back(one)
        await one.sign_in(login)
        await one.open(LINK)
    path = await to_provider(later, LINK)
    assert (await confirm(browser)).status_code == 303
    assert (await later.open(path)).status_code == 403
    assert "milik orang lain" in later.shown()
    assert [row.person_id for row in await identities()] == [person]


CASES = [
    # told by the provider, of who links, of somebody else; is it linked
    (None, NIK, None, True),
    (NIK, NIK, None, True),
    (NIK, None, None, True),
    (NIK, OTHER_NIK, None, False),
    (NIK, None, NIK, False),
    ("not a number", NIK, None, False),
]


async def test_nik_told_must_be_of_who_links(  # noqa: PLR0917 - fixtures
    enabled,
    browser,
    provider,
    person_named,
    citizen,
    give_nik,
    come_back,
    confirm,
    database,
    caplog,
):
    for number, (told, own, others, is_linked) in enumerate(CASES):
        async with _undone(database):
            me = await person_named("Siti", f"siti{number}")
            if others:
                await citizen(others)
            if own:
                await give_nik(me, own)
            provider.person = {"sub": NIK, "nik": told}
            await come_back(browser)
            await browser.open(LINK)
            is_met = told is not None and told in (own, others)
            assert ("cocok dengan akun" in browser.shown()) == is_met
            await browser.sign_in(f"siti{number}")
            answer = await confirm(browser)
            assert (number, answer.status_code) == (number, 303 if is_linked else 403)
            await _nowhere(database, NIK)
            browser.client.cookies.clear()
    assert NIK not in caplog.text


@asynccontextmanager
async def _undone(database):
    """Persons and links of one case are not there in the next."""
    yield
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM outside_identity"))
        await session.execute(
            text(
                "UPDATE person SET nik_index = NULL, nik_sealed = NULL, nik_key = NULL,"
                " valid_until = '2100-01-01Z'"
            )
        )


async def _nowhere(database, number):
    """In no table that this slice, the trail or the outbox writes, as text or as bytes."""
    tables = ("outside_identity", "outside_attempt", "outside_proof", "act", "outbox", "session")
    forms = [f"%{number}%", f"%{number.encode().hex()}%"]
    async with database.transaction() as session:
        for table in tables:
            found = await session.scalar(
                text(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE ANY(:forms)"),  # noqa: S608
                {"forms": forms},
            )
            assert (table, found) == (table, 0)


async def test_linked_identity_that_tells_another_nik_signs_nobody_in(
    linked, browser, provider, citizen, come_back, current
):
    await citizen(NIK)
    provider.person = {"sub": "outside-1", "nik": NIK}
    assert (await come_back(browser)).status_code == 403
    assert await current(browser) is None


async def test_second_identity_of_one_provider_waits_for_the_first_to_go(
    linked, browser, provider, come_back, confirm, identities
):
    provider.person = {"sub": "outside-2"}
    await come_back(browser)
    await browser.sign_in()
    assert (await confirm(browser)).status_code == 409
    assert len(await identities()) == 1


async def test_unlinked_it_opens_nothing_and_what_it_opened_ends(  # noqa: PLR0917 - fixtures
    linked, browser, another, come_back, identities, current, facts
):
    elsewhere = another()
    await come_back(elsewhere)
    assert (await current(elsewhere)).subject == linked
    await browser.sign_in()
    await browser.open("/my-access")
    (row,) = await identities()
    assert "Terakhir dipakai" in browser.shown()
    await browser.send("/my-access/outside/unlink", identity=str(row.id))
    assert (await identities(), await current(elsewhere)) == ([], None)
    assert (await current(browser)).subject == linked
    browser.client.cookies.clear()
    assert (await come_back(browser)).headers["location"] == LINK
    told = await facts("identity.outside-identity.")
    assert [kind.split(".")[2] for kind, _ in told] == ["linked", "unlinked"]
    assert all(set(data) == {"person_id", "issuer", "by"} for _, data in told)


async def test_nobody_unlinks_what_is_anothers(linked, browser, person_named, identities):
    await person_named("Budi", "budi")
    await browser.sign_in("budi")
    await browser.open("/my-access")
    (row,) = await identities()
    for wrong in (str(row.id), "x", ""):
        answer = await browser.send("/my-access/outside/unlink", identity=wrong)
        assert answer.status_code == 404
        await browser.open("/my-access")
    assert len(await identities()) == 1


async def test_each_step_is_in_the_trail(linked, browser, come_back, database):
    await come_back(browser)
    query = text("SELECT actor, act FROM act WHERE subject = :id ORDER BY id")
    async with database.transaction() as session:
        found = list((await session.execute(query, {"id": str(linked)})).all())
    kinds = ["identity.outside-identity.linked.v1", "identity.outside-identity.signed-in"]
    assert found == [(str(linked), kind) for kind in kinds]


async def test_deactivated_person_does_not_come_in(linked, browser, desk, database, come_back):
    async with database.transaction() as session:
        await deactivate_person(session, desk, person_id=linked, reason="keluar")
    answer = await come_back(browser)
    assert (answer.status_code, "tidak aktif" in browser.shown()) == (403, True)
    assert browser.session is None
