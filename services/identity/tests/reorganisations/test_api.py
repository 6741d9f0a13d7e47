"""Reorganisations: what stands on an agency or a position ends with it, and its slug stays."""

import pytest
from sebalai_identity.commands import load_reference

RENAME = {
    "name": "Dinas Kominfo",
    "short_name": "Diskominfo",
    "on": "2026-11-24",
    "decree": "Perda 1",
}
END = {"on": "2026-12-01", "decree": "Perda 2/2026", "reason": "penggabungan"}
MIDNIGHT = "2026-11-30T17:00:00Z"


async def test_merged_agency_ends_with_its_positions_and_postings_at_its_midnight(
    call, operator, keeper, office, facts
):
    someone, post = await office.servant(), await office.position()
    held = await office.posting(someone, post)
    done = await call(
        "POST", "/v1/agencies/diskominfo/end", operator, json=END | {"successor": "dkpus"}
    )
    assert done.json() | {"name": "", "short_name": ""} == {
        "slug": "diskominfo",
        "name": "",
        "short_name": "",
        "valid_to": "2026-12-01",
        "positions_ended": 2,
        "postings_ended": 1,
    }
    agency = (await call("GET", "/v1/agencies/diskominfo")).json()
    assert (agency["successor"], agency["valid_to"]) == ("dkpus", "2026-12-01")
    shown = (await call("GET", f"/v1/postings/{held['id']}", keeper)).json()
    assert shown["valid_until"] == MIDNIGHT
    path = f"/v1/persons/{someone['id']}/authority"
    for at, count in (("2026-11-30T16:59:59Z", 1), (MIDNIGHT, 0)):
        answer = await call("GET", path, keeper, params={"at": at})
        assert len(answer.json()["postings"]) == count
    kinds = [kind for kind, _ in await facts()]
    assert kinds[-3:] == [
        "identity.position.abolished.v1",
        "identity.posting.ended.v1",
        "identity.agency.ended.v1",
    ]
    again = await call("POST", "/v1/agencies/diskominfo/end", operator, json=END)
    assert again.json()["type"] == "urn:sebalai:problem:agency-ended"


async def test_renamed_agency_keeps_its_slug_and_its_former_name_and_loading_keeps_both(
    call, operator, loaded, database, folder, facts
):
    before = (await call("GET", "/v1/agencies/diskominfo")).json()
    assert (await call("POST", "/v1/agencies/diskominfo/rename", operator, json=RENAME)).json()[
        "name"
    ] == "Dinas Kominfo"
    async with database.transaction() as session:
        await load_reference(session, folder)
    after = (await call("GET", "/v1/agencies/diskominfo")).json()
    assert (after["id"], after["name"]) == (before["id"], "Dinas Kominfo")
    (former,) = (await call("GET", "/v1/agencies/diskominfo/names")).json()
    assert (former["name"], former["until"]) == (before["name"], "2026-11-24")
    assert (await facts("identity.agency.renamed"))[0][1]["agency"] == "diskominfo"


@pytest.mark.parametrize(
    ("slug", "act", "change", "status"),
    [
        ("nope", "end", {}, 404),
        ("diskominfo", "end", {"on": "2026-11-01"}, 422),
        ("diskominfo", "end", {"successor": "diskominfo"}, 409),
        ("diskominfo", "end", {"successor": "nope"}, 409),
        ("nope", "rename", {}, 404),
        ("diskominfo", "rename", {"on": "2026-12-01"}, 422),
        ("diskominfo", "rename", {"name": "a\x00"}, 422),
    ],
)
async def test_reorganisation_that_cannot_be_is_refused(  # noqa: PLR0917
    call, operator, loaded, slug, act, change, status
):
    body = (END if act == "end" else RENAME) | change
    answer = await call("POST", f"/v1/agencies/{slug}/{act}", operator, json=body)
    assert answer.status_code == status, answer.text


async def test_abolished_position_ends_its_postings_and_only_keepers_and_the_operator_may(
    call, keeper, own, office
):
    held = await office.posting(await office.servant(), post := await office.position())
    path, body = f"/v1/positions/{post['id']}/abolish", {"reason": "penyederhanaan"}
    assert (await call("POST", path, own, json=body)).status_code == 403
    for slug_act, sent in (("end", END), ("rename", RENAME)):
        answer = await call("POST", f"/v1/agencies/diskominfo/{slug_act}", keeper, json=sent)
        assert answer.status_code == 403
    done = (await call("POST", path, keeper, json=body)).json()
    assert (done["postings_ended"], done["valid_until"]) == (1, "2026-11-24T08:00:00Z")
    shown = (await call("GET", f"/v1/postings/{held['id']}", keeper)).json()
    assert shown["valid_until"] == "2026-11-24T08:00:00Z"
