"""Devices, exchanged tokens, signing out, and how guesses are slowed."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_identity.grants import actions as grants
from sebalai_identity.interactions import actions as interactions
from sebalai_identity.oauth import throttle
from sebalai_identity.oauth.backchannel import claim
from sebalai_identity.oauth.desk import Desk, Server
from sebalai_identity.oauth.throttle import Throttle, TooManyTries
from sebalai_identity.sessions import actions as sessions
from sebalai_shared.ids import uuid7

ISSUER = "https://bus.example"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
INTERFACE = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"


# --- devices ---------------------------------------------------------------------------------------
@pytest.fixture
async def kiosk(party_of):
    return await party_of("kiosk", redirect_uris=[])


async def begun(kiosk, **more):
    form = {"scope": "openid offline_access"} | more
    return await kiosk.post("/oauth/device_authorization", form | kiosk.credentials())


async def poll(kiosk, code):
    return await kiosk.token(grant_type=DEVICE, device_code=code)


async def entered(kiosk, code):
    return await kiosk.post("/device", {"user_code": code})


async def agree(kiosk, person, database, clock, answer):
    """Signed in as the browser of the kiosk's person, who agrees on the consent page."""
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)["interaction"][0]
    assert urlsplit((await kiosk.further(asked)).headers["Location"]).path == "/consent"
    async with database.transaction() as session:
        await interactions.note_consent(session, clock, interaction_id=asked, subject=person)
    return await kiosk.further(asked)


async def test_person_lets_a_device_in_and_it_gets_tokens_once(
    kiosk, sign_in, person, database, clock
):
    body = (await begun(kiosk)).json()
    assert body["verification_uri"] == f"{ISSUER}/device"
    assert (await poll(kiosk, body["device_code"])).json()["error"] == "authorization_pending"
    await sign_in(person, kiosk)
    typed = body["user_code"].lower().replace("-", " ")
    done = await agree(kiosk, person, database, clock, await entered(kiosk, typed))
    assert done.headers["Location"] == "/device/done"
    clock.move(timedelta(seconds=6))
    tokens = (await poll(kiosk, body["device_code"])).json()
    assert (await kiosk.claims_of(tokens["id_token"])).claims["sub"] == str(person)
    assert (await kiosk.refresh(tokens["refresh_token"])).status_code == 200
    assert (await poll(kiosk, body["device_code"])).json()["error"] == "invalid_grant"
    assert (await entered(kiosk, typed)).status_code == 400


async def test_device_let_in_by_who_signed_out_since_gets_nothing(
    kiosk, sign_in, person, database, clock
):
    body = (await begun(kiosk)).json()
    await sign_in(person, kiosk)
    await agree(kiosk, person, database, clock, await entered(kiosk, body["user_code"]))
    async with database.transaction() as session:
        await sessions.end_by_cookie(session, clock, cookie=kiosk.cookie)
    refused = await poll(kiosk, body["device_code"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_agreement_of_one_person_lets_a_device_in_for_no_other(
    kiosk, sign_in, person, database, clock
):
    """A thief agrees as himself and sends his victim, who uses such devices too, one link."""
    body, victim = (await begun(kiosk)).json(), uuid7()
    await sign_in(person, kiosk, agrees=False)
    answer = await entered(kiosk, body["user_code"])
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)["interaction"][0]
    async with database.transaction() as session:
        await interactions.note_consent(session, clock, interaction_id=asked, subject=person)
    await sign_in(victim, kiosk)
    assert urlsplit((await kiosk.further(asked)).headers["Location"]).path == "/consent"
    assert (await poll(kiosk, body["device_code"])).json()["error"] == "authorization_pending"


async def test_device_that_asks_too_often_is_slowed(kiosk, clock):
    code = (await begun(kiosk)).json()["device_code"]
    await poll(kiosk, code)
    assert (await poll(kiosk, code)).json()["error"] == "slow_down"
    clock.move(timedelta(seconds=6))
    assert (await poll(kiosk, code)).json()["error"] == "slow_down"
    clock.move(timedelta(seconds=60))
    assert (await poll(kiosk, code)).json()["error"] == "authorization_pending"


async def test_device_hears_of_a_refusal_and_of_the_end(kiosk, sign_in, person, database, clock):
    code = (await begun(kiosk)).json()
    answer = await entered(kiosk, code["user_code"])
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)["interaction"][0]
    async with database.transaction() as session:
        await interactions.refuse_interaction(
            session, clock, interaction_id=asked, refusal="access_denied"
        )
    assert (await kiosk.further(asked)).headers["Location"] == "/device/done"
    assert (await poll(kiosk, code["device_code"])).json()["error"] == "access_denied"
    late = (await begun(kiosk)).json()
    clock.move(timedelta(minutes=10))
    assert (await poll(kiosk, late["device_code"])).json()["error"] == "expired_token"
    assert (await entered(kiosk, late["user_code"])).status_code == 400


