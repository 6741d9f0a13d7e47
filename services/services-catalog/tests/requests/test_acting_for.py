"""A request for a business is the business's: open to whoever acts for it, in what they may."""

import pytest
from sebalai_shared.caller import Caller

LICENCE, LETTER = "izin-pengusahaan-air-tanah", "izin-penelitian"
TIMAH, LADA = "01990000-0000-7000-8000-000000000001", "01990000-0000-7000-8000-000000000002"
ANI, BUDI = "01990000-0000-7000-8000-00000000000a", "01990000-0000-7000-8000-00000000000b"


@pytest.fixture
def acting(client_of):
    def acting(person, business=None, matters=None):
        kind = "business" if business else "citizen"
        return client_of(Caller(kind=kind, subject=person, acting_for=business, matters=matters))

    return acting


async def test_colleague_goes_on_with_it_and_the_person_alone_does_not(acting, filed, officer):
    made = await filed(LICENCE, acting(ANI, TIMAH), submit=False)
    assert made.body["business"] == TIMAH
    path = f"/v1/requests/{made.body['id']}"
    colleague = acting(BUDI, TIMAH)
    assert (await colleague.get(path)).json()["business"] == TIMAH
    assert [one["id"] for one in (await colleague.get("/v1/requests?mine=true")).json()["items"]]
    act = {"act": "submit", "revision": made.body["revision"]}
    sent = await colleague.post(f"{path}/acts", json=act, headers={"Idempotency-Key": "a1"})
    assert sent.status_code in (200, 201), sent.text
    assert sent.json()["last_actor"] == BUDI
    for other in (acting(ANI), acting(BUDI), acting(ANI, LADA)):
        assert (await other.get(path)).status_code == 404
        assert (await other.get("/v1/requests?mine=true")).json()["items"] == []


async def test_own_request_is_not_the_businesss(acting, filed):
    made = await filed(LETTER, acting(ANI))
    assert made.body["business"] is None
    assert (await acting(ANI, TIMAH).get(f"/v1/requests/{made.body['id']}")).status_code == 404


async def test_limited_mandate_opens_what_it_names_and_no_more(acting, filed):
    clerk, director = acting(BUDI, TIMAH, (LETTER,)), acting(ANI, TIMAH)
    licence, letter = await filed(LICENCE, director), await filed(LETTER, director)
    assert (await clerk.get(f"/v1/requests/{letter.body['id']}")).status_code == 200
    assert (await clerk.get(f"/v1/requests/{licence.body['id']}")).status_code == 404
    items = (await clerk.get("/v1/requests?mine=true")).json()["items"]
    assert [one["id"] for one in items] == [letter.body["id"]]
    body = {"service": LICENCE, "submit": False, "answers": {}}
    refused = await clerk.post("/v1/requests", json=body, headers={"Idempotency-Key": "b1"})
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:sebalai:problem:mandate-too-narrow"


async def test_one_key_is_not_one_request_for_two_parties(acting):
    body, key = {"service": LETTER, "submit": False, "answers": {}}, {"Idempotency-Key": "same"}
    ids = set()
    for client in (acting(ANI), acting(ANI, TIMAH), acting(ANI, LADA), acting(BUDI, TIMAH)):
        answer = await client.post("/v1/requests", json=body, headers=key)
        assert answer.status_code == 201, answer.text
        ids.add(answer.json()["id"])
    assert len(ids) == 4
