"""A destruction from proposal to proof, and every way it must not go."""

import os
import time
from datetime import timedelta

import pytest
from sebalai_archive.content.places import ERASE_AFTER_SECONDS
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed, propose_due
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.storing import content_store_of
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.archive.tests.disposals.conftest import PART, PEOPLE, SLOTS, key

SHORT, LONG, WEIGHED, ETERNAL = "800.1.2.2", "000.2.4", "000.1.5", "000.2.5"
DUE = "2010-01-01"


def slug(answer):
    return answer.json()["type"].rpartition(":")[2]


@pytest.fixture
def store(settings):
    return content_store_of(settings)


@pytest.fixture
def stores(store, settings):
    return Stores(store, Copies(store.place, settings.content_dir / "replica"))


async def change(database, clock, record_id, column):
    async with database.transaction() as session:
        await enter_as_worker(session, clock.now())
        statement = text(f"UPDATE record SET {column} WHERE id = :id")  # noqa: S608 - a constant
        await session.execute(statement, {"id": record_id})


def age(store, sha256):
    old = time.time() - ERASE_AFTER_SECONDS - 60
    os.utime(store.place.path(sha256), (old, old))


async def test_the_daily_job_proposes_and_does_not_act(panel, database, clock):
    due = await panel.record(SHORT, DUE)
    long = await panel.record(LONG, DUE)
    weighed = await panel.record(WEIGHED, DUE)
    young = await panel.record(SHORT, "2026-01-01")
    held = await panel.record(SHORT, DUE)
    hold = {"reason": "perkara", "reference": "1", "records": [held]}
    await panel.desk.post("/v1/holds", json=hold, headers=key())
    assert await propose_due(database, clock) == 3
    assert await propose_due(database, clock) == 0
    items = (await panel.desk.get("/v1/proposals")).json()["items"]
    assert {one["record"]: (one["act"], one["approver"]) for one in items} == {
        due: ("destroy", "governor"),
        long: ("destroy", "anri_head"),
        weighed: ("appraise", None),
    }
    for record_id in (due, young, held):
        assert (await panel.desk.get(f"/v1/records/{record_id}/content")).status_code == 200


async def test_a_destruction_goes_its_whole_way_to_the_proof(panel, database, store, stores, clock):
    record_id = await panel.record(SHORT, DUE)
    path = f"/v1/records/{record_id}"
    sha256 = (await panel.desk.get(path)).json()["content"]["sha256"]
    disposal_id = await panel.decreed(record_id)
    early = await panel.desk.get(f"/v1/disposals/{disposal_id}/minutes")
    assert early.status_code == 409
    done = await panel.step(disposal_id, "execute")
    assert (done.status_code, done.json()["state"]) == (200, "executed")
    gone = await panel.desk.get(f"{path}/content")
    assert (gone.status_code, gone.json()["disposal"]) == (410, disposal_id)
    assert (await panel.desk.get(path)).json()["content"]["sha256"] == sha256
    await stores.copies.copy_out(sha256)
    assert await erase_destroyed(database, stores, clock) == 0
    age(store, sha256)
    assert await erase_destroyed(database, stores, clock) == 1
    assert not store.place.path(sha256).exists()
    async with database.transaction() as session:
        [proof] = await session.scalars(text("SELECT proof FROM tombstone"))
        told = (await session.scalars(text("SELECT type FROM outbox ORDER BY seq"))).all()
    assert proof["stores"] == dict.fromkeys(("content", "replica", "quarantine"), "absent")
    assert told.index("archive.record.destroyed.v1") < told.index("archive.record.erased.v1")
    minutes = (await panel.desk.get(f"/v1/disposals/{disposal_id}/minutes")).text
    for part in ("BERITA ACARA PEMUSNAHAN", done.json()["list_root"], "p-hukum", "Gubernur"):
        assert part in minutes
    assert (await panel.step(disposal_id, "minute")).status_code == 200
    end = await panel.step(disposal_id, "report")
    assert (end.json()["state"], end.json()["next"]) == ("reported", None)


async def test_bytes_that_another_record_names_stay(panel, database, store, stores, clock):
    record_id = await panel.record(SHORT, DUE, b"same bytes")
    other = await panel.record(SHORT, "2026-01-01", b"same bytes")
    await panel.step(await panel.decreed(record_id), "execute")
    assert await erase_destroyed(database, stores, clock) == 1
    assert (await panel.desk.get(f"/v1/records/{other}/content")).content == b"same bytes"
    assert (await panel.desk.get(f"/v1/records/{record_id}/content")).status_code == 410


