"""Agencies: loaded once, found by everyone, each fact with its source."""

import csv
from collections import Counter

import pytest
from sebalai_identity.commands import load_reference
from sebalai_identity.reference import ReferenceFolder
from sebalai_shared.pagination import encode_cursor
from sqlalchemy import text

LISTS = ("/v1/agencies", "/v1/regions", "/v1/affairs")


async def events(database, kind):
    async with database.transaction() as session:
        rows = await session.scalars(
            text("SELECT document->'data' FROM outbox WHERE type = :kind ORDER BY seq"),
            {"kind": kind},
        )
        return list(rows)


async def test_loading_twice_changes_nothing_and_tells_each_agency_once(database, folder, loaded):
    assert {name: count.as_dict() for name, count in loaded.items()} == {
        name: {"inserted": rows, "changed": 0, "unchanged": 0}
        for name, rows in (
            ("agencies", 43),
            ("regions", 55),
            ("affairs", 43),
            ("ranks", 17),
            ("positions", 31),
        )
    }
    async with database.transaction() as session:
        again = await load_reference(session, folder)
    assert all(not count.inserted and not count.changed for count in again.values())
    facts = await events(database, "identity.agency.registered.v1")
    assert len({fact["agency"] for fact in facts}) == len(facts) == 43


async def test_changed_line_changes_one_row_and_keeps_its_id(
    call, database, folder, loaded, tmp_path
):
    before = (await call("GET", "/v1/agencies/dinkes")).json()
    for file in folder._folder.glob("*.csv"):
        body = file.read_text(encoding="utf-8").replace("Dinas Kesehatan,", "Dinas Kesehatan X,")
        (tmp_path / file.name).write_text(body, encoding="utf-8")
    async with database.transaction() as session:
        counts = await load_reference(session, ReferenceFolder(tmp_path))
    assert counts["agencies"].as_dict() == {"inserted": 0, "changed": 1, "unchanged": 42}
    after = (await call("GET", "/v1/agencies/dinkes")).json()
    assert after == before | {"name": "Dinas Kesehatan X"}


async def test_row_without_provenance_is_not_loaded(folder, tmp_path, database):
    for file in folder._folder.glob("*.csv"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "provenance.csv").write_text("file,key,status,source\n", encoding="utf-8")
    with pytest.raises(KeyError, match=r"agencies\.csv"):
        async with database.transaction() as session:
            await load_reference(session, ReferenceFolder(tmp_path))


async def test_marks_of_names_and_codes_speak_one_vocabulary_and_stay_apart(call, loaded):
    rows = (await call("GET", "/v1/agencies", params={"limit": 100})).json()["items"]
    names = Counter(row["provenance"]["status"] for row in rows)
    assert names == {"verified": 12, "partly": 4, "unverified": 27}
    assert {row["code"]["provenance"]["status"] for row in rows} == {"unverified"}


async def test_mark_outside_the_vocabulary_is_not_loaded(folder, tmp_path, database):
    for file in folder._folder.glob("*.csv"):
        body = file.read_text(encoding="utf-8").replace(",name_partly,", ",name_rumoured,")
        (tmp_path / file.name).write_text(body, encoding="utf-8")
    with pytest.raises(ValueError, match="verified, partly, unverified"):
        async with database.transaction() as session:
            await load_reference(session, ReferenceFolder(tmp_path))


async def test_anyone_reads_an_agency_with_the_sources_of_name_and_code(call, loaded):
    agency = (await call("GET", "/v1/agencies/dinsos-pmd")).json()
    assert agency["name"] == "Dinas Sosial dan Pemberdayaan Masyarakat Desa"
    assert agency["affairs"] == ["1.06", "2.13"]
    assert agency["code"]["value"] == "1.06.2.13.0.00.08.0000"
    assert agency["code"]["provenance"]["status"] == "unverified"
    assert agency["provenance"]["source"].startswith("name: ")
    assert "code" not in agency["provenance"]["source"]


async def test_unit_names_its_parent(call, loaded):
    assert (await call("GET", "/v1/agencies/rsud-soekarno")).json()["parent"] == "dinkes"
    assert (await call("GET", "/v1/agencies/dinkes")).json()["parent"] is None


