"""What the platform measured beside each indicator; it never gives a level."""

from datetime import timedelta

import pytest
from sebalai_services_catalog.apis.actions import keep_register
from sebalai_services_catalog.batches import in_batches
from sebalai_services_catalog.complaints.actions import keep_deadlines
from sebalai_services_catalog.indices.measured import measures
from sebalai_services_catalog.reference.actions import indicators
from sebalai_shared.testing.http import system

URL = "/v1/indices/{}/evidence"


async def evidence(client, key="pemdi/2026"):
    answer = await client.get(URL.format(key))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told, {one["number"]: one for one in told["indicators"]}


def values(indicator):
    return {figure["code"]: figure["value"] for figure in indicator["figures"]}


def listed(name, calls):
    return {
        "kind": "interface", "name": f"ID-BB/GOV/x/y/{name}", "agency": "x", "provider": None,
        "title": name, "description": "", "lifecycle": "active", "deprecated_at": None,
        "ends_at": None, "successor": None, "data_categories": [], "contract": "/c",
        "calls": calls, "consumers": 1, "agencies": 1, "last_used_on": None,
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["spbe", "pemdi"])
async def test_every_measure_bears_on_an_indicator_that_exists(loaded, scheme):
    async with loaded.transaction() as session:
        known = {row.number for row in await indicators(session, scheme=scheme)}
    linked = {number for measure in measures().values() for number in measure.of(scheme)}
    assert linked
    assert linked <= known


async def test_figures_stand_with_their_source_and_say_that_the_link_is_not_official(
    loaded, anonymous
):
    told, indicators = await evidence(anonymous)
    assert (told["since"], told["until"]) == ("2026-01-01", "2026-11-24")
    assert told["link"]["status"] == "unverified"
    assert len(indicators) == 20
    assert all(one["level"] is None and one["raised"] is None for one in indicators.values())
    assert {one["provenance"]["status"] for one in indicators.values()} <= {
        "verified", "partly", "unverified",
    }  # fmt: skip
    assert indicators[3]["figures"] == []
    assert values(indicators[20]) == {"respondents": "0", "satisfied": None}
    for one in indicators.values():
        for figure in one["figures"]:
            path = figure["source"].removeprefix("/api/catalog")
            assert (await anonymous.get(path)).status_code == 200


async def test_what_is_measured_changes_with_what_happens(loaded, anonymous):
    before = values((await evidence(anonymous))[1][16])
    async with loaded.transaction() as session:
        await keep_register(session, rows=[listed("a", 40), listed("b", 2), listed("c", 0)])
    after = values((await evidence(anonymous))[1][16])
    assert before == {"calls": "0", "interfaces": "0", "interfaces_used": "0"}
    assert after == {"calls": "42", "interfaces": "3", "interfaces_used": "2"}


async def complained(reporter, number):
    body = {"kind": "pengaduan", "title": "Antre lama", "body": "Menunggu tiga jam di loket."}
    headers = {"idempotency-key": f"c-{number}"}
    made = await reporter.post("/v1/complaints", json=body, headers=headers)
    assert made.status_code == 201, made.text
    return made.json()


async def act(client, complaint, name, **more):
    url = f"/v1/complaints/{complaint['id']}/acts"
    body = {"act": name, "revision": complaint["revision"], **more}
    taken = await client.post(url, json=body)
    assert taken.status_code == 200, taken.text
    return taken.json()


async def answered(client_of, complaint):
    desk = client_of(system("ID-BB/GOV/diskominfo/pengaduan", "catalog.write"))
    office = client_of(system("ID-BB/GOV/dpmptsp/loket", "catalog.write"))
    complaint = await act(desk, complaint, "verify")
    complaint = await act(desk, complaint, "forward", agency="dpmptsp")
    complaint = await act(office, complaint, "take_up")
    await act(office, complaint, "answer", text="Loket ditambah.")


async def test_a_complaint_counts_as_answered_only_within_its_limits(
    loaded, anonymous, client_of, clock
):
    reporter = client_of(system("ID-BB/GOV/diskominfo/portal"))
    prompt, late = [await complained(reporter, number) for number in range(2)]
    await complained(reporter, 3)
    await answered(client_of, prompt)
    clock.move(timedelta(days=10))
    await in_batches(loaded, clock, keep_deadlines)
    late = (await reporter.get(f"/v1/complaints/{late['id']}")).json()
    await answered(client_of, late)
    assert values((await evidence(anonymous))[1][19]) == {
        "complaints": "3", "complaints_answered": "33.3",
    }  # fmt: skip


async def test_a_year_to_come_has_nothing_measured_yet(loaded, anonymous, clock):
    clock.move(timedelta(days=-400))
    told, indicators = await evidence(anonymous, "spbe/2026")
    assert (told["since"], told["until"]) == ("2026-01-01", "2026-01-01")
    assert len(indicators) == 47


async def test_raising_an_indicator_is_told_once_all_have_a_level(loaded, anonymous, client_of):
    team = client_of(system("ID-BB/GOV/diskominfo/tim-spbe", "catalog.decide"))
    proof = [{"title": "Data kinerja", "url": "https://bus.example/kinerja"}]
    for number in range(1, 21):
        body = {"level": 5 if number == 20 else 2, "evidence": proof}
        await team.put(f"/v1/indices/pemdi/2026/{number}", json=body)
    _, indicators = await evidence(anonymous)
    assert (indicators[19]["level"], indicators[19]["raised"]) == (2, "2.55")
    assert (indicators[20]["level"], indicators[20]["raised"]) == (5, None)
