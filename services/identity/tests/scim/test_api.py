"""SCIM as provisioning: an agency's own users, whose person follows; nothing of other agencies."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from sebalai_identity.persons.actions import get_person
from sebalai_identity.scim import store
from sebalai_identity.scim.access import holds_number_of_person
from sebalai_shared.testing.http import system

ROOT = "/scim/v2"
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:"
EXTENSION = "urn:sebalai:params:scim:schemas:extension:civilservant:1.0:User"
HR = system("ID-BB/GOV/diskominfo/simpeg", "identity.scim")
OTHER = system("ID-BB/GOV/dinkes/simpeg", "identity.scim")
HEADERS = {"Content-Type": "application/scim+json"}


@pytest.fixture
def scim(call, loaded):
    async def scim(method, path, body=None, caller=HR, **headers):
        # ASCII alone: a lone surrogate can be sent as an escape, never as bytes.
        more = {"content": json.dumps(body)} if body is not None else {}
        named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
        return await call(method, f"{ROOT}{path}", caller, headers=named, **more)

    return scim


@pytest.fixture
def user(scim):
    async def user(name="budi", **more):
        body = {"schemas": [f"{SCHEMA}User"], "userName": name, "displayName": "Budi"} | more
        answer = await scim("POST", "/Users", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return user


def patch(*operations):
    named = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
    return named | {"Operations": list(operations)}


async def test_user_is_a_sponsored_person_until_their_nik_is_linked(
    call, keeper, user, database, clock, facts
):
    made = await user()
    assert (
        made["meta"]["location"] == f"https://bus.example/api/identity/scim/v2/Users/{made['id']}"
    )
    async with database.transaction() as session:
        person = await get_person(session, UUID(made["id"]))
    assert (person.name, person.valid_until) == ("Budi", clock.now() + timedelta(days=366))
    kinds = [kind for kind, _ in await facts()]
    assert kinds[-2:] == ["identity.person.registered.v1", "identity.user.provisioned.v1"]
    path = f"/v1/persons/{made['id']}/nik"
    nik = {"nik": "1971011503859001"}
    linked = (await call("POST", path, keeper, json=nik)).json()
    assert (linked["nik_masked"], linked["birth_date"]) == ("1971**********01", "1985-03-15")
    assert (await call("POST", path, keeper, json=nik)).status_code == 409
    stays = await call("PATCH", f"/v1/persons/{made['id']}", keeper, json={"valid_until": None})
    assert stays.json()["valid_until"] is None


async def test_inactive_user_is_a_deactivated_person_whom_only_the_same_hand_brings_back(
    call, keeper, scim, user, database
):
    made = await user()
    path = f"/Users/{made['id']}"

    async def patched(change):
        assert (await scim("PATCH", path, change)).status_code in {200, 204}
        return (await scim("GET", path)).json()["active"]

    async def state():
        async with database.transaction() as session:
            return (await get_person(session, UUID(made["id"]))).state

    off = patch({"op": "replace", "path": "active", "value": False})
    assert await patched(off) is False
    assert await state() == "deactivated"
    on = patch({"op": "replace", "path": "active", "value": True})
    assert await patched(on) is True
    assert await state() == "active"
    reason = {"reason": "pemeriksaan"}
    await call("POST", f"/v1/persons/{made['id']}/deactivate", keeper, json=reason)
    titled = patch({"op": "add", "path": "title", "value": "x"})
    for change in (titled, on):
        assert await patched(change) is False
        assert await state() == "deactivated"
    assert (await scim("DELETE", path)).status_code == 204
    assert (await scim("GET", path)).status_code == 404
    shown = (await call("GET", f"/v1/persons/{made['id']}", keeper)).json()
    assert (shown["state"], shown["reason"]) == ("deactivated", "pemeriksaan")


async def test_province_may_keep_out_whom_the_hr_system_had_switched_off(call, keeper, scim, user):
    made = await user(active=False)
    reason = {"reason": "pemeriksaan"}
    await call("POST", f"/v1/persons/{made['id']}/deactivate", keeper, json=reason)
    for is_active in (False, True):
        change = patch({"op": "replace", "path": "active", "value": is_active})
        await scim("PATCH", f"/Users/{made['id']}", change)
        shown = (await call("GET", f"/v1/persons/{made['id']}", keeper)).json()
        assert (shown["state"], shown["reason"]) == ("deactivated", "pemeriksaan")


async def test_agency_that_an_official_has_left_neither_renames_nor_switches_them_off(
    call, keeper, scim, user, office
):
    made = await user()
    path, person = f"/Users/{made['id']}", f"/v1/persons/{made['id']}"
    await call("POST", f"{person}/nik", keeper, json={"nik": "1971011503859001"})
    body = {
        "person_id": made["id"], "nip": "198503152010011001", "agency": "dinkes",
        "grade": "III/d", "valid_from": "2010-01-01T00:00:00Z",
    }  # fmt: skip
    await office.made("/v1/civil-servants", body)
    before = (await call("GET", person, keeper)).json()
    off = patch({"op": "replace", "path": "active", "value": False})
    named = patch({"op": "replace", "path": "displayName", "value": "Orang Lain"})
    for change in (off, named):
        assert (await scim("PATCH", path, change)).status_code in {200, 204}
    assert (await scim("DELETE", path)).status_code == 204
    after = (await call("GET", person, keeper)).json()
    assert (after["state"], after["name"]) == ("active", before["name"])


async def test_agency_sees_and_changes_its_own_alone(scim, user):
    made = await user()
    path = f"/Users/{made['id']}"
    for method, body in (
        ("GET", None),
        ("PUT", made),
        ("PATCH", patch({"op": "remove", "path": "title"})),
        ("DELETE", None),
    ):
        assert (await scim(method, path, body, OTHER)).status_code == 404
    assert (await scim("GET", "/Users", caller=OTHER)).json()["totalResults"] == 0
    group = {"schemas": [f"{SCHEMA}Group"], "displayName": "G", "members": [{"value": made["id"]}]}
    refused = await scim("POST", "/Groups", group, OTHER)
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")
    # The same name in another agency is another user.
    body = {"schemas": [f"{SCHEMA}User"], "userName": "budi"}
    assert (await scim("POST", "/Users", body, OTHER)).status_code == 201
    again = await scim("POST", "/Users", body | {"userName": "BUDI"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")


async def test_scope_is_needed_for_all_but_the_description(scim, own):
    for path in ("/Users", "/Groups", "/Users/x", "/.search", "/Bulk"):
        method = "POST" if path in {"/.search", "/Bulk"} else "GET"
        body = {} if method == "POST" else None
        assert (await scim(method, path, body, None)).status_code == 401
        assert (await scim(method, path, body, own)).status_code == 403
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/Schemas"):
        assert (await scim("GET", path, caller=None)).status_code == 200


@pytest.mark.parametrize("field", ["userName", "externalId"])
@pytest.mark.parametrize(
    "name",
    [
        "1971011503859001",
        "198503152010011001",
        "1971.0115.0385.9001",
        "nip198503152010011001",
        "198503152010011001@example.go.id",
        "1985 0315 201001 1 001",
    ],
)
async def test_number_of_a_person_is_no_name_of_a_user(scim, user, name, field):
    body = {"schemas": [f"{SCHEMA}User"], "userName": "a"} | {field: name}
    answer = await scim("POST", "/Users", body)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert name not in answer.text
    made = await user()
    assert (await scim("PUT", f"/Users/{made['id']}", made | {field: name})).status_code == 400


@pytest.mark.parametrize(
    "name", ["12345678-1234-4123-8123-123456789012", f"a{'1' * 16}b", "1" * 21, "0541-123456"]
)
def test_identifier_that_a_machine_made_is_no_number_of_a_person(name):
    assert not holds_number_of_person(name)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"schemas": [f"{SCHEMA}User"]},
        {"schemas": [f"{SCHEMA}User"], "userName": ""},
        {"schemas": [f"{SCHEMA}User"], "userName": "a\x00b"},
        {"schemas": [f"{SCHEMA}User"], "userName": "a", "title": "a\x00b"},
        {"schemas": [f"{SCHEMA}User"], "userName": "a", "active": {"x": 1}},
        {"schemas": [f"{SCHEMA}User"], "userName": "a" * 201},
        {"schemas": [f"{SCHEMA}User"], "userName": "a\ud800"},
        {"schemas": [f"{SCHEMA}User"], "userName": "a", "title": "a\ud800"},
    ],
)
async def test_malformed_user_is_a_400_of_the_protocol(scim, body, facts):
    answer = await scim("POST", "/Users", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert await facts("identity.user.") == []


async def test_stale_version_changes_nothing(scim, user):
    made = await user()
    path, version = f"/Users/{made['id']}", made["meta"]["version"]
    first = await scim("PUT", path, made | {"title": "A"}, If_Match=version)
    assert first.status_code == 200
    assert first.headers["ETag"] != version
    for method, body in (("PUT", made | {"title": "B"}), ("DELETE", None)):
        assert (await scim(method, path, body, If_Match=version)).status_code == 412
    same = await scim("GET", path, If_None_Match=first.headers["ETag"])
    assert same.status_code == 304


async def test_filter_and_groups(scim, user):
    people = [await user(name) for name in ("adi", "budi", "citra")]
    found = await scim("GET", '/Users?filter=userName eq "BUDI"')
    assert [one["id"] for one in found.json()["Resources"]] == [people[1]["id"]]
    page = (await scim("GET", '/Users?filter=userName ge "b"&sortBy=userName&count=1')).json()
    assert (page["totalResults"], page["Resources"][0]["userName"]) == (2, "budi")
    assert (await scim("GET", '/Users?filter=userName xx "b"')).status_code == 400
    for odd in ("\\u0000", "\\ud800"):
        none = await scim("GET", f'/Users?filter=userName eq "b{odd}"')
        assert none.json()["totalResults"] == 0
    members = [{"value": one["id"]} for one in people[:2]]
    group = {"schemas": [f"{SCHEMA}Group"], "displayName": "Tim", "members": members}
    made = (await scim("POST", "/Groups", group)).json()
    shown = (await scim("GET", f"/Users/{people[0]['id']}")).json()
    assert shown["groups"][0]["value"] == made["id"]
    assert shown["meta"]["version"] != people[0]["meta"]["version"]
    await scim("DELETE", f"/Users/{people[0]['id']}")
    left = (await scim("GET", f"/Groups/{made['id']}")).json()
    assert [one["value"] for one in left["members"]] == [people[1]["id"]]
    assert (await scim("DELETE", f"/Groups/{made['id']}")).status_code == 204


async def test_list_goes_page_by_page_over_all_and_loads_no_more_than_a_page(
    scim, user, monkeypatch
):
    names = [f"u{number}" for number in range(5)]
    ids = [(await user(name, externalId=f"x-{name}"))["id"] for name in names]
    monkeypatch.setattr(store, "SEARCHED_MAX", 1)
    seen = []
    for start in (1, 3, 5, 6, 2**63):
        page = (await scim("GET", f"/Users?startIndex={start}&count=2")).json()
        assert page["totalResults"] == 5
        seen += [one["id"] for one in page.get("Resources", [])]
    assert seen == ids
    assert (await scim("GET", "/Users?count=0")).json()["totalResults"] == 5
    found = (await scim("GET", '/Users?filter=externalId eq "x-u3"')).json()
    assert [one["userName"] for one in found["Resources"]] == ["u3"]
    wide = await scim("GET", '/Users?filter=userName sw "u"')
    assert (wide.status_code, wide.json()["scimType"]) == (400, "tooMany")
    assert (await scim("GET", "/Groups")).json()["totalResults"] == 0


async def test_bulk_keeps_what_succeeded_and_undoes_what_failed(scim, facts):
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": name,
                "data": {"schemas": [f"{SCHEMA}User"], "userName": user_name},
            }
            for name, user_name in (("1", "adi"), ("2", "ADI"), ("3", "budi"))
        ],
    }
    answer = (await scim("POST", "/Bulk", body)).json()
    assert [one["status"] for one in answer["Operations"]] == ["201", "409", "201"]
    assert (await scim("GET", "/Users")).json()["totalResults"] == 2
    assert len(await facts("identity.person.registered.v1")) == 2


async def test_user_shows_employment_and_postings(call, keeper, scim, user, office):
    someone = await user()
    nik = {"nik": "1971011503859001"}
    await call("POST", f"/v1/persons/{someone['id']}/nik", keeper, json=nik)
    body = {
        "person_id": someone["id"],
        "nip": "198503152010011001",
        "agency": "diskominfo",
        "grade": "III/d",
        "valid_from": "2010-01-01T00:00:00Z",
    }
    await office.made("/v1/civil-servants", body)
    held = await office.posting(someone, await office.position("kabid"))
    answer = await scim("GET", f"/Users/{someone['id']}")
    shown = answer.json()[EXTENSION]
    assert (shown["employment"], shown["grade"]) == ("PNS", "III/d")
    (post,) = shown["postings"]
    assert (post["value"], post["position"], post["kind"]) == (held["id"], "kabid", "definitive")
    assert "198503152010011001" not in answer.text
    # What is read-only is ignored when it comes back.
    same = await scim("PUT", f"/Users/{someone['id']}", answer.json() | {"title": "x"})
    assert same.json()[EXTENSION]["postings"] == shown["postings"]
