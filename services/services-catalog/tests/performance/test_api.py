"""One story in process: requests finished in time and late, a complaint, a survey; the numbers."""

from collections import Counter
from datetime import timedelta
from itertools import count

import pytest
from sebalai_services_catalog.requests.jobs import keep_deadlines
from sebalai_shared.testing.http import system
from sqlalchemy import text

KEYS = count()
ANSWERS = {code: {"value": "x"} for code in ("proposal", "ktp", "pengantar")}
ELEMENTS = (
    "requirements", "procedure", "completion_time", "fee", "product", "staff_competence",
    "staff_conduct", "complaint_handling", "facilities",
)  # fmt: skip


def key():
    return {"Idempotency-Key": f"f{next(KEYS)}"}


@pytest.fixture
def applicant(client_of):
    return client_of(system("ID-BB/COM/pt-timah-jaya/kantor"))


@pytest.fixture
def office(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.write", "catalog.decide"))


async def file(applicant):
    body = {"service": "izin-penelitian", "submit": True, "answers": ANSWERS}
    return (await applicant.post("/v1/requests", json=body, headers=key())).json()


async def act(client, body, name, **more):
    answer = await client.post(
        f"/v1/requests/{body['id']}/acts",
        json={"act": name, "revision": body["revision"], **more},
        headers=key(),
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refuse(office, body):
    body = await act(office, body, "verify")
    return await act(office, body, "refuse", reason="x", legal_basis="permendagri-3-2018")


async def told_by_events(database):
    """The same figures by who has read nothing but what the catalogue told, in its order."""
    query = text("SELECT document FROM outbox WHERE type LIKE 'catalog.request.%' ORDER BY seq")
    async with database.transaction() as session:
        documents = list(await session.scalars(query))
    counted = Counter(submitted=0, finished=0, issued=0, on_time=0, late=0, open=0)
    for data in (document["data"] for document in documents):
        after = data["state_after"]
        counted["submitted"] += after == "submitted"
        if after in ("issued", "refused"):
            counted["finished"] += 1
            counted["issued"] += after == "issued"
            counted["on_time" if data["on_time"] else "late"] += 1
    counted["open"] = counted["submitted"] - counted["finished"]
    return counted


async def test_the_public_figures_follow_from_what_happened(
    applicant, office, anonymous, loaded, clock, client_of
):
    in_time, late, _open = [await file(applicant) for _ in range(3)]
    in_time = await refuse(office, in_time)
    clock.move(timedelta(days=7))
    await keep_deadlines(loaded, clock)
    late = (await office.get(f"/v1/requests/{late['id']}")).json()
    await refuse(office, late)
    code = await applicant.post("/v1/surveys/invitations", json={"request": in_time["id"]})
    scores = {"code": code.json()["code"], "scores": dict.fromkeys(ELEMENTS, 3)}
    assert (await anonymous.post("/v1/surveys/answers", json=scores)).status_code == 200
    complaint = {
        "kind": "pengaduan", "title": "Terlambat", "body": "Sudah lewat waktu.",
        "request": late["id"],
    }  # fmt: skip
    await applicant.post("/v1/complaints", json=complaint, headers=key())
    figures = (await anonymous.get("/v1/performance")).json()["services"]
    assert figures == [
        {
            "service": "izin-penelitian", "agency": "dpmptsp", "submitted": 3, "finished": 2,
            "issued": 0, "on_time": 1, "late": 1, "on_time_percent": "50.0", "open": 1,
            "complaints": 1, "skm": "75.00", "skm_grade": "C", "respondents": 1,
        }
    ]  # fmt: skip
    one = (await anonymous.get("/v1/performance/services/izin-penelitian")).json()
    assert one["services"] == figures
    sheet = (await anonymous.get("/v1/performance/services.csv")).text.splitlines()
    assert sheet[1] == "izin-penelitian,dpmptsp,3,2,0,1,1,50.0,1,1,75.00,C,1"
    assert await told_by_events(loaded) == {
        name: figures[0][name]
        for name in ("submitted", "finished", "issued", "on_time", "late", "open")
    }
    before = (await anonymous.get("/v1/performance?since=2026-01-01&until=2026-02-01")).json()
    assert [one["finished"] for one in before["services"]] == [0]


async def test_heads_see_where_time_is_lost_and_nobody_else(
    applicant, office, anonymous, clock, client_of
):
    request = await file(applicant)
    clock.move(timedelta(hours=30))
    await refuse(office, request)
    told = (await office.get("/v1/performance/agencies")).json()
    lost = {(one["agency"], one["state"]): one["hours_mean"] for one in told["held"]}
    assert lost["dpmptsp", "submitted"] == "30.0"
    sheet = await office.get("/v1/performance/agencies/held.csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    lines = sheet.text.splitlines()
    assert lines[0] == "agency,state,files,hours_mean,hours_longest"
    assert "dpmptsp,submitted,1,30.0,30.0" in lines
    complaints = (await office.get("/v1/performance/agencies/complaints.csv")).text
    assert complaints.splitlines() == ["agency,category,complaints"]
    writer = client_of(system("ID-BB/GOV/dpmptsp/loket", "catalog.write"))
    for path in ("agencies", "agencies/held.csv", "agencies/complaints.csv"):
        assert (await writer.get(f"/v1/performance/{path}")).status_code == 403
        assert (await anonymous.get(f"/v1/performance/{path}")).status_code == 401


@pytest.mark.parametrize(
    "query", ["since=2026-02-01&until=2026-01-01", "since=2000-01-01", "since=x"]
)
async def test_a_period_out_of_order_or_too_long_is_refused(anonymous, query):
    assert (await anonymous.get(f"/v1/performance?{query}")).status_code == 422
