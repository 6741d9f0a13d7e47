import pytest
from sebalai_shared.testing.http import system

BODY = {"kind": "perda", "number": "7", "year": 2017, "title": "PTSP", "status": "dicabut"}
URL = "/v1/regulations/perda-7-2017"


@pytest.fixture
def bureau(client_of):
    return client_of(system("ID-BB/GOV/biro-hukum/jdih", "catalog.decide"))


async def flagged(client):
    answer = await client.get("/v1/services?flag=legal_basis_revoked&limit=100")
    return {item["slug"] for item in answer.json()["items"]}


async def test_a_repeal_flags_every_service_resting_on_it(loaded, bureau, anonymous):
    assert await flagged(anonymous) == set()
    resting = set()
    cursor = ""
    while cursor is not None:
        page = (
            await anonymous.get(f"/v1/services?limit=100{cursor and '&cursor='}{cursor}")
        ).json()
        for item in page["items"]:
            full = (await anonymous.get(f"/v1/services/{item['slug']}")).json()
            if "perda-7-2017" in full["standard"]["legal_basis"]:
                resting.add(item["slug"])
        cursor = page["next"]
    assert (await bureau.put(URL, json=BODY)).json()["status"] == "dicabut"
    assert await flagged(anonymous) == resting
    assert len(resting) >= 10
    service = (await anonymous.get("/v1/services/izin-penelitian")).json()
    assert service["flags"] == ["legal_basis_revoked"]
    assert {law["id"]: law["status"] for law in service["legal_basis"]}["perda-7-2017"] == "dicabut"


async def test_only_the_legal_bureau_and_the_operator_keep_the_register(
    loaded, client_of, anonymous
):
    stranger = client_of(system("ID-BB/GOV/dpmptsp/perizinan", "catalog.decide"))
    assert (await stranger.put(URL, json=BODY)).status_code == 403
    assert (await anonymous.put(URL, json=BODY)).status_code == 401
    operator = client_of(system("ID-BB/GOV/diskominfo/sebalai", "platform.operate"))
    assert (await operator.put(URL, json=BODY)).status_code == 200


async def test_a_new_regulation_is_entered_and_an_unknown_amendment_refused(
    loaded, bureau, anonymous
):
    new = BODY | {"number": "1", "year": 2026, "status": "berlaku"}
    assert (await bureau.put("/v1/regulations/perda-1-2026", json=new)).status_code == 200
    read = (await anonymous.get("/v1/regulations/perda-1-2026")).json()
    assert read["provenance"]["status"] == "partly"
    answer = await bureau.put(URL, json=BODY | {"changed_by_regulation": "perda-9-2099"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/changed_by_regulation"


async def test_the_register_is_a_public_list(loaded, anonymous):
    page = (await anonymous.get("/v1/regulations?limit=5")).json()
    assert page["items"][0]["id"] == "uu-25-2009"
    assert page["next"] is not None
    assert (await anonymous.get("/v1/regulations/uu-0-0")).status_code == 404
