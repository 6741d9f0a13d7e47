import pytest
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

WANTED = {"title": "Notula rapat pimpinan", "classification": "000.1.5"}


def key():
    return {"idempotency-key": str(uuid7())}


async def test_an_unknown_caller_is_asked_who_it_is(anonymous):
    for method, path in (
        ("POST", ""),
        ("PUT", f"/{uuid7()}/content"),
    ):
        answer = await anonymous.request(method, f"/v1/records{path}", json=WANTED, headers=key())
        assert answer.status_code == 401


async def test_an_application_without_the_scope_may_not_write(client_of):
    client = client_of(system("ID-BB/GOV/dinsos-pmd/bansos", "bus.call"))
    answer = await client.post("/v1/records", json=WANTED, headers=key())
    assert answer.status_code == 403
    assert "archive.write" in answer.json()["detail"]


async def test_a_draft_belongs_to_the_callers_agency(writer):
    answer = await writer.post("/v1/records", json=WANTED, headers=key())
    draft = answer.json()
    assert (draft["agency"], draft["state"]) == ("dinsos-pmd", "draft")
    assert draft["receipt"] is draft["declaration"] is draft["content"] is None
    assert answer.headers["location"] == f"/v1/records/{draft['id']}"


async def test_an_agency_cannot_draft_in_anothers_name(writer):
    answer = await writer.post("/v1/records", json=WANTED | {"agency": "bakuda"}, headers=key())
    assert answer.status_code == 422


async def test_the_same_key_drafts_one_record(writer):
    headers = key()
    first = await writer.post("/v1/records", json=WANTED, headers=headers)
    again = await writer.post("/v1/records", json=WANTED, headers=headers)
    assert again.json() == first.json()
    other = await writer.post("/v1/records", json=WANTED | {"title": "Lain"}, headers=headers)
    assert other.status_code == 422
    assert len((await writer.get("/v1/records")).json()["items"]) == 1


async def test_a_draft_without_a_key_is_malformed(writer):
    assert (await writer.post("/v1/records", json=WANTED)).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "   "),
        ("title", "x" * 501),
        ("title", "a\nb"),
        ("title", "a\x00b"),
        ("description", "a\x00b"),
        ("description", "x" * 5_001),
        ("classification", "999.9"),
        ("classification", "000.01"),
        ("classification", None),
    ],
)
async def test_a_field_that_breaks_a_rule_is_named(writer, field, value):
    answer = await writer.post("/v1/records", json=WANTED | {field: value}, headers=key())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"


async def test_another_agency_cannot_see_change_or_declare_a_record(desk, stranger):
    declared = (await desk.declared())["id"]
    draft = await desk.draft()
    for record_id in (declared, draft):
        path = f"/v1/records/{record_id}"
        answers = [
            await stranger.get(path),
            await stranger.get(f"{path}/content"),
            await stranger.put(f"{path}/content", content=b"x"),
            await stranger.post(f"{path}/declaration"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
    assert (await stranger.get("/v1/records")).json() == {"items": [], "next": None}


async def test_another_application_of_the_agency_reads_but_does_not_write(desk, client_of):
    record_id = await desk.draft()
    reader = client_of(system("ID-BB/GOV/dinsos-pmd/portal-internal", "bus.call"))
    assert (await reader.get(f"/v1/records/{record_id}")).status_code == 200
    assert (await reader.put(f"/v1/records/{record_id}/content", content=b"x")).status_code == 403
    assert (await reader.post(f"/v1/records/{record_id}/declaration")).status_code == 403


async def test_the_operator_sees_every_agencys_records(desk, client_of):
    record_id = await desk.draft()
    operator = client_of(system("ID-BB/GOV/diskominfo/operator", "platform.operate"))
    assert (await operator.get(f"/v1/records/{record_id}")).status_code == 200


async def test_records_come_newest_first_and_none_is_lost_between_pages(desk):
    made = [await desk.draft(title=f"Notula {number}") for number in range(5)]
    found, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await desk.client.get("/v1/records", params=params)).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == sorted(made, reverse=True)


async def test_the_list_is_filtered_by_state(desk):
    declared, draft = (await desk.declared())["id"], await desk.draft()
    for state, expected in (("declared", declared), ("draft", draft)):
        page = (await desk.client.get("/v1/records", params={"state": state})).json()
        assert [item["id"] for item in page["items"]] == [expected]


@pytest.mark.parametrize("cursor", ["WyJ4Il0", "W10", "!!", "WzFd"])
async def test_a_foreign_cursor_is_refused(writer, cursor):
    assert (await writer.get(f"/v1/records?cursor={cursor}")).status_code == 422
