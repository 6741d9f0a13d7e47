"""Authority by HTTP: an acting official at noon, a delegation that falls with what it rests on."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sebalai_identity.authority.actions import authority_at
from sebalai_shared.caller import Caller

NOON = "2026-11-24T12:00:00Z"


def delegated(giver, receiver, **more):
    return {
        "from_posting_id": giver["id"],
        "to_posting_id": receiver["id"],
        "matters": ["surat", "izin"],
        "decree": "ST/1",
        "valid_from": "2026-11-01T00:00:00Z",
        "valid_until": "2026-12-01T00:00:00Z",
    } | more


@pytest.fixture
def asked(call, keeper):
    async def asked(person, at=None, caller=keeper):
        params = {"at": at} if at else {}
        answer = await call("GET", f"/v1/persons/{person['id']}/authority", caller, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return asked


async def test_plt_that_ends_at_noon_holds_nothing_at_noon_and_its_token_ends_then(
    asked, servant, position, posting, database
):
    acting, post = await servant(), await position()
    held = await posting(acting, post, "plt", "2026-11-01T00:00:00Z", NOON)
    before = await asked(acting, "2026-11-24T11:59:00Z")
    assert before["postings"] == [
        {
            "id": held["id"],
            "position_id": post["id"],
            "agency": "diskominfo",
            "kind": "plt",
            "is_acting": True,
            "until": NOON,
        }
    ]
    assert before["until"] == NOON
    for after in (NOON, "2026-11-24T12:00:02Z"):
        assert (await asked(acting, after))["postings"] == []
    async with database.transaction() as session:
        at = datetime.fromisoformat("2026-11-24T11:59:00Z")
        found = await authority_at(session, person_id=UUID(acting["id"]), at=at)
    assert found.end_of_posting(UUID(held["id"])) == at + timedelta(minutes=1)


async def test_an_and_ub_end_with_the_posting_they_rest_on(call, keeper, asked, office):
    people = [await office.servant(f"N{n}", n) for n in (1, 2, 3)]
    posts = [await office.position(code) for code in ("kadis", "sekretaris", "kabid")]
    held = [
        await office.posting(*pair, start="2026-01-01T00:00:00Z", end="2026-12-31T00:00:00Z")
        for pair in zip(people, posts, strict=True)
    ]
    an = await office.made("/v1/delegations", delegated(held[0], held[1]))
    body = delegated(held[1], held[2], kind="ub", parent_id=an["id"], matters=["surat"])
    await office.made("/v1/delegations", body)
    below = (await asked(people[2]))["delegations"]
    assert [(one["kind"], one["position_id"], one["matters"]) for one in below] == [
        ("ub", posts[1]["id"], ["surat"])
    ]
    above = (await asked(people[1]))["delegations"]
    assert [(one["kind"], one["matters"]) for one in above] == [("an", ["izin", "surat"])]
    assert (await asked(people[0]))["delegations"] == []
    assert (await asked(people[2], "2026-12-01T00:00:00Z"))["delegations"] == []
    path = f"/v1/postings/{held[0]['id']}/end"
    assert (await call("POST", path, keeper, json={"reason": "mutasi"})).status_code == 200
    for one in people:
        assert (await asked(one))["delegations"] == []


async def test_deactivated_giver_gives_nothing(call, keeper, asked, office):
    giver, receiver = await office.servant("A", 1), await office.servant("B", 2)
    one = await office.posting(giver, await office.position("kadis"))
    two = await office.posting(receiver, await office.position("sekretaris"))
    await office.made("/v1/delegations", delegated(one, two))
    assert (await asked(receiver))["delegations"]
    path = f"/v1/persons/{giver['id']}/deactivate"
    await call("POST", path, keeper, json={"reason": "meninggal"})
    assert (await asked(receiver))["delegations"] == []
    gone = await asked(giver)
    assert (gone["is_active"], gone["postings"]) == (False, [])


async def test_authority_is_for_keepers_and_for_oneself(call, own, asked, person, loaded):
    mine = await person()
    me = Caller(kind="person", subject=mine["id"])
    assert (await asked(mine, caller=me))["is_active"]
    path = f"/v1/persons/{mine['id']}/authority"
    for caller, status in ((own, 403), (None, 401)):
        assert (await call("GET", path, caller)).status_code == status
    unknown = "/v1/persons/01999999-0000-7000-8000-000000000000/authority"
    assert (await call("GET", unknown, own)).status_code == 403
