"""Groups of consumers: the owner invites, the application joins, and only then it is served."""

import json

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_shared.testing.http import system

OWNER = "ID-BB/GOV/dinkes/koordinasi"
GROUP = f"{OWNER}/groups/puskesmas"
MEMBER = "ID-BB/GOV/dinkes/puskesmas"
MANAGE = ("bus.call", "exchange.manage")


@pytest.fixture
def owner():
    return system(OWNER, *MANAGE)


@pytest.fixture
async def group(call, owner):
    answer = await call("POST", "/v1/groups", owner, json={"name": GROUP, "title": "Puskesmas"})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def routed(call, gateway, keys):
    key = ECKey.import_key(json.loads((keys / "routes.jwk").read_text()))

    async def routed():
        answer = await call("GET", "/internal/routes", gateway)
        return json.loads(jws.deserialize_compact(answer.content, key, ["ES256"]).payload)

    return routed


async def test_member_is_routed_from_joining_to_leaving(call, owner, stranger, group, routed):
    path, member = f"/v1/groups/{group['id']}", {"application": MEMBER}
    invited = await call("POST", f"{path}/invite", owner, json=member)
    assert [one["state"] for one in invited.json()["members"]] == ["invited"]
    before = await routed()
    assert before["groups"] == [{"name": GROUP, "members": []}]
    joined = await call("POST", f"{path}/join", stranger)
    assert joined.json()["members"][0]["state"] == "joined"
    after = await routed()
    assert after["groups"] == [{"name": GROUP, "members": [MEMBER]}]
    assert after["version"] > before["version"]
    left = await call("POST", f"{path}/remove", stranger, json=member)
    assert left.json()["members"] == []
    assert (await routed())["groups"] == [{"name": GROUP, "members": []}]


async def test_nobody_joins_uninvited_or_invites_as_another(call, consumer, owner, group):
    path = f"/v1/groups/{group['id']}"
    assert (await call("POST", f"{path}/join", consumer)).status_code == 404
    for step in ("invite", "remove"):
        answer = await call("POST", f"{path}/{step}", consumer, json={"application": MEMBER})
        assert answer.status_code == 403, step
    gone = await call("POST", f"{path}/remove", owner, json={"application": MEMBER})
    assert gone.status_code == 404


async def test_only_the_owner_makes_a_group_once(call, consumer, owner, group):
    wanted = {"name": GROUP, "title": "Puskesmas"}
    assert (await call("POST", "/v1/groups", consumer, json=wanted)).status_code == 403
    assert (await call("POST", "/v1/groups", owner, json=wanted)).status_code == 409
    assert (
        await call("POST", "/v1/groups", owner, json=wanted | {"name": OWNER})
    ).status_code == 422
    listed = (await call("GET", "/v1/groups", consumer)).json()["items"]
    assert [one["name"] for one in listed] == [GROUP]
    assert (await call("GET", f"/v1/groups/{group['id']}", consumer)).json() == group
    assert (await call("GET", "/v1/groups")).status_code == 401


@pytest.mark.usefixtures("published", "group")
async def test_owner_speaks_for_the_group_in_an_agreement(
    call, owner, provider, agreement_wanted, routed
):
    wanted = agreement_wanted(consumer=GROUP)
    made = (await call("POST", "/v1/agreements", owner, json=wanted)).json()
    granted = await call("POST", f"/v1/agreements/{made['id']}/grant", provider)
    assert granted.json()["state"] == "granted"
    assert [one["consumer"] for one in (await routed())["agreements"]] == [GROUP]


async def test_group_is_never_given_specific_data_and_must_exist(
    call, owner, published, group, agreement_wanted
):
    for change in ({"data_categories": ["anak"]}, {"consumer": f"{OWNER}/groups/lain"}):
        wanted = {"consumer": GROUP} | change
        answer = await call("POST", "/v1/agreements", owner, json=agreement_wanted(**wanted))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(change))}"