async def test_device_code_is_its_own_clients_and_kinds_without_devices_have_none(kiosk, party_of):
    code = (await begun(kiosk)).json()["device_code"]
    other = await party_of("kiosk", name="other", redirect_uris=[])
    for bad in (await poll(other, code), await poll(kiosk, "x"), await poll(kiosk, None)):
        assert bad.json()["error"] in ("invalid_grant", "invalid_request")
    web = await party_of()
    assert (await begun(web)).json()["error"] == "unauthorized_client"
    assert (await begun(kiosk, scope="bus.call")).json()["error"] == "invalid_scope"


async def test_guesses_of_a_user_code_are_slowed_by_their_source(call):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sebalai-Source": "203.0.113.9"}
    statuses = [
        (await call("POST", "/device", headers=headers, content="user_code=BCDF-GHJK")).status_code
        for _ in range(throttle.DEVICE_FAILURES_MAX + 1)
    ]
    assert statuses == [400] * throttle.DEVICE_FAILURES_MAX + [429]
    other = headers | {"Sebalai-Source": "203.0.113.10"}
    again = await call("POST", "/device", headers=other, content="user_code=BCDF-GHJK")
    assert again.status_code == 400


async def test_device_page_shows_what_was_typed_escaped_and_runs_no_script(call):
    answer = await call("GET", "/device", params={"user_code": '"><script>x'})
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].endswith("form-action 'self'")
    assert (await call("GET", "/device/done")).status_code == 200


async def test_pages_of_the_provider_speak_the_persons_language(call):
    said = {
        "id": ("Sambungkan perangkat", "tidak dikenal"),
        "en": ("Connect a device", "not known"),
    }
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for language, (title, refusal) in said.items():
        headers = {"Accept-Language": language}
        assert title in (await call("GET", "/device", headers=headers)).text
        sent = f"user_code=BCDF-GHJK&lang={language}"
        wrong = await call("POST", "/device", headers=form, content=sent)
        assert (wrong.status_code, refusal in wrong.text) == (400, True)


async def test_request_nobody_can_be_sent_back_with_is_a_page_that_says_why(party, call):
    asked = party.request(redirect_uri="https://evil.example/<script>")
    answer = await call("GET", "/oauth/authorize", params=asked, headers={"Accept-Language": "en"})
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "redirect_uri is not one the application has registered" in answer.text
    assert "<script" not in answer.text
    assert (
        await call("GET", "/oauth/authorize", params="client_id=a&client_id=b")
    ).status_code == 400


# --- token exchange ----------------------------------------------------------------------------------
@pytest.fixture
async def actor(party_of, sign_in, person):
    party = await party_of(dpop=True)
    await sign_in(person, party)
    return party


async def exchange(actor, token, **more):
    form = {
        "grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS,
        "audience": INTERFACE, "purpose": "verifikasi-bansos",
    } | more  # fmt: skip
    return await actor.token(**form)


