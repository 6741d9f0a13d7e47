from datetime import timedelta

from sebalai_shared.ids import uuid7

FILE = {"number": "1/2026", "title": "Rapat 2026", "classification": "000.1.5"}


def key():
    return {"idempotency-key": str(uuid7())}


async def test_a_closed_file_unit_takes_no_more(desk, stranger):
    made = await desk.client.post("/v1/file-units", json=FILE, headers=key())
    assert made.status_code == 201, made.text
    unit = made.json()
    assert (unit["fonds"], unit["series"]) == ("dinsos-pmd", "000.1.5")
    again = await desk.client.post("/v1/file-units", json=FILE, headers=key())
    assert again.json()["type"] == "urn:sebalai:problem:file-unit-number-taken"
    record_id = await desk.draft(file_unit=unit["id"])
    record = (await desk.client.get(f"/v1/records/{record_id}")).json()
    assert record["file_unit"] == unit["id"]
    path = f"/v1/file-units/{unit['id']}"
    assert (await stranger.post(f"{path}/closing")).status_code == 404
    assert (await desk.client.post(f"{path}/closing")).json()["closed_at"]
    late = await desk.client.post(
        "/v1/records",
        json={"title": "x", "classification": "000.1.5", "file_unit": unit["id"]},
        headers=key(),
    )
    assert late.status_code == 422


async def test_a_lent_record_is_lent_once_and_comes_back(desk, clock):
    record = await desk.declared()
    path = f"/v1/records/{record['id']}/loan"
    loan = {
        "borrower": "orang-2",
        "agency": "inspektorat",
        "reason": "pemeriksaan",
        "due_at": (clock.now() + timedelta(days=7)).isoformat(),
    }
    assert (await desk.client.put(path, json=loan)).status_code == 200
    assert (await desk.client.put(path, json=loan)).status_code == 409
    assert (await desk.client.delete(path)).json()["returned_at"]
    assert (await desk.client.delete(path)).status_code == 404
    past = loan | {"due_at": clock.now().isoformat()}
    assert (await desk.client.put(path, json=past)).status_code == 422
    draft = await desk.draft()
    assert (await desk.client.put(f"/v1/records/{draft}/loan", json=loan)).status_code == 409


async def test_relations_are_kept_once_and_not_to_oneself(desk):
    one, two = await desk.draft(), await desk.draft()
    path = f"/v1/records/{one}/relations"
    wanted = {"kind": "replies_to", "record": two}
    for _ in range(2):
        answer = await desk.client.put(path, json=wanted)
        assert answer.json() == {"items": [wanted]}
    assert (await desk.client.get(path)).json() == {"items": [wanted]}
    own = await desk.client.put(path, json=wanted | {"record": one})
    assert own.status_code == 422


async def test_the_statement_holds_the_whole_metadata(desk):
    record_id = await desk.draft(number="B/1/000.1.5/2026", protection="vital")
    await desk.put(record_id)
    statement = (await desk.declare(record_id)).json()["declaration"]["statement"]
    for part in ('"protection":"vital"', '"number":"B/1/000.1.5/2026"', '"dated":"2026-11-24"'):
        assert part in statement
