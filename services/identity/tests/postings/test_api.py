"""Postings and delegations: one holder at a time, acting ones end by themselves, each end is told."""

from datetime import timedelta

import pytest
from sebalai_identity.postings import jobs
from sebalai_identity.revocations.actions import is_revoked

JAN, MAR, JUN, DEC = (f"2026-{month:02}-01T00:00:00Z" for month in (1, 3, 6, 12))


def refused(answer, pointer):
    return answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == pointer


@pytest.fixture
def tried(call, keeper):
    async def tried(person, position, kind="definitive", start=JAN, end=None, caller=keeper):
        body = {
            "person_id": person["id"],
            "position_id": position["id"],
            "kind": kind,
            "decree": "821/1",
            "valid_from": start,
            "valid_until": end,
        }
        return await call("POST", "/v1/postings", caller, json=body)

    return tried


async def test_one_holder_or_plt_and_one_plh_at_a_time(tried, servant, position):
    people = [await servant(f"N{n}", n) for n in (1, 2, 3, 4)]
    post, other = await position("kadis"), await position("kabid")
    assert (await tried(people[0], post, end=JUN)).status_code == 201
    for kind in ("definitive", "plt"):
        answer = await tried(people[1], post, kind, MAR, DEC if kind == "definitive" else JUN)
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "urn:sebalai:problem:post-taken",
        )
    # Half-open: the next one begins at the very instant the former ends.
    assert (await tried(people[1], post, "plt", JUN, DEC)).status_code == 201
    assert (await tried(people[2], post, "plh", MAR, JUN)).status_code == 201
    assert (await tried(people[3], post, "plh", MAR, JUN)).status_code == 409
    # One definitive post a person, and any number of acting ones.
    assert (await tried(people[0], other, start=MAR)).status_code == 409
    assert (await tried(people[1], other, "plt", JUN, DEC)).status_code == 201


@pytest.mark.parametrize(
    ("kind", "start", "end", "pointer"),
    [
        ("plt", JAN, None, "/valid_until"),
        ("plh", JAN, DEC, "/valid_until"),
        ("definitive", JUN, JAN, "/valid_until"),
        ("definitive", JUN, JUN, "/valid_until"),
        ("definitive", "2015-01-01T00:00:00Z", None, "/valid_from"),
        ("bupati", JAN, DEC, "/kind"),
    ],
)
async def test_posting_out_of_its_bounds_is_refused(tried, kind, start, end, pointer, office):
    assert refused(
        await tried(await office.servant(), await office.position(), kind, start, end), pointer
    )


async def test_posting_lies_within_its_position_and_needs_a_civil_servant(
    tried, servant, person, position
):
    short = await position("kabid", valid_until=DEC)
    someone = await servant()
    assert refused(await tried(someone, short), "/valid_until")
    citizen = await person(nik="1971010101909901")
    assert refused(await tried(citizen, short, end=DEC), "/person_id")
    governor = await position("gubernur", "setda", kind="kepala_daerah", eselon=None)
    assert (await tried(citizen, governor)).status_code == 201
    nobody = {"id": "01999999-0000-7000-8000-000000000000"}
    assert (await tried(nobody, short, end=DEC)).status_code == 404
    assert (await tried(someone, nobody, end=DEC)).status_code == 404


async def test_only_keepers_record_and_end(call, own, tried, servant, position, posting):
    someone, post = await servant(), await position()
    assert (await tried(someone, post, caller=own)).status_code == 403
    held = await posting(someone, post)
    path = f"/v1/postings/{held['id']}"
    assert (await call("POST", f"{path}/end", own, json={"reason": "xxx"})).status_code == 403
    assert (await call("GET", path, own)).json() == held
    for closed in (path, "/v1/postings", "/v1/delegations"):
        assert (await call("GET", closed)).status_code == 401


