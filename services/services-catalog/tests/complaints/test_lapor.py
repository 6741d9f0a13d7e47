"""The adapter to LAPOR! against a stand-in: sent once, again after a change, never a secret one."""

from itertools import count

import pytest
from sebalai_services_catalog.complaints.jobs import lapor_client, tell_lapor
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.testing.http import system

KEYS = count()


@pytest.fixture
async def lapor(stand_in, listening):
    app = stand_in("lapor").lapor_app("rahasia-uji")
    async with listening(app) as url:
        yield app.state, url


async def client_for(url, token):
    return lapor_client(
        CatalogSettings(lapor_url=url, lapor_token=token, private_systems="127.0.0.1")
    )


async def file(client, **more):
    body = {"kind": "pengaduan", "title": "Loket tutup", "body": "Loket tutup lebih awal."}
    headers = {"Idempotency-Key": f"l{next(KEYS)}"}
    return (await client.post("/v1/complaints", json=body | more, headers=headers)).json()


async def test_complaints_reach_lapor_once_and_again_after_a_change(client_of, loaded, lapor):
    state, url = lapor
    reporter = client_of(system("ID-BB/GOV/diskominfo/portal"))
    desk = client_of(system("ID-BB/GOV/diskominfo/pengaduan", "catalog.write"))
    body = await file(reporter, reporter_name="Ibu Sinta")
    await file(reporter, secret=True)
    async with await client_for(url, "rahasia-uji") as client:
        assert await tell_lapor(loaded, client) == 1
        assert await tell_lapor(loaded, client) == 0
        assert state.reports[body["ticket"]]["state"] == "belum_ditindaklanjuti"
        assert "Sinta" not in str(state.reports)
        act = {"act": "verify", "revision": 1}
        await desk.post(f"/v1/complaints/{body['id']}/acts", json=act)
        state.down = True
        assert await tell_lapor(loaded, client) == 0
        state.down = False
        assert await tell_lapor(loaded, client) == 1
    assert state.reports[body["ticket"]]["revision"] == 2
    assert len(state.reports) == 1


async def test_a_wrong_token_or_a_dead_lapor_loses_nothing(client_of, loaded, lapor):
    _, url = lapor
    await file(client_of(system("ID-BB/GOV/diskominfo/portal")))
    for address, token in ((url, "salah"), ("http://127.0.0.1:9", "rahasia-uji")):
        async with await client_for(address, token) as client:
            assert await tell_lapor(loaded, client) == 0
    async with await client_for(url, "rahasia-uji") as client:
        assert await tell_lapor(loaded, client) == 1


async def test_a_report_that_lapor_refuses_keeps_no_other_waiting(client_of, loaded, lapor):
    state, url = lapor
    reporter = client_of(system("ID-BB/GOV/diskominfo/portal"))
    refused, taken = await file(reporter), await file(reporter)
    state.refused.add(refused["ticket"])
    async with await client_for(url, "rahasia-uji") as client:
        assert await tell_lapor(loaded, client) == 1
    assert list(state.reports) == [taken["ticket"]]