async def test_the_salt_goes_with_the_destroyed_record_and_nothing_else_does(panel):
    record_id = await panel.record(SHORT, DUE)
    before = (await panel.desk.get(f"/v1/records/{record_id}")).json()
    assert before["declaration"]["salt"]
    await panel.step(await panel.decreed(record_id), "execute")
    after = (await panel.desk.get(f"/v1/records/{record_id}")).json()
    assert after == before | {"declaration": before["declaration"] | {"salt": None}}


@pytest.mark.parametrize("destroyed", [True, False])
async def test_the_database_lets_go_of_a_salt_only_for_a_destroyed_record(
    panel, database, clock, destroyed
):
    record_id = await panel.record(SHORT, DUE)
    column = "salt = NULL"
    if destroyed:
        await panel.step(await panel.decreed(record_id), "execute")
        column = "title = 'Lain'"
    with pytest.raises(IntegrityError, match="does not change"):
        await change(database, clock, record_id, column)


@pytest.mark.parametrize("skipped", ["appraise", "request", "approve", "decree", "execute"])
async def test_no_step_can_be_skipped(panel, skipped):
    disposal_id = (await panel.open(await panel.record(SHORT, DUE))).json()["id"]
    names = list(SLOTS)
    for name in names[: names.index(skipped)]:
        await panel.step(
            disposal_id, name, **({"authority": "governor"} if name == "approve" else {})
        )
    for name in names[names.index(skipped) + 1 :]:
        assert slug(await panel.step(disposal_id, name)) == "disposal-step-out-of-order"


@pytest.mark.parametrize("name", list(SLOTS)[:4])
async def test_a_step_belongs_to_one_person_and_needs_its_evidence(panel, name):
    disposal_id = (await panel.open(await panel.record(SHORT, DUE))).json()["id"]
    for before in list(SLOTS)[: list(SLOTS).index(name)]:
        await panel.step(disposal_id, before, authority="governor")
    for part in panel.clients.keys() - {PART[name]}:
        assert slug(await panel.step(disposal_id, name, part)) == "disposal-not-your-part"
    bare = await panel.step(disposal_id, name, evidence={})
    assert slug(bare) == "field-invalid"


async def test_six_people_are_six(panel):
    record_id = await panel.record(SHORT, DUE)
    for part, subject in (
        ("approver", "p-reviewer"),
        ("executor", "client-ID-BB/GOV/dinsos-pmd/bansos"),
    ):
        wanted = {"kind": "destruction", "records": [record_id], "people": PEOPLE | {part: subject}}
        answer = await panel.desk.post("/v1/disposals", json=wanted, headers=key())
        assert answer.json()["errors"][0]["pointer"] == "/people"


@pytest.mark.parametrize(
    ("code", "authority", "wrong"),
    [(SHORT, "governor", "anri_head"), (LONG, "anri_head", "governor")],
)
async def test_the_total_years_name_who_approves(panel, code, authority, wrong):
    disposal_id = (await panel.open(await panel.record(code, DUE))).json()["id"]
    await panel.step(disposal_id, "appraise")
    await panel.step(disposal_id, "request")
    refused = await panel.step(disposal_id, "approve", authority=wrong)
    assert refused.json()["errors"][0]["pointer"] == "/authority"
    assert (await panel.step(disposal_id, "approve", authority=authority)).status_code == 200


async def test_without_both_witnesses_nothing_is_destroyed(panel):
    disposal_id = (await panel.open(await panel.record(SHORT, DUE))).json()["id"]
    early = await panel.present(disposal_id, "witness_legal")
    assert slug(early) == "disposal-step-out-of-order"
    for name in ("appraise", "request", "approve", "decree"):
        await panel.step(
            disposal_id, name, **({"authority": "governor"} if name == "approve" else {})
        )
    await panel.present(disposal_id, "witness_legal")
    assert slug(await panel.step(disposal_id, "execute")) == "disposal-witness-missing"
    assert slug(await panel.present(disposal_id, "executor")) == "disposal-not-your-part"


async def test_a_hold_placed_after_the_decree_stops_the_destruction(panel):
    first, second = await panel.record(SHORT, DUE), await panel.record(SHORT, DUE)
    disposal_id = await panel.decreed(first, second)
    hold = {"reason": "perkara", "reference": "1", "records": [second]}
    placed = (await panel.desk.post("/v1/holds", json=hold, headers=key())).json()
    blocked = await panel.step(disposal_id, "execute")
    assert blocked.json()["records"] == [{"record": second, "reason": "a legal hold is on it"}]
    assert (await panel.desk.get(f"/v1/records/{first}/content")).status_code == 200
    await panel.desk.post(f"/v1/holds/{placed['id']}/release", json={"reason": "selesai"})
    assert (await panel.step(disposal_id, "execute")).status_code == 200


