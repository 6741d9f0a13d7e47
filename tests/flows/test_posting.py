"""A Plt. posting and a representation that ended act no more, even with a token issued before."""

import asyncio
import base64
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urljoin, urlsplit
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_identity.app import vault_of
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.businesses import actions as businesses
from sebalai_identity.businesses.schema import BusinessRegister, RepresentationRecord
from sebalai_identity.civil_servants.actions import enlist
from sebalai_identity.civil_servants.schema import CivilServantEnlist
from sebalai_identity.commands import OPERATOR
from sebalai_identity.consents.actions import grant
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import register_person
from sebalai_identity.persons.schema import PersonRegister
from sebalai_identity.positions.actions import establish
from sebalai_identity.positions.schema import PositionEstablish
from sebalai_identity.postings.actions import record_posting
from sebalai_identity.postings.schema import PostingRecord
from sebalai_identity.sessions.actions import Device, start
from sebalai_identity.settings import IdentitySettings
from sebalai_identity.wording import Ending
from sebalai_local.home import from_environment
from sebalai_local.processes import member_environment
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7

pytestmark = pytest.mark.flow

AGENCY, BACK = "diskominfo", "http://127.0.0.1:9/back"
SCOPES = ["bus.call", "openid", "profile", "offline_access"]
PERIOD = timedelta(seconds=8)
LATER_SECONDS = 2
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DECREE = "821/12/BKPSDMD/2026"
VERIFIER = "v" * 50
TIMAH, LADA = ("PT Contoh Timah", "8120001234567"), ("CV Contoh Lada", "9120001234567")
ASKED = "openid offline_access business"


@pytest.fixture
def settings(platform, monkeypatch):
    """What identity itself is started with."""
    monkeypatch.setenv("SEBALAI_HOME", str(platform.home))
    monkeypatch.setenv("SEBALAI_PORT", str(platform.base))
    for name, value in member_environment(from_environment(), "identity").items():
        monkeypatch.setenv(name, value)
    return IdentitySettings.from_environment()


async def acting_head(session, desk, until):
    """A civil servant whose only posting is a Plt. until then."""
    began = desk.now - timedelta(days=1)
    named = PersonRegister(name="Budi Contoh", nik="1971011503859001")
    person = await register_person(session, desk, wanted=named)
    servant = CivilServantEnlist(
        person_id=person.id, nip="198503152010011001", agency=AGENCY, grade="III/d",
        valid_from=began,
    )  # fmt: skip
    await enlist(session, desk, wanted=servant)
    post = PositionEstablish(
        agency=AGENCY, code="kabid-plt", title="Kepala Bidang", kind="administrator",
        decree=DECREE, valid_from=began,
    )  # fmt: skip
    position = await establish(session, desk, wanted=post)
    posting = PostingRecord(
        person_id=person.id, position_id=position.id, kind="plt", decree=DECREE,
        valid_from=began, valid_until=until,
    )  # fmt: skip
    await record_posting(session, desk, wanted=posting)
    return person.id


async def signed_in(settings, key, until):
    """(person, client id, cookie) of an acting head who is signed in and has agreed."""
    database, clock = Database(settings), SystemClock()
    async with database.transaction() as session:
        person = await acting_head(session, Desk(OPERATOR, clock, vault_of(settings)), until)
        opened = await start(
            session, clock, subject=person, methods=["swk", "user"], device=Device("flow")
        )
        wanted = ApplicationRegister.model_validate({
            "agency": AGENCY, "name": f"plt-{uuid7().hex[-8:]}", "scopes": SCOPES,
            "public_key": key.as_dict(private=False),
            "client": {"kind": "agency_web", "redirect_uris": [BACK]},
        })  # fmt: skip
        authority = Authority(OPERATOR, clock, settings.instance)
        client = str((await register_application(session, authority, wanted=wanted)).client_id)
        await grant(session, clock, subject=person, client_id=client, scopes=SCOPES)
    await database.close()
    return person, client, opened.cookie


