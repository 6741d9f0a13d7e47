"""Only keepers of people invite, nobody invites themself, and the code goes to the keeper alone."""

import pytest
from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import system
from sqlalchemy import text

PATH = "/v1/invitations"


@pytest.fixture
def keeper_of_people():
    return system("ID-BB/GOV/bkpsdmd/simpeg", "identity.people")


@pytest.fixture
async def wanted(somebody, loaded):
    return {"person_id": str(await somebody()), "sponsor": "dinsos-pmd", "hours": 24}


async def test_keeper_invites_a_person_for_a_time(call, keeper_of_people, wanted, database):
    answer = await call("POST", PATH, keeper_of_people, json=wanted)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert made["address"] == f"https://bus.example/sign-in/invitation?code={made['code']}"
    assert made["expires_at"] == "2026-11-25T08:00:00Z"
    assert answer.headers["cache-control"] == "no-store"
    async with database.transaction() as session:
        told = " ".join((await session.execute(text("SELECT o::text FROM outbox o"))).scalars())
    assert "identity.person.invited.v1" in told
    assert '""forgets_factors"": false' in told
    assert made["code"] not in told


async def test_others_do_not_invite(call, own, stranger, wanted):
    for caller in (own, stranger):
        assert (await call("POST", PATH, caller, json=wanted)).status_code == 403
    assert (await call("POST", PATH, json=wanted)).status_code == 401


async def test_nobody_invites_themself(call, wanted):
    self = Caller(kind="person", subject=wanted["person_id"], scopes=frozenset({"identity.people"}))
    assert (await call("POST", PATH, self, json=wanted)).status_code == 422


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"person_id": "019abcde-0000-7000-8000-000000000000"}, 404),
        ({"person_id": "x"}, 422),
        ({"sponsor": "nobody"}, 404),
        ({"hours": 0}, 422),
        ({"hours": 337}, 422),
        ({"nik": "3173012345678901"}, 422),
    ],
)
async def test_bad_invitation_is_refused(call, keeper_of_people, wanted, change, status):
    answer = await call("POST", PATH, keeper_of_people, json=wanted | change)
    assert answer.status_code == status
    assert "3173" not in answer.text


async def test_deactivated_person_is_not_invited(call, keeper_of_people, wanted, database):
    async with database.transaction() as session:
        await session.execute(text("UPDATE person SET state = 'deactivated', reason = 'wafat'"))
    assert (await call("POST", PATH, keeper_of_people, json=wanted)).status_code == 422
