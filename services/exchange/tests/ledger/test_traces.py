"""A call's trace: for its parties, the operator and, without the consumer's name, the portal."""

import base64

import pytest
from sebalai_exchange.ledger.actions import take_entries
from sebalai_exchange.ledger.entry import entry_of_call, entry_of_event
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
SALT = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")


def record(**more):
    return {
        "v": 1,
        "message_id": str(uuid7()),
        "requested_at": "2026-11-24T08:00:00.000Z",
        "forwarded_at": "2026-11-24T08:00:00.002Z",
        "responded_at": "2026-11-24T08:00:00.010Z",
        "completed_at": "2026-11-24T08:00:00.012Z",
        "consumer": CONSUMER,
        "correlation_id": "pesanan-1",
        "provider": PROVIDER,
        "interface": f"{PROVIDER}/penduduk",
        "method": "GET",
        "outcome": "answered",
        "status": 200,
        "rule": "r1",
        "purpose": "verifikasi-bansos",
        "legal_basis": "Permensos 3/2021 pasal 12",
        "request": {"sha256": "00", "bytes": 0},
        "response": {"sha256": "11", "bytes": 120},
        "salt": SALT,
    } | more


@pytest.fixture
def take(database):
    async def take(*entries):
        async with database.transaction() as session:
            await take_entries(session, entries=entries)

    return take


async def test_parties_and_operator_see_times_and_ground(call, take, consumer, provider, operator):
    made = record()
    await take(entry_of_call(dict(made)))
    for caller in (consumer, provider, operator):
        trace = (await call("GET", f"/v1/calls/{made['message_id']}", caller)).json()
        assert trace["consumer"] == CONSUMER
        for name in ("requested_at", "completed_at", "rule", "purpose", "legal_basis"):
            assert trace[name] == made[name]


async def test_portal_sees_the_ground_but_not_the_application_nor_what_was_carried(call, take):
    made = record()
    await take(entry_of_call(dict(made)))
    portal = system(
        "ID-BB/GOV/diskominfo/portal", message_id=str(uuid7()), purpose="penyajian-portal"
    )
    answer = await call("GET", f"/v1/calls/{made['message_id']}", portal)
    trace = answer.json()
    assert (trace["consumer_agency"], trace["consumer"]) == ("dinsos-pmd", None)
    assert trace["rule"] == "r1"
    assert "sha256" not in answer.text
    assert "pesanan-1" not in answer.text


async def test_stranger_and_unknown_number_get_the_same_404(call, take, stranger):
    made = record()
    await take(entry_of_call(dict(made)))
    known = await call("GET", f"/v1/calls/{made['message_id']}", stranger)
    unknown = await call("GET", f"/v1/calls/{uuid7()}", stranger)
    assert (known.status_code, unknown.status_code) == (404, 404)
    assert known.json()["detail"] == unknown.json()["detail"]
    assert (await call("GET", f"/v1/calls/{uuid7()}")).status_code == 401


async def test_an_event_is_not_a_call(call, take, operator):
    event = {"id": str(uuid7()), "time": "2026-11-24T08:00:00.000Z", "data": {}}
    await take(entry_of_event(event))
    assert (await call("GET", f"/v1/calls/{event['id']}", operator)).status_code == 404