async def test_ended_posting_is_told_once_revoked_and_found_in_its_time(
    call, keeper, facts, database, clock, office
):
    someone, post = await office.servant(), await office.position()
    held = await office.posting(someone, post)
    claims = {"posting": held["id"], "iat": int(clock.now().timestamp())}
    path = f"/v1/postings/{held['id']}/end"
    past = {"reason": "mutasi", "at": "2026-05-01T00:00:00Z"}
    assert refused(await call("POST", path, keeper, json=past), "/at")
    for _ in range(2):
        done = (await call("POST", path, keeper, json={"reason": "mutasi"})).json()
        assert (done["valid_until"], done["is_cancelled"]) == ("2026-11-24T08:00:00Z", False)
    async with database.transaction() as session:
        assert await is_revoked(session, claims)
        assert await jobs.lapse(session, clock) == 0
    told = await facts("identity.posting.")
    assert [kind for kind, _ in told] == [
        "identity.posting.recorded.v1",
        "identity.posting.ended.v1",
    ]
    assert (told[1][1]["cause"], "mutasi" in str(told)) == ("ended", False)
    for at, count in (("2026-11-24T07:59:59Z", 1), ("2026-11-24T08:00:00Z", 0)):
        params = {"position_id": post["id"], "at": at}
        page = (await call("GET", "/v1/postings", keeper, params=params)).json()
        assert len(page["items"]) == count


async def test_posting_ended_before_its_start_is_cancelled_and_leaves_the_place_free(
    call, keeper, servant, position, posting, tried
):
    someone, post = await servant(), await position()
    held = await posting(someone, post, start=DEC)
    done = await call("POST", f"/v1/postings/{held['id']}/end", keeper, json={"reason": "batal"})
    assert done.json()["is_cancelled"]
    assert (await tried(someone, post, start=DEC)).status_code == 201


async def test_what_ends_by_itself_is_told_once(database, clock, facts, office):
    end = (clock.now() + timedelta(hours=1)).isoformat()
    one = await office.posting(
        await office.servant("A", 1), await office.position("kadis"), "plt", JUN, end
    )
    two = await office.posting(await office.servant("B", 2), await office.position("kabid"))
    body = {
        "from_posting_id": one["id"],
        "to_posting_id": two["id"],
        "matters": ["surat"],
        "decree": "ST/1",
        "valid_from": DEC.replace("12", "07"),
        "valid_until": end,
    }
    await office.made("/v1/delegations", body)
    for hours, count in ((0, 0), (1, 2), (1, 0)):
        clock.move(timedelta(hours=hours))
        async with database.transaction() as session:
            assert await jobs.lapse(session, clock) == count
    ended = [(kind, data["cause"]) for kind, data in await facts() if kind.endswith(".ended.v1")]
    assert ended == [
        ("identity.posting.ended.v1", "lapsed"),
        ("identity.delegation.ended.v1", "lapsed"),
    ]


async def test_ended_delegation_is_told(call, keeper, facts, office):
    one = await office.posting(await office.servant("A", 1), await office.position("kadis"))
    two = await office.posting(await office.servant("B", 2), await office.position("kabid"))
    body = {
        "from_posting_id": one["id"],
        "to_posting_id": two["id"],
        "matters": ["surat"],
        "decree": "ST/1",
        "valid_from": JUN,
        "valid_until": DEC,
    }
    given = await office.made("/v1/delegations", body)
    params = {"to_posting_id": two["id"], "at": JUN}
    page = (await call("GET", "/v1/delegations", keeper, params=params)).json()
    assert page["items"] == [given]
    path = f"/v1/delegations/{given['id']}/end"
    assert (await call("POST", path, keeper, json={"reason": "selesai"})).status_code == 200
    assert (await facts("identity.delegation."))[-1][1]["cause"] == "ended"
    unknown = "/v1/delegations/01999999-0000-7000-8000-000000000000/end"
    assert (await call("POST", unknown, keeper, json={"reason": "xxx"})).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"valid_until": MAR}, "/valid_until"),
        ({"valid_until": "2028-01-01T00:00:00Z"}, "/valid_until"),
        ({"valid_from": "2025-12-01T00:00:00Z"}, "/from_posting_id"),
        ({"kind": "ub"}, "/parent_id"),
        ({"matters": []}, "/matters"),
        ({"matters": ["A b"]}, "/matters/0"),
    ],
)
async def test_delegation_out_of_its_bounds_is_refused(call, keeper, change, pointer, office):
    one = await office.posting(await office.servant("A", 1), await office.position("kadis"))
    two = await office.posting(await office.servant("B", 2), await office.position("kabid"))
    body = {
        "from_posting_id": one["id"],
        "to_posting_id": two["id"],
        "matters": ["surat"],
        "decree": "ST/1",
        "valid_from": JUN,
        "valid_until": DEC,
    }
    assert refused(await call("POST", "/v1/delegations", keeper, json=body | change), pointer)
    body["to_posting_id"] = "01999999-0000-7000-8000-000000000000"
    assert (await call("POST", "/v1/delegations", keeper, json=body)).status_code == 404