async def test_pages_hold_every_agency_once(call, loaded, folder):
    found, cursor = [], None
    while True:
        params = {"limit": 20} | ({"cursor": cursor} if cursor else {})
        page = (await call("GET", "/v1/agencies", params=params)).json()
        found += [row["slug"] for row in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 43
    assert {"dinsos-pmd", "dp3acskb", "diskominfo", "dinkes"} <= set(found)
    with (folder._folder / "agencies.csv").open(encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 43


@pytest.mark.parametrize(
    ("params", "slugs"),
    [
        ({"q": "kependudukan"}, ["dp3acskb"]),
        ({"q": "%"}, []),
        ({"kind": "inspektorat"}, ["inspektorat"]),
        ({"kind": "inspektorat", "at": "2026-01-01"}, ["inspektorat"]),
    ],
)
async def test_filters_narrow_the_list(call, loaded, params, slugs):
    page = (await call("GET", "/v1/agencies", params=params)).json()
    assert [row["slug"] for row in page["items"]] == slugs


async def test_ended_agency_is_not_in_force_afterwards(call, loaded, database):
    async with database.transaction() as session:
        await session.execute(
            text(
                "UPDATE agency SET valid_from = '2020-01-01', valid_to = '2026-01-01' WHERE slug = 'dinkes'"
            )
        )
    for day, is_there in (("2019-12-31", False), ("2025-12-31", True), ("2026-01-01", False)):
        page = (await call("GET", "/v1/agencies", params={"q": "dinkes", "at": day})).json()
        assert bool(page["items"]) is is_there


async def test_unknown_agency_is_a_404_that_says_where_to_look(call, loaded):
    answer = await call("GET", "/v1/agencies/nope")
    assert (answer.status_code, answer.json()["type"]) == (
        404,
        "urn:sebalai:problem:agency-unknown",
    )


async def test_every_code_of_a_region_names_its_scheme(call, loaded):
    page = (await call("GET", "/v1/regions", params={"kemendagri_code": "19.03"})).json()
    (region,) = page["items"]
    assert [(code["scheme"], code["value"]) for code in region["codes"]] == [
        ("kemendagri", "19.03"),
        ("bps", "1905"),
    ]
    assert region["codes"][1]["note"] == "SWAPPED"
    assert region["parent"]["value"] == "19"
    by_bps = (await call("GET", "/v1/regions", params={"bps_code": "1905"})).json()
    assert by_bps["items"] == [region]
    assert len((await call("GET", "/v1/regions", params={"parent": "19"})).json()["items"]) == 7


async def test_affairs_and_ranks_are_listed_in_order_with_their_sources(call, loaded):
    affairs = (await call("GET", "/v1/affairs", params={"limit": 100})).json()["items"]
    ranks = (await call("GET", "/v1/ranks", params={"limit": 10})).json()
    assert [row["code"] for row in affairs] == sorted(row["code"] for row in affairs)
    assert len(affairs) == 43
    rest = (await call("GET", "/v1/ranks", params={"cursor": ranks["next"]})).json()
    assert [row["position"] for row in ranks["items"] + rest["items"]] == list(range(1, 18))
    assert all(row["provenance"]["source"] for row in affairs + ranks["items"])


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/agencies", {"limit": 101}),
        ("/v1/agencies", {"cursor": "!"}),
        ("/v1/agencies", {"at": "yesterday"}),
        ("/v1/agencies", {"q": ""}),
        ("/v1/regions", {"bps_code": "19.03"}),
        ("/v1/ranks", {"cursor": "WyJ4Il0"}),
        ("/v1/ranks", {"cursor": "Wzk5OTk5OTk5OTk5OV0"}),
        ("/v1/agencies/%00", {}),
        ("/v1/agencies/dinkes%00", {}),
        *((path, {"cursor": encode_cursor(["a\x00"])}) for path in LISTS),
    ],
)
async def test_malformed_question_is_a_422(call, loaded, path, params):
    assert (await call("GET", path, params=params)).status_code == 422
