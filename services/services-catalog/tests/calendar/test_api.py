import pytest
from sebalai_services_catalog.loading import load_reference
from sebalai_shared.testing.http import system
from sqlalchemy import text

DAY = {"kind": "libur_instansi", "name": "Pelabuhan tutup", "basis": "SK Kepala Dinas 1/2026"}
AGENCY = "ID-BB/GOV/dinkes/puskesmas"


async def due(client, start="2026-11-20", days=1, **more):
    params = {"start": start, "working_days": days, **more}
    return (await client.get("/v1/calendar/due", params=params)).json()


@pytest.fixture
def operator(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/sebalai", "platform.operate"))


@pytest.fixture
def office(client_of):
    return client_of(system(AGENCY, "catalog.decide"))


async def test_anyone_is_told_the_due_date_and_what_was_skipped(loaded, anonymous):
    told = await due(anonymous, "2026-12-23", 3)
    assert (told["due"], told["provisional"]) == ("2026-12-30", False)
    assert told["skipped"] == ["2026-12-24", "2026-12-25", "2026-12-26", "2026-12-27"]
    assert (await due(anonymous, "2030-01-01", 3))["provisional"] is True


async def test_the_seeded_year_is_public_and_marked(loaded, anonymous):
    year = (await anonymous.get("/v1/calendar?year=2026")).json()
    kinds = [day["kind"] for day in year["days"]]
    assert (kinds.count("libur_nasional"), kinds.count("cuti_bersama")) == (17, 8)
    assert {day["provenance"]["status"] for day in year["days"]} == {"partly"}
    next_year = (await anonymous.get("/v1/calendar?year=2027")).json()
    marks = {day["day"]: day["provenance"]["status"] for day in next_year["days"]}
    assert marks["2027-03-10"] == "inferred"


async def test_an_agency_changes_its_own_exceptions_and_nobody_elses(loaded, office, anonymous):
    url = "/v1/calendar/days/2026-11-23?agency=dinkes"
    revision = (await anonymous.get("/v1/calendar?year=2026")).json()["revision"]
    assert (await office.put(url, json=DAY)).json()["revision"] == revision + 1
    assert (await due(anonymous, agency="dinkes"))["due"] == "2026-11-24"
    assert (await due(anonymous))["due"] == "2026-11-23"
    for wrong in ("/v1/calendar/days/2026-11-23", "/v1/calendar/days/2026-11-23?agency=bakuda"):
        assert (await office.put(wrong, json=DAY)).status_code == 403
    assert (await office.delete(url)).status_code == 200
    assert (await office.delete(url)).status_code == 404
    assert (await due(anonymous, agency="dinkes"))["due"] == "2026-11-23"


async def test_a_six_day_office_counts_saturdays(loaded, office, anonymous):
    body = {"weekdays": [1, 2, 3, 4, 5, 6], "basis": "Pergub jam kerja"}
    assert (await office.put("/v1/calendar/week?agency=dinkes", json=body)).status_code == 200
    assert (await due(anonymous, agency="dinkes"))["due"] == "2026-11-21"


async def test_loading_again_keeps_what_an_officer_changed(
    loaded, clock, operator, anonymous, reference_folder
):
    url = "/v1/calendar/days/2026-12-24"
    assert (await operator.delete(url)).status_code == 200
    revision = (await anonymous.get("/v1/calendar?year=2026")).json()["revision"]
    await load_reference(loaded, clock, reference_folder)
    assert (await due(anonymous, "2026-12-23", 1))["due"] == "2026-12-24"
    assert (await anonymous.get("/v1/calendar?year=2026")).json()["revision"] == revision


async def test_each_change_is_told_once(loaded, operator):
    await operator.put("/v1/calendar/days/2026-12-01", json=DAY | {"kind": "libur_nasional"})
    async with loaded.transaction() as session:
        query = text(
            "SELECT document->'data' FROM outbox WHERE type = 'catalog.calendar.changed.v1'"
        )
        facts = list(await session.scalars(query))
    assert [fact["day"] for fact in facts] == [None, "2026-12-01"]


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("PUT", "/v1/calendar/days/2026-02-30", DAY),
        ("PUT", "/v1/calendar/days/1999-02-03", DAY),
        ("PUT", "/v1/calendar/days/2026-12-01", DAY | {"kind": "x"}),
        ("PUT", "/v1/calendar/days/2026-12-01", DAY | {"name": ""}),
        ("PUT", "/v1/calendar/days/2026-12-01?agency=A", DAY),
        ("PUT", "/v1/calendar/week", {"weekdays": [], "basis": "x"}),
        ("PUT", "/v1/calendar/week", {"weekdays": [8], "basis": "x"}),
        ("GET", "/v1/calendar?year=1", None),
        ("GET", "/v1/calendar/due?start=2026-01-01&working_days=1001", None),
        ("GET", "/v1/calendar/due?start=0001-01-01&working_days=1", None),
    ],
)
async def test_malformed_input_is_refused_and_changes_nothing(operator, method, url, body):
    assert (await operator.request(method, url, json=body)).status_code == 422


async def test_a_stranger_is_asked_who_is_calling(anonymous):
    assert (await anonymous.put("/v1/calendar/days/2026-12-01", json=DAY)).status_code == 401
