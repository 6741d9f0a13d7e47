"""Tokens that act for a business: chosen by the person, no longer than they represent it."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from joserfc.jwk import ECKey
from sebalai_identity.oauth.register import Registers
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7

NIB, OTHER_NIB = "8120001234567", "9120001234567"
SCOPES = ["bus.call", "openid", "profile", "offline_access", "business"]
ASKED = "openid offline_access business"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
INTERFACE = "ID-BB/GOV/dpmptsp/perizinan/izin"


@pytest.fixture
async def director(call, made):
    call.app.state.register = Registers(call.app.state.vault)
    return await made("/v1/persons", {"name": "Ani Contoh", "nik": "1971014107859002"})


@pytest.fixture
def business(made):
    async def business(name="PT Contoh Timah", nib=NIB):
        return (await made("/v1/businesses", {"name": name, "nib": nib}))["id"]

    return business


@pytest.fixture
def represents(made):
    async def represents(person, business, **more):
        body = {
            "person_id": person["id"], "capacity": "director", "document": "Akta 1/2020",
            "valid_from": "2026-01-01T00:00:00Z",
        } | more  # fmt: skip
        return (await made(f"/v1/businesses/{business}/representations", body))["id"]

    return represents


@pytest.fixture
def end(call, keeper):
    async def end(business, representation):
        path = f"/v1/businesses/{business}/representations/{representation}/end"
        answer = await call("POST", path, keeper, json={"reason": "diganti"})
        assert answer.status_code == 200, answer.text

    return end


@pytest.fixture
def party_for(party_of, sign_in, director):
    async def party_for(kind="agency_web", *businesses, **settings):
        party = await party_of(kind, scopes=SCOPES, **settings)
        agreed = [*SCOPES, *(f"business:{one}" for one in businesses)]
        await sign_in(UUID(director["id"]), party, scopes=agreed)
        return party

    return party_for


class Choosing:
    """The page of an interaction, and its buttons."""

    def __init__(self, party):
        self.party, self.cookies = party, {"__Host-sebalai-session": party.cookie}

    async def open(self, asked):
        assert asked.status_code == 303, asked.text
        place = asked.headers["Location"]
        assert place.startswith("/acting-for?interaction="), place
        self.interaction = place.partition("=")[2]
        page = await self.party.call("GET", place, headers=self._headers())
        self.cookies |= dict(page.cookies)
        self.text = page.text
        return page

    async def choose(self, who):
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.text).group(1)
        form = f"csrf={csrf}&interaction={self.interaction}&party={who}"
        answer = await self.party.call(
            "POST", "/acting-for", content=form, headers=FORM | self._headers()
        )
        if answer.status_code != 303:
            return answer
        return await self.party.further(self.interaction)

    def _headers(self):
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}


async def claims_of(party, body):
    return (await party.claims_of(body["access_token"])).claims


async def test_person_chooses_for_whom_and_the_token_tells_it(
    party_for, director, business, represents
):
    first, other = await business(), await business("CV Contoh Lada", OTHER_NIB)
    one = await represents(director, first)
    await represents(director, other)
    party = await party_for("agency_web", first)
    choosing = Choosing(party)
    page = await choosing.open(await party.authorize(scope=ASKED))
    assert page.status_code == 200
    for words in ("PT Contoh Timah", "CV Contoh Lada", NIB, "Diri saya sendiri", "direktur"):
        assert words in page.text
    code = party.answered(await choosing.choose(first))["code"]
    body = (await party.redeem(code)).json()
    claims = await claims_of(party, body)
    told = {"business": first, "nib": NIB, "capacity": "director", "representation": one}
    assert (claims["kind"], claims["acting_for"]) == ("business", told)
    assert claims["sub"] == director["id"]
    assert not {"posting", "agency"} & claims.keys()
    assert (await party.claims_of(body["id_token"])).claims["acting_for"] == told
    assert (await party.introspect(body["access_token"]))["acting_for"] == told
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    shown = (await party.call("GET", "/oauth/userinfo", headers=headers)).json()
    assert shown["acting_for"] == told | {"name": "PT Contoh Timah"}
    again = (await party.refresh(body["refresh_token"])).json()
    assert (await claims_of(party, again))["acting_for"] == told


async def test_who_acts_for_themself_shows_no_business(party_for, director, business, represents):
    await represents(director, await business())
    party = await party_for()
    choosing = Choosing(party)
    await choosing.open(await party.authorize(scope=ASKED))
    code = party.answered(await choosing.choose("self"))["code"]
    claims = await claims_of(party, (await party.redeem(code)).json())
    assert claims["kind"] == "citizen"
    assert "acting_for" not in claims


async def test_who_represents_nobody_and_who_is_not_asked_see_no_page(
    party_for, director, business, represents
):
    party = await party_for()
    assert (await claims_of(party, await party.sign_in(scope=ASKED)))["kind"] == "citizen"
    await represents(director, await business())
    assert (await claims_of(party, await party.sign_in(scope="openid")))["kind"] == "citizen"
    himself = await party.sign_in(scope=ASKED, acting_for="self")
    assert "acting_for" not in await claims_of(party, himself)


async def test_named_business_asks_nobody_where_it_was_agreed(
    party_for, director, business, represents
):
    one = await business()
    await represents(director, one)
    party = await party_for("agency_web", one)
    claims = await claims_of(party, await party.sign_in(scope=ASKED, acting_for=one, prompt="none"))
    assert claims["acting_for"]["business"] == one
    unsaid = party.answered(await party.authorize(scope=ASKED, prompt="none"))
    assert unsaid["error"] == "interaction_required"


async def test_agreement_for_one_business_is_none_for_another(
    party_for, director, business, represents
):
    one, other = await business(), await business("CV Contoh Lada", OTHER_NIB)
    await represents(director, one)
    await represents(director, other)
    party = await party_for("agency_web", one)
    wish = await party.authorize(scope=ASKED, acting_for=other)
    place = wish.headers["Location"]
    assert place.startswith("/consent")
    page = await party.call(
        "GET", place, headers={"Cookie": f"__Host-sebalai-session={party.cookie}"}
    )
    assert "CV Contoh Lada" in page.text
    assert OTHER_NIB in page.text


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"acting_for": "PT Timah"}, "invalid_request"),
        ({"acting_for": NIB}, "invalid_request"),
        ({"acting_for": str(uuid7()), "scope": "openid"}, "invalid_scope"),
        ({"acting_for": str(uuid7())}, "access_denied"),
    ],
)
async def test_business_that_is_not_theirs_is_refused_at_the_client(party_for, asked, error):
    party = await party_for()
    assert party.answered(await party.authorize(**{"scope": ASKED} | asked))["error"] == error


async def test_page_takes_no_business_of_others_and_no_forged_form(
    party_for, director, business, represents
):
    await represents(director, await business())
    strange = await business("CV Contoh Lada", OTHER_NIB)
    party = await party_for()
    choosing = Choosing(party)
    await choosing.open(await party.authorize(scope=ASKED))
    again = await choosing.choose(strange)
    assert again.headers["Location"] == f"/acting-for?interaction={choosing.interaction}"
    assert "CV Contoh Lada" not in (await choosing.choose("")).text
    choosing.text = choosing.text.replace('name="csrf" value="', 'name="csrf" value="x')
    assert (await choosing.choose("self")).status_code == 403


async def test_ended_representation_gives_nothing_more_and_revokes_what_it_gave(
    party_for, director, business, represents, end
):
    one = await business()
    representation = await represents(director, one)
    party = await party_for("agency_web", one)
    body = await party.sign_in(scope=ASKED, acting_for=one)
    code = await party.code(scope=ASKED, acting_for=one)
    himself = await party.sign_in(scope=ASKED, acting_for="self")
    await end(one, representation)
    assert (await party.redeem(code)).json()["error"] == "invalid_grant"
    assert (await party.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert await party.introspect(body["access_token"]) == {"active": False}
    # What they do for themself goes on.
    assert (await party.introspect(himself["access_token"]))["active"]
    assert (await party.refresh(himself["refresh_token"])).status_code == 200


async def test_revocation_reaches_the_token_of_a_client_that_knows_nobody(
    party_for, director, business, represents, end
):
    one = await business()
    representation = await represents(director, one)
    party = await party_for("external", one, is_pairwise=True)
    body = await party.sign_in(scope="openid business", acting_for=one)
    assert director["id"] not in str(await claims_of(party, body))
    assert (await party.introspect(body["access_token"]))["active"]
    await end(one, representation)
    assert await party.introspect(body["access_token"]) == {"active": False}


async def test_closed_business_is_acted_for_by_nobody(
    party_for, director, business, represents, call, keeper
):
    one = await business()
    await represents(director, one)
    party = await party_for("agency_web", one)
    body = await party.sign_in(scope=ASKED, acting_for=one)
    answer = await call("POST", f"/v1/businesses/{one}/close", keeper, json={"reason": "pailit"})
    assert answer.status_code == 200
    assert await party.introspect(body["access_token"]) == {"active": False}
    assert (await party.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("seconds", [1, 2, 60, 299, 300, 301])
async def test_no_token_outlives_the_representation(
    party_for, director, business, represents, clock, seconds
):
    one, until = await business(), clock.now() + timedelta(seconds=seconds)
    await represents(director, one, valid_until=until.isoformat())
    party = await party_for("agency_web", one)
    body = await party.sign_in(scope=ASKED, acting_for=one)
    claims = await claims_of(party, body)
    assert claims["exp"] == min(int(until.timestamp()), claims["iat"] + 300)
    clock.move(timedelta(seconds=seconds))
    assert (await party.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    asked = party.answered(await party.authorize(scope=ASKED, acting_for=one))
    assert asked["error"] == "access_denied"


async def test_exchanged_token_acts_for_it_within_the_mandate(
    party_for, director, business, represents
):
    one = await business()
    await represents(director, one, matters=["izin-tambang", "lapor-tambang"])
    party = await party_for("agency_web", one, is_dpop_required=False)
    body = await party.sign_in(scope=ASKED, acting_for=one)
    matters = (await claims_of(party, body))["acting_for"]["matters"]
    assert matters == ["izin-tambang", "lapor-tambang"]

    async def exchange(purpose):
        party.proof_key = ECKey.generate_key("P-256")
        access = "urn:ietf:params:oauth:token-type:access_token"
        return await party.token(
            grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token=body["access_token"], subject_token_type=access,
            audience=INTERFACE, purpose=purpose,
        )  # fmt: skip

    answer = await exchange("izin-tambang")
    assert answer.status_code == 200, answer.text
    claims = await claims_of(party, answer.json())
    assert (claims["kind"], claims["subject_kind"]) == ("system", "business")
    assert claims["acting_for"]["nib"] == NIB
    refused = await exchange("izin-bangunan")
    assert refused.json()["error"] == "access_denied"


async def test_who_acts_for_a_business_has_nothing_of_their_own_open(
    call, director, business, represents
):
    one = await business()
    await represents(director, one)
    me = Caller(kind="business", subject=director["id"], acting_for=one)
    assert (await call("GET", f"/v1/businesses/{one}", me)).status_code == 200
    assert (await call("GET", f"/v1/persons/{director['id']}", me)).status_code == 404
    assert (await call("GET", f"/v1/persons/{director['id']}/authority", me)).status_code == 403


async def test_scope_taken_from_the_client_ends_it(
    party_for, director, business, represents, call, operator
):
    one = await business()
    await represents(director, one)
    party = await party_for("agency_web", one)
    body = await party.sign_in(scope=ASKED, acting_for=one)
    narrowed = await party.refresh(body["refresh_token"], scope="openid")
    assert narrowed.json()["error"] == "invalid_scope"
    posting = await party.refresh(body["refresh_token"], posting=str(uuid7()))
    assert posting.json()["error"] == "invalid_request"
