"""Civil servants: a NIP that agrees with the NIK, found by body, discharged at a time."""

import pytest
from sebalai_identity.revocations.actions import is_revoked
from sqlalchemy import text

PATH = "/v1/civil-servants"
NIP = "198503152010011001"


async def test_servant_is_enlisted_found_by_nip_and_told_without_it(
    call, keeper, servant, facts, database
):
    found = await servant()
    shown = (await call("POST", f"{PATH}/find", keeper, json={"nip": NIP})).json()
    assert shown["person_id"] == found["id"]
    assert (shown["nip_masked"], shown["employment"]) == ("1985************01", "PNS")
    assert (await facts("identity.civil-servant."))[0][1] == {
        "person_id": found["id"],
        "agency": "diskominfo",
        "employment": "PNS",
        "by": "client-ID-BB/GOV/bkpsdmd/simpeg",
    }
    async with database.transaction() as session:
        for table in ("civil_servant", "act", "outbox", "idempotency"):
            rows = list(await session.scalars(text(f"SELECT t::text FROM {table} t")))  # noqa: S608
            assert rows
            assert not [row for row in rows if NIP in row]
    assert (await call("POST", f"{PATH}/find", keeper, json={"nip": "1"})).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"nip": "198503152010013001"}, 422),
        ({"nip": "198503162010011001"}, 422),
        ({"nip": "199012312019032002"}, 422),
        ({"grade": "IX"}, 422),
        ({"grade": "V/a"}, 422),
        ({"agency": "nope"}, 404),
        ({"person_id": "01999999-0000-7000-8000-000000000000"}, 404),
        ({"valid_until": "2009-01-01T00:00:00Z"}, 422),
    ],
)
async def test_number_that_is_not_the_persons_is_refused(
    call, keeper, person, loaded, change, status
):
    found = await person(nik="1971011503859921")
    body = {
        "person_id": found["id"],
        "nip": NIP,
        "agency": "dinkes",
        "valid_from": "2010-01-01T00:00:00Z",
    }
    answer = await call("POST", PATH, keeper, json=body | change)
    assert answer.status_code == status, answer.text
    assert (body | change)["nip"] not in answer.text
    assert (await call("POST", PATH, keeper, json=body)).status_code == 201
    assert (await call("POST", PATH, keeper, json=body)).status_code == 409


async def test_only_keepers_enlist_and_only_they_and_oneself_see(call, own, keeper, servant):
    found = await servant()
    assert (await call("GET", f"{PATH}/{found['id']}", own)).status_code == 404
    assert (await call("POST", f"{PATH}/find", own, json={"nip": NIP})).status_code == 403
    path = f"{PATH}/{found['id']}/discharge"
    assert (await call("POST", path, own, json={"reason": "xxx"})).status_code == 403
    assert (await call("GET", f"{PATH}/{found['id']}", keeper)).status_code == 200


async def test_discharged_servant_holds_no_post_and_the_post_is_free(
    call, keeper, facts, database, clock, office
):
    found, post = await office.servant(), await office.position()
    held = await office.posting(found, post)
    claims = {"posting": held["id"], "iat": int(clock.now().timestamp())}
    path = f"/v1/persons/{found['id']}/authority"
    assert (await call("GET", path, keeper)).json()["postings"]
    reason = {"reason": "pensiun"}
    await call("POST", f"{PATH}/{found['id']}/discharge", keeper, json=reason)
    assert (await call("GET", path, keeper)).json()["postings"] == []
    async with database.transaction() as session:
        assert await is_revoked(session, claims)
    assert [kind for kind, _ in await facts()][-2:] == [
        "identity.civil-servant.discharged.v1",
        "identity.posting.ended.v1",
    ]
    await office.posting(await office.servant("Lain", 2), post, start="2026-11-24T08:00:00Z")


async def test_elected_post_does_not_end_with_the_service(call, keeper, office):
    found = await office.servant()
    post = await office.position("gubernur", "setda", kind="kepala_daerah", eselon=None)
    await office.posting(found, post)
    await call("POST", f"{PATH}/{found['id']}/discharge", keeper, json={"reason": "pensiun"})
    path = f"/v1/persons/{found['id']}/authority"
    assert len((await call("GET", path, keeper)).json()["postings"]) == 1


async def test_post_is_held_no_longer_than_the_contract_of_its_holder(
    call, keeper, made, person, position, posting
):
    found = await person(nik="1971011503859921")
    body = {
        "person_id": found["id"],
        "nip": "198503152021211001",
        "agency": "diskominfo",
        "valid_from": "2021-01-01T00:00:00Z",
        "valid_until": "2026-12-01T00:00:00Z",
    }
    await made(PATH, body)
    await posting(found, await position())
    path = f"/v1/persons/{found['id']}/authority"
    for at, ends in (
        ("2026-11-30T00:00:00Z", ["2026-12-01T00:00:00Z"]),
        ("2026-12-01T00:00:00Z", []),
    ):
        held = (await call("GET", path, keeper, params={"at": at})).json()
        assert [one["until"] for one in held["postings"]] == ends


async def test_discharged_servant_takes_no_post(call, keeper, servant, position, facts):
    found, post = await servant(), await position()
    path = f"{PATH}/{found['id']}/discharge"
    past = {"reason": "pensiun", "at": "2026-01-01T00:00:00Z"}
    assert (await call("POST", path, keeper, json=past)).status_code == 422
    done = await call("POST", path, keeper, json={"reason": "pensiun"})
    assert done.json()["valid_until"] == "2026-11-24T08:00:00Z"
    body = {
        "person_id": found["id"],
        "position_id": post["id"],
        "decree": "821/1",
        "valid_from": "2026-12-01T00:00:00Z",
    }
    answer = await call("POST", "/v1/postings", keeper, json=body)
    assert answer.json()["errors"][0]["pointer"] == "/person_id"
    kinds = [kind for kind, _ in await facts("identity.civil-servant.")]
    assert kinds[-1] == "identity.civil-servant.discharged.v1"
