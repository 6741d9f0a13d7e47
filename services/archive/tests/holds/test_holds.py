from sebalai_archive.holds.actions import held_among
from sebalai_shared.ids import uuid7

HOLD = {"reason": "perkara perdata 12/2026", "reference": "W7-U1/12/2026"}


def key():
    return {"idempotency-key": str(uuid7())}


async def declare(client):
    draft = {"title": "Notula", "classification": "000.1.5"}
    made = await client.post("/v1/records", json=draft, headers=key())
    return made.json()["id"]


async def test_a_hold_holds_until_it_is_released(writer, stranger, database):
    record_id = await declare(writer)
    wanted = HOLD | {"records": [record_id]}
    assert (await stranger.post("/v1/holds", json=wanted, headers=key())).status_code == 404
    hold = (await writer.post("/v1/holds", json=wanted, headers=key())).json()
    assert hold["records"] == [record_id]
    async with database.transaction() as session:
        assert {str(one) for one in await held_among(session, records=[record_id])} == {record_id}
    path = f"/v1/holds/{hold['id']}"
    assert (await stranger.get(path)).status_code == 404
    release = {"reason": "putusan inkracht"}
    assert (await writer.post(f"{path}/release", json=release)).json()["released_at"]
    assert (await writer.post(f"{path}/release", json=release)).status_code == 409
    async with database.transaction() as session:
        assert await held_among(session, records=[record_id]) == set()
