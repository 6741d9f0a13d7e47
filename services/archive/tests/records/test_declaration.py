import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc8785 import dumps
from sebalai_archive.records.statement import statement_of
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

texts = st.one_of(st.none(), st.integers(-(2**53) + 1, 2**53 - 1), st.text())


async def outbox(database):
    async with database.transaction() as session:
        rows = await session.execute(text("SELECT type, document FROM outbox ORDER BY seq"))
        return [(row.type, row.document) for row in rows]


async def test_a_writer_declares_a_record_and_gets_its_receipt_and_proof(desk, database):
    record = await desk.declared()
    assert record["state"] == "declared"
    proof = record["declaration"]
    assert record["receipt"] == f"https://bus.example/receipts/{proof['event_id']}"
    salt = base64.urlsafe_b64decode(proof["salt"] + "=")
    made = hashlib.sha256(salt + proof["statement"].encode()).hexdigest()
    assert made == proof["commitment"]
    statement = json.loads(proof["statement"])
    assert statement["content_sha256"] == record["content"]["sha256"]
    assert statement["title"] == record["title"]
    [(kind, event)] = await outbox(database)
    assert (kind, event["id"]) == ("archive.record.declared.v1", proof["event_id"])
    assert event["data"]["commitment"] == proof["commitment"]


async def test_the_fact_tells_no_title_no_digest_and_no_salt(desk, database):
    record = await desk.declared()
    [(_, event)] = await outbox(database)
    assert set(event["data"]) == {"record_id", "agency", "application", "commitment"}
    told = json.dumps(event)
    for secret in (record["title"], record["content"]["sha256"], record["declaration"]["salt"]):
        assert secret not in told


async def test_two_records_of_the_same_content_commit_to_different_digests(desk):
    one, other = await desk.declared(), await desk.declared()
    assert one["content"]["sha256"] == other["content"]["sha256"]
    assert one["declaration"]["commitment"] != other["declaration"]["commitment"]


async def test_the_due_dates_are_computed_from_the_trigger(desk):
    record = await desk.declared(trigger_date="2024-02-29")
    kept = record["retention"]
    assert kept["clock"] == "running"
    assert (kept["rule"], kept["active_years"], kept["inactive_years"]) == ("000.1.5", 1, 1)
    assert (kept["active_until"], kept["inactive_until"]) == ("2025-02-28", "2026-02-28")
    assert kept["stage"] == "due"


async def test_without_a_trigger_the_clock_is_not_running(desk):
    kept = (await desk.declared())["retention"]
    assert (kept["clock"], kept["stage"]) == ("not running", "active")
    assert kept["active_until"] is kept["inactive_until"] is None


async def test_a_code_without_a_rule_declares_with_the_clock_not_running(desk):
    record_id = await desk.draft(classification="100.3.3.2")
    await desk.put(record_id)
    kept = (await desk.declare(record_id, trigger_date="2024-01-01")).json()["retention"]
    assert (kept["clock"], kept["rule"], kept["trigger_date"]) == (
        "not running",
        None,
        "2024-01-01",
    )


async def test_a_trigger_in_the_future_is_refused(desk):
    record_id = await desk.draft()
    await desk.put(record_id)
    answer = await desk.declare(record_id, trigger_date="2026-11-25")
    assert answer.status_code == 422
    assert (await desk.declare(record_id, trigger_date="2026-11-24")).status_code == 200


async def test_a_draft_without_content_is_not_declared(desk):
    answer = await desk.declare(await desk.draft())
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:sebalai:problem:content-missing"


async def test_declaring_again_answers_the_same_and_tells_no_second_fact(desk, database):
    record = await desk.declared()
    again = await desk.client.post(f"/v1/records/{record['id']}/declaration")
    assert again.json() == record
    assert len(await outbox(database)) == 1


async def test_declaring_again_with_another_trigger_is_a_conflict(desk):
    record = await desk.declared()
    answer = await desk.declare(record["id"], trigger_date="2024-01-01")
    assert answer.status_code == 409


async def test_content_is_frozen_by_the_declaration(desk):
    record = await desk.declared()
    answer = await desk.put(record["id"], b"another")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:sebalai:problem:record-declared"
    bare = await desk.client.put(f"/v1/records/{record['id']}/content", content=b"x")
    assert bare.status_code == 409


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET title = 'x'",
        "UPDATE record SET state = 'draft'",
        "UPDATE record SET content_sha256 = repeat('0', 64)",
        "DELETE FROM record_retention; DELETE FROM record",
        "TRUNCATE record CASCADE",
    ],
)
async def test_the_database_itself_refuses_to_change_a_declared_record(desk, database, statement):
    await desk.declared()

    async def run():
        async with database.transaction() as session:
            for one in statement.split(";"):
                await session.execute(text(one))

    with pytest.raises(DBAPIError, match=r"declared|truncated"):
        await run()


async def test_a_declaration_body_over_the_limit_is_refused(desk):
    record_id = await desk.draft()
    body = b'{"trigger": "' + b"x" * (2 * 1024 * 1024) + b'"}'
    answer = await desk.client.post(
        f"/v1/records/{record_id}/declaration",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 413


@given(st.dictionaries(st.sampled_from(["id", "title", "a", "b_1", "content_bytes"]), texts))
def test_the_statement_is_canonical_json(facts):
    assert statement_of(facts).encode() == dumps({"format": "sebalai-record/2", **facts})
