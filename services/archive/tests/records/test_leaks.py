"""What a reader may not know does not exist for it, on any surface."""

import pytest
from sebalai_archive.records.actions import count_records
from sebalai_archive.records.model import Opening
from sebalai_shared.caller import ANONYMOUS
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import select

from services.archive.tests.records.conftest import CONTENT, Desk


def key():
    return {"idempotency-key": str(uuid7())}


OPERATOR = system("ID-BB/GOV/diskominfo/operasi", "platform.operate")
OTHER = system("ID-BB/GOV/dp3acskb/kependudukan", "archive.write")
OFFICIAL = "orang-eselon-3"


@pytest.fixture
async def secret(desk):
    record_id = await desk.draft(security_class="rahasia")
    await desk.put(record_id)
    return (await desk.declare(record_id)).json()


@pytest.fixture
def operator(client_of):
    return client_of(OPERATOR)


@pytest.fixture
async def official(client_of, operator):
    standing = {"agency": "dp3acskb", "rank": "administrator", "unit": "sekretariat"}
    answer = await operator.put(f"/v1/standings/{OFFICIAL}", json=standing)
    assert answer.status_code == 200, answer.text
    caller = system("ID-BB/GOV/dp3acskb/kependudukan", "archive.write")
    return client_of(
        type(caller)(
            kind="civil_servant", subject=OFFICIAL, agency="dp3acskb", application="portal"
        )
    )


@pytest.fixture(params=["stranger", "operator", "anonymous", "official"])
def outsider(request):
    return request.getfixturevalue(request.param)


async def test_no_surface_gives_an_outsider_a_secret(outsider, secret, desk):
    path = f"/v1/records/{secret['id']}"
    etag = f'"{secret["content"]["sha256"]}"'
    for address in (path, f"{path}/content", f"{path}/relations"):
        for headers in (
            {},
            {"if-none-match": etag},
            {"if-none-match": "*"},
            {"range": "bytes=0-0"},
            {"if-range": etag, "range": "bytes=0-0"},
        ):
            answer = await outsider.get(address, headers=headers)
            assert answer.status_code in {401, 404}, (address, headers)
            assert secret["content"]["sha256"] not in answer.text + str(answer.headers)
    listed = await outsider.get("/v1/records")
    assert secret["id"] not in listed.text


async def test_equal_bytes_do_not_tell_of_a_secret(secret, stranger, desk):
    theirs = Desk(stranger)
    record_id = await theirs.draft()
    assert (await theirs.put(record_id)).json()["content"]["same_as"] == []
    mine = await desk.draft()
    assert (await desk.put(mine)).json()["content"]["same_as"] == [secret["id"]]


async def test_a_count_counts_what_the_caller_may_know(secret, database, clock):
    async def count(caller):
        async with database.transaction() as session:
            return await count_records(session, clock, caller=caller)

    assert await count(system("ID-BB/GOV/dinsos-pmd/bansos", "archive.write")) == 1
    assert await count(OTHER) == 0
    assert await count(OPERATOR) == 0
    assert await count(ANONYMOUS) == 0


async def test_a_public_record_is_everybodys(desk, anonymous):
    record_id = await desk.draft(security_class="biasa")
    await desk.put(record_id)
    assert (await anonymous.get(f"/v1/records/{record_id}")).status_code == 404
    await desk.declare(record_id)
    assert (await anonymous.get(f"/v1/records/{record_id}/content")).content == CONTENT
    assert record_id in (await anonymous.get("/v1/records")).text


async def test_an_addressee_of_another_agency_opens_and_it_is_logged(
    secret, desk, official, database
):
    path = f"/v1/records/{secret['id']}"
    need = {"kind": "addressee", "agency": "dp3acskb", "subject": OFFICIAL, "reason": "tembusan"}
    given = await desk.client.post(f"{path}/needs", json=need, headers=key())
    assert given.status_code == 201, given.text
    assert (await official.get(f"{path}/content")).content == CONTENT
    async with database.transaction() as session:
        [opening] = await session.scalars(select(Opening))
    assert (opening.subject, opening.grounds) == (OFFICIAL, "need")
    changed = await official.post(f"{path}/declaration")
    assert changed.status_code == 404


async def test_a_need_is_given_by_the_owner_only(secret, stranger, desk):
    path = f"/v1/records/{secret['id']}/needs"
    need = {"kind": "leave", "agency": "dp3acskb", "reason": "izin"}
    assert (await stranger.post(path, json=need, headers=key())).status_code == 404
    case = need | {"kind": "case"}
    assert (await desk.client.post(path, json=case, headers=key())).status_code == 422


async def test_without_a_rule_a_class_is_closed(desk):
    record_id = await desk.draft(classification="000.1.1")
    assert (await desk.client.get(f"/v1/records/{record_id}")).json()["security_class"] == "biasa"
    record_id = await desk.draft(classification="000.1")
    closed = (await desk.client.get(f"/v1/records/{record_id}")).json()
    assert closed["security_class"] == "terbatas"


async def test_only_the_operator_sets_standings(stranger, operator):
    standing = {"agency": "dp3acskb", "rank": "policy_maker"}
    assert (await stranger.put("/v1/standings/x", json=standing)).status_code == 403
    assert (await stranger.get("/v1/standings/x")).status_code == 404
    assert (await operator.put("/v1/standings/x", json=standing)).status_code == 200
    assert (await operator.get("/v1/standings/x")).json()["rank"] == "policy_maker"
