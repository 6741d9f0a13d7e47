"""Businesses: a NIB nobody reads again, and who may act for them, for a time."""

import pytest
from sebalai_shared.caller import Caller
from sqlalchemy import text

NIB = "8120001234567"
PATH = "/v1/businesses"


@pytest.fixture
async def business(made):
    return await made(PATH, {"name": "PT Contoh Timah", "nib": NIB})


@pytest.fixture
def represented(call, keeper, business):
    async def represented(person, **more):
        body = {
            "person_id": person["id"],
            "capacity": "director",
            "document": "Akta 1/2020",
            "valid_from": "2026-01-01T00:00:00Z",
        } | more
        return await call("POST", f"{PATH}/{business['id']}/representations", keeper, json=body)

    return represented


async def test_business_is_found_by_nib_which_lies_nowhere_in_the_clear(
    call, keeper, business, database, facts
):
    assert business["nib_masked"] == "8120*******67"
    found = await call("POST", f"{PATH}/find", keeper, json={"nib": NIB})
    assert found.json() == business
    assert (await call("POST", PATH, keeper, json={"name": "X", "nib": NIB})).status_code == 409
    assert (await call("POST", f"{PATH}/find", keeper, json={"nib": "1"})).status_code == 404
    async with database.transaction() as session:
        for table in ("business", "act", "outbox", "idempotency"):
            rows = list(await session.scalars(text(f"SELECT t::text FROM {table} t")))  # noqa: S608
            assert rows
            assert not [row for row in rows if NIB in row]
    assert [kind for kind, _ in await facts("identity.business.")] == [
        "identity.business.registered.v1"
    ]


@pytest.mark.parametrize("nib", ["812000123456", "81200O1234567", ""])
async def test_number_that_is_no_nib_is_refused_and_not_repeated(call, keeper, nib):
    answer = await call("POST", PATH, keeper, json={"name": "X", "nib": nib})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/nib")
    assert not nib or nib not in answer.text


async def test_representative_acts_for_the_business_in_their_time(
    call, keeper, person, business, represented, facts
):
    someone = await person()
    me = Caller(kind="business", subject=someone["id"])
    path = f"/v1/persons/{someone['id']}/authority"
    assert (await call("GET", f"{PATH}/{business['id']}", me)).status_code == 404
    one = (await represented(someone, valid_until="2026-12-01T00:00:00Z")).json()
    (held,) = (await call("GET", path, me)).json()["businesses"]
    assert held == {
        "representation_id": one["id"],
        "matters": None,
        "business_id": business["id"],
        "capacity": "director",
        "until": "2026-12-01T00:00:00Z",
    }
    shown = (await call("GET", f"{PATH}/{business['id']}", me)).json()
    assert shown["representations"] == [one]
    later = {"at": "2026-12-01T00:00:00Z"}
    assert (await call("GET", path, me, params=later)).json()["businesses"] == []
    end = f"{PATH}/{business['id']}/representations/{one['id']}/end"
    assert (await call("POST", end, keeper, json={"reason": "diganti"})).status_code == 200
    assert (await call("GET", path, me)).json()["businesses"] == []
    assert (await call("GET", f"{PATH}/{business['id']}", me)).status_code == 404
    assert [kind for kind, _ in await facts("identity.representation.")] == [
        "identity.representation.recorded.v1",
        "identity.representation.ended.v1",
    ]


async def test_closed_business_is_represented_by_nobody(
    call, keeper, person, business, represented
):
    someone = await person()
    assert (await represented(someone)).status_code == 201
    assert (await represented(someone)).status_code == 409
    path = f"{PATH}/{business['id']}/close"
    assert (await call("POST", path, keeper, json={"reason": "pailit"})).json()["state"] == "closed"
    authority = f"/v1/persons/{someone['id']}/authority"
    assert (await call("GET", authority, keeper)).json()["businesses"] == []
    assert (await represented(someone)).json()["type"] == "urn:sebalai:problem:business-closed"


async def test_only_keepers_keep_businesses(call, own, person, business, represented):
    someone = await person()
    assert (await represented({"id": business["id"]})).status_code == 404
    assert (await represented(someone, valid_until="2025-01-01T00:00:00Z")).status_code == 422
    one = f"{PATH}/{business['id']}"
    for path, body in (
        (PATH, {"name": "X", "nib": NIB}),
        (f"{PATH}/find", {"nib": NIB}),
        (f"{one}/close", {"reason": "xxx"}),
        (f"{one}/representations/{business['id']}/end", {"reason": "xxx"}),
    ):
        assert (await call("POST", path, own, json=body)).status_code == 403
    assert (await call("GET", one, own)).status_code == 404
    assert (await call("GET", one)).status_code == 401