class Party:
    """The head's own web application."""

    def __init__(self, platform, client, key):
        self.issuer, self.client, self.key = platform.facts["issuer"], client, key

    def code(self, cookie, challenge, **more):
        asked = {
            "client_id": self.client, "response_type": "code", "redirect_uri": BACK,
            "scope": "openid offline_access", "state": "s", "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | more  # fmt: skip
        url = str(httpx.URL(f"{self.issuer}/oauth/authorize", params=asked))
        while url.startswith(self.issuer):
            answer = httpx.get(url, headers={"cookie": f"sebalai-session={cookie}"})
            url = urljoin(url, answer.headers["location"])
        return parse_qs(urlsplit(url).query)["code"][0]

    def sign_in(self, cookie, **more):
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        code = self.code(cookie, base64.urlsafe_b64encode(digest).decode().rstrip("="), **more)
        got = self.redeem(
            grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER
        )
        assert got.status_code == 200, got.text
        return got.json()

    def redeem(self, *, headers=None, **form):
        now = int(time.time())
        proof = {
            "iss": self.client, "sub": self.client, "aud": self.issuer, "jti": str(uuid7()),
            "iat": now, "exp": now + 60,
        }  # fmt: skip
        assertion = jwt.encode({"alg": "ES256"}, proof, self.key)
        form |= {"client_assertion_type": ASSERTION, "client_assertion": assertion}
        return httpx.post(f"{self.issuer}/oauth/token", data=form, headers=headers)


def acts_as(token):
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert ("posting" in claims) == ("agency" in claims)
    return claims["kind"], claims.get("agency")


async def test_plt_that_ended_acts_no_more_with_a_token_from_before(platform, settings):
    key = ECKey.generate_key("P-256")
    end = (datetime.now(UTC) + PERIOD).replace(microsecond=0)
    person, client, cookie = await signed_in(settings, key, end)
    party = Party(platform, client, key)
    got = party.sign_in(cookie)
    own = f"{platform.gateway}/api/identity/v1/persons/{person}/authority"
    bearer = {"authorization": f"Bearer {got['access_token']}"}
    before = httpx.get(own, headers=bearer)
    assert before.status_code == 200, before.text
    (held,) = before.json()["postings"]
    assert (held["kind"], datetime.fromisoformat(held["until"])) == ("plt", end)

    await asyncio.sleep((end - datetime.now(UTC)).total_seconds() + LATER_SECONDS)
    after = httpx.get(own, headers=bearer)
    assert after.status_code == 401, after.text
    assert after.json()["type"] == "urn:sebalai:problem:token-expired"
    again = party.redeem(grant_type="refresh_token", refresh_token=got["refresh_token"]).json()
    # The person is still somebody; the post is not theirs any more.
    assert acts_as(got["access_token"]) == ("civil_servant", AGENCY)
    assert acts_as(again["access_token"]) == ("citizen", None)


async def represented(session, desk, person, business, until=None):
    """(id, representation) of a business that the person represents until then."""
    name, nib = business
    made = await businesses.register_business(
        session, desk, wanted=BusinessRegister(name=name, nib=nib)
    )
    wanted = RepresentationRecord(
        person_id=person, capacity="director", document="Akta 1/2020",
        valid_from=desk.now - timedelta(days=1), valid_until=until,
    )  # fmt: skip
    one = await businesses.record_representation(session, desk, business_id=made.id, wanted=wanted)
    return str(made.id), one.id


async def director(database, desk, settings, key, until):
    """(client, cookie, what ends then, what is ended) of one who represents two businesses."""
    async with database.transaction() as session:
        named = PersonRegister(name="Ani Contoh", nik="1971014107859002")
        person = (await register_person(session, desk, wanted=named)).id
        timah = await represented(session, desk, person, TIMAH, until)
        lada = await represented(session, desk, person, LADA)
        opened = await start(
            session, desk.clock, subject=person, methods=["swk", "user"], device=Device("flow")
        )
        scopes = [*SCOPES, "business"]
        wanted = ApplicationRegister.model_validate({
            "agency": AGENCY, "name": f"usaha-{uuid7().hex[-8:]}", "scopes": scopes,
            "public_key": key.as_dict(private=False),
            "client": {"kind": "agency_web", "redirect_uris": [BACK]},
        })  # fmt: skip
        authority = Authority(OPERATOR, desk.clock, settings.instance)
        client = str((await register_application(session, authority, wanted=wanted)).client_id)
        agreed = [*scopes, f"business:{timah[0]}", f"business:{lada[0]}"]
        await grant(session, desk.clock, subject=person, client_id=client, scopes=agreed)
    return client, opened.cookie, timah, lada


async def test_representative_acts_for_a_business_until_that_ends(platform, settings):
    key, database = ECKey.generate_key("P-256"), Database(settings)
    end = (datetime.now(UTC) + PERIOD).replace(microsecond=0)
    desk = Desk(OPERATOR, SystemClock(), vault_of(settings))
    client, cookie, timah, lada = await director(database, desk, settings, key, end)
    party, path = Party(platform, client, key), f"{platform.gateway}/api/catalog/v1/requests"

    def acting(business):
        got = party.sign_in(cookie, scope=ASKED, acting_for=business)
        return got, {"authorization": f"Bearer {got['access_token']}"}

    got, bearer = acting(timah[0])
    _, other = acting(lada[0])
    body = {"service": "izin-penelitian", "submit": False, "answers": {}}
    filed = httpx.post(path, json=body, headers=bearer | {"idempotency-key": str(uuid7())})
    assert (filed.status_code, filed.json().get("business")) == (201, timah[0]), filed.text
    own = f"{path}/{filed.json()['id']}"
    assert httpx.get(own, headers=bearer).status_code == 200
    assert httpx.get(own, headers=other).status_code == 404

    async with database.transaction() as session:
        await businesses.end_representation(
            session, desk, business_id=UUID(lada[0]), representation_id=lada[1],
            ending=Ending(reason="diganti"),
        )  # fmt: skip
    await asyncio.sleep(LATER_SECONDS)
    revoked = httpx.get(path, headers=other)
    assert (revoked.status_code, revoked.json()["type"].rpartition(":")[2]) == (
        401, "token-revoked",
    )  # fmt: skip
    await asyncio.sleep(max(0, (end - datetime.now(UTC)).total_seconds() + LATER_SECONDS))
    late = httpx.get(own, headers=bearer)
    assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (401, "token-expired")
    again = party.redeem(grant_type="refresh_token", refresh_token=got["refresh_token"])
    assert again.json()["error"] == "invalid_grant"
    await database.close()