async def test_application_acts_for_a_person_and_says_so(actor, person, clock):
    given = await actor.sign_in()
    subject = (await actor.claims_of(given["access_token"])).claims
    answer = await exchange(actor, given["access_token"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["issued_token_type"], body["token_type"]) == (ACCESS, "DPoP")
    assert body["expires_in"] == 120
    assert "refresh_token" not in body
    claims = (await actor.claims_of(body["access_token"])).claims
    assert claims["sub"] == str(person)
    assert claims["act"] == {"sub": actor.client_id, "agency": "dinsos-pmd"}
    assert (claims["interface"], claims["purpose"]) == (INTERFACE, "verifikasi-bansos")
    assert (claims["kind"], claims["subject_kind"]) == ("system", "citizen")
    assert {claims[name] == subject[name] for name in ("sid", "rjti", "acr")} == {True}
    assert claims["cnf"] == {"jkt": actor.proof_key.thumbprint()}
    clock.move(timedelta(seconds=250))
    late = await exchange(actor, given["access_token"])
    assert late.json()["expires_in"] == 50


async def test_what_ends_the_root_ends_the_chain(actor, database, clock):
    given = await actor.sign_in()
    derived = (await exchange(actor, given["access_token"])).json()["access_token"]
    assert (await actor.introspect(derived))["active"]
    await actor.post("/oauth/revoke", {"token": given["refresh_token"]} | actor.credentials())
    assert await actor.introspect(derived) == {"active": False}
    assert (await exchange(actor, given["access_token"])).json()["error"] == "invalid_request"


async def test_chain_of_actors_is_kept_and_bounded(actor):
    token, depths = (await actor.sign_in())["access_token"], []
    for _ in range(4):
        answer = await exchange(actor, token)
        if answer.status_code != 200:
            assert answer.json()["error"] == "invalid_request"
            break
        token = answer.json()["access_token"]
        act, depth = (await actor.claims_of(token)).claims["act"], 1
        while "act" in act:
            act, depth = act["act"], depth + 1
        depths.append(depth)
    assert depths == [1, 2, 3]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"audience": None}, "invalid_target"),
        ({"audience": "ID-BB/GOV/dp3acskb/kependudukan"}, "invalid_target"),
        ({"purpose": None}, "invalid_request"),
        ({"purpose": "p" * 100}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        (
            {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
            "invalid_request",
        ),
        ({"actor_token": "x"}, "invalid_request"),
        ({"subject_token": "x"}, "invalid_request"),
    ],
)
async def test_bad_exchange_gives_nothing(actor, change, error):
    token = (await actor.sign_in())["access_token"]
    assert (await exchange(actor, token, **change)).json()["error"] == error


async def test_tokens_of_others_of_nobody_and_unbound_ones_are_not_exchanged(
    actor, party_of, sign_in, person
):
    other = await party_of(name="other")
    await sign_in(person, other)
    strange = (await other.sign_in())["access_token"]
    assert (await exchange(actor, strange)).json()["error"] == "invalid_request"
    own = (await actor.token(grant_type="client_credentials")).json()["access_token"]
    assert (await exchange(actor, own)).json()["error"] == "invalid_request"
    assert (await exchange(other, strange)).json()["error"] == "invalid_request"


# --- signing out ---------------------------------------------------------------------------------------
AFTER = "https://rp.example/bye"


@pytest.fixture
async def leaving(party_of, sign_in, person):
    party = await party_of(
        post_logout_redirect_uris=[AFTER], backchannel_logout_uri="https://rp.example/hook"
    )
    await sign_in(person, party)
    return party


async def leave(party, method="GET", **parameters):
    return await party.raw_authorize(parameters, method, path="/oauth/logout")


async def test_client_signs_its_person_out_and_everything_ends(leaving):
    given = await leaving.sign_in()
    answer = await leave(
        leaving, id_token_hint=given["id_token"], post_logout_redirect_uri=AFTER, state="a&b"
    )
    assert answer.headers["Location"] == f"{AFTER}?state=a%26b"
    assert "__Host-sebalai-session=" in answer.headers["Set-Cookie"]
    assert await leaving.introspect(given["access_token"]) == {"active": False}
    assert (await leaving.refresh(given["refresh_token"])).json()["error"] == "invalid_grant"
    assert "/sign-in" in (await leaving.authorize()).headers["Location"]


