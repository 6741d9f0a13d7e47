"""Receipts and proofs over HTTP, checked by the independent verifier."""

import base64
import json
from datetime import timedelta

import asyncpg
import pytest
from sebalai_exchange.app import exchange_app
from sebalai_exchange.ledger import merkle, store
from sebalai_exchange.ledger.entry import entry_of_call, entry_of_event
from sebalai_exchange.ledger.note import Signer
from sebalai_exchange.ledger.sequencer import LogKey, pass_once
from sebalai_shared.caller import Caller
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.http import system
from sebalai_verifier.inclusion import root_from_proof
from sebalai_verifier.keys import parse_key
from sebalai_verifier.receipt import verify_receipt
from sqlalchemy import text

SIGNER = Signer("bus.example/ledger", b"k" * 32)
KEYS = [parse_key(SIGNER.verifier_text())]
CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
LOG = "exchanges/2026"


def record(**more):
    return {
        "v": 1,
        "message_id": str(uuid7()),
        "completed_at": "2026-11-24T08:00:00.000Z",
        "consumer": CONSUMER,
        "provider": PROVIDER,
        "status": 200,
        "salt": base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("="),
    } | more


@pytest.fixture
async def database(committed):
    """Kept, because the sequencer writes over a connection of its own."""
    wipe = text("TRUNCATE ledger_entry, ledger_tile, ledger_checkpoint, ledger_log")
    again = text("INSERT INTO ledger_log (name) VALUES ('records')")
    async with committed.transaction() as session:
        await session.execute(wipe)
        await session.execute(again)
    yield committed
    async with committed.transaction() as session:
        await session.execute(wipe)
        await session.execute(again)


@pytest.fixture
async def take(database, settings):
    async def take(*made, sequenced=True):
        async with database.transaction() as session:
            await store.add_entries(session, made)
        if sequenced:
            connection = await asyncpg.connect(settings.database_dsn())
            await pass_once(connection, LogKey(SIGNER, SystemClock()))
            await connection.close()
        return made[0].id

    return take


@pytest.fixture
def clock():
    return FixedClock(SystemClock().now())


async def test_both_parties_and_the_operator_get_a_receipt_that_verifies(
    call, take, consumer, provider, operator
):
    records = [record() for _ in range(5)]
    await take(*[entry_of_call(one) for one in records])
    for caller in (consumer, provider, operator):
        for one in records:
            answer = await call("GET", f"/receipts/{one['message_id']}", caller)
            assert answer.status_code == 200
            verified = verify_receipt(answer.content, KEYS)
            assert verified.payload == {name: one[name] for name in one if name != "salt"}
            assert (verified.size, verified.kind) == (5, "call")


async def test_event_receipt_verifies_for_its_agency(call, take, consumer, stranger):
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "type": "archive.record.declared.v1",
        "time": "2026-11-24T08:00:00Z",
        "data": {"agency": "dinsos-pmd", "bytes": 1.5},
    }
    await take(entry_of_event(event))
    answer = await call("GET", f"/receipts/{event['id']}", consumer)
    assert verify_receipt(answer.content, KEYS).payload == event
    assert answer.json()["format"] == "sebalai-event-receipt/1"
    assert (await call("GET", f"/receipts/{event['id']}", stranger)).status_code == 404


async def test_waiting_entry_is_pending_with_a_time_to_come_back(call, take, consumer):
    made = await take(entry_of_call(record()), sequenced=False)
    answer = await call("GET", f"/receipts/{made}", consumer)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:sebalai:problem:receipt-pending"
    assert answer.headers["Retry-After"] == "1"


async def test_stranger_cannot_tell_a_call_from_none(call, take, stranger, clock):
    made, none = await take(entry_of_call(record())), uuid7()
    for slug in ("receipt-pending", "receipt-unknown"):
        for message_id in (made, none):
            answer = await call("GET", f"/receipts/{message_id}", stranger)
            assert answer.status_code == 404
            assert answer.json()["type"] == f"urn:sebalai:problem:{slug}"
        clock.move(timedelta(minutes=6))


async def test_caller_without_a_name_is_no_party_of_a_nameless_call(call, take, gateway):
    made = await take(entry_of_call(record(consumer=None, provider=None)))
    assert (await call("GET", f"/receipts/{made}", gateway)).status_code == 404
    assert (await call("GET", f"/receipts/{made}")).status_code == 401
    assert (await call("GET", "/receipts/x", gateway)).status_code == 422


