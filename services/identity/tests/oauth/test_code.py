"""Code with PKCE, from the request to the tokens, and every way it must not go."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
from joserfc.jwk import ECKey
from sebalai_identity.consents import actions as consents
from sebalai_identity.interactions import actions as interactions
from sebalai_identity.oauth.desk import Authority
from sebalai_identity.sessions import actions as sessions
from sebalai_shared.ids import uuid7
from sqlalchemy import text

ISSUER = "https://bus.example"
BACK = "https://rp.example/back"


def place(answer):
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["Location"])


def interaction_of(answer):
    return parse_qs(place(answer).query)["interaction"][0]


async def test_person_signed_in_and_agreed_gets_a_code_and_tokens_that_name_nobody(party, person):
    answer = await party.authorize()
    assert place(answer)[:3] == ("https", "rp.example", "/back")
    back = party.answered(answer)
    assert (back["state"], back["iss"]) == ("st", ISSUER)
    redeemed = await party.redeem(back["code"])
    assert redeemed.status_code == 200, redeemed.text
    assert redeemed.headers["Cache-Control"] == "no-store"
    body = redeemed.json()
    assert set(body) == {
        "access_token", "token_type", "expires_in", "scope", "id_token", "refresh_token",
    }  # fmt: skip
    access = await party.claims_of(body["access_token"])
    assert access.header["typ"] == "at+jwt"
    assert set(access.claims) == {
        "iss", "aud", "sub", "client_id", "jti", "iat", "exp", "scope", "kind", "sid", "rjti", "acr",
        "amr", "auth_time",
    }  # fmt: skip
    assert access.claims["sub"] == str(person)
    assert access.claims["kind"] == "citizen"
    identity = await party.claims_of(body["id_token"])
    assert identity.header["typ"] == "JWT"
    assert identity.claims["aud"] == party.client_id
    assert identity.claims["sub"] == str(person)
    assert identity.claims["nonce"] == "no"
    assert identity.claims["acr"] == "urn:sebalai:acr:2"
    assert identity.claims["exp"] - identity.claims["iat"] == 300


async def test_powers_of_the_application_never_come_into_a_persons_token(party):
    body = await party.sign_in(scope="openid bus.call exchange.manage")
    assert body["scope"] == "openid"
    assert "refresh_token" not in body


async def test_who_is_not_signed_in_signs_in_agrees_and_comes_back(
    party_of, sign_in, person, database, clock
):
    party = await party_of()
    sent = await party.authorize()
    assert place(sent).path == "/sign-in"
    asked = interaction_of(sent)
    assert (place(await party.further(asked))).path == "/sign-in"
    await sign_in(person, party, agrees=False)
    agreeing = await party.further(asked)
    assert (place(agreeing).path, interaction_of(agreeing)) == ("/consent", asked)
    await sign_in(person, party)
    back = party.answered(await party.further(asked))
    assert (await party.redeem(back["code"])).status_code == 200
    assert (await party.further(asked)).status_code == 404


async def test_who_declines_is_sent_back_with_the_reason(party_of, database, clock):
    party = await party_of()
    asked = interaction_of(await party.authorize())
    async with database.transaction() as session:
        await interactions.refuse_interaction(
            session, clock, interaction_id=asked, refusal="access_denied"
        )
    back = party.answered(await party.further(asked))
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "st", ISSUER)
    assert (await party.further(asked)).status_code == 404


async def test_portal_shows_its_legal_basis_instead_of_asking(party_of, sign_in, person):
    party = await party_of("portal")
    await sign_in(person, party, agrees=False)
    pushed = await party.post("/oauth/par", party.request() | party.credentials())
    assert pushed.status_code == 201, pushed.text
    named = {"client_id": party.client_id, "request_uri": pushed.json()["request_uri"]}
    assert "code" in party.answered(await party.raw_authorize(named))
    refused = party.answered(await party.authorize())
    assert refused["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "bus.call"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "maybe"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e3"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": 5}}'}, "invalid_request"),
        ({"dpop_jkt": "x"}, "invalid_request"),
        ({"resource": "urn:other"}, "invalid_target"),
        ({"request_uri": "https://rp.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"state": "s" * 3000}, "invalid_request"),
    ],
)  # fmt: skip
async def test_bad_request_is_told_to_the_client_at_its_address(party, change, error):
    answer = await party.authorize(**change)
    assert place(answer).netloc == "rp.example"
    back = party.answered(answer)
    assert (back["error"], back["iss"]) == (error, ISSUER)
    assert "code" not in back


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": f"{BACK}#x"},
        {"redirect_uri": BACK.upper()},
        {"redirect_uri": "https://rp.example:443/back"},
        {"redirect_uri": "https://rp.example/x/../back"},
        {"redirect_uri": "https://rp.example@evil.example/back"},
        {"redirect_uri": "//evil.example/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": "01990000-0000-7000-8000-000000000000"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:unknown"},
    ],
)
async def test_unproven_address_is_never_redirected_to(party, change):
    answer = await party.authorize(**change)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_duplicate_and_malformed_parameters_are_shown_to_the_person(party):
    doubled = urlencode(party.request()) + "&scope=openid"
    for bad in (doubled, "client_id=%ff", "x" * 40_000, "state=%00"):
        for method in ("GET", "POST"):
            answer = await party.raw_authorize(bad, method)
            assert (answer.status_code, "Location" in answer.headers) == (400, False)


async def test_request_may_come_by_post(party):
    assert "code" in party.answered(await party.authorize("POST"))


async def test_long_state_comes_back_and_a_missing_one_does_not(party):
    assert party.answered(await party.authorize(state="s" * 1500))["state"] == "s" * 1500
    assert "state" not in party.answered(await party.authorize(state=None))


async def test_form_post_escapes_and_sends_itself_to_the_client_alone(party):
    answer = await party.authorize(response_mode="form_post", state='a b&c"<>')
    assert answer.status_code == 200
    assert 'value="a b&amp;c&quot;&lt;&gt;"' in answer.text
    assert f'action="{BACK}"' in answer.text
    rule = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in rule
    assert rule.endswith("form-action https://rp.example")
    failed = await party.authorize(response_mode="form_post", scope="bus.call")
    assert 'value="invalid_scope"' in failed.text


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": None},
        {"code_verifier": "v" * 43},
        {"code_verifier": "v" * 300},
        {"redirect_uri": "https://rp.example/other"},
        {"redirect_uri": None},
        {"code": "unknown"},
    ],
)
async def test_code_is_good_only_with_its_verifier_and_address_and_is_spent_by_the_attempt(
    party, change
):
    code = await party.code()
    refused = await party.redeem(change.pop("code", code), **change)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    if change:
        assert (await party.redeem(code)).json()["error"] == "invalid_grant"


async def test_code_of_another_client_is_refused(party, party_of):
    other = await party_of(name="other")
    other.verifier = party.verifier
    assert (await other.redeem(await party.code())).json()["error"] == "invalid_grant"


async def test_code_ends_after_a_minute(party, clock):
    code = await party.code()
    clock.move(timedelta(seconds=60))
    assert (await party.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("end", ["session", "consent"])
async def test_code_gives_nothing_to_who_left_before_it_was_redeemed(
    party, person, database, clock, end
):
    code = await party.code()
    async with database.transaction() as session:
        if end == "session":
            await sessions.end_by_cookie(session, clock, cookie=party.cookie)
        else:
            await consents.withdraw(session, clock, subject=person, client_id=UUID(party.client_id))
    clock.move(timedelta(seconds=2))
    refused = await party.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert not await families(database)


async def families(database):
    async with database.transaction() as session:
        return (await session.execute(text("SELECT * FROM refresh_family"))).all()


async def test_sign_out_while_a_code_is_redeemed_leaves_no_living_token(race, committed, clock):
    party = await race()
    code = await party.code()

    async def leave():
        async with committed.transaction() as session:
            await sessions.end_by_cookie(session, clock, cookie=party.cookie)

    answer, _ = await asyncio.gather(party.redeem(code), leave())
    clock.move(timedelta(seconds=2))
    if answer.status_code == 200:
        assert await party.introspect(answer.json()["access_token"]) == {"active": False}
    assert [row for row in await families(committed) if row.revoked_at is None] == []


async def test_code_used_again_ends_what_it_gave(party, clock):
    code = await party.code()
    given = (await party.redeem(code)).json()
    assert (await party.introspect(given["access_token"]))["active"]
    clock.move(timedelta(seconds=31))
    assert (await party.redeem(code)).json()["error"] == "invalid_grant"
    assert await party.introspect(given["access_token"]) == {"active": False}
    assert (await party.refresh(given["refresh_token"])).json()["error"] == "invalid_grant"


async def test_prompt_none_never_shows_a_page(party_of, sign_in, person):
    party = await party_of()
    assert party.answered(await party.authorize(prompt="none"))["error"] == "login_required"
    await sign_in(person, party, agrees=False)
    assert party.answered(await party.authorize(prompt="none"))["error"] == "consent_required"
    await sign_in(person, party)
    assert "code" in party.answered(await party.authorize(prompt="none"))


@pytest.mark.parametrize(
    "change", [{"prompt": "login"}, {"max_age": "1"}, {"prompt": "select_account"}]
)
async def test_client_that_wants_a_fresh_sign_in_gets_one_and_no_circle(
    party, sign_in, person, clock, change
):
    clock.move(timedelta(seconds=5))
    sent = await party.authorize(**change)
    assert place(sent).path == "/sign-in"
    asked = interaction_of(sent)
    assert place(await party.further(asked)).path == "/sign-in"
    clock.move(timedelta(seconds=5))
    await sign_in(person, party)
    clock.move(timedelta(seconds=5))
    body = (await party.redeem(party.answered(await party.further(asked))["code"])).json()
    identity = await party.claims_of(body["id_token"])
    assert party.now - identity.claims["auth_time"] == 5


async def test_generous_max_age_needs_no_new_sign_in(party, clock):
    clock.move(timedelta(seconds=5))
    assert "code" in party.answered(await party.authorize(max_age="10000"))


async def test_prompt_consent_asks_again_although_all_was_agreed(party, person, database, clock):
    sent = await party.authorize(prompt="consent")
    assert place(sent).path == "/consent"
    asked = interaction_of(sent)
    assert place(await party.further(asked)).path == "/consent"
    async with database.transaction() as session:
        await interactions.note_consent(session, clock, interaction_id=asked, subject=person)
    assert "code" in party.answered(await party.further(asked))


async def test_higher_acr_is_asked_for_and_an_essential_one_must_be_reached(
    party, sign_in, person, clock
):
    wish = await party.authorize(acr_values="urn:sebalai:acr:3")
    assert place(wish).path == "/sign-in"
    clock.move(timedelta(seconds=1))
    await sign_in(person, party)
    assert "code" in party.answered(await party.further(interaction_of(wish)))
    must = '{"id_token": {"acr": {"essential": true, "values": ["urn:sebalai:acr:3"]}}}'
    sent = await party.authorize(claims=must)
    assert place(sent).path == "/sign-in"
    clock.move(timedelta(seconds=1))
    await sign_in(person, party)
    back = party.answered(await party.further(interaction_of(sent)))
    assert back["error"] == "unmet_authentication_requirements"
    await sign_in(person, party, methods=("hwk", "user"))
    body = await party.sign_in(claims=must)
    assert (await party.claims_of(body["id_token"])).claims["acr"] == "urn:sebalai:acr:3"


async def test_hint_of_the_person_passes_and_of_another_asks_for_a_sign_in(party, sign_in):
    hint = (await party.sign_in())["id_token"]
    assert "code" in party.answered(await party.authorize(id_token_hint=hint))
    await sign_in(uuid7(), party)
    assert party.answered(await party.authorize(id_token_hint=hint, prompt="none"))["error"] == (
        "login_required"
    )
    access = (await party.sign_in())["access_token"]
    assert party.answered(await party.authorize(id_token_hint=access))["error"] == "invalid_request"


@pytest.mark.parametrize("kid", ["\x00", "\ud800", 5, None])
async def test_hint_under_a_name_no_key_can_have_is_no_hint_of_ours(party, kid, by_hand):
    strange = ECKey.generate_key("P-256")
    hint = by_hand({"alg": "ES256", "kid": kid}, {"iss": ISSUER, "auth_time": 1}, strange)
    back = party.answered(await party.authorize(id_token_hint=hint))
    assert back["error"] == "invalid_request"


async def test_claims_that_the_database_could_not_keep_are_left_out(party):
    deep = "[" * 500 + "]" * 500
    for odd in (f'{{"values": {deep}}}', '{"value": "\\u0000"}', "null"):
        asked = f'{{"id_token": {{"a\\u0000": null, "acr": {odd}}}}}'
        assert "code" in party.answered(await party.authorize(claims=asked)), odd


async def test_two_sectors_see_two_subjects_of_one_person(party_of, sign_in, person, call):
    names = []
    for host in ("one", "two"):
        back = f"https://{host}.example/back"
        party = await party_of(
            "external", name=host, is_pairwise=True, redirect_uris=[back],
            scopes=["openid", "profile", "offline_access"],
        )  # fmt: skip
        await sign_in(person, party)
        code = await party.code(redirect_uri=back)
        body = (await party.redeem(code, redirect_uri=back)).json()
        access = await party.claims_of(body["access_token"])
        identity = await party.claims_of(body["id_token"])
        assert access.claims["sub"] == identity.claims["sub"]
        assert str(person) not in str(access.claims) + str(identity.claims)
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        info = (await call("GET", "/oauth/userinfo", headers=headers)).json()
        assert info["sub"] == identity.claims["sub"]
        names.append(info["sub"])
    assert len(set(names)) == 2


async def test_token_ends_with_the_posting_it_acts_by(party, call, clock):
    register, posting = call.app.state.register, uuid7()
    end = clock.now() + timedelta(seconds=100)
    register.authorities[None] = Authority("civil_servant", "dinsos-pmd", posting, end)
    body = await party.sign_in()
    assert body["expires_in"] == 100
    claims = (await party.claims_of(body["access_token"])).claims
    assert (claims["kind"], claims["agency"], claims["posting"]) == (
        "civil_servant", "dinsos-pmd", str(posting),
    )  # fmt: skip
    clock.move(timedelta(seconds=100))
    register.authorities[None] = Authority(is_usable=False)
    refused = await party.refresh(body["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"


async def test_official_changes_posting_at_a_refresh_and_never_to_one_not_held(party, call):
    register, other = call.app.state.register, uuid7()
    register.authorities[other] = Authority("civil_servant", "dinkes", other)
    token = (await party.sign_in())["refresh_token"]
    body = (await party.refresh(token, posting=str(other))).json()
    assert (await party.claims_of(body["access_token"])).claims["agency"] == "dinkes"
    register.authorities[other] = Authority(is_usable=False)
    answer = await party.refresh(body["refresh_token"], posting=str(other))
    assert answer.json()["error"] == "invalid_grant"
    other_token = (await party.sign_in())["refresh_token"]
    assert (await party.refresh(other_token, posting="x")).json()["error"] == "invalid_request"


async def test_client_that_reads_rs256_gets_rs256(party_of, sign_in, person):
    party = await party_of("external", id_token_algorithm="RS256")
    await sign_in(person, party)
    body = await party.sign_in()
    assert (await party.claims_of(body["id_token"])).header["alg"] == "RS256"
    assert (await party.claims_of(body["access_token"])).header["alg"] == "ES256"


async def test_public_client_on_loopback_may_take_any_port(party_of, sign_in, person):
    party = await party_of("public", redirect_uris=["http://127.0.0.1/back"])
    await sign_in(person, party)
    back = "http://127.0.0.1:51004/back"
    code = await party.code(redirect_uri=back)
    assert (await party.redeem(code, redirect_uri=back)).status_code == 200
    for bad in (
        "http://127.0.0.1:51004/other",
        "https://127.0.0.1:51004/back",
        "http://127.0.0.1:x/back",
        "http://127.0.0.1:51004/back#",
        "http://127.0.0.1:51004/back?",
        "http://127.0.0.1:51004/ba\tck",
        "http://127.0.0.1:٥١/back",
        "http://a@127.0.0.1/back",
        "http://[",
    ):
        assert (await party.authorize(redirect_uri=bad)).status_code == 400
