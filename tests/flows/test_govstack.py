"""Programs written to GovStack's texts alone: one calls and has its receipt, one publishes into its
room, one subscribes, pulls and acknowledges; and those who may not are refused.
"""

import json
import time

import httpx
import pytest
from sebalai_shared.ids import uuid7

from tests.flows.govstack import Program, listener

pytestmark = pytest.mark.flow

OWNER, READER, STRANGER = "dp3acskb/kependudukan", "dinsos-pmd/bansos", "dinkes/puskesmas"
ROOM, PURPOSE = f"/r1/ID-BB/GOV/{OWNER}", "verifikasi-bansos"
CALL = f"/ID-BB/GOV/{OWNER}/penduduk/residents?limit=1"
WAIT_SECONDS = 30
NEW_BIRTH = {
    "eventType": "newBirth",
    "schema": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"number": {"type": "integer"}},
        "required": ["number"],
    },
}


def native(platform, caller, path, /, **document):
    """What registers a room and agrees: no part of GovStack's definition."""
    headers = {"authorization": f"Bearer {platform.token(caller)}", "idempotency-key": str(uuid7())}
    answer = httpx.post(
        f"{platform.gateway}/api/exchange/v1/{path}", headers=headers, timeout=20, json=document
    )
    assert answer.status_code < 300, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def room(platform):
    """The address of the listener, with a room that READER may hear of."""
    native(
        platform, OWNER, "interfaces", name=f"ID-BB/GOV/{OWNER}/room", title="Ruang peristiwa",
        addresses=["http://127.0.0.1:9"],
        contract={"openapi": "3.1.0", "info": {"title": "Ruang", "version": "1"}, "paths": {}},
    )  # fmt: skip
    asked = native(
        platform, READER, "agreements", consumer=f"ID-BB/GOV/{READER}",
        interface=f"ID-BB/GOV/{OWNER}/room",
        rules=[{"method": "SUBSCRIBE", "path": "/dp3acskb.kependudukan.*"}],
        purposes=[{"code": PURPOSE, "legal_basis": "Permensos 3/2021 pasal 12"}],
        valid_until="2027-06-30T17:00:00Z",
    )  # fmt: skip
    native(platform, OWNER, f"agreements/{asked['id']}/grant")
    with listener(platform) as address:
        yield address


def test_a_program_calls_and_its_call_has_a_receipt_that_verifies(platform, room):
    answer = Program(platform, room, READER, PURPOSE)("GET", CALL)
    assert answer.status_code == 200, answer.text
    receipt = platform.receipt(answer.headers["sebalai-message-id"], name=READER)
    assert platform.verify(receipt).returncode == 0
    payload = json.loads(receipt)["payload"]
    assert (payload["outcome"], payload["purpose"], payload["interface"]) == (
        "answered", PURPOSE, f"ID-BB/GOV/{OWNER}/penduduk"
    )  # fmt: skip


def test_a_call_that_is_not_agreed_is_refused_with_its_rule_and_its_receipt(platform, room):
    before = platform.provider_count()
    answer = Program(platform, room, STRANGER, PURPOSE)("GET", f"/r1{CALL}")
    problem = answer.json()
    assert (answer.status_code, problem["type"][20:]) == (403, "agreement-missing")
    receipt = platform.receipt(problem["message_id"], name=STRANGER)
    assert json.loads(receipt)["payload"]["outcome"] == "refused"
    assert platform.provider_count() == before


def test_a_program_that_names_itself_another_is_refused(platform, room):
    program = Program(platform, room, READER, PURPOSE)
    for header in ("Information-Mediator-Client", "X-GovStack-Client"):
        answer = program("GET", CALL, headers={header: f"ID-BB/GOV/{STRANGER}"})
        assert (answer.status_code, answer.json()["type"][20:]) == (403, "client-mismatch")


def test_programs_publish_subscribe_pull_and_acknowledge(platform, room):
    owner, reader, stranger = (
        Program(platform, room, name, PURPOSE, "X-GovStack-Client")
        for name in (OWNER, READER, STRANGER)
    )
    assert owner("POST", f"{ROOM}/api/v1/eventType", json=NEW_BIRTH).status_code == 200
    assert reader("GET", f"{ROOM}/api/v1/eventType").json() == ["newBirth"]
    wanted = {"eventType": "newBirth", "delivery": "PULL", "options": {"TTL": 3600, "FIFO": True}}
    assert reader("POST", f"{ROOM}/api/v1/subs/newBirth", json=wanted).status_code == 200
    assert stranger("POST", f"{ROOM}/api/v1/subs/newBirth", json=wanted).status_code == 403
    ids = []
    for number in range(1, 6):
        body = {"eventType": "newBirth", "event": {"number": number}}
        assert stranger("POST", f"{ROOM}/pub/v1/newBirth", json=body).status_code == 403
        answer = owner("POST", f"{ROOM}/pub/v1/newBirth", json=body)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    pulled = []
    while len(pulled) < len(ids):
        item = _pull(reader)
        assert reader("GET", f"{ROOM}/pull/v1/newBirth").status_code == 404  # in order, one by one
        path = f"{ROOM}/pull/v1/newBirth/{item['id']}"
        assert reader("DELETE", path).status_code == 204
        pulled.append(item)
    assert [item["id"] for item in pulled] == ids
    assert [item["event"]["number"] for item in pulled] == [1, 2, 3, 4, 5]
    assert sorted(item["sequence"] for item in pulled) == [item["sequence"] for item in pulled]
    status = owner("GET", f"{ROOM}/pub/v1/newBirth/{ids[0]}").json()
    assert (status["received"], status["expected"]) == (1, 1)
    assert reader("DELETE", f"{ROOM}/api/v1/subs/newBirth").status_code == 204
    assert owner("DELETE", f"{ROOM}/api/v1/eventType/newBirth").status_code == 204
    print(f"{len(pulled)} of {len(ids)} events pulled in order and acknowledged")


def _pull(reader):
    until = time.monotonic() + WAIT_SECONDS
    while (answer := reader("GET", f"{ROOM}/pull/v1/newBirth")).status_code == 404:
        assert time.monotonic() < until, answer.text
        time.sleep(0.1)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_nothing_but_the_bus_is_reached_through_the_listener(platform, room):
    for path in ("/", "/api/exchange/v1/interfaces", "/oauth/token", "/internal/keys", "/metrics"):
        answer = Program(platform, room, READER, PURPOSE)("GET", path)
        assert answer.status_code == 400, (path, answer.text)
        assert answer.json()["type"].startswith("urn:sebalai:problem:path-")