async def test_logs_checkpoint_and_key_are_public(call, take):
    assert (await call("GET", f"/v1/ledger/{LOG}/checkpoint")).status_code == 404
    assert (await call("GET", "/v1/ledger/records/key")).status_code == 404
    await take(entry_of_call(record()))
    key = (await call("GET", f"/v1/ledger/{LOG}/key")).text.strip()
    assert parse_key(key).name == f"bus.example/ledger/{LOG}"
    assert (await call("GET", "/v1/ledger")).json()["items"] == [
        {"name": LOG, "size": 1, "key": key},
        {"name": "records", "size": 0, "key": None},
    ]
    checkpoint = await call("GET", f"/v1/ledger/{LOG}/checkpoint")
    assert checkpoint.headers["Content-Type"].startswith("text/plain")
    assert checkpoint.text.startswith(f"bus.example/ledger/{LOG}\n1\n")
    assert (await call("GET", "/v1/ledger/other/checkpoint")).status_code == 422


async def test_proofs_hold_for_any_size_the_log_has_had(call, take):
    made = sorted((entry_of_call(record()) for _ in range(300)), key=lambda entry: entry.id)
    await take(*made[:7])
    first = (await call("GET", f"/v1/ledger/{LOG}/checkpoint")).text
    await take(*made[7:])
    root = base64.b64decode(first.split("\n")[2])
    proof = await call("GET", f"/v1/ledger/{LOG}/proof/inclusion", params={"index": 2, "size": 7})
    hashes = [bytes.fromhex(digest) for digest in proof.json()["proof"]]
    assert root_from_proof(made[2].leaf.encode(), 2, 7, hashes) == root
    consistency = await call("GET", f"/v1/ledger/{LOG}/proof/consistency", params={"old": 7})
    assert consistency.json()["size"] == 300
    assert len(consistency.json()["proof"]) > 3
    now = await call("GET", f"/v1/ledger/{LOG}/proof/inclusion", params={"index": 299})
    assert now.json()["size"] == 300


@pytest.mark.parametrize(
    "query",
    [
        "inclusion?index=1",
        "inclusion?index=0&size=2",
        "inclusion?index=-1",
        "inclusion",
        "consistency?old=0",
        "consistency?old=2",
        "consistency?old=1&new=2",
        "consistency?old=9007199254740993",
    ],
)
async def test_impossible_proof_is_422(call, take, query):
    await take(entry_of_call(record()))
    assert (await call("GET", f"/v1/ledger/{LOG}/proof/{query}")).status_code == 422


async def test_a_stranger_rebuilds_the_log_from_tiles_and_bundles(call, take):
    made = sorted((entry_of_call(record()) for _ in range(300)), key=lambda entry: entry.id)
    await take(*made)
    prefix = f"/v1/ledger/{LOG}/tile"
    leaves = []
    for path in ("entries/000", "entries/001.p/44"):
        content = (await call("GET", f"{prefix}/{path}")).content
        while content:
            length = 2 + int.from_bytes(content[:2])
            leaves.append(content[2:length])
            content = content[length:]
    assert leaves == [entry.leaf.encode() for entry in made]
    tiles = {}
    for at, path in {(0, 0): "0/000", (0, 1): "0/001.p/44", (1, 0): "1/000.p/1"}.items():
        answer = await call("GET", f"{prefix}/{path}")
        assert "immutable" in answer.headers["Cache-Control"]
        tiles[at] = answer.content
    assert tiles[0, 0] == b"".join(merkle.leaf_hash(leaf) for leaf in leaves[:256])
    root = (await call("GET", f"/v1/ledger/{LOG}/checkpoint")).text.split("\n")[2]
    assert merkle.root(tiles, 300) == base64.b64decode(root)
    assert (await call("GET", f"{prefix}/0/000.p/7")).content == tiles[0, 0][: 7 * 32]
    for path in ("0/001", "0/001.p/45", "1/000", "2/000.p/1", "entries/001", "entries/x999/000"):
        assert (await call("GET", f"{prefix}/{path}")).status_code == 404, path
    assert (await call("GET", f"{prefix}/0/1")).status_code == 422


async def test_receipt_is_on_the_wire_exactly_as_committed(call, take, consumer):
    made = await take(entry_of_call(record(number=1e21, text="é\u2028\u0000", small=1e-7)))
    answer = await call("GET", f"/receipts/{made}", consumer)
    assert verify_receipt(answer.content, KEYS)
    assert json.loads(answer.content)["payload"]["text"] == "é\u2028\u0000"


def test_application_can_be_described_without_keys(settings):
    bare = settings.model_copy(update={"routes_key_file": None, "caller_keys_file": None})
    assert "/receipts/{message_id}" in exchange_app(bare).openapi()["paths"]
    assert Caller().is_anonymous
    assert system(CONSUMER).application == CONSUMER