async def test_a_loan_or_a_later_trigger_stops_the_destruction(panel, clock):
    lent, moved = await panel.record(SHORT, DUE), await panel.record(SHORT, DUE)
    disposal_id = await panel.decreed(lent, moved)
    due_at = (clock.now() + timedelta(days=1)).isoformat()
    loan = {"borrower": "x", "agency": "inspektorat", "reason": "r", "due_at": due_at}
    await panel.desk.put(f"/v1/records/{lent}/loan", json=loan)
    trigger = {"trigger": "setelah_pemeriksaan", "date": "2026-01-01", "reason": "salah tanggal"}
    await panel.desk.put(f"/v1/records/{moved}/trigger", json=trigger)
    blocked = await panel.step(disposal_id, "execute")
    assert {one["reason"] for one in blocked.json()["records"]} == {
        "it is out on loan",
        "what is next for it is: none",
    }


async def test_a_record_stands_in_one_open_disposal(panel):
    record_id = await panel.record(SHORT, DUE)
    first = (await panel.open(record_id)).json()["id"]
    assert slug(await panel.open(record_id)) == "disposal-blocked"
    path = f"/v1/disposals/{first}/withdrawal"
    assert (await panel.desk.put(path, json={"reason": "keliru"})).status_code == 200
    assert (await panel.open(record_id)).status_code == 201


async def test_only_what_is_due_for_it_is_listed(panel, stranger):
    for record_id in (await panel.record(SHORT, "2026-01-01"), await panel.record(ETERNAL, DUE)):
        assert slug(await panel.open(record_id)) == "disposal-blocked"
    mine = await panel.record(SHORT, DUE)
    wanted = {"kind": "destruction", "records": [mine], "people": PEOPLE}
    theirs = await stranger.post("/v1/disposals", json=wanted, headers=key())
    assert theirs.status_code == 404
    opened = (await panel.open(mine)).json()["id"]
    assert (await stranger.get(f"/v1/disposals/{opened}")).status_code == 404


async def test_the_panel_weighs_item_by_item(panel):
    gone, kept = await panel.record(WEIGHED, DUE), await panel.record(WEIGHED, DUE)
    disposal_id = (await panel.open(gone, kept)).json()["id"]
    assert slug(await panel.step(disposal_id, "appraise")) == "field-invalid"
    decisions = [{"record": gone, "fate": "musnah"}, {"record": kept, "fate": "permanen"}]
    done = await panel.step(disposal_id, "appraise", decisions=decisions)
    assert done.json()["records"] == [gone]
    assert (await panel.open(kept, kind="handover")).status_code == 201


async def test_the_database_itself_keeps_a_frozen_list(panel, database):
    disposal_id = (await panel.open(await panel.record(SHORT, DUE))).json()["id"]
    await panel.step(disposal_id, "appraise")
    for change in (
        "DELETE FROM disposal_item",
        "UPDATE disposal_item SET line = 'x'",
        "UPDATE disposal SET list_root = repeat('0', 64)",
    ):
        with pytest.raises(IntegrityError):
            async with database.transaction() as session:
                await session.execute(text(change))


async def test_transfer_and_handover_move_custody_and_keep_the_bytes(panel, database):
    moved = await panel.record(SHORT, "2023-06-01")
    eternal = await panel.record(ETERNAL, DUE)
    for record_id, kind, names in (
        (moved, "transfer", ["appraise", "execute"]),
        (eternal, "handover", ["appraise", "approve", "decree", "execute"]),
    ):
        opened = await panel.open(record_id, kind=kind)
        assert opened.status_code == 201, opened.text
        disposal_id = opened.json()["id"]
        for name in names:
            if name == "execute":
                await panel.present(disposal_id, "witness_legal")
                await panel.present(disposal_id, "witness_supervision")
            due = (await panel.desk.get(f"/v1/disposals/{disposal_id}")).json()["next"]
            evidence = dict.fromkeys(due["slots"], panel.evidence_id)
            more = {"authority": "archive_head"} if name == "approve" else {}
            part = due["part"]
            answer = await panel.step(disposal_id, name, part, evidence=evidence, **more)
            assert answer.status_code == 200, answer.text
        assert (await panel.desk.get(f"/v1/records/{record_id}/content")).status_code == 200
    async with database.transaction() as session:
        places = (await session.scalars(text("SELECT place FROM custody ORDER BY place"))).all()
    assert places == ["agency_centre", "archive_institution"]