@pytest.mark.parametrize("hint", [None, "x", "altered", "foreign"])
async def test_without_a_good_hint_the_person_is_asked_first(leaving, hint):
    given = await leaving.sign_in()
    header, claims, mark = given["id_token"].split(".")
    other = ECKey.generate_key("P-256")
    forged = jwt.encode(
        {"alg": "ES256"}, {"iss": ISSUER, "aud": leaving.client_id, "auth_time": 1}, other
    )
    hints = {"altered": f"{header}.{claims}.{mark[::-1]}", "foreign": forged}
    named = {"id_token_hint": hints.get(hint, hint)} if hint else {}
    asked = await leave(
        leaving, post_logout_redirect_uri=AFTER, client_id=leaving.client_id, **named
    )
    assert (asked.status_code, "Location" in asked.headers) == (200, False)
    assert (await leaving.introspect(given["access_token"]))["active"]
    mark = asked.text.split('name="mark" value="')[1].split('"')[0]
    by_link = await leave(leaving, mark=mark)
    assert (await leaving.introspect(given["access_token"]))["active"], by_link.text
    form = {"mark": mark, "post_logout_redirect_uri": AFTER, "client_id": leaving.client_id}
    assert (await leave(leaving, "POST", **form)).headers["Location"] == AFTER
    assert await leaving.introspect(given["access_token"]) == {"active": False}


@pytest.mark.parametrize("place", [None, "https://evil.example/", f"{AFTER}?x=1", f"{AFTER}/"])
async def test_nobody_is_sent_to_an_unregistered_place(leaving, place):
    given = await leaving.sign_in()
    named = {"post_logout_redirect_uri": place} if place else {}
    answer = await leave(leaving, id_token_hint=given["id_token"], state="s", **named)
    assert (answer.status_code, "Location" in answer.headers) == (200, False)
    assert await leaving.introspect(given["access_token"]) == {"active": False}


async def test_forged_confirmation_signs_nobody_out(leaving):
    given = await leaving.sign_in()
    for mark in ("", "0" * 64, "é"):
        assert (await leave(leaving, "POST", mark=mark)).status_code == 200
    assert (await leaving.introspect(given["access_token"]))["active"]


async def test_client_is_told_of_the_end_by_a_logout_token(leaving, database, clock, call):
    given = await leaving.sign_in()
    sid = (await leaving.claims_of(given["id_token"])).claims["sid"]
    await leave(leaving, id_token_hint=given["id_token"])
    tries = []
    for _ in range(4):
        async with database.transaction() as session:
            desk = Desk(session, clock, Server(ISSUER, "a"), call.app.state.ring)
            tries += await claim(desk)
        clock.move(timedelta(seconds=31))
    assert [notice.address for notice in tries] == ["https://rp.example/hook"] * grants.TRIES
    token = await leaving.claims_of(tries[0].token)
    assert token.header["typ"] == "logout+jwt"
    assert token.claims["sid"] == sid
    assert token.claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in token.claims
    assert token.claims["exp"] - token.claims["iat"] == 120


# --- guesses ---------------------------------------------------------------------------------------------
async def test_stranger_who_fails_under_a_clients_name_slows_only_himself(party, call):
    form = f"grant_type=client_credentials&client_id={party.client_id}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sebalai-Source": "203.0.113.9"}
    statuses = [
        (await call("POST", "/oauth/token", headers=headers, content=form)).status_code
        for _ in range(throttle.FAILURES_MAX + 1)
    ]
    assert statuses == [401] * throttle.FAILURES_MAX + [429]
    assert (await party.token(grant_type="client_credentials")).status_code == 200


def test_throttle_is_bounded_forgets_with_time_and_stops_ever_new_names(monkeypatch):
    monkeypatch.setattr(throttle, "ENTRIES_MAX", 50)
    now = [0.0]
    slow = Throttle(lambda: now[0], 2, 60.0)
    for number in range(2 * throttle.NAMES_A_SOURCE):
        slow.check("a", str(number))
        slow.note("a", str(number))
    with pytest.raises(TooManyTries):
        slow.check("a", "new")
    slow.check("b", "new")
    for number in range(200):
        slow.note(str(number), "x")
    assert len(slow._windows) <= 50
    now[0] = 61.0
    slow.check("a", "new")
