"""Which providers there are: asked for by one keeper, enabled by another, disabled by any."""

import json

from joserfc.jwk import ECKey, RSAKey
from sebalai_identity.outside_providers.actions import end_disabled
from sebalai_identity.sessions import actions as sessions
from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import system

APPROVE = {"decision": "approve", "reason": "sesuai PKS"}
REFUSE = {"decision": "refuse", "reason": "belum ada PKS"}
ASKER, OTHER = (
    Caller(kind="civil_servant", subject=name, scopes=frozenset({"identity.clients"}))
    for name in ("one", "other")
)
STRANGER = Caller(kind="civil_servant", subject="stranger", scopes=frozenset({"identity.people"}))


def kind(answer):
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[1]


async def test_two_enable_one_disables(admin, described, provider, browser, facts):
    button = "Masuk dengan INApas (tiruan)"
    asked = await admin(ASKER, "", described())
    assert (asked.status_code, asked.json()["state"]) == (201, "requested")
    await browser.open("/sign-in")
    assert button not in browser.shown()
    decide = f"/{asked.json()['id']}/decide"
    assert kind(await admin(ASKER, decide, APPROVE)) == (403, "own-outside-provider")
    assert kind(await admin(ASKER, "", described())) == (409, "outside-provider-waits")
    done = (await admin(OTHER, decide, APPROVE)).json()
    assert (done["state"], done["asked_by"], done["decided_by"]) == ("enabled", "one", "other")
    await browser.open("/sign-in")
    assert button in browser.shown()
    assert kind(await admin(OTHER, decide, APPROVE)) == (409, "outside-provider-decided")
    gone = await admin(ASKER, f"/{done['id']}/disable", {"reason": "kunci bocor"})
    assert gone.json()["state"] == "disabled"
    await browser.open("/sign-in")
    assert button not in browser.shown()
    assert (await browser.send("/sign-in/outside/inapas/start")).status_code == 404
    told = [one.split(".")[2] for one, _ in await facts("identity.outside-provider.")]
    assert told == ["requested", "enabled", "disabled"]


async def disable(admin):
    (one,) = (await admin(ASKER)).json()["items"]
    await admin(ASKER, f"/{one['id']}/disable", {"reason": "kunci bocor"})


async def test_disabled_provider_signs_out_who_came_by_it_and_nobody_else(
    admin, browser, linked, come_back, current, keeper
):
    await come_back(browser)
    assert (await current(browser)).subject == linked
    await disable(admin)
    assert await current(browser) is None
    browser.client.cookies.clear()
    await browser.sign_in()
    async with keeper.database.transaction() as session:
        await end_disabled(session, keeper.clock)
    assert (await current(browser)).subject == linked


async def test_worker_ends_what_disabling_left(  # noqa: PLR0917 - fixtures
    admin, browser, linked, come_back, current, keeper, monkeypatch
):
    monkeypatch.setattr(sessions, "ENDED_AT_ONCE", 0)
    await come_back(browser)
    await disable(admin)
    assert await current(browser) is not None
    monkeypatch.setattr(sessions, "ENDED_AT_ONCE", 1)
    async with keeper.database.transaction() as session:
        await end_disabled(session, keeper.clock)
    assert await current(browser) is None


async def test_new_settings_take_the_place_of_the_old(admin, enable, described, enabled):
    newer = await enable(scopes=["openid"])
    listed = (await admin(ASKER)).json()["items"]
    assert {one["id"]: one["state"] for one in listed} == {
        enabled["id"]: "replaced",
        newer["id"]: "enabled",
    }
    twin = (await admin(ASKER, "", described(slug="kembar"))).json()
    decide = f"/{twin['id']}/decide"
    assert kind(await admin(OTHER, decide, APPROVE)) == (409, "outside-providers-full")
    assert (await admin(OTHER, decide, REFUSE)).json()["state"] == "refused"
    for number in range(9):
        await enable(slug=f"p{number}", issuer=f"https://p{number}.example")
    last = (await admin(ASKER, "", described(slug="p9", issuer="https://p9.example"))).json()
    full = await admin(OTHER, f"/{last['id']}/decide", APPROVE)
    assert kind(full) == (409, "outside-providers-full")


async def test_keepers_alone_see_and_change_them(admin, described, enabled):
    for stranger in (STRANGER, system("ID-BB/GOV/dinkes/puskesmas")):
        assert kind(await admin(stranger)) == (403, "outside-provider-keepers-only")
        for path, body in (
            ("", described(slug="x")),
            (f"/{enabled['id']}/decide", APPROVE),
            (f"/{enabled['id']}/disable", {"reason": "coba-coba"}),
        ):
            refused = await admin(stranger, path, body)
            assert kind(refused) == (403, "outside-provider-keepers-only")
    unknown = "/01999999-0000-7000-8000-000000000000/disable"
    assert (await admin(ASKER, unknown, {"reason": "coba-coba"})).status_code == 404


async def test_what_cannot_work_is_named(admin, described, provider, tmp_path):
    keys = tmp_path / "keys"
    public = ECKey.generate_key("P-521").as_dict(private=False)
    (keys / "public.jwk").write_text(json.dumps(public))
    (keys / "rsa.jwk").write_text(json.dumps(RSAKey.generate_key(2048).as_dict(private=True)))
    (keys / "text.jwk").write_text("{")
    (tmp_path / "outside.jwk").write_text((keys / "inapas.jwk").read_text())
    cases = {
        "/issuer": [
            "http://inapas.example", "https://inapas.example/", "https://a@inapas.example",
            "https://inapas.example?x=1", "javascript:alert(1)", "https://", "https://[::1",
            f"https://{'x' * 300}.example", "https://inapas.example#x",
        ],
        "/key_file": ["public.jwk", "rsa.jwk", "text.jwk", "none.jwk", "../outside.jwk", "/etc/x"],
        "/scopes": [["nik"], [], ["openid", "a b"]],
        "/id_token_algorithm": ["none", "HS256"],
        "/acr_levels/loa4": [{"loa4": 4}],
        "/label/en": [{"id": "INApas"}],
        "/slug": ["INA pas", "../x"],
        "/client_id": ["a b", ""],
        "/nik_claim": ["a b"],
    }  # fmt: skip
    for field, values in cases.items():
        for value in values:
            body = described(**{field.split("/")[1]: value})
            answer = await admin(ASKER, "", body)
            assert (value, answer.status_code) == (value, 422)
            assert answer.json()["errors"][0]["pointer"].startswith(field)
            assert public["x"] not in answer.text
